import COpenSSL
import Foundation
import GitProtocols
import HTTPTypes
import HubCore
import HubTestSupport
import Hummingbird
import Identity
import Logging
import MetadataStore
import NIOCore
import ObjectStore
import Repositories
import Synchronization
import WebCore

/// The LFS part of a hub, asked by requests without a socket: accounts `ada` and `bob`, and `ada`'s private model `ada/bert`.
final class TestLFS: Sendable {
    /// A clock that a test can put forward.
    final class Clock: Sendable {
        private let offset = Mutex<TimeInterval>(0)
        var now: Date { Date().addingTimeInterval(offset.withLock { $0 }) }
        func advance(_ seconds: TimeInterval) { offset.withLock { $0 += seconds } }
    }

    struct Answer: Sendable {
        let status: Int
        let headers: HTTPFields
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }
        /// Empty when the body is no JSON object.
        var json: [String: Any] { (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any] ?? [:] }
        /// The only object of a batch's answer.
        var object: [String: Any] { (json["objects"] as? [[String: Any]])?.first ?? [:] }
    }

    let folder: TemporaryFolder
    let clock = Clock()
    let store: MetadataStore
    let objects: FileObjectStore
    let identity: Identity
    let lfs: LFSService
    let repository: Repository
    /// Token texts by account.
    let tokens: [String: String]
    private let responder: RouterResponder<HubContext>

    static let root = Caller(.localAdministrator(uid: 0, sudoUID: nil))
    static let base = "/models/ada/bert.git/info/lfs/"

    init(partBytes: Int64 = 100_000, multipartThreshold: Int64 = 150_000, openUploads: Int = 100) async throws {
        folder = try TemporaryFolder("lfs")
        store = try MetadataStore(path: folder.file("hub.db"))
        var objectSettings = FileObjectStore.Settings { preconditionFailure("\($0)") }
        objectSettings.reserveBytes = 0
        objects = try FileObjectStore(
            root: folder.file("objects"), staging: folder.file("staging"), settings: objectSettings)
        identity = Identity(
            store: store, settings: IdentitySettings(externalURL: "https://hub.example", passwordCost: .cheap))
        var settings = LFSService.Settings()
        settings.partBytes = partBytes
        settings.multipartThresholdBytes = multipartThreshold
        settings.maximumObjectBytes = 1 << 30
        settings.maximumOpenUploads = openUploads
        let clock = clock
        lfs = LFSService(
            store: store, objects: objects, signer: TransferSigner(key: [UInt8](repeating: 7, count: 32)),
            settings: settings,
            clock: { clock.now })
        var tokens: [String: String] = [:]
        for name in ["ada", "bob"] {
            let account = try NamespaceName(parsing: name)
            _ = try await identity.createAccount(AccountRequest(name: account), by: Self.root)
            tokens[name] = try await identity.createToken(
                TokenRequest(name: "t", scope: .write), for: account, by: Self.root
            ).text
        }
        let ada = try NamespaceName(parsing: "ada")
        tokens["reader"] = try await identity.createToken(
            TokenRequest(name: "r", scope: .read), for: ada, by: Self.root
        ).text
        self.tokens = tokens
        repository = try await RepositoryService(store: store, identity: identity).create(
            RepositoryReference(parsing: "models/ada/bert"), visibility: .private, by: Self.root)
        let router = Router(context: HubContext.self)
        router.add(middleware: RequestMiddleware())
        router.add(middleware: LFSMiddleware(identity: identity, lfs: lfs))
        responder = router.buildResponder()
    }

    /// Another private repository of `owner`.
    func addRepository(_ name: String) async throws -> Repository {
        try await RepositoryService(store: store, identity: identity).create(
            RepositoryReference(parsing: name), visibility: .private, by: Self.root)
    }

    /// Sends a request; `path` is absolute, or below the repository's LFS address.
    func send(
        _ method: HTTPRequest.Method, _ path: String, as user: String? = "ada", _ body: [UInt8] = [],
        headers: HTTPFields = [:]
    ) async throws -> Answer {
        var fields = headers
        if let user, fields[.authorization] == nil { fields[.authorization] = "Bearer \(tokens[user] ?? user)" }
        if method == .post || method == .put, fields[.contentLength] == nil {
            fields[.contentLength] = String(body.count)
        }
        let target = path.hasPrefix("/") ? path : Self.base + path
        let request = Request(
            head: HTTPRequest(
                method: method, scheme: "https", authority: "hub.example", path: target, headerFields: fields),
            body: RequestBody(buffer: ByteBuffer(bytes: body)))
        let origin = RequestOrigin(parsing: "https://hub.example")
        let context = HubContext(
            source: HubRequestSource(
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, origin: origin ?? .local))
        let response = try await responder.respond(to: request, context: context)
        let collector = BodyCollector()
        try await response.body.write(collector)
        return Answer(
            status: response.status.code, headers: response.headers, body: Array(collector.buffer.readableBytesView))
    }

    func post(_ path: String, as user: String? = "ada", _ body: String, headers: HTTPFields = [:]) async throws
        -> Answer
    {
        var fields: HTTPFields = [
            .accept: "application/vnd.git-lfs+json", .contentType: "application/vnd.git-lfs+json; charset=utf-8",
        ]
        for field in headers { fields[field.name] = field.value }
        return try await send(.post, path, as: user, Array(body.utf8), headers: fields)
    }

    /// A batch of one object.
    func batch(
        _ operation: String, _ content: LFSContent, as user: String? = "ada", transfers: String = #"["basic"]"#,
        base: String = TestLFS.base
    ) async throws -> Answer {
        try await post(
            base + "objects/batch", as: user,
            #"{"operation":"\#(operation)","transfers":\#(transfers),"ref":{"name":"refs/heads/main"},"#
                + #""objects":[{"oid":"\#(content.oid)","size":\#(content.bytes.count)}],"hash_algo":"sha256"}"#)
    }

    /// Follows an action of a batch's answer.
    func follow(_ action: Action, _ method: HTTPRequest.Method, _ body: [UInt8] = [], headers: HTTPFields = [:])
        async throws -> Answer
    {
        var fields = headers
        if let authorization = action.header["Authorization"] { fields[.authorization] = authorization }
        return try await send(method, action.path, as: nil, body, headers: fields)
    }

    /// Uploads by batch and link, as git-lfs does.
    func upload(_ content: LFSContent, as user: String = "ada") async throws {
        let action = try Action(try await batch("upload", content, as: user).object, "upload")
        let answer = try await follow(action, .put, content.bytes)
        guard answer.status == 200 else { throw UnexpectedAnswer(answer: answer) }
    }
}

struct UnexpectedAnswer: Error {
    let answer: TestLFS.Answer
}

struct MissingAction: Error {
    let name: String
}

/// One action of an object: where to go with which headers.
struct Action: Sendable {
    let path: String
    let header: [String: String]

    init(_ object: [String: Any], _ name: String) throws {
        let actions = object["actions"] as? [String: [String: Any]]
        guard let action = actions?[name], let href = action["href"] as? String, href.hasPrefix("https://hub.example/")
        else {
            throw MissingAction(name: name)
        }
        path = String(href.dropFirst("https://hub.example".count))
        header = action["header"] as? [String: String] ?? [:]
    }
}

/// Content with its name.
struct LFSContent: Sendable {
    let bytes: [UInt8]
    let oid: String

    init(_ count: Int, seed: UInt64 = 1) {
        let bytes = Content.bytes(count, seed: seed)
        var digest = [UInt8](repeating: 0, count: 32)
        SHA256(bytes, bytes.count, &digest)
        self.bytes = bytes
        oid = Hex.encode(digest)
    }
}

/// Keeps what a body writes.
final class BodyCollector: ResponseBodyWriter {
    var buffer = ByteBuffer()

    func write(_ buffer: ByteBuffer) async throws { self.buffer.writeImmutableBuffer(buffer) }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
