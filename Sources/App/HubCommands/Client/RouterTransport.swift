import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore

/// The hub's router in this process, for verbs that run while no hub does.
struct RouterTransport: HubTransport {
    private let respond: @Sendable (Request) async throws -> Response
    private let shutDown: @Sendable () async throws -> Void

    /// - Parameters:
    ///   - respond: answers a request as the local administrator.
    ///   - shutDown: closes the stores.
    init(
        respond: @escaping @Sendable (Request) async throws -> Response,
        shutDown: @escaping @Sendable () async throws -> Void = {}
    ) {
        self.respond = respond
        self.shutDown = shutDown
    }

    func close() async throws { try await shutDown() }

    func exchange<Value: Sendable>(
        _ request: HubRequest, _ read: @Sendable (HubResponse) async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            let body = requestBody(of: request, in: &tasks)
            let response = try await respond(Request(head: head(of: request), body: body))
            let pipe = BodyPipe()
            tasks.addTask {
                do {
                    try await response.body.write(PipeWriter(pipe: pipe))
                    await pipe.finish(nil)
                } catch {
                    await pipe.finish(error)
                }
            }
            let answer = HubResponse(
                status: response.status.code, retryAfter: response.headers[.retryAfter],
                body: ResponseReader { try await pipe.next() })
            let value: Value
            do {
                value = try await read(answer)
            } catch {
                await pipe.abandon()
                tasks.cancelAll()
                throw error
            }
            await pipe.abandon()
            tasks.cancelAll()
            return value
        }
    }

    private func head(of request: HubRequest) -> HTTPRequest {
        var head = HTTPRequest(method: request.method, scheme: "http", authority: "localhost", path: request.target)
        switch request.body {
        case .none: break
        case .bytes(let bytes): head.headerFields[.contentLength] = String(bytes.readableBytes)
        case .stream(let length, _): if let length { head.headerFields[.contentLength] = String(length) }
        }
        if case .none = request.body {} else { head.headerFields[.contentType] = request.contentType }
        return head
    }

    private func requestBody(of request: HubRequest, in tasks: inout ThrowingTaskGroup<Void, any Error>) -> RequestBody
    {
        switch request.body {
        case .none: return RequestBody(buffer: ByteBuffer())
        case .bytes(let bytes): return RequestBody(buffer: bytes)
        case .stream(_, let produce):
            let (body, source) = RequestBody.makeStream()
            tasks.addTask {
                do {
                    try await produce { bytes in
                        try Task.checkCancellation()
                        await source.yield(bytes)
                    }
                    source.finish()
                } catch {
                    source.finish(error)
                }
            }
            return body
        }
    }
}

/// Hands pieces of a body from the task that writes it to the one that reads it, one at a time.
private actor BodyPipe {
    private var piece: ByteBuffer?
    private var isFinished = false
    private var isAbandoned = false
    private var failure: (any Error)?
    private var reader: CheckedContinuation<Void, Never>?
    private var writer: CheckedContinuation<Void, Never>?

    /// Returns when the reader has taken the piece before this one.
    func write(_ bytes: ByteBuffer) async throws {
        while piece != nil, !isAbandoned {
            await withCheckedContinuation { writer = $0 }
        }
        if isAbandoned { throw CancellationError() }
        piece = bytes
        wakeReader()
    }

    func finish(_ error: (any Error)?) {
        isFinished = true
        failure = error
        wakeReader()
    }

    /// The reader wants no more.
    func abandon() {
        isAbandoned = true
        wakeWriter()
    }

    func next() async throws -> ByteBuffer? {
        while piece == nil, !isFinished {
            await withCheckedContinuation { reader = $0 }
        }
        if let bytes = piece {
            piece = nil
            wakeWriter()
            return bytes
        }
        if let failure { throw failure }
        return nil
    }

    private func wakeReader() {
        reader?.resume()
        reader = nil
    }

    private func wakeWriter() {
        writer?.resume()
        writer = nil
    }
}

private struct PipeWriter: ResponseBodyWriter {
    let pipe: BodyPipe

    func write(_ buffer: ByteBuffer) async throws {
        if buffer.readableBytes > 0 { try await pipe.write(buffer) }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
