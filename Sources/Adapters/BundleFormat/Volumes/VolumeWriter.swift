import HubCore

/// Writes one volume: its index and then every entry from its source. Calls block; used by one thread at a time.
///
/// Each entry must have the length and the hash that the index says, or nothing of the volume counts. A volume that was being written
/// when the program ended is taken up again: what is on the medium is read back and kept as far as it is right.
package final class VolumeWriter {
    package struct Source: Hashable, Sendable {
        package var entry: VolumeIndex.Entry
        package var source: EntrySource

        package init(entry: VolumeIndex.Entry, source: EntrySource) {
            self.entry = entry
            self.source = source
        }
    }

    /// Write-back starts with each piece and is waited for this far behind, so that the medium works all the time.
    private static let writebackDistance: Int64 = 64 << 20
    /// At most this much must be written again after a power failure.
    private static let syncDistance: Int64 = 256 << 20
    private static let pieceBytes = 1 << 20

    private let sources: [Source]
    private let number: Int
    private let indexBytes: [UInt8]
    private let layout: VolumeLayout
    /// Two pieces: one is filled while the other is hashed.
    private let pieces = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * pieceBytes, alignment: 4096)
    private var isSecondPiece = false
    /// Of the volume.
    private var digest = BackgroundDigest()
    /// Hashes entries beside it, to see that they are what they were.
    private let checking = DigestThread()
    private var file: BundleFile?
    private var offset: Int64 = 0
    private var writtenBack: Int64 = 0
    private var dropped: Int64 = 0
    private var synced: Int64 = 0

    package init(number: Int, sources: [Source]) throws(BundleError) {
        self.number = number
        self.sources = sources
        let entries = sources.map(\.entry)
        indexBytes = VolumeIndex(volume: number, entries: entries).canonicalBytes
        layout = try VolumeLayout(indexBytes: indexBytes.count, entries: entries, volume: number)
    }

    deinit {
        // The threads may still read a piece.
        _ = digest.finish()
        checking.settle()
        pieces.deallocate()
    }

    /// The size of the volume, exact.
    package var sizeBytes: Int64 { layout.sizeBytes }

    /// What the manifest says of the volume, without writing it. Reads every source once.
    package func describe(progress: (Int64) throws -> Void) throws -> BundleManifest.Volume {
        file = nil
        return try run(kept: 0, progress)
    }

    /// Writes the volume to `path`, durably, and says what the manifest has of it.
    ///
    /// - Parameter progress: told the number of bytes of the volume that are done; what it throws ends the work.
    package func write(to path: String, progress: (Int64) throws -> Void) throws -> BundleManifest.Volume {
        let file = try BundleFile.writing(path, name: BundleManifest.Volume.file(number))
        self.file = file
        let kept = try rightEntries(in: file)
        let volume = try run(kept: kept, progress)
        try file.truncate(to: offset)
        try file.sync()
        file.finishWriteback(0..<offset)
        return volume
    }

    private func run(kept: Int, _ progress: (Int64) throws -> Void) throws -> BundleManifest.Volume {
        digest = BackgroundDigest()
        offset = 0
        writtenBack = 0
        dropped = 0
        synced = 0
        try put(TarHeader.bytes(name: VolumeIndex.fileName, size: Int64(indexBytes.count)), isKept: kept > 0)
        try put(indexBytes, isKept: kept > 0)
        try pad(indexBytes.count, isKept: kept > 0)
        for (n, source) in sources.enumerated() { try put(source, isKept: n < kept, progress) }
        try put([UInt8](repeating: 0, count: Int(TarHeader.endBytes)), isKept: false)
        precondition(offset == layout.sizeBytes, "the layout of a volume is exact")
        return BundleManifest.Volume(
            number: number, sizeBytes: offset, sha256: digest.finish(), indexSHA256: BundleDigest.hash(indexBytes))
    }

    private func put(_ source: Source, isKept: Bool, _ progress: (Int64) throws -> Void) throws {
        let entry = source.entry
        try put(TarHeader.bytes(name: entry.content.name, size: entry.storedLength), isKept: isKept)
        if isKept, let file {
            // What is on the medium has been found right; it is read again for the hash of the volume, from memory mostly.
            try stream(entry.storedLength, isKept: true, progress) { try file.read($0, at: offset) }
        } else {
            let open = try OpenEntrySource(source.source)
            let check = BundleDigest()
            switch entry.encoding {
            case .raw:
                var done: Int64 = 0
                try stream(entry.storedLength, isKept: false, progress) { bytes in
                    try open.read(bytes, at: done)
                    done += Int64(bytes.count)
                    checking.update(check, UnsafeRawBufferPointer(bytes))
                }
                checking.settle()
            case .lz4:
                guard let frame = try EntryMeasure.whole(open, length: entry.length).withUnsafeBytes({ LZ4Frame.compress($0) }),
                    frame.count == entry.storedLength
                else { throw open.changed }
                try put(frame, isKept: false)
                frame.withUnsafeBytes { check.update($0) }
                try progress(entry.storedLength)
            }
            guard check.finish() == entry.sha256 else { throw open.changed }
        }
        try pad(Int(entry.storedLength % 512), isKept: isKept)
    }

    private func stream(
        _ length: Int64, isKept: Bool, _ progress: (Int64) throws -> Void, _ fill: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws {
        var left = length
        while left > 0 {
            let bytes = nextPiece(count: Int(min(Int64(Self.pieceBytes), left)))
            try fill(bytes)
            digest.update(UnsafeRawBufferPointer(bytes))
            try store(UnsafeRawBufferPointer(bytes), isKept: isKept)
            left -= Int64(bytes.count)
            try progress(Int64(bytes.count))
        }
    }

    private func pad(_ length: Int, isKept: Bool) throws {
        let count = Int(TarHeader.paddingBytes(size: Int64(length)))
        if count > 0 { try put([UInt8](repeating: 0, count: count), isKept: isKept) }
    }

    /// The piece that the digest has let go of.
    private func nextPiece(count: Int) -> UnsafeMutableRawBufferPointer {
        let start = isSecondPiece ? Self.pieceBytes : 0
        isSecondPiece.toggle()
        return UnsafeMutableRawBufferPointer(rebasing: pieces[start..<start + count])
    }

    private func put(_ bytes: [UInt8], isKept: Bool) throws {
        try bytes.withUnsafeBytes {
            digest.updateNow($0)
            try store($0, isKept: isKept)
        }
    }

    private func store(_ bytes: UnsafeRawBufferPointer, isKept: Bool) throws {
        let start = offset
        offset += Int64(bytes.count)
        guard let file, !isKept else { return }
        try file.write(bytes, at: start)
        try settle(file)
    }

    /// Keeps the medium at work and the page cache small, and bounds what a power failure costs.
    private func settle(_ file: BundleFile) throws {
        guard offset - writtenBack >= 8 << 20 else { return }
        file.startWriteback(writtenBack..<offset)
        writtenBack = offset
        let behind = offset - Self.writebackDistance
        if behind > dropped {
            file.finishWriteback(dropped..<behind)
            dropped = behind
        }
        guard offset - synced >= Self.syncDistance else { return }
        try file.sync()
        synced = offset
    }

    // MARK: - Taking up again

    /// How many entries, from the first on, the file holds as they should be.
    private func rightEntries(in file: BundleFile) throws -> Int {
        guard try file.sizeBytes() > 0, try hasIndex(file) else { return 0 }
        for (n, source) in sources.enumerated() where try !hasEntry(n, source.entry, in: file) { return n }
        return sources.count
    }

    private func hasIndex(_ file: BundleFile) throws -> Bool {
        try has(TarHeader.bytes(name: VolumeIndex.fileName, size: Int64(indexBytes.count)) + indexBytes, at: 0, in: file)
    }

    private func has(_ expected: [UInt8], at offset: Int64, in file: BundleFile) throws -> Bool {
        guard try file.sizeBytes() >= offset + Int64(expected.count) else { return false }
        return try file.read(count: expected.count, at: offset) == expected
    }

    private func hasEntry(_ n: Int, _ entry: VolumeIndex.Entry, in file: BundleFile) throws -> Bool {
        let place = layout.places[n]
        guard try file.sizeBytes() >= place.end else { return false }
        guard try has(TarHeader.bytes(name: entry.content.name, size: entry.storedLength), at: place.start, in: file) else { return false }
        let check = BundleDigest()
        var done: Int64 = 0
        while done < entry.storedLength {
            let bytes = nextPiece(count: Int(min(Int64(Self.pieceBytes), entry.storedLength - done)))
            try file.read(bytes, at: place.data + done)
            check.update(UnsafeRawBufferPointer(bytes))
            done += Int64(bytes.count)
        }
        let padding = try file.read(count: Int(place.end - place.data - entry.storedLength), at: place.data + entry.storedLength)
        return check.finish() == entry.sha256 && padding.allSatisfy { $0 == 0 }
    }
}
