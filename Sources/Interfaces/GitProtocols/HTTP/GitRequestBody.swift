import HTTPTypes
import HubCore
import Hummingbird
import NIOCore

/// The body of a git request, inflated when the client compressed it.
struct GitRequestBody {
    private var pieces: RequestBody.AsyncIterator
    private let inflater: GzipInflater?
    private var decoder = PktLineDecoder()
    private var isAtEnd = false

    init(_ request: Request) throws {
        pieces = request.body.makeAsyncIterator()
        switch request.headers[.contentEncoding] {
        case nil, "identity": inflater = nil
        case "gzip", "x-gzip", "deflate": inflater = try GzipInflater()
        case let other?:
            throw ProblemError(.invalid, code: "content_encoding", "Content-Encoding \(other.shortened) is not known; send gzip.")
        }
    }

    /// The next piece of the body as the client meant it; `nil` at its end.
    mutating func next() async throws -> ByteBuffer? {
        while true {
            if let piece = try inflater?.next() { return piece }
            guard let piece = try await pieces.next() else {
                if let inflater, !inflater.isFinished { throw GzipError.malformed }
                return nil
            }
            guard let inflater else { return piece }
            try inflater.feed(piece)
        }
    }

    /// The next packet; `nil` at the end of the body, which may not come within a packet.
    mutating func nextPacket() async throws -> PktLine? {
        while true {
            if let line = try decoder.next() { return line }
            guard !isAtEnd, let piece = try await next() else {
                isAtEnd = true
                guard decoder.isEmpty else { throw PktLineError.endsEarly }
                return nil
            }
            decoder.append(piece)
        }
    }

    /// What a packet costs in memory besides its bytes; an empty one is counted with it, so that a body of millions of them
    /// ends at the limit too.
    private static let packetCost = 44

    /// All packets of the body, at most `limit` bytes of them.
    mutating func allPackets(limit: Int) async throws -> [PktLine] {
        var lines: [PktLine] = []
        var total = 0
        while let line = try await nextPacket() {
            if case .data(let payload) = line { total += payload.readableBytes }
            total += Self.packetCost
            guard total <= limit else { throw PktLineError.tooMany(limit: limit) }
            lines.append(line)
        }
        return lines
    }

    /// What was read after the last packet; the rest comes from `next()`.
    mutating func takeRemainder() -> ByteBuffer { decoder.takeRemainder() }
}
