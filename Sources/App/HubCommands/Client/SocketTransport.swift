import FoundationEssentials
import Glibc
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// HTTP/1.1 over the control socket of a running hub. Each request has its own connection.
struct SocketTransport: HubTransport {
    private typealias Connection = NIOAsyncChannel<HTTPClientResponsePart, HTTPPart<HTTPRequestHead, ByteBuffer>>

    private let path: String
    private let group: any EventLoopGroup
    private let sudoUID: String?

    /// - Parameter sudoUID: the value of `SUDO_UID`, for the audit log.
    init(path: String, sudoUID: String?, group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton) {
        self.path = Self.shortened(path)
        self.sudoUID = sudoUID
        self.group = group
    }

    enum Reachability {
        case answers
        /// No hub listens; a dead one may have left its socket behind.
        case silent
        /// The socket is somebody else's.
        case forbidden
    }

    func reachability() async -> Reachability {
        do {
            let channel = try await ClientBootstrap(group: group).connect(unixDomainSocketPath: path).get()
            try await channel.close()
            return .answers
        } catch let error as IOError where error.errnoCode == EACCES || error.errnoCode == EPERM {
            return .forbidden
        } catch {
            return .silent
        }
    }

    func close() async throws {}

    func exchange<Value: Sendable>(
        _ request: HubRequest, _ read: @Sendable (HubResponse) async throws -> Value
    ) async throws -> Value {
        let connection = try await connect()
        do {
            return try await connection.executeThenClose { inbound, outbound in
                try await Self.exchange(
                    request, head: head(of: request), inbound, outbound,
                    close: { connection.channel.close(promise: nil) }, read)
            }
        } catch let error as CommandFailure {
            throw error
        } catch let error where error is IOError || error is ChannelError || error is HTTPParserError {
            throw CommandFailure(.tryAgain, "The hub closed the connection; see whether it is running, then try again.")
        }
    }

    private static func exchange<Value: Sendable>(
        _ request: HubRequest, head: HTTPRequestHead, _ inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>,
        _ outbound: NIOAsyncChannelOutboundWriter<HTTPPart<HTTPRequestHead, ByteBuffer>>,
        close: @escaping @Sendable () -> Void, _ read: @Sendable (HubResponse) async throws -> Value
    ) async throws -> Value {
        let failure = SendFailure()
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                do {
                    try await send(request.body, after: head, to: outbound)
                } catch let error where error is IOError || error is ChannelError || error is CancellationError {
                    // The hub answered before it had read everything; its answer says why.
                } catch {
                    // The hub would wait for the rest, and so would the reader below.
                    failure.error.withLock { $0 = error }
                    close()
                }
            }
            var parts = inbound.makeAsyncIterator()
            let first: HTTPClientResponsePart?
            do {
                first = try await parts.next()
            } catch {
                throw failure.error.withLock { $0 } ?? error
            }
            guard case .head(let answer)? = first else {
                throw failure.error.withLock { $0 } ?? ChannelError.inputClosed
            }
            let source = PartSource(parts)
            let response = HubResponse(
                status: Int(answer.status.code), retryAfter: answer.headers.first(name: "Retry-After"),
                body: ResponseReader { try await source.next() })
            let value = try await read(response)
            // Whatever of the body is not sent yet, nobody wants any more.
            tasks.cancelAll()
            try await tasks.waitForAll()
            return value
        }
    }

    private static func send(
        _ body: HubRequestBody, after head: HTTPRequestHead,
        to outbound: NIOAsyncChannelOutboundWriter<HTTPPart<HTTPRequestHead, ByteBuffer>>
    ) async throws {
        try await outbound.write(.head(head))
        switch body {
        case .none: break
        case .bytes(let bytes): try await outbound.write(.body(bytes))
        case .stream(_, let produce): try await produce { try await outbound.write(.body($0)) }
        }
        try await outbound.write(.end(nil))
    }

    private func head(of request: HubRequest) -> HTTPRequestHead {
        var headers: HTTPHeaders = ["Host": "localhost", "Connection": "close", "Accept": "application/json"]
        switch request.body {
        case .none: if request.method != .get { headers.add(name: "Content-Length", value: "0") }
        case .bytes(let bytes): headers.add(name: "Content-Length", value: String(bytes.readableBytes))
        case .stream(let length?, _): headers.add(name: "Content-Length", value: String(length))
        case .stream(nil, _): headers.add(name: "Transfer-Encoding", value: "chunked")
        }
        if case .none = request.body {} else { headers.add(name: "Content-Type", value: request.contentType) }
        if let sudoUID { headers.add(name: "X-Hub-Sudo-Uid", value: sudoUID) }
        return HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: request.method.rawValue), uri: request.target,
            headers: headers)
    }

    private func connect() async throws -> Connection {
        do {
            return try await ClientBootstrap(group: group).connect(unixDomainSocketPath: path) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(RequestPartHandler())
                    return try Connection(
                        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: false)
                    )
                }
            }
        } catch {
            throw CommandFailure(
                .tryAgain, "The hub stopped answering on its control socket; see whether it is running, then try again."
            )
        }
    }

    /// A socket's address has room for 107 bytes; longer paths go through the folder's open descriptor, which stays open.
    private static func shortened(_ path: String) -> String {
        guard path.utf8.count > 107, let slash = path.lastIndex(of: "/") else { return path }
        let folder = open(String(path[..<slash]), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        return folder < 0 ? path : "/proc/self/fd/\(folder)" + path[slash...]
    }
}

/// Turns parts with plain buffers into those that the encoder takes.
private final class RequestPartHandler: ChannelOutboundHandler, Sendable {
    typealias OutboundIn = HTTPPart<HTTPRequestHead, ByteBuffer>
    typealias OutboundOut = HTTPClientRequestPart

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head): context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body(let bytes): context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: promise)
        case .end(let trailers): context.write(wrapOutboundOut(.end(trailers)), promise: promise)
        }
    }
}

/// The body of an answer. Read by one task at a time, as the closure that gets it runs in one.
private final class PartSource {
    private var parts: NIOAsyncChannelInboundStream<HTTPClientResponsePart>.AsyncIterator
    private var isAtEnd = false

    init(_ parts: NIOAsyncChannelInboundStream<HTTPClientResponsePart>.AsyncIterator) { self.parts = parts }

    func next() async throws -> ByteBuffer? {
        if isAtEnd { return nil }
        switch try await parts.next() {
        case .body(let bytes)?: return bytes
        case .end?:
            isAtEnd = true
            return nil
        case .head?, nil:
            // The hub closed the connection in the middle of a body.
            throw ChannelError.inputClosed
        }
    }
}
