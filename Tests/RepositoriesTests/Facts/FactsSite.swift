import Foundation
import GitStore
import HubCore
import HubTestSupport
import Identity
import Logging
import MetadataStore
import NIOCore
import ObjectStore

@testable import Repositories

/// A hub's services with real stores, for facts.
struct FactsSite {
    let folder: TemporaryFolder
    let store: MetadataStore
    let objects: FileObjectStore
    let threads: GitThreads
    let sender: PackSender
    let git: GitService
    let lfs: LFSService
    let facts: FactsService
    let caller: Caller

    init() async throws {
        folder = try TemporaryFolder()
        store = try MetadataStore(path: folder.path + "/hub.db")
        objects = try FileObjectStore(
            root: folder.path + "/objects", staging: folder.path + "/staging", settings: FileObjectStore.Settings(onStorageFailure: { _ in }))
        threads = GitThreads(count: 2)
        let files = try GitStore(root: folder.path + "/git", staging: folder.path + "/staging", threads: threads)
        sender = try PackSender(
            store: files, cache: PackCacheSettings(folder: folder.path + "/staging/packs", maximumBytes: 1 << 20), concurrency: 1)
        git = GitService(
            store: store, git: files, sender: sender, threads: threads, receiveLimits: ReceiveLimits(), concurrentReceives: 2)
        lfs = LFSService(store: store, objects: objects, signer: TransferSigner(key: [UInt8](repeating: 1, count: 32)))
        facts = FactsService(store: store, git: git, lfs: lfs, logger: Logger(label: "test"))
        let account = try await store.createAccount(NewAccount(name: NamespaceName(parsing: "ada")), audit: Self.audit)
        caller = Caller(.account(account))
    }

    static let audit = AuditEntry(actor: "test", action: "test", target: "test")

    func repository(_ reference: String) async throws -> Repository {
        try await store.createRepository(
            NewRepository(reference: RepositoryReference(parsing: reference), visibility: .public), audit: Self.audit)
    }

    func commit(_ files: [String: [UInt8]], large: [String: [UInt8]] = [:], to repository: Repository) async throws {
        let draft = try await git.beginCommit(to: repository, branch: "main", by: caller)
        for (path, bytes) in files { try await draft.add(path, content: bytes) }
        for (path, bytes) in large {
            let stored = try await objects.put(nil, sizeBytes: nil, body: OnePiece(bytes))
            try await store.linkObject(stored.id, sizeBytes: stored.sizeBytes, repository: repository.id, account: nil)
            try await draft.add(path, pointer: LFSPointer(oid: stored.id, sizeBytes: stored.sizeBytes))
        }
        _ = try await draft.commit(message: "Files\n", author: CommitAuthor(name: "Ada", email: "a@b"))
    }

    func facts(_ reference: String, _ files: [String: String], large: [String: [UInt8]] = [:]) async throws -> RepositoryFacts {
        let repository = try await repository(reference)
        try await commit(files.mapValues { Array($0.utf8) }, large: large, to: repository)
        return try await facts.current(of: repository)
    }

    func close() async throws {
        await objects.close()
        try await sender.stop()
        try await threads.stop()
        try store.close()
    }
}

/// A body in one piece.
struct OnePiece: AsyncSequence, Sendable {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate var bytes: [UInt8]?

        mutating func next() async throws -> ByteBuffer? {
            defer { bytes = nil }
            return bytes.map { ByteBuffer(bytes: $0) }
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(bytes: bytes) }
}
