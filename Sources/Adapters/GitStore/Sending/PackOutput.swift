import HubCore

/// Collects a pack's bytes into large blocks, hashes them and passes them on.
final class PackOutput {
    static let blockBytes = 512 << 10

    private let block = ByteBlock(count: blockBytes)
    private var filled = 0
    private var hash = SHA1()
    private let flush: (UnsafeRawBufferPointer) throws(GitStoreError) -> Void
    /// How many bytes have been written in all.
    private(set) var offset = 0

    /// - Parameter flush: Takes a block; the bytes are valid during the call only.
    init(_ flush: @escaping (UnsafeRawBufferPointer) throws(GitStoreError) -> Void) {
        self.flush = flush
    }

    deinit { block.free() }

    @inline(__always)
    func write(_ bytes: UnsafeRawBufferPointer) throws(GitStoreError) {
        if bytes.count <= Self.blockBytes - filled, let source = bytes.baseAddress {
            (block.start + filled).copyMemory(from: source, byteCount: bytes.count)
            filled += bytes.count
            offset += bytes.count
        } else {
            try writePieces(bytes)
        }
    }

    func write(_ bytes: [UInt8]) throws(GitStoreError) {
        // The closure of `withUnsafeBytes` cannot throw a typed error, so its outcome is carried out by hand.
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(GitStoreError) in try write(buffer) }
        }
        try result.get()
    }

    private func writePieces(_ bytes: UnsafeRawBufferPointer) throws(GitStoreError) {
        var rest = bytes
        while !rest.isEmpty {
            if filled == Self.blockBytes { try flushBlock() }
            let count = min(rest.count, Self.blockBytes - filled)
            UnsafeMutableRawBufferPointer(start: block.start + filled, count: count)
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            filled += count
            offset += count
        }
    }

    private func flushBlock() throws(GitStoreError) {
        let bytes = UnsafeRawBufferPointer(start: block.start, count: filled)
        hash.update(bytes)
        filled = 0
        try flush(bytes)
    }

    /// Writes `PACK`, the version and the number of objects.
    func writeHeader(objectCount: Int) throws(GitStoreError) {
        try write(PackHeader.bytes(objectCount: objectCount))
    }

    /// Writes the checksum of all before it and passes on what is left.
    func finish() throws(GitStoreError) {
        if filled > 0 { try flushBlock() }
        let result = withUnsafeTemporaryAllocation(byteCount: GitOID.byteCount, alignment: 8) { trailer in
            hash.finish().write(to: trailer)
            return Result { () throws(GitStoreError) in try flush(UnsafeRawBufferPointer(trailer)) }
        }
        offset += GitOID.byteCount
        try result.get()
    }
}

/// The first twelve bytes of a pack (git `gitformat-pack(5)`).
enum PackHeader {
    static func bytes(objectCount: Int) -> [UInt8] {
        let count = UInt32(objectCount)
        return Array("PACK".utf8) + [0, 0, 0, 2] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) }
    }
}
