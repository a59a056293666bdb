import HTTPTypes
import HubCore
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import WebCore

/// What is known of a connection before its first request.
struct ConnectionSource: Sendable {
    let address: String
    let isEncrypted: Bool
    let peerUser: PeerUser?
    /// The connection's way of sending files.
    let files: NIOLoopBound<FileSender>
}

/// Reads the requests of one connection, one after the other, and answers them.
struct Connection: Sendable {
    typealias ConnectionChannel = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
    typealias Respond = @Sendable (Request, HubContext) async throws -> Response

    /// What is read and dropped of a body that a handler did not want, so that the connection can go on.
    static let drainedBodyBytes: Int64 = 256 << 10
    /// What is read and dropped after the last answer, so that the client sees it instead of a reset.
    static let lingeringBytes = 16 << 20

    let source: ConnectionSource
    let addresses: ClientAddressing
    let respond: Respond
    let isStopping: @Sendable () -> Bool
    let logger: Logger

    /// Serves until either side is done. When the client goes away the handler in progress is cancelled.
    func serve(_ channel: ConnectionChannel) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await run(channel) }
            group.addTask {
                // It only ever succeeds.
                try? await channel.channel.closeFuture.get()
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func run(_ channel: ConnectionChannel) async {
        do {
            try await channel.executeThenClose { inbound, outbound in
                let parts = RequestParts(inbound, outbound: outbound)
                do {
                    while let head = try await parts.nextHead() {
                        guard try await exchange(head, parts, outbound) else { break }
                    }
                } catch let error as HTTPParserError {
                    try await refuse(error, outbound)
                }
                channel.channel.pipeline.fireUserInboundEventTriggered(ClosingEvent())
                outbound.finish()
                try await parts.drainConnection(limit: Self.lingeringBytes)
                try await channel.channel.closeFuture.get()
            }
        } catch {
            // The client went away, or an answer broke off; `exchange` has recorded what there is to say.
            logger.trace("Connection ended: \(error)")
        }
    }

    /// Answers one request; returns whether the connection can take another.
    private func exchange(
        _ head: HTTPRequest, _ parts: RequestParts, _ outbound: NIOAsyncChannelOutboundWriter<HTTPResponsePart>
    ) async throws -> Bool {
        let started = ContinuousClock.now
        let context = HubContext(source: addresses.source(of: head, from: source, logger: logger))
        let request = Request(head: head, body: RequestBody(asyncSequence: RequestBodySequence(parts: parts)))
        var response: Response
        do {
            try Self.checkLength(head)
            response = try await respond(request, context)
        } catch {
            response = ProblemResponse.make(for: error, in: context)
        }
        let keepsAlive = !isLast(head, response, parts)
        response.headers[.date] = HTTPDate.now
        if !keepsAlive { response.headers[.connection] = "close" }
        let sender = ResponseSender(outbound, files: source.files, head: response.head)
        var failure: (any Error)?
        do {
            try await sender.send(response.body)
        } catch {
            failure = error
        }
        let record = RequestRecord(
            method: head.method, path: request.uri.path, status: response.status,
            ending: failure == nil && !parts.isBroken ? .complete : .aborted, receivedBytes: parts.receivedBytes,
            sentBytes: sender.sentBytes, duration: .now - started)
        record.write(context: context)
        if let failure {
            // A broken answer must not look whole: the connection is cut instead of being finished.
            if !(failure is CancellationError), !(failure is ChannelError), !(failure is IOError) {
                context.logger.warning("An answer broke off: \(failure)")
            }
            throw failure
        }
        guard keepsAlive else { return false }
        return try await parts.drain(limit: Self.drainedBodyBytes)
    }

    /// Refuses lengths that nothing here could count, before anybody reckons with them.
    private static func checkLength(_ head: HTTPRequest) throws {
        guard let text = head.headerFields[.contentLength], Int64(text) == nil else { return }
        throw ProblemError(.tooLarge, code: "body_too_large", "No body is as long as this Content-Length says.")
    }

    /// Whether the connection ends with this answer.
    private func isLast(_ head: HTTPRequest, _ response: Response, _ parts: RequestParts) -> Bool {
        if isStopping() || parts.isBroken { return true }
        if tokens(head.headerFields[.connection]).contains("close") { return true }
        if tokens(response.headers[.connection]).contains("close") { return true }
        guard parts.isBodyOpen else { return false }
        // A client that waits for `100 Continue` may send the body or not; nobody can tell where its next request begins.
        if parts.awaitsContinue { return true }
        guard let length = head.headerFields[.contentLength].flatMap({ Int64($0) }) else { return true }
        return length - parts.receivedBytes > Self.drainedBodyBytes
    }

    private func tokens(_ value: String?) -> [String] {
        (value ?? "").lowercased().split(separator: ",").map { $0.filter { $0 != " " } }
    }

    /// Answers what is not HTTP, as far as that can be answered.
    private func refuse(
        _ error: HTTPParserError, _ outbound: NIOAsyncChannelOutboundWriter<HTTPResponsePart>
    ) async throws {
        let status: HTTPResponse.Status =
            switch error {
            case .headerOverflow: .requestHeaderFieldsTooLarge
            case .invalidEOFState, .closedConnection: throw error
            case .invalidVersion: HTTPResponse.Status(code: 505, reasonPhrase: "HTTP Version Not Supported")
            default: .badRequest
            }
        let head = HTTPResponse(status: status, headerFields: [.connection: "close", .contentLength: "0"])
        try await outbound.write(contentsOf: [.head(head), .end(nil)])
    }
}
