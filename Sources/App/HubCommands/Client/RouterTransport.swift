import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

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
            let sent = BodyPipe()
            let answered = BodyPipe()
            let failure = SendFailure()
            do {
                send(request.body, through: sent, failure, in: &tasks)
                let response = try await respond(Request(head: head(of: request), body: body(of: request, sent)))
                // The router only knows that its request broke off; this is why.
                if let error = failure.error.withLock({ $0 }) { throw error }
                receive(response.body, through: answered, in: &tasks)
                let answer = HubResponse(
                    status: response.status.code, retryAfter: response.headers[.retryAfter],
                    body: ResponseReader { try await answered.next() })
                let value = try await read(answer)
                await end(sent, answered, &tasks)
                return value
            } catch {
                await end(sent, answered, &tasks)
                throw error
            }
        }
    }

    /// Nobody reads any more; those who still write stop.
    private func end(_ sent: BodyPipe, _ answered: BodyPipe, _ tasks: inout ThrowingTaskGroup<Void, any Error>) async {
        await sent.abandon()
        await answered.abandon()
        tasks.cancelAll()
    }

    private func send(
        _ body: HubRequestBody, through pipe: BodyPipe, _ failure: SendFailure,
        in tasks: inout ThrowingTaskGroup<Void, any Error>
    ) {
        guard case .stream(_, let produce) = body else { return }
        tasks.addTask {
            do {
                try await produce { try await pipe.write($0) }
                await pipe.finish(nil)
            } catch {
                if !(error is CancellationError) { failure.error.withLock { $0 = error } }
                await pipe.finish(CancellationError())
            }
        }
    }

    private func receive(
        _ body: ResponseBody, through pipe: BodyPipe, in tasks: inout ThrowingTaskGroup<Void, any Error>
    ) {
        tasks.addTask {
            do {
                try await body.write(PipeWriter(pipe: pipe))
                await pipe.finish(nil)
            } catch {
                await pipe.finish(error)
            }
        }
    }

    private func body(of request: HubRequest, _ pipe: BodyPipe) -> RequestBody {
        switch request.body {
        case .none: RequestBody(buffer: ByteBuffer())
        case .bytes(let bytes): RequestBody(buffer: bytes)
        case .stream: RequestBody(asyncSequence: PipePieces(pipe: pipe))
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

/// What comes out of a pipe, as the router takes a body.
private struct PipePieces: AsyncSequence, Sendable {
    struct AsyncIterator: AsyncIteratorProtocol {
        let pipe: BodyPipe
        mutating func next() async throws -> ByteBuffer? { try await pipe.next() }
    }

    let pipe: BodyPipe

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(pipe: pipe) }
}

private struct PipeWriter: ResponseBodyWriter {
    let pipe: BodyPipe

    func write(_ buffer: ByteBuffer) async throws {
        if buffer.readableBytes > 0 { try await pipe.write(buffer) }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
