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

@testable import HuggingFaceAPI

/// The Hub API over real stores in a folder of its own; requests go to the router without a socket.
final class TestHub: Sendable {
    let folder: String
    let store: MetadataStore
    let identity: Identity
    let lfs: LFSService
    let git: GitService
    private let objects: FileObjectStore
    private let responder: RouterResponder<HubContext>
    private let logger: Logger

    struct Answer {
        let status: Int
        let headers: HTTPFields
        let bytes: ByteBuffer

        var text: String { String(buffer: bytes) }
        var json: JSONNode? { try? JSONParser.parse(text) }
        var code: String? { headers[.errorCode] }
    }

    init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/hub-api-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        store = try MetadataStore(path: folder + "/hub.db")
        var settings = FileObjectStore.Settings(onStorageFailure: { fatalError("\($0)") })
        settings.reserveBytes = 0
        objects = try FileObjectStore(root: folder + "/objects", staging: folder + "/staging", settings: settings)
        identity = Identity(
            store: store, settings: IdentitySettings(externalURL: "https://hub.test", passwordCost: .cheap))
        let threads = GitThreads(count: 2)
        let gitStore = try GitStore(root: folder + "/git", staging: folder + "/staging", threads: threads)
        git = GitService(
            store: store, git: gitStore,
            sender: try PackSender(
                store: gitStore, cache: PackCacheSettings(folder: folder + "/staging/packs", maximumBytes: 1 << 20),
                concurrency: 1),
            threads: threads, receiveLimits: ReceiveLimits(), concurrentReceives: 1)
        lfs = LFSService(store: store, objects: objects, signer: TransferSigner(key: [UInt8](repeating: 7, count: 32)))
        let router = Router(context: HubContext.self)
        router.add(middleware: RequestMiddleware())
        router.add(
            middleware: HuggingFaceAPI(
                HubServices(
                    identity: identity, store: store,
                    repositories: RepositoryService(store: store, identity: identity), git: git, lfs: lfs,
                    objects: objects, facts: FactsService(store: store, git: git, lfs: lfs, logger: Logger(label: "test")))))
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

    /// Makes an account and returns the text of a token of it.
    func account(_ name: String, scope: TokenScope = .write) async throws -> String {
        let caller = Caller(.localAdministrator(uid: 1, sudoUID: nil))
        let name = try NamespaceName(parsing: name)
        _ = try await identity.createAccount(AccountRequest(name: name), by: caller)
        return try await identity.createToken(TokenRequest(name: "laptop", scope: scope), for: name, by: caller).text
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: String = "", token: String? = nil,
        type: String = "application/json", headers: HTTPFields = [:]
    ) async throws -> Answer {
        var head = HTTPRequest(method: method, scheme: "http", authority: "hub.test", path: path)
        head.headerFields = headers
        if let token { head.headerFields[.authorization] = "Bearer \(token)" }
        head.headerFields[.contentType] = type
        let bytes = ByteBuffer(string: body)
        head.headerFields[.contentLength] = String(bytes.readableBytes)
        let source = HubRequestSource(logger: logger, remoteAddress: "192.0.2.7")
        // In small pieces, as they come by network.
        let pieces = AsyncStream<ByteBuffer> { stream in
            var rest = bytes
            while let piece = rest.readSlice(length: min(rest.readableBytes, 1000)), piece.readableBytes > 0 { stream.yield(piece) }
            stream.finish()
        }
        let request = Request(head: head, body: RequestBody(asyncSequence: pieces))
        let response = try await responder.respond(to: request, context: HubContext(source: source))
        let writer = CollectingWriter()
        try await response.body.write(writer)
        return Answer(status: response.status.code, headers: response.headers, bytes: writer.bytes.withLock { $0 })
    }

    /// Commits files, and returns the answer.
    func commit(
        _ files: [(path: String, text: String)], to repository: String, token: String, more: [String] = []
    ) async throws -> Answer {
        var lines = [#"{"key":"header","value":{"summary":"test"}}"#]
        for file in files {
            let content = Data(file.text.utf8).base64EncodedString()
            lines.append(#"{"key":"file","value":{"content":"\#(content)","path":"\#(file.path)","encoding":"base64"}}"#)
        }
        return try await send(
            .post, "/api/models/\(repository)/commit/main", (lines + more).joined(separator: "\n"), token: token,
            type: "application/x-ndjson")
    }

    private final class CollectingWriter: ResponseBodyWriter, Sendable {
        let bytes = Mutex(ByteBuffer())
        func write(_ buffer: ByteBuffer) async throws { bytes.withLock { _ = $0.writeImmutableBuffer(buffer) } }
        func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }
}
