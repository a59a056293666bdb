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

    /// While one part is sent the next is brought into memory and handed over, so that the socket never runs dry.
    fileprivate func write(_ file: any FileContent) async throws {
        guard !isFinished, !file.range.isEmpty else { return }
        if let head {
            self.head = nil
            try await outbound.write(.head(head))
        }
        var sending: EventLoopFuture<Void>?
        var start = file.range.lowerBound
        while start < file.range.upperBound {
            let part = start..<min(start + Self.filePartBytes, file.range.upperBound)
            start = part.upperBound
            do {
                if !file.isLoaded(part) { try await file.load(part) }
            } catch {
                // The file must stay open as long as a part of it is on its way, and this error says more than that one's.
                try? await sending?.get()
                throw error
            }
            let sent = send(part, of: file)
            do {
                try await sending?.get()
            } catch {
                try? await sent.get()
                throw error
            }
            sending = sent
            sentBytes += Int64(part.count)
        }
        try await sending?.get()
    }

    private func send(_ part: Range<Int64>, of file: any FileContent) -> EventLoopFuture<Void> {
        let files = files
        let descriptor = file.descriptor
        return files.eventLoop.flatSubmit {
            let done = files.eventLoop.makePromise(of: Void.self)
            files.value.send(descriptor, part, done: done)
            return done.futureResult
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
        func write(_ file: any FileContent) async throws { try await sender.write(file) }
        consuming func finish(_ trailers: HTTPFields?) async throws { try await sender.finish(trailers) }
    }
}
