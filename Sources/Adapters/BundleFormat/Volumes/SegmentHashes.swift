import HubCore

/// The hash of a file and of each of its segments, from one reading.
package struct SegmentHashes: Hashable, Sendable {
    package let whole: ObjectID
    package let segments: [ObjectID]

    private static let pieceBytes = 1 << 20

    /// - Throws: `SourceError.changed` when the file does not have `sizeBytes`.
    package init(of path: String, sizeBytes: Int64, progress: (Int64) throws -> Void) throws {
        let file = try BundleFile.reading(path, name: path)
        guard try file.sizeBytes() == sizeBytes else { throw SourceError.changed(path: path) }
        guard sizeBytes > VolumeIndex.segmentBytes else {
            whole = try Self.hash(file, sizeBytes, path, progress)
            segments = sizeBytes > 0 ? [whole] : []
            return
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * Self.pieceBytes, alignment: 4096)
        defer { buffer.deallocate() }
        let digest = BackgroundDigest()
        var segment = BundleDigest()
        var hashes: [ObjectID] = []
        var offset: Int64 = 0
        var isSecond = false
        while offset < sizeBytes {
            let start = isSecond ? Self.pieceBytes : 0
            isSecond.toggle()
            let count = Int(min(Int64(Self.pieceBytes), sizeBytes - offset))
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[start..<start + count])
            guard try file.readUpTo(piece, at: offset) == count else { throw SourceError.changed(path: path) }
            digest.update(UnsafeRawBufferPointer(piece))
            segment.update(UnsafeRawBufferPointer(piece))
            offset += Int64(count)
            if offset.isMultiple(of: VolumeIndex.segmentBytes) || offset == sizeBytes {
                hashes.append(segment.finish())
                segment = BundleDigest()
            }
            try progress(Int64(count))
        }
        whole = digest.finish()
        segments = hashes
    }

    private static func hash(_ file: BundleFile, _ sizeBytes: Int64, _ path: String, _ progress: (Int64) throws -> Void) throws -> ObjectID {
        let digest = BundleDigest()
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 4096)
        defer { piece.deallocate() }
        var offset: Int64 = 0
        while offset < sizeBytes {
            let bytes = UnsafeMutableRawBufferPointer(rebasing: piece[..<Int(min(Int64(pieceBytes), sizeBytes - offset))])
            guard try file.readUpTo(bytes, at: offset) == bytes.count else { throw SourceError.changed(path: path) }
            digest.update(UnsafeRawBufferPointer(bytes))
            offset += Int64(bytes.count)
            try progress(Int64(bytes.count))
        }
        return digest.finish()
    }
}
