import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTPTypes

/// Writes one answer to a connection and counts its bytes. Head, body and end go out in one write where the body is one buffer.
///
/// Unchecked: used by one task, the connection's.
final class ResponseSender: @unchecked Sendable {
    private let outbound: NIOAsyncChannelOutboundWriter<HTTPResponsePart>
    private var head: HTTPResponse?
    private let contentLength: Int64?
    private(set) var sentBytes: Int64 = 0
    private(set) var isFinished = false

    init(_ outbound: NIOAsyncChannelOutboundWriter<HTTPResponsePart>, head: HTTPResponse) {
        self.outbound = outbound
        self.head = head
        contentLength = head.headerFields[.contentLength].flatMap { Int64($0) }
    }

    /// The head has not been written, so another answer may still take this one's place.
    var isUnstarted: Bool { head != nil }

    func send(_ body: ResponseBody) async throws {
        try await body.write(Writer(sender: self))
        if !isFinished { try await finish(nil) }
    }

    fileprivate func write(_ buffer: ByteBuffer) async throws {
        guard !isFinished, buffer.readableBytes > 0 else { return }
        sentBytes += Int64(buffer.readableBytes)
        guard let head else {
            try await outbound.write(.body(buffer))
            return
        }
        self.head = nil
        if contentLength == sentBytes {
            isFinished = true
            try await outbound.write(contentsOf: [.head(head), .body(buffer), .end(nil)])
        } else {
            try await outbound.write(contentsOf: [.head(head), .body(buffer)])
        }
    }

    fileprivate func finish(_ trailers: HTTPFields?) async throws {
        guard !isFinished else { return }
        isFinished = true
        if let head {
            self.head = nil
            try await outbound.write(contentsOf: [.head(head), .end(trailers)])
        } else {
            try await outbound.write(.end(trailers))
        }
    }

    private struct Writer: ResponseBodyWriter {
        let sender: ResponseSender

        mutating func write(_ buffer: ByteBuffer) async throws { try await sender.write(buffer) }
        consuming func finish(_ trailers: HTTPFields?) async throws { try await sender.finish(trailers) }
    }
}
