import Foundation
import HTTPTypes
import HubAPI
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import Testing

@testable import HubCommands

/// The same exchanges over a unix socket and with a router in this process.
@Suite("The ways to a hub", .timeLimit(.minutes(1)))
struct TransportTests {
    enum Way: CaseIterable { case socket, router }

    @Test("answers come with their status and body", arguments: Way.allCases)
    func answers(_ way: Way) async throws {
        try await Self.with(way) { transport in
            let (status, text) = try await Self.text(
                of: HubRequest(method: .get, path: ["hello"], query: [("q", "a b&c")]), transport)
            #expect(status == 200 && text == "hello a b&c")
            #expect(try await Self.text(of: HubRequest(method: .get, path: ["none"]), transport).0 == 404)
        }
    }

    @Test("a large body is streamed there and back, unchanged", arguments: Way.allCases)
    func echo(_ way: Way) async throws {
        try await Self.with(way) { transport in
            let piece = ByteBuffer(repeating: 7, count: 100_000)
            let request = HubRequest(
                method: .put, path: ["echo"],
                body: .stream(length: nil) { write in for _ in 0..<100 { try await write(piece) } })
            let count = try await transport.exchange(request) { response in
                var count = 0
                while let piece = try await response.body.next() {
                    #expect(piece.readableBytesView.first == 7 && piece.readableBytesView.last == 7)
                    count += piece.readableBytes
                }
                return count
            }
            #expect(count == 10_000_000)
        }
    }

    @Test("a refusal that comes before the body has been sent is what the caller sees", arguments: Way.allCases)
    func earlyAnswer(_ way: Way) async throws {
        try await Self.with(way) { transport in
            let piece = ByteBuffer(repeating: 7, count: 1 << 20)
            let request = HubRequest(
                method: .put, path: ["refuse"],
                body: .stream(length: 64 << 20) { write in for _ in 0..<64 { try await write(piece) } })
            let failure = await #expect(throws: CommandFailure.self) {
                let _: VersionModel = try await HubClient(transport: transport).upload(["refuse"], length: 64 << 20) {
                    write in
                    for _ in 0..<64 { try await write(piece) }
                }
            }
            #expect(failure == CommandFailure(.failed, "No.", code: "no"))
            let (status, _) = try await Self.text(of: request, transport)
            #expect(status == 409)
        }
    }

    @Test("an error of what is sent reaches the caller", arguments: Way.allCases)
    func sendingFails(_ way: Way) async throws {
        try await Self.with(way) { transport in
            let request = HubRequest(
                method: .put, path: ["count"],
                body: .stream(length: nil) { write in
                    try await write(ByteBuffer(string: "some"))
                    throw CommandFailure(.badData, "The file changed.")
                })
            let failure = await #expect(throws: CommandFailure.self) { try await Self.text(of: request, transport) }
            #expect(failure?.message == "The file changed.")
        }
    }

    @Test("a reader that stops early does not wait for the rest", arguments: Way.allCases)
    func stopsEarly(_ way: Way) async throws {
        try await Self.with(way) { transport in
            let first = try await transport.exchange(HubRequest(method: .get, path: ["endless"])) { response in
                try await response.body.next()?.readableBytes ?? 0
            }
            #expect(first > 0)
        }
    }

    @Test("lines are split wherever the pieces end")
    func lines() async throws {
        let pieces = Mutex(["{\"a\"", ":1}\n\n{\"b\":2}\n{", "\"c\":3}"].map { ByteBuffer(string: $0) })
        var reader = LineReader(
            ResponseReader { pieces.withLock { $0.isEmpty ? nil : $0.removeFirst() } }, maximumBytes: 100)
        var lines: [String] = []
        while let line = try await reader.next() { lines.append(String(buffer: line)) }
        #expect(lines == ["{\"a\":1}", "{\"b\":2}", "{\"c\":3}"])
    }

    @Test("a line without end is refused")
    func longLine() async throws {
        var reader = LineReader(ResponseReader { ByteBuffer(repeating: 0x61, count: 64) }, maximumBytes: 1000)
        await #expect(throws: CommandFailure.self) { _ = try await reader.next() }
    }

    @Test("a socket that nobody listens on is silent")
    func silence() async throws {
        let path = Self.socketPath()
        #expect(await SocketTransport(path: path, sudoUID: nil).reachability() == .silent)
        try Data().write(to: URL(filePath: path))
        #expect(await SocketTransport(path: path, sudoUID: nil).reachability() == .silent)
        try FileManager.default.removeItem(atPath: path)
    }

    // MARK: - The hub at the other end

    private static func socketPath() -> String {
        "\(FileManager.default.temporaryDirectory.path)/s-\(UUID().uuidString.prefix(8)).sock"
    }

    private static func text(of request: HubRequest, _ transport: any HubTransport) async throws -> (Int, String) {
        try await transport.exchange(request) { response in
            (response.status, String(buffer: try await response.body.collect(upTo: 1 << 20)))
        }
    }

    private static func with(_ way: Way, _ test: @Sendable (any HubTransport) async throws -> Void) async throws {
        let router = router()
        switch way {
        case .router:
            let responder = router.buildResponder()
            let logger = Logger(label: "test")
            try await test(
                RouterTransport(respond: { request in
                    try await responder.respond(to: request, context: Context(source: Context.Source(logger: logger)))
                }))
        case .socket:
            let path = socketPath()
            try await serve(router, at: path) { try await test(SocketTransport(path: path, sudoUID: "1000")) }
        }
    }

    private static func serve(_ router: Router<Context>, at path: String, _ test: @Sendable () async throws -> Void)
        async throws
    {
        let (started, signal) = AsyncStream.makeStream(of: Void.self)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let responder = router.buildResponder()
        let application = Application(
            responder: CallbackResponder { (request: Request, context: BasicRequestContext) in
                try await responder.respond(
                    to: request, context: Context(source: Context.Source(logger: context.logger)))
            }, configuration: .init(address: .unixDomainSocket(path: path)), onServerRunning: { _ in signal.yield() },
            logger: logger)
        let group = ServiceGroup(configuration: .init(services: [application], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            for await _ in started { break }
            do {
                try await test()
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
        }
    }

    private struct Context: RequestContext {
        struct Source: RequestContextSource { let logger: Logger }
        var coreContext: CoreRequestContextStorage
        init(source: Source) { coreContext = CoreRequestContextStorage(source: source) }
    }

    private static func router() -> Router<Context> {
        let router = Router(context: Context.self)
        let group = router.group("api/hub/v1")
        group.get("hello") { request, _ in "hello \(request.uri.queryParameters["q"] ?? "")" }
        group.put("echo") { request, _ in Response(status: .ok, body: ResponseBody(asyncSequence: request.body)) }
        group.put("count") { request, _ in
            var count = 0
            do {
                for try await piece in request.body { count += piece.readableBytes }
            } catch {
                return Response(status: .internalServerError)
            }
            return Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(string: "\(count)")))
        }
        group.put("refuse") { _, _ in
            Response(
                status: .conflict,
                body: ResponseBody(
                    byteBuffer: ByteBuffer(
                        string: "{\"error\":{\"code\":\"no\",\"message\":\"No.\",\"request_id\":\"1\"}}")))
        }
        group.get("endless") { _, _ in
            Response(
                status: .ok,
                body: ResponseBody { writer in
                    while true { try await writer.write(ByteBuffer(repeating: 1, count: 1000)) }
                })
        }
        return router
    }
}
