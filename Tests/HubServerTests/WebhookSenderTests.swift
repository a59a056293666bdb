import Community
import Foundation
import HTTPTypes
import HubCore
import HubTestSupport
import Hummingbird
import Identity
import MetadataStore
import NIOPosix
import NIOSSL
import Repositories
import Synchronization
import Testing
import WebCore

@testable import HubServer

/// Real connections to a receiver on this machine, whose certificate an authority of the test's made.
@Suite("Webhooks on the wire")
struct WebhookSenderTests {
    private struct Received: Sendable {
        let path: String
        let headers: HTTPFields
        let body: String
    }

    private final class Inbox: Sendable {
        private let items = Mutex<[Received]>([])
        let arrivals: AsyncStream<Void>
        private let arrived: AsyncStream<Void>.Continuation

        init() { (arrivals, arrived) = AsyncStream.makeStream() }
        var all: [Received] { items.withLock { $0 } }
        func add(_ item: Received) {
            items.withLock { $0.append(item) }
            arrived.yield()
        }
    }

    private static let localhost = IPAddress("127.0.0.1")

    /// A receiver that answers `status`, a redirect to itself, and keeps what came; its port and its authority.
    private func receive(
        _ status: HTTPResponse.Status = .ok, tls: Bool = true, into inbox: Inbox,
        _ test: @Sendable (Int, TrustedAuthorities) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder("hooks")
        let site = SiteCertificates(data: folder.path, secrets: try SecretFiles(folder: folder.file("secrets")))
        let pair = try site.current(hosts: ["hooks.test", "127.0.0.1"])
        let contexts = tls ? try TLSContexts(certificates: pair.certificates, key: pair.key) : nil
        let authorities = try #require(TrustedAuthorities(try site.authorityCertificate()))
        try await TestServer.run(tls: contexts) { request, _ in
            let body = try await request.body.collect(upTo: 1 << 20)
            inbox.add(Received(path: request.uri.path, headers: request.headers, body: String(buffer: body)))
            return Response(status: status, headers: [.location: "/elsewhere", .contentLength: "0"])
        } _: { server in
            try await test(server.port, authorities)
        }
    }

    private func post(_ url: String, _ authorities: TrustedAuthorities) async throws -> Int {
        let sender = WebhookSender(group: MultiThreadedEventLoopGroup.singleton)
        let address = try WebhookAddress(parsing: url)
        let body = Array("{}".utf8)
        return try await sender.post(
            WebhookRequest(
                address: address, headers: [("Host", address.authority), ("Content-Length", "2"), ("X-Webhook-Secret", "s")],
                body: body, authorities: authorities),
            to: try #require(Self.localhost))
    }

    @Test("over HTTPS the certificate must come from an authority that the site trusts")
    func certificates() async throws {
        let inbox = Inbox()
        try await receive(into: inbox) { (port: Int, authorities: TrustedAuthorities) async throws -> Void in
            let byName = try await post("https://hooks.test:\(port)/in?x=1", authorities)
            let byAddress = try await post("https://127.0.0.1:\(port)/", authorities)
            #expect(byName == 200 && byAddress == 200)
            for (url, trusted) in [
                ("https://hooks.test:\(port)/", TrustedAuthorities.none), ("http://hooks.test:\(port)/", authorities),
            ] {
                await #expect(throws: (any Error).self, "\(url)") { _ = try await post(url, trusted) }
            }
        }
        #expect(inbox.all.map(\.path) == ["/in", "/"])
        #expect(inbox.all.first?.body == "{}")
    }

    @Test("redirects are not followed", arguments: [true, false], [301, 302, 303, 307, 308])
    func redirects(tls: Bool, status: Int) async throws {
        let inbox = Inbox()
        try await receive(HTTPResponse.Status(code: status), tls: tls, into: inbox) { (port: Int, authorities: TrustedAuthorities) async throws -> Void in
            let answer = try await post("\(tls ? "https" : "http")://hooks.test:\(port)/in", authorities)
            #expect(answer == status)
        }
        #expect(inbox.all.map(\.path) == ["/in"])
    }

    @Test("a hub tells a receiver with a certificate of the site's own, once both settings allow it")
    func whole() async throws {
        let inbox = Inbox()
        try await receive(into: inbox) { (port: Int, authorities: TrustedAuthorities) async throws -> Void in
            try await RunningHub.run { hub, _ in
                let root = Caller(.localAdministrator(uid: 0, sudoUID: nil))
                let ada = try NamespaceName(parsing: "ada")
                let account = try await hub.identity.createAccount(AccountRequest(name: ada), by: root)
                _ = try await hub.identity.setSiteSetting("webhook-targets", to: "127.0.0.0/8", by: root)
                _ = try await hub.identity.setSiteSetting("webhook-authorities", to: authorities.text, by: root)
                _ = try await hub.community.webhooks.create(
                    Webhooks.Form(
                        url: "https://127.0.0.1:\(port)/in", secret: "s3cret", watches: [WebhookWatch(kind: .user, name: "ada")],
                        domains: nil), by: Caller(.account(account)))
                _ = try await hub.repositories.create(
                    RepositoryReference(parsing: "models/ada/bert"), visibility: .private, defaultBranch: "main",
                    description: nil, by: Caller(.account(account)))
                for await _ in inbox.arrivals { break }
            }
        }
        let first = try #require(inbox.all.first)
        #expect(first.body.contains(#""action":"create""#) && first.body.contains("ada/bert"))
        #expect(first.headers[try #require(HTTPField.Name("X-Webhook-Secret"))] == "s3cret")
    }

    @Test("authorities are certificates in PEM form, and nothing else", arguments: [
        "x", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----",
    ])
    func noAuthorities(_ text: String) {
        #expect(TrustedAuthorities(text) == nil)
        #expect(TrustedAuthorities(" \n")?.isEmpty == true)
    }
}
