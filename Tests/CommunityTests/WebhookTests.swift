import Foundation
import HubCore
import Identity
import Logging
import MetadataStore
import Repositories
import Synchronization
import Testing

@testable import Community

/// A network of names, addresses and answers that the test decides.
private final class TestTransport: WebhookTransport {
    struct Sent: Sendable {
        let request: WebhookRequest
        let address: IPAddress
    }

    private let state = Mutex((names: [String: [String]](), statuses: [Int](), sent: [Sent]()))

    init(_ names: [String: [String]] = [:], statuses: [Int] = []) {
        state.withLock { $0 = (names, statuses, []) }
    }

    var sent: [Sent] { state.withLock { $0.sent } }

    func addresses(of host: String) async throws -> [IPAddress] {
        state.withLock { $0.names[host] ?? [] }.compactMap { IPAddress($0) }
    }

    func post(_ request: WebhookRequest, to address: IPAddress) async throws -> Int {
        state.withLock { state in
            state.sent.append(Sent(request: request, address: address))
            return state.statuses.isEmpty ? 200 : state.statuses.removeFirst()
        }
    }
}

@Suite("Webhooks")
struct WebhookTests {
    private func deliverer(
        _ site: TestCommunity, _ transport: TestTransport, now: @escaping @Sendable () -> Date = { Date() }
    ) -> WebhookDeliverer {
        WebhookDeliverer(
            store: site.store, webhooks: site.community.webhooks, transport: transport, bell: WebhookBell(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, clock: now)
    }

    private func allow(_ site: TestCommunity, _ targets: String) async throws {
        try await site.store.setSetting(
            SiteSetting.webhookTargets.key, to: targets, audit: site.ada.entry("test", on: "test"))
    }

    private func make(_ site: TestCommunity, _ url: String, by caller: Caller? = nil, kind: WebhookWatch.Kind = .user, name: String = "Ada")
        async throws -> Webhook
    {
        try await site.community.webhooks.create(
            Webhooks.Form(url: url, secret: "s3cret", watches: [WebhookWatch(kind: kind, name: name)], domains: nil),
            by: caller ?? site.ada)
    }

    @Test("a comment is told to the address that the administrator allows, signed")
    func told() async throws {
        let site = try await TestCommunity()
        try await allow(site, "hooks.example")
        let webhook = try await make(site, "https://hooks.example:8443/in?x=1")
        let repository = try await site.repository
        let opened = try await site.community.discussions.open(title: "Why?", description: "d", in: repository, by: site.bob)
        _ = try await site.community.discussions.comment("\"So\" that", on: opened, in: repository, by: site.bob)
        let transport = TestTransport(["hooks.example": ["192.0.2.7"]])
        await deliverer(site, transport).round()
        #expect(transport.sent.count == 2)
        let last = try #require(transport.sent.last)
        #expect(last.address == IPAddress("192.0.2.7"))
        #expect(last.request.address.target == "/in?x=1")
        let headers = Dictionary(uniqueKeysWithValues: last.request.headers.map { ($0.name, $0.value) })
        #expect(headers["Host"] == "hooks.example:8443")
        #expect(headers["X-Webhook-Secret"] == "s3cret")
        let mac = Hex.encode(Digest.hmac(last.request.body, key: Array("s3cret".utf8)))
        #expect(headers["X-Hub-Signature-256"] == "sha256=\(mac)")
        let payload = try JSONParser.parse(String(decoding: last.request.body, as: UTF8.self))
        #expect(payload["event"] == ["action": "create", "scope": "discussion.comment"])
        #expect(payload["comment"]?["content"]?.string == "\"So\" that")
        #expect(payload["webhook"]?["id"]?.string == webhook.publicID)
        #expect(payload["repo"]?["name"]?.string == "ada/bert")
        await deliverer(site, transport).round()
        #expect(transport.sent.count == 2)
        try await site.close()
    }

    @Test(
        "nothing is sent where the administrator allows nothing",
        arguments: [
            ("", "hooks.example", ["192.0.2.7"]), ("other.example", "hooks.example", ["192.0.2.7"]),
            ("hooks.example", "hooks.example", ["127.0.0.1"]), ("hooks.example", "hooks.example", ["169.254.169.254", "::1"]),
            ("10.0.0.0/8", "hooks.example", ["192.0.2.7"]), ("10.0.0.0/8", "192.0.2.7", []), ("*.example", "example", ["192.0.2.7"]),
        ])
    func refused(_ item: (String, String, [String])) async throws {
        let site = try await TestCommunity()
        try await allow(site, item.0)
        _ = try await make(site, "http://\(item.1)/")
        _ = try await site.community.discussions.open(title: "Why?", description: "d", in: try await site.repository, by: site.bob)
        let transport = TestTransport([item.1: item.2])
        await deliverer(site, transport).round()
        #expect(transport.sent.isEmpty)
        #expect(try await site.store.dueDeliveries(limit: 10).isEmpty)
        try await site.close()
    }

    @Test("of several addresses an allowed one is used")
    func chosen() async throws {
        let site = try await TestCommunity()
        try await allow(site, "10.1.0.0/16")
        _ = try await make(site, "http://hooks.example/")
        _ = try await site.community.discussions.open(title: "Why?", description: "d", in: try await site.repository, by: site.bob)
        let transport = TestTransport(["hooks.example": ["192.0.2.7", "::1", "10.1.2.3"]])
        await deliverer(site, transport).round()
        #expect(transport.sent.map(\.address) == [IPAddress("10.1.2.3")])
        try await site.close()
    }

    @Test("what does not arrive is sent again after growing pauses, and given up in the end")
    func retries() async throws {
        let site = try await TestCommunity()
        try await allow(site, "hooks.example")
        _ = try await make(site, "http://hooks.example/")
        _ = try await site.community.discussions.open(title: "Why?", description: "d", in: try await site.repository, by: site.bob)
        let transport = TestTransport(["hooks.example": ["192.0.2.7"]], statuses: [500, 302, 404, 503, 500, 500, 500])
        for count in 1...WebhookDeliverer.pauses.count + 1 {
            // The store's clock stands still for the delivery: what was put off is due at once.
            await deliverer(site, transport, now: { Date(timeIntervalSinceNow: -1_000_000) }).round()
            #expect(transport.sent.count == count)
        }
        #expect(try await site.store.dueDeliveries(limit: 10).isEmpty)
        try await site.close()
    }

    @Test("a webhook hears only what its owner may read")
    func rights() async throws {
        let site = try await TestCommunity()
        try await allow(site, "hooks.example")
        _ = try await make(site, "http://hooks.example/", by: site.bob, kind: .model, name: "ADA/bert")
        _ = try await site.store.updateRepository(
            try await site.repository.id, RepositoryChange(visibility: .set(.private)), audit: site.ada.entry("test", on: "test"))
        let repository = try await site.repository
        let opened = try await site.community.discussions.open(title: "Why?", description: "d", in: repository, by: site.ada)
        #expect(try await site.store.dueDeliveries(limit: 10).isEmpty)
        _ = try await site.store.updateRepository(
            repository.id, RepositoryChange(visibility: .set(.internal)), audit: site.ada.entry("test", on: "test"))
        _ = try await site.community.discussions.comment("x", on: opened, in: try await site.repository, by: site.ada)
        #expect(try await !site.store.dueDeliveries(limit: 10).isEmpty)
        try await site.close()
    }

    @Test(
        "addresses that are none are refused",
        arguments: [
            "", "hooks.example", "ftp://hooks.example/", "http://", "http://user:pw@hooks.example/", "http://hooks.example/#x",
            "http://hooks.example:0/", "http://hooks.example:70000/", "http://hooks.example/a b", "file:///etc/passwd",
        ])
    func urls(_ text: String) {
        #expect(throws: WebhookError.invalidURL) { try WebhookAddress(parsing: text) }
    }

    @Test("addresses are read")
    func goodURLs() throws {
        let address = try WebhookAddress(parsing: "http://[2001:db8::1]:81/x")
        #expect(address.host == "2001:db8::1")
        #expect(address.authority == "[2001:db8::1]:81")
        #expect(try WebhookAddress(parsing: "https://Hooks.Example").target == "/")
    }
}
