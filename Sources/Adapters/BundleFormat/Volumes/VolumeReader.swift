import Glibc
import HubCore

/// Reads a volume of a bundle by its index, entry by entry, in any order. Calls block; used by one thread at a time.
///
/// Nothing of the tar file is believed: the index must have the signed hash, where an entry lies follows from the index, and each header
/// must be the one that belongs there. A volume that was cut short or has a damaged place still gives its other entries.
package final class VolumeReader {
    package static let pieceBytes = 1 << 20
    /// Pieces that were handed out stay as they are until this many more were.
    package static let pieceDelay = 15
    /// What the medium reads while a compressed entry is unpacked.
    private static let aheadBytes: Int64 = 16 << 20
    /// Memory is let go of in lumps, as each costs a look at every processor.
    private static let dropBytes: Int64 = 32 << 20

    /// Freed also when a volume turns out not to be one.
    private final class Pieces {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: (VolumeReader.pieceDelay + 1) * VolumeReader.pieceBytes, alignment: 4096)

        deinit { bytes.deallocate() }
    }

    package let index: VolumeIndex
    private let volume: BundleManifest.Volume
    private let file: BundleFile
    private let layout: VolumeLayout
    private let hashing: DigestThread?
    private let pieces = Pieces()
    private var nextPlace = 0
    private var dropped: Int64 = 0

    /// Opens a volume and reads its index, whose hash is checked before it is parsed.
    ///
    /// - Parameter hashing: checks stored bytes beside the thread that reads, at a depth of at most `pieceDelay`.
    /// - Throws: `BundleError`
    package init(path: String, volume: BundleManifest.Volume, hashing: DigestThread? = nil) throws(BundleError) {
        self.volume = volume
        self.hashing = hashing
        file = try BundleFile.reading(path, name: volume.file)
        let bytes = try Self.indexBytes(of: file, volume: volume)
        guard BundleDigest.hash(bytes) == volume.indexSHA256 else {
            throw .wrongHash(file: "\(volume.file): \(VolumeIndex.fileName)", expected: volume.indexSHA256)
        }
        index = try VolumeIndex(parsing: bytes)
        guard index.volume == volume.number else {
            throw .unexpectedContent(volume: volume.number, reason: "its index is that of volume \(index.volume)")
        }
        layout = try VolumeLayout(indexBytes: bytes.count, entries: index.entries, volume: volume.number)
        guard layout.sizeBytes == volume.sizeBytes else {
            throw .unexpectedContent(volume: volume.number, reason: "its index does not add up to its size")
        }
    }

    private static func indexBytes(of file: BundleFile, volume: BundleManifest.Volume) throws(BundleError) -> [UInt8] {
        let header = try file.read(count: TarHeader.blockBytes, at: 0)
        guard let size = TarHeader.plainSize(of: header, name: VolumeIndex.fileName) else {
            throw .unexpectedContent(volume: volume.number, reason: "it does not begin with \(VolumeIndex.fileName)")
        }
        guard size <= VolumeIndex.maximumBytes, size <= volume.sizeBytes else {
            throw .tooLarge(what: "\(volume.file): \(VolumeIndex.fileName)", limit: "\(VolumeIndex.maximumBytes >> 20) MiB")
        }
        return try file.read(count: Int(size), at: Int64(TarHeader.blockBytes))
    }

    /// Where the data of entry `n` begins in the volume.
    package func offset(of n: Int) -> Int64 { layout.places[n].data }

    /// Gives the memory for the next piece.
    package typealias Room = () throws -> UnsafeMutableRawBufferPointer

    /// Hands out the stored bytes of entry `n` in pieces.
    ///
    /// - Parameters:
    ///   - isHashed: whether the stored bytes are checked against the index; a wrong hash is thrown after the last piece. `false` where
    ///     the caller hashes the bytes itself.
    ///   - room: without it pieces have at most 1 MiB and are the reader's own.
    /// - Throws: `BundleError`, or what `room` or `body` throws.
    package func readStored(
        _ n: Int, isHashed: Bool = true, into room: Room? = nil, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let entry = index.entries[n]
        try checkHeader(n)
        let digest = isHashed ? BundleDigest() : nil
        defer { hashing?.settle() }
        var offset: Int64 = 0
        while offset < entry.storedLength {
            let piece = try room?() ?? nextPiece()
            let bytes = UnsafeMutableRawBufferPointer(rebasing: piece[..<Int(min(Int64(piece.count), entry.storedLength - offset))])
            try file.read(bytes, at: layout.places[n].data + offset)
            offset += Int64(bytes.count)
            if let digest, let hashing {
                hashing.update(digest, UnsafeRawBufferPointer(bytes))
            } else {
                digest?.update(UnsafeRawBufferPointer(bytes))
            }
            try body(UnsafeRawBufferPointer(bytes))
        }
        try checkPadding(n)
        hashing?.settle()
        if let digest, digest.finish() != entry.sha256 { throw damage(n, "its bytes do not have the signed hash") }
    }

    /// Hands out the content of entry `n` in pieces.
    ///
    /// What is compressed (64 MiB at most) is read and checked as a whole before any of it is decompressed, and yields no more than the
    /// signed length. What is stored as it is comes as it is read; a wrong hash is thrown after the last piece.
    ///
    /// - Parameter room: without it pieces have at most 1 MiB and are the reader's own.
    /// - Throws: `BundleError`, or what `room` or `body` throws.
    package func readContent(_ n: Int, into room: Room? = nil, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let entry = index.entries[n]
        switch entry.encoding {
        case .raw: try readStored(n, into: room, body)
        case .lz4:
            let frame = try stored(n)
            file.readAhead(layout.places[n].end..<layout.places[n].end + Self.aheadBytes)
            do {
                try frame.withUnsafeBytes { try LZ4Frame.decompress($0, length: entry.length, into: room ?? nextPiece, body) }
            } catch LZ4Fault.invalid(let reason) {
                throw damage(n, reason)
            } catch LZ4Fault.wrongLength {
                throw damage(n, "the LZ4 frame does not yield the signed length")
            }
        }
    }

    /// The whole content of an entry of at most 64 MiB: a list or an attachment.
    package func content(_ n: Int) throws -> [UInt8] {
        let length = index.entries[n].length
        guard length <= VolumeIndex.segmentBytes else {
            throw BundleError.tooLarge(what: index.entries[n].content.name, limit: "\(VolumeIndex.segmentBytes >> 20) MiB")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(length))
        try readContent(n) { bytes.append(contentsOf: $0) }
        return bytes
    }

    /// Checks that the volume ends where it should.
    /// - Throws: `BundleError.truncated`, `.unexpectedContent`.
    package func checkEnd() throws(BundleError) {
        let size = try file.sizeBytes()
        guard size >= volume.sizeBytes else { throw .truncated(file: volume.file) }
        guard size == volume.sizeBytes else { throw unexpected("bytes follow its end") }
        let end = try file.read(count: Int(TarHeader.endBytes), at: volume.sizeBytes - TarHeader.endBytes)
        guard end.allSatisfy({ $0 == 0 }) else { throw unexpected("it does not end as a tar file does") }
    }

    private func stored(_ n: Int) throws -> [UInt8] {
        let length = index.entries[n].storedLength
        // The index bounds what may be compressed, so this does too.
        guard length <= VolumeIndex.segmentBytes else { throw damage(n, "it is too large to be compressed") }
        return try [UInt8](unsafeUninitializedCapacity: Int(length)) { buffer, initialized in
            let frame = UnsafeMutableRawBufferPointer(buffer)
            var done = 0
            let rest: Room = { UnsafeMutableRawBufferPointer(rebasing: frame[done..<min(done + Self.pieceBytes, frame.count)]) }
            try readStored(n, into: rest) { done += $0.count }
            initialized = done
        }
    }

    /// The memory whose bytes were handed out longest ago.
    private func nextPiece() -> UnsafeMutableRawBufferPointer {
        let start = nextPlace * Self.pieceBytes
        nextPlace = (nextPlace + 1) % (Self.pieceDelay + 1)
        return UnsafeMutableRawBufferPointer(rebasing: pieces.bytes[start..<start + Self.pieceBytes])
    }

    /// Lets go of the memory that the entries up to `n` took, for whom reads each once and in order: what others use stays in memory.
    package func dropFromMemory(upTo n: Int) {
        let end = layout.places[n].end
        guard end - dropped >= Self.dropBytes else { return }
        file.dropFromMemory(dropped..<end)
        dropped = end
    }

    private func checkHeader(_ n: Int) throws(BundleError) {
        let entry = index.entries[n]
        let expected = TarHeader.bytes(name: entry.content.name, size: entry.storedLength)
        guard try file.read(count: expected.count, at: layout.places[n].start) == expected else {
            throw unexpected("the header of \(entry.content.name) is not the one that belongs there")
        }
    }

    private func checkPadding(_ n: Int) throws(BundleError) {
        let count = Int(TarHeader.paddingBytes(size: index.entries[n].storedLength))
        guard count > 0 else { return }
        guard try file.read(count: count, at: layout.places[n].end - Int64(count)).allSatisfy({ $0 == 0 }) else {
            throw unexpected("something is hidden after \(index.entries[n].content.name)")
        }
    }

    private func unexpected(_ reason: String) -> BundleError { .unexpectedContent(volume: volume.number, reason: reason) }

    private func damage(_ n: Int, _ reason: String) -> BundleError {
        let object: ObjectID =
            switch index.entries[n].content {
            case .segment(let object, _): object
            case .gitBundle, .attachment, .list: index.entries[n].sha256
            }
        return .damagedSegment(volume: volume.number, offset: layout.places[n].data, object: object, reason: reason)
    }
}
