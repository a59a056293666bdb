import HubCore
import NIOCore

extension GitObjects {
    /// The content of a blob as a stream, for downloads.
    ///
    /// A blob that is stored whole is inflated piece by piece, so its size does not matter; one that is stored as a delta is built in
    /// memory and must have at most 1 GiB.
    ///
    /// - Parameters:
    ///   - range: Which bytes; all of them without. It must lie within the blob.
    /// - Throws: `.missing`, `.unexpectedType`, `.tooLarge`, `.corrupt`.
    package func blob(_ oid: GitOID, range: Range<Int64>? = nil, threads: GitThreads) throws(GitStoreError)
        -> BlobStream
    {
        guard let header = try header(of: oid), let number = number(of: oid) else { throw .missing(oid) }
        guard header.type == .blob else { throw .unexpectedType(oid) }
        let range = range ?? 0..<header.sizeBytes
        guard range.lowerBound >= 0, range.upperBound <= header.sizeBytes else {
            throw .corrupt("a range lies outside its blob")
        }
        let ordinal = ordinal(of: number)
        let pack = opened[ordinal]
        let offset = pack.index.offset(at: number - firstNumber(ofPack: ordinal))
        let head: (kind: PackEntryKind, sizeBytes: Int, headerByteCount: Int)
        do { head = try PackEntryHeader.parse(pack.entry(at: offset)) } catch .malformed(let what) {
            throw .corrupt(what)
        }
        let content: BlobContent
        if head.kind.wholeType == nil {
            content = .built(self, oid)
        } else {
            content = .compressed(pack, start: offset + head.headerByteCount)
        }
        return BlobStream(content, blobBytes: header.sizeBytes, range: range, threads: threads)
    }
}

/// Where the content of a blob comes from.
enum BlobContent {
    case compressed(Pack, start: Int)
    case built(GitObjects, GitOID)
}

/// The bytes of a blob in pieces of at most 256 KiB.
///
/// Read it once, by one task.
package struct BlobStream: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer

    /// How many bytes the stream has.
    package let sizeBytes: Int64
    private let reader: BlobReader
    private let threads: GitThreads

    init(_ content: BlobContent, blobBytes: Int64, range: Range<Int64>, threads: GitThreads) {
        sizeBytes = range.upperBound - range.lowerBound
        reader = BlobReader(content, blobBytes: Int(blobBytes), range: Int(range.lowerBound)..<Int(range.upperBound))
        self.threads = threads
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(reader: reader, threads: threads) }

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let reader: BlobReader
        fileprivate let threads: GitThreads

        package mutating func next() async throws -> ByteBuffer? {
            try Task.checkCancellation()
            let reader = reader
            return try await threads.run { try reader.next() }
        }
    }
}

/// Reads a blob piece by piece.
///
/// Used by one thread at a time, as its stream is read by one task.
private final class BlobReader: @unchecked Sendable {
    private static let pieceBytes = 256 << 10

    // All of it is touched only in `next`.
    private var content: BlobContent
    private let inflate = InflateStream()
    private var consumed = 0
    private var built: [UInt8] = []
    /// Where in the blob the next byte lies.
    private var position = 0
    private let blobBytes: Int
    private let range: Range<Int>

    init(_ content: BlobContent, blobBytes: Int, range: Range<Int>) {
        self.content = content
        self.blobBytes = blobBytes
        self.range = range
    }

    /// `nil` when the range is through.
    func next() throws(GitStoreError) -> ByteBuffer? {
        while position < range.upperBound {
            let piece = try piece()
            let start = position
            position += piece.readableBytes
            let wanted = piece.readerIndex + max(0, range.lowerBound - start)
            let end = piece.readerIndex + min(piece.readableBytes, range.upperBound - start)
            if wanted < end { return piece.getSlice(at: wanted, length: end - wanted) }
        }
        return nil
    }

    private func piece() throws(GitStoreError) -> ByteBuffer {
        switch content {
        case .compressed(let pack, let start): return try inflatedPiece(pack.entry(at: start))
        case .built(let objects, let oid):
            if built.isEmpty { built = try objects.read(oid, limit: Int64(ObjectReader.maximumDeltaBytes)).bytes }
            return ByteBuffer(bytes: built[position..<min(position + Self.pieceBytes, built.count)])
        }
    }

    private func inflatedPiece(_ source: UnsafeRawBufferPointer) throws(GitStoreError) -> ByteBuffer {
        let count = min(Self.pieceBytes, blobBytes - position)
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        var failure: GitStoreError?
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { room in
            do throws(GitStoreError) {
                let step = try inflate.step(
                    UnsafeRawBufferPointer(rebasing: source[consumed...]),
                    into: UnsafeMutableRawBufferPointer(rebasing: room[..<count]))
                consumed += step.consumed
                return step.produced
            } catch {
                failure = error
                return 0
            }
        }
        if case .malformed(let what) = failure { throw .corrupt(what) }
        if let failure { throw failure }
        guard buffer.readableBytes > 0 else { throw .corrupt("a blob is shorter than its header says") }
        return buffer
    }
}
