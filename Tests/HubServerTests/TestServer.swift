import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import WebCore

@testable import HubServer

/// The HTTP server alone, on a free port, with a handler of the test's.
struct TestServer: Sendable {
    let port: Int
    let connections: OpenConnections
    private let services: ServiceGroup

    /// Serves `respond` while `test` runs, then stops.
    static func run(
        timeouts: ConnectionTimeouts = ConnectionTimeouts(), maximumConnections: Int = 100, tls: TLSContexts? = nil,
        external: [RequestOrigin] = [], trustedProxies: [AddressBlock] = [],
        respond: @escaping @Sendable (Request, HubContext) async throws -> Response,
        _ test: @Sendable (TestServer) async throws -> Void
    ) async throws {
        var settings = HTTPServer.Settings()
        settings.timeouts = timeouts
        let connections = OpenConnections(limit: maximumConnections)
        let group = MultiThreadedEventLoopGroup.singleton
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let listener = try await HTTPServer.bind(
            .network(host: "127.0.0.1", port: 0), settings: settings, connections: connections, tls: tls, group: group)
        let server = HTTPServer(
            settings: settings, listeners: [listener], connections: connections,
            addressing: ClientAddressing(external: ExternalAddresses(external), trustedProxies: trustedProxies),
            group: group,
            logger: logger, respond: respond)
        let services = ServiceGroup(configuration: .init(services: [server], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await services.run() }
            do {
                try await test(TestServer(port: listener.port ?? 0, connections: connections, services: services))
            } catch {
                connections.closeAll()
                await services.triggerGracefulShutdown()
                throw error
            }
            await services.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    func stop() async { await services.triggerGracefulShutdown() }
}

extension Response {
    static func plain(_ text: String) -> Response { .text(text) }
}
