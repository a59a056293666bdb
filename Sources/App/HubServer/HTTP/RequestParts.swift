import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import WebCore

/// The requests of one connection, head by head and body by body.
///
/// Unchecked: only the connection's task and the handler that it awaits use it, one after the other.
final class RequestParts: @unchecked Sendable {
    private var iterator: NIOAsyncChannelInboundStream<HTTPRequestPart>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<HTTPResponsePart>
    /// The body of the present request is not read to its end.
    private(set) var isBodyOpen = false
    /// Bytes of the present body that were read.
    private(set) var receivedBytes: Int64 = 0
    /// The client waits for `100 Continue` before it sends the body.
    private(set) var awaitsContinue = false
    /// The inbound side is of no further use.
    private(set) var isBroken = false

    init(
        _ inbound: NIOAsyncChannelInboundStream<HTTPRequestPart>,
        outbound: NIOAsyncChannelOutboundWriter<HTTPResponsePart>
    ) {
        iterator = inbound.makeAsyncIterator()
        self.outbound = outbound
    }

    /// The next request's head; `nil` when the client has closed. The body before must be read to its end.
    func nextHead() async throws -> HTTPRequest? {
        switch try await iterator.next() {
        case nil: return nil
        case .head(let head):
            isBodyOpen = true
            receivedBytes = 0
            awaitsContinue = head.headerFields[.expect]?.lowercased() == "100-continue"
            // A request without a body ends with its head; then there is nothing to drain later.
            if head.headerFields[.contentLength] == nil, head.headerFields[.transferEncoding] == nil {
                _ = try await nextBody()
            }
            return head
        case .body, .end: throw RequestBodyError.malformed
        }
    }

    /// The next bytes of the body; `nil` at its end. The first call tells a client that waits for it to go on.
    func nextBody() async throws -> ByteBuffer? {
        guard isBodyOpen, !isBroken else {
            if isBroken { throw RequestBodyError.ended }
            return nil
        }
        do {
            if awaitsContinue {
                awaitsContinue = false
                try await outbound.write(.head(HTTPResponse(status: .continue)))
            }
            switch try await iterator.next() {
            case .body(let buffer):
                receivedBytes += Int64(buffer.readableBytes)
                return buffer
            case .end:
                isBodyOpen = false
                return nil
            case .head: throw RequestBodyError.malformed
            case nil: throw RequestBodyError.ended
            }
        } catch {
            isBroken = true
            if error is CancellationError { throw error }
            if case .invalidEOFState = error as? HTTPParserError { throw RequestBodyError.ended }
            throw error is HTTPParserError ? RequestBodyError.malformed : RequestBodyError.ended
        }
    }

    /// Reads and drops at most `limit` bytes of what is left of the body; returns whether that was all.
    func drain(limit: Int64) async throws -> Bool {
        let start = receivedBytes
        while try await nextBody() != nil {
            if receivedBytes - start > limit { return false }
        }
        return true
    }

    /// Reads and drops whatever comes, at most `limit` bytes, until the client closes.
    func drainConnection(limit: Int) async throws {
        guard !isBroken else { return }
        var left = limit
        while left > 0, let part = try await iterator.next() {
            if case .body(let buffer) = part { left -= buffer.readableBytes }
        }
    }
}

/// The present body as a sequence for `Request`.
struct RequestBodySequence: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let parts: RequestParts

    struct AsyncIterator: AsyncIteratorProtocol {
        let parts: RequestParts

        mutating func next() async throws -> ByteBuffer? { try await parts.nextBody() }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(parts: parts) }
}
