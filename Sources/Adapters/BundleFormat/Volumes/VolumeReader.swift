import Glibc
import HubCore

/// Reads a volume of a bundle by its index, entry by entry, in any order. Calls block; used by one thread at a time.
///
/// Nothing of the tar file is believed: the index must have the signed hash, where an entry lies follows from the index, and each header
/// must be the one that belongs there. A volume that was cut short or has a damaged place still gives its other entries.
package final class VolumeReader {
    package static let pieceBytes = 1 << 20

    package let index: VolumeIndex
    private let volume: BundleManifest.Volume
    private let file: BundleFile
    private let layout: VolumeLayout
    private let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 4096)

    /// Opens a volume and reads its index, whose hash is checked before it is parsed.
    /// - Throws: `BundleError`
    package init(path: String, volume: BundleManifest.Volume) throws(BundleError) {
        self.volume = volume
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

    deinit { piece.deallocate() }

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

    /// Hands out the stored bytes of entry `n` in pieces of at most 1 MiB.
    ///
    /// - Parameter isHashed: whether the stored bytes are checked against the index; a wrong hash is thrown after the last piece. `false`
    ///   where the caller hashes the bytes itself.
    /// - Throws: `BundleError`, or what `body` throws.
    package func readStored(_ n: Int, isHashed: Bool = true, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let entry = index.entries[n]
        try checkHeader(n)
        let digest = isHashed ? BundleDigest() : nil
        var offset: Int64 = 0
        while offset < entry.storedLength {
            let count = Int(min(Int64(Self.pieceBytes), entry.storedLength - offset))
            let bytes = UnsafeMutableRawBufferPointer(rebasing: piece[..<count])
            try file.read(bytes, at: layout.places[n].data + offset)
            digest?.update(UnsafeRawBufferPointer(bytes))
            try body(UnsafeRawBufferPointer(bytes))
            offset += Int64(count)
        }
        try checkPadding(n)
        if let digest, digest.finish() != entry.sha256 { throw damage(n, "its bytes do not have the signed hash") }
    }

    /// Hands out the content of entry `n` in pieces of at most 1 MiB.
    ///
    /// What is compressed (64 MiB at most) is read and checked as a whole before any of it is decompressed, and yields no more than the
    /// signed length. What is stored as it is comes as it is read; a wrong hash is thrown after the last piece.
    /// - Throws: `BundleError`, or what `body` throws.
    package func readContent(_ n: Int, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let entry = index.entries[n]
        switch entry.encoding {
        case .raw: try readStored(n, body)
        case .lz4:
            let frame = try stored(n)
            do {
                try frame.withUnsafeBytes { try LZ4Frame.decompress($0, length: entry.length, body) }
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
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(length))
        try readStored(n) { bytes.append(contentsOf: $0) }
        return bytes
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
