import Glibc

/// The open file of one content on its way in. Used by one thread at a time.
///
/// Large content goes past the page cache: nobody reads it before it is published, copying it there costs as much as hashing it, and it
/// would push other files out of memory. Where the file system cannot do that, write-back starts with each piece and is waited for 64 MiB
/// behind.
final class StagedFile {
    /// Offsets, counts and memory of direct writes are multiples of this, which suits every block size in use.
    static let blockBytes = 4096
    /// Smaller content is not worth a second descriptor.
    private static let minimumDirectBytes: Int64 = 1 << 20
    private static let writebackDistance: Int64 = 64 << 20

    private let file: OpenFile
    private var direct: OpenFile?
    private var writtenBack: Int64?

    init(_ path: String, sizeBytes: Int64, file: OpenFile) {
        self.file = file
        direct = sizeBytes >= Self.minimumDirectBytes ? OpenFile.writingDirectly(path) : nil
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        var rest = bytes
        if let direct, offset.isMultiple(of: Int64(Self.blockBytes)) {
            let blocks = bytes.count / Self.blockBytes * Self.blockBytes
            do {
                try direct.write(UnsafeRawBufferPointer(rebasing: bytes[..<blocks]), at: offset)
                rest = UnsafeRawBufferPointer(rebasing: bytes[blocks...])
            } catch let fault as FileFault where fault.code == EINVAL {
                // It takes the flag and not the writes, or wants larger blocks.
                self.direct = nil
            }
        }
        guard !rest.isEmpty else { return }
        let start = offset + Int64(bytes.count - rest.count)
        try file.write(rest, at: start)
        if direct == nil { try startWriteback(start..<start + Int64(rest.count)) }
    }

    private func startWriteback(_ range: Range<Int64>) throws {
        try file.startWriteback(range)
        // Pieces may begin anywhere when media are brought in another order.
        let done = writtenBack.flatMap { $0 <= range.lowerBound ? $0 : nil } ?? range.lowerBound
        let behind = range.upperBound - Self.writebackDistance
        if behind > done { try file.finishWriteback(done..<behind) }
        writtenBack = max(done, behind)
    }

    /// Makes what was written durable.
    func syncData() throws { try file.syncData() }
}
