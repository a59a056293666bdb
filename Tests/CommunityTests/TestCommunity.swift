import Foundation
import GitStore
import HubCore
import HubTestSupport
import Identity
import MetadataStore
import ObjectStore
import Repositories
import Testing

@testable import Community

/// People and one repository, with real stores in a temporary folder.
final class TestCommunity: Sendable {
    let folder: TemporaryFolder
    let store: MetadataStore
    let identity: Identity
    let threads: GitThreads
    let objects: FileObjectStore
    let sender: PackSender
    let events = RepositoryEvents()
    let git: GitService
    let community: Community
    /// Owns the repository.
    let ada: Caller
    /// Only reads it.
    let bob: Caller
    private let reference: RepositoryReference

    init(kind: RepositoryKind = .model) async throws {
        folder = try TemporaryFolder()
        store = try MetadataStore(path: folder.path + "/hub.db")
        identity = Identity(store: store, settings: IdentitySettings(externalURL: "https://hub.test"))
        threads = GitThreads(count: 2)
        var settings = FileObjectStore.Settings(onStorageFailure: { fatalError("\($0)") })
        settings.reserveBytes = 0
        objects = try FileObjectStore(
            root: folder.path + "/objects", staging: folder.path + "/object-staging", settings: settings)
        let files = try GitStore(root: folder.path + "/git", staging: folder.path + "/staging", threads: threads)
        sender = try PackSender(
            store: files, cache: PackCacheSettings(folder: folder.path + "/staging/packs", maximumBytes: 1 << 20), concurrency: 1)
        git = GitService(
            store: store, git: files, sender: sender, threads: threads, receiveLimits: ReceiveLimits(), concurrentReceives: 2,
            events: events)
        community = Community(
            store: store, objects: objects, identity: identity, git: git, events: events, key: [UInt8](repeating: 7, count: 32))
        let audit = AuditEntry(actor: "test", action: "test", target: "test")
        ada = Caller(.account(try await store.createAccount(NewAccount(name: NamespaceName(parsing: "ada")), audit: audit)))
        bob = Caller(.account(try await store.createAccount(NewAccount(name: NamespaceName(parsing: "bob")), audit: audit)))
        reference = RepositoryReference(kind: kind, name: try RepositoryName(parsing: "ada/bert"))
        _ = try await store.createRepository(NewRepository(reference: reference, visibility: .public), audit: audit)
    }

    /// As it is now.
    var repository: Repository {
        get async throws { try #require(try await store.repository(reference)?.repository) }
    }

    func setGating(_ gating: Gating) async throws {
        _ = try await store.updateRepository(
            try await repository.id, RepositoryChange(gating: .set(gating)), audit: ada.entry("test", on: "test"))
    }

    @discardableResult
    func commit(
        _ files: [String: String?], to name: String = "refs/heads/main", message: String = "Change", by caller: Caller? = nil
    ) async throws -> GitOID {
        let reference = try #require(ReferenceName(name))
        let caller = caller ?? ada
        let draft = try await git.beginCommit(to: try await repository, reference: reference, by: caller)
        for (path, text) in files {
            if let text { try await draft.add(path, content: Array(text.utf8)) } else { try await draft.delete(path) }
        }
        return try await draft.commit(message: message, author: CommitAuthor(caller.principal)).oid
    }

    func text(_ path: String, at revision: String = "main") async throws -> String? {
        let snapshot = try await git.snapshot(of: try await repository)
        guard let commit = snapshot.resolve(revision), let entry = try snapshot.objects.entry(at: path, in: commit) else { return nil }
        return String(decoding: try snapshot.objects.read(entry.oid, limit: 1 << 20).bytes, as: UTF8.self)
    }

    func close() async throws {
        await objects.close()
        try await sender.stop()
        try await threads.stop()
        try store.close()
    }
}
