import Hummingbird
import NIOCore

/// The body of a commit, event by event.
struct CommitBody {
    /// More than the 200 MB that clients send at most.
    static let maximumBytes: Int64 = 1 << 30

    private var pieces: RequestBody.AsyncIterator
    private var parser = CommitLineParser()
    private var buffer = ByteBuffer()
    private var receivedBytes: Int64 = 0
    private var isAtEnd = false

    init(_ body: RequestBody) { pieces = body.makeAsyncIterator() }

    /// `nil` at the end.
    mutating func next() async throws -> CommitEvent? {
        while true {
            let (consumed, event) = try buffer.withUnsafeReadableBytes { try parser.parse($0) }
            buffer.moveReaderIndex(forwardBy: consumed)
            if let event { return event }
            if isAtEnd { return try parser.finish() }
            guard let piece = try await pieces.next() else {
                isAtEnd = true
                continue
            }
            buffer = piece
            receivedBytes += Int64(piece.readableBytes)
            guard receivedBytes <= Self.maximumBytes else {
                throw CommitBodyError.bodyTooLarge(limit: Self.maximumBytes)
            }
        }
    }

    /// Reads on and drops it: a client that is still sending would not see the answer.
    mutating func drain() async {
        while receivedBytes < Self.maximumBytes {
            guard let piece = try? await pieces.next() else { return }  // Whoever has gone away needs no answer.
            receivedBytes += Int64(piece.readableBytes)
        }
    }
}
