import Foundation
import HubCore
import HubTestSupport
import Hummingbird
import Identity
import Testing
import WebCore

@testable import HubServer

/// A whole hub on a free port that runs while a test does.
enum RunningHub {
    static func run(
        _ change: (inout HubSettings) -> Void = { _ in }, _ test: @Sendable (Hub, Int) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder("hub")
        var settings = HubSettings(data: folder.file("data"))
        settings.listen = [.network(host: "127.0.0.1", port: 0)]
        settings.tls = .off
        settings.takesInheritedSockets = false
        settings.reserveBytes = 0
        change(&settings)
        let hub = try await Hub(settings: settings, purpose: .serving)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await hub.run() }
            defer { group.cancelAll() }
            try await test(hub, #require(hub.port))
        }
        _ = folder
    }

    static func get(_ path: String, port: Int, header: String = "") async throws -> (head: String, body: String) {
        try await WireClient.connect(port: port) { wire in
            try await wire.send("GET \(path) HTTP/1.1\r\nHost: x\r\n\(header)Connection: close\r\n\r\n")
            return try await wire.answer()
        }
    }
}

@Suite("Hub")
struct HubTests {
    @Test("is healthy, ready and secretive about its metrics")
    func operations() async throws {
        try await RunningHub.run { hub, port in
            #expect(try await RunningHub.get("/healthz", port: port).body == "ok\n")
            let ready = try await RunningHub.get("/readyz", port: port)
            #expect(ready.head.hasPrefix("HTTP/1.1 200") && ready.body.contains(#""status":"ready""#))
            #expect(try await RunningHub.get("/metrics", port: port).head.hasPrefix("HTTP/1.1 401"))
            let metrics = try await WireClient.connect(socket: hub.controlSocket) { wire in
                try await wire.send("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return try await wire.answer().body
            }
            #expect(metrics.contains("hub_http_connections 1\n"))
            let missing = try await RunningHub.get("/none", port: port)
            #expect(missing.head.hasPrefix("HTTP/1.1 404") && missing.body.contains(#""code":"not_found""#))
            #expect(missing.head.contains("X-Request-Id: ") && missing.head.contains("X-Content-Type-Options: nosniff"))
        }
    }

    @Test("gives metrics to a token of an administrator only")
    func metricsToken() async throws {
        try await RunningHub.run { hub, port in
            let root = Caller(.localAdministrator(uid: 0, sudoUID: nil))
            var tokens: [String] = []
            for (name, roles) in [("ada", Set([SiteRole.administrator])), ("bob", [])] {
                let account = try NamespaceName(parsing: name)
                _ = try await hub.identity.createAccount(AccountRequest(name: account, siteRoles: roles), by: root)
                tokens.append(
                    try await hub.identity.createToken(TokenRequest(name: "t", scope: .admin), for: account, by: root)
                        .text)
            }
            #expect(
                try await RunningHub.get("/metrics", port: port, header: "Authorization: Bearer \(tokens[0])\r\n").head
                    .contains(" 200 "))
            #expect(
                try await RunningHub.get("/metrics", port: port, header: "Authorization: Bearer \(tokens[1])\r\n").head
                    .contains(" 403 "))
        }
    }

    @Test("one process owns a data directory; the message says which")
    func locks() async throws {
        try await RunningHub.run { hub, _ in
            await #expect(throws: StartError.alreadyRunning(holder: String(getpid()))) {
                _ = try await Hub(settings: hub.settings, purpose: .local)
            }
        }
    }

    @Test("says which port is in use and how to choose another")
    func portInUse() async throws {
        try await RunningHub.run { _, port in
            let folder = try TemporaryFolder("second")
            var settings = HubSettings(data: folder.file("data"))
            settings.listen = [.network(host: "127.0.0.1", port: port)]
            settings.tls = .off
            settings.takesInheritedSockets = false
            await #expect(throws: StartError.portInUse(port)) {
                _ = try await Hub(settings: settings, purpose: .serving)
            }
            #expect(
                StartError.portInUse(port).problem.message == "Port \(port) is in use; set --listen or CSGHUB_LISTEN.")
        }
    }

    @Test("keeps its folders and its socket to itself")
    func modes() async throws {
        try await RunningHub.run { hub, _ in
            for (name, mode) in [
                ("", 0o750), ("/control.sock", 0o600), ("/secrets", 0o700), ("/hub.lock", 0o600),
                ("/secrets/lfs-transfer.key", 0o600),
            ] {
                let attributes = try FileManager.default.attributesOfItem(atPath: hub.folder.path + name)
                #expect(attributes[.posixPermissions] as? Int == mode, "\(name)")
            }
        }
    }

    @Test("reserves the first parts of all its addresses")
    func reservedWords() {
        let words =
            OperationRoutes.paths + ["api", "hf", "csg", "ms", "v1", "v2"]
            + RepositoryKind.allCases.flatMap { [$0.gitPathPart, $0.portalPathPart, $0.rawValue] }
        for word in words { #expect(ReservedWords.contains(word), "\(word)") }
    }

    @Test("links repeat the external address that a client came by")
    func externalAddresses() async throws {
        try await RunningHub.run {
            $0.externalURLs = ["https://hub.example", "https://10.0.0.5:8443"].compactMap(RequestOrigin.init(parsing:))
        } _: { hub, _ in
            #expect(hub.externalAddresses.main.description == "https://hub.example")
        }
        try await RunningHub.run { hub, port in
            #expect(
                hub.externalAddresses.origins.map(\.description)
                    == ["localhost", "127.0.0.1", "[::1]"].map { "http://\($0):\(port)" })
        }
    }
}
