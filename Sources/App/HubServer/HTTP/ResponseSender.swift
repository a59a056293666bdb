import HTTPTypes
import HubCore
import Hummingbird
import NIOCore
import NIOHTTPTypes
import WebCore

/// Writes one answer to a connection and counts its bytes. Head, body and end go out in one write where the body is one buffer.
///
/// Unchecked: used by one task, the connection's.
final class ResponseSender: @unchecked Sendable {
    private let outbound: NIOAsyncChannelOutboundWriter<HTTPResponsePart>
    private let files: NIOLoopBound<FileSender>
    private var head: HTTPResponse?
    private let contentLength: Int64?
    private(set) var sentBytes: Int64 = 0
    private(set) var isFinished = false

    /// How much of a file is brought into memory and handed over at once; two such parts are under way.
    private static let filePartBytes: Int64 = 4 << 20

    init(_ outbound: NIOAsyncChannelOutboundWriter<HTTPResponsePart>, files: NIOLoopBound<FileSender>, head: HTTPResponse) {
        self.outbound = outbound
        self.files = files
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

    /// While some parts are sent the next are brought into memory and handed over, so that the socket never runs dry.
    fileprivate func write(_ content: any FileContent) async throws {
        guard !isFinished, content.sizeBytes > 0 else { return }
        if let head {
            self.head = nil
            try await outbound.write(.head(head))
        }
        let source = content.makeFileParts()
        // Files must stay open as long as parts of them are on their way.
        var sending: (parts: [FilePart], done: EventLoopFuture<Void>)?
        while true {
            let parts: [FilePart]
            do {
                parts = try await source.next(limit: Self.filePartBytes)
            } catch {
                // This error says more than that of a part.
                try? await sending?.done.get()
                throw error
            }
            let sent = parts.isEmpty ? nil : (parts, send(parts))
            do {
                try await sending?.done.get()
            } catch {
                try? await sent?.1.get()
                throw error
            }
            guard let sent else { return }
            sending = sent
            sentBytes += parts.reduce(0) { $0 + Int64($1.range.count) }
        }
    }

    /// Hands parts over in their order; succeeds when the channel has taken the last.
    private func send(_ parts: [FilePart]) -> EventLoopFuture<Void> {
        let files = files
        return files.eventLoop.flatSubmit {
            let sent = parts.map { part in
                let done = files.eventLoop.makePromise(of: Void.self)
                files.value.send(part.descriptor, part.range, done: done)
                return done.futureResult
            }
            return EventLoopFuture.andAllComplete(sent, on: files.eventLoop).flatMap {
                EventLoopFuture.andAllSucceed(sent, on: files.eventLoop)
            }
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

    private struct Writer: FileBodyWriter {
        let sender: ResponseSender

        mutating func write(_ buffer: ByteBuffer) async throws { try await sender.write(buffer) }
        func write(_ content: any FileContent) async throws { try await sender.write(content) }
        consuming func finish(_ trailers: HTTPFields?) async throws { try await sender.finish(trailers) }
    }
}
