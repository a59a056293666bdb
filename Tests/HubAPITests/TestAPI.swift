import Bundles
import Community
import Foundation
import GitStore
import HTTPTypes
import HubCore
import Hummingbird
import Identity
import Logging
import MetadataStore
import NIOCore
import ObjectStore
import Repositories
import Synchronization
import WebCore

@testable import HubAPI

/// The API over real stores in a folder of its own; requests go to the router without a socket.
final class TestAPI: Sendable {
    let folder: String
    let store: MetadataStore
    let objects: FileObjectStore
    let identity: Identity
    let git: GitService
    let api: HubAPI
    private let responder: RouterResponder<HubContext>
    private let logger: Logger

    struct Answer {
        let status: Int
        let headers: HTTPFields
        let bytes: ByteBuffer

        var text: String { String(buffer: bytes) }
        func json() throws -> JSONValue { try JSONForm.decode(JSONValue.self, from: bytes) }
        /// The code of the refusal.
        var code: String? { (try? json())?["error"]?["code"]?.string }
        var lines: [JSONValue] {
            get throws {
                try text.split(separator: "\n").map {
                    try JSONForm.decode(JSONValue.self, from: ByteBuffer(string: String($0)))
                }
            }
        }
    }

    init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/api-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        store = try MetadataStore(path: folder + "/hub.db")
        var settings = FileObjectStore.Settings(onStorageFailure: { fatalError("\($0)") })
        settings.reserveBytes = 0
        objects = try FileObjectStore(root: folder + "/objects", staging: folder + "/staging", settings: settings)
        identity = Identity(
            store: store, settings: IdentitySettings(externalURL: "https://hub.test", passwordCost: .cheap))
        let site = SiteFacts(
            startedAt: Date(timeIntervalSince1970: 1_800_000_000), dataDirectory: folder,
            externalAddresses: ["https://hub.test"],
            isServing: true)
        let threads = GitThreads(count: 2)
        let gitStore = try GitStore(root: folder + "/git", staging: folder + "/staging", threads: threads)
        git = GitService(
            store: store, git: gitStore,
            sender: try PackSender(
                store: gitStore, cache: PackCacheSettings(folder: folder + "/staging/packs", maximumBytes: 1 << 20),
                concurrency: 1),
            threads: threads, receiveLimits: ReceiveLimits(), concurrentReceives: 1)
        let importer = BundleImporter(
            store: store, objects: objects, git: gitStore, threads: threads, limits: ReceiveLimits(), identity: identity,
            events: RepositoryEvents(), trust: NoTrust(), logger: Logger(label: "test"))
        api = HubAPI(
            APIServices(
                identity: identity, store: store, repositories: RepositoryService(store: store, identity: identity),
                access: AccessRequests(store: store, identity: identity), git: git,
                lfs: LFSService(
                    store: store, objects: objects, signer: TransferSigner(key: [UInt8](repeating: 7, count: 32))),
                objects: objects, imports: importer, importQueue: ImportQueue(importer: importer, logger: Logger(label: "test")),
                trust: TrustServices(
                    store: TrustStore(store: store, identity: identity, folder: folder + "/trust"),
                    publisher: PublisherKeys(store: store, identity: identity, secrets: folder + "/secrets", host: "hub.test")),
                site: site))
        let router = Router(context: HubContext.self)
        router.add(middleware: RequestMiddleware())
        api.addRoutes(to: router)
        responder = router.buildResponder()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        self.logger = logger
    }

    deinit {
        // What cannot be closed or removed stays in the temporary folder; the test has said what it had to say.
        try? store.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Sends a request as the local administrator, or with a token.
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSONValue? = nil, token: String? = nil,
        anonymously: Bool = false
    ) async throws -> Answer {
        let bytes = try body.map { try JSONForm.encode($0) } ?? ByteBuffer()
        return try await send(method, path, bytes: bytes, token: token, anonymously: anonymously)
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, bytes: ByteBuffer, token: String? = nil,
        anonymously: Bool = false,
        origin: String? = nil, length: Int64? = nil
    ) async throws -> Answer {
        var head = HTTPRequest(method: method, scheme: "http", authority: "hub.test", path: "/api/hub/v1" + path)
        if let token { head.headerFields[.authorization] = "Bearer \(token)" }
        if let origin { head.headerFields[.origin] = origin }
        head.headerFields[.contentLength] = String(length ?? Int64(bytes.readableBytes))
        let isLocal = token == nil && !anonymously
        let source = HubRequestSource(
            logger: logger, remoteAddress: isLocal ? "local" : "192.0.2.7",
            principal: isLocal ? .localAdministrator(uid: 1000, sudoUID: 1001) : .anonymous)
        let request = Request(head: head, body: RequestBody(buffer: bytes))
        let response = try await responder.respond(to: request, context: HubContext(source: source))
        let writer = CollectingWriter()
        try await response.body.write(writer)
        return Answer(status: response.status.code, headers: response.headers, bytes: writer.bytes.withLock { $0 })
    }

    /// Makes an account and returns the text of a token of it.
    func account(_ name: String, scope: TokenScope = .admin, roles: [SiteRole] = []) async throws -> String {
        let made = try await send(
            .post, "/accounts", ["name": .string(name), "roles": .array(roles.map { .string($0.rawValue) })])
        guard made.status == 201 else { throw Unexpected(answer: made) }
        let token = try await send(
            .post, "/tokens", ["account": .string(name), "name": "test", "scope": .string(scope.rawValue)])
        guard let text = try token.json()["text"]?.string else { throw Unexpected(answer: token) }
        return text
    }

    struct Unexpected: Error { let answer: Answer }

    private final class CollectingWriter: ResponseBodyWriter, Sendable {
        let bytes = Mutex(ByteBuffer())
        func write(_ buffer: ByteBuffer) async throws { bytes.withLock { _ = $0.writeImmutableBuffer(buffer) } }
        func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }
}
