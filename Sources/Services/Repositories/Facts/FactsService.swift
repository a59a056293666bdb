import FoundationEssentials
import GitStore
import HubCore
import Identity
import Logging
import MetadataStore
import ModelFormats
import Synchronization

/// Computes and keeps the facts of repositories. One commit at a time is read of each repository.
package final class FactsService: Sendable {
    let store: MetadataStore
    let git: GitService
    private let lfs: LFSService
    private let logger: Logger
    /// Repositories whose facts are being made, each with those who wait for it.
    private let running = Mutex<[RepositoryID: [CheckedContinuation<Void, Never>]]>([:])

    package init(store: MetadataStore, git: GitService, lfs: LFSService, logger: Logger) {
        self.store = store
        self.git = git
        self.lfs = lfs
        self.logger = logger
    }

    /// The facts of the default branch's present commit, made now if the indexer has not come to it yet.
    ///
    /// Rights are asked before.
    @discardableResult
    package func current(of repository: Repository) async throws -> RepositoryFacts {
        let head = try await head(of: repository)
        if let facts = try await store.facts(of: repository.id), facts.commit == head { return facts }
        try await index(repository.id)
        let facts = try await store.facts(of: repository.id)
        return facts ?? RepositoryFacts(commit: nil, lastModified: repository.createdAt)
    }

    /// The facts of any commit, made now unless it is the default branch's. What does not depend on the commit is not filled in.
    package func facts(of repository: Repository, at commit: GitOID) async throws -> RepositoryFacts {
        if let facts = try await store.facts(of: repository.id), facts.commit == commit { return facts }
        let snapshot = try await git.snapshot(of: repository)
        return try await make(commit, snapshot: snapshot).facts
    }

    /// Brings the facts of a repository up to its default branch; does nothing when they are.
    ///
    /// - Throws: what the hub's own condition causes; a wrong file never does.
    package func index(_ id: RepositoryID) async throws {
        await claim(id)
        defer { release(id) }
        guard let repository = try await store.repository(id: id), repository.deletedAt == nil else { return }
        let head = try await head(of: repository)
        let (commit, rules) = try await store.factsState(of: id)
        if rules == FactsRules.version, commit == head { return }
        let (facts, text) = try await facts(of: repository, head: head)
        try await store.saveFacts(facts, searchText: text, of: id, rules: FactsRules.version)
    }

    private func head(of repository: Repository) async throws -> GitOID? {
        let state = try await git.references(of: repository)
        return ReferenceName.newBranch(state.defaultBranch).flatMap { state.reference($0)?.oid }
    }

    private func facts(of repository: Repository, head: GitOID?) async throws -> (RepositoryFacts, String) {
        let used = try await store.usedStorage(of: repository.id)
        guard let head else {
            var facts = RepositoryFacts(commit: nil, lastModified: repository.createdAt)
            facts.usedStorageBytes = used
            facts.tags = repository.kind == .code ? [] : ["region:us"]
            return (facts, "")
        }
        do {
            var (facts, text) = try await make(head, snapshot: try await git.snapshot(of: repository))
            facts.usedStorageBytes = used
            return (facts, text)
        } catch let error as GitStoreError {
            // Damage in the store: the repository is shown without facts rather than tried again for ever.
            logger.warning(
                "The files of \(repository.reference) cannot be read: \(error)",
                metadata: ["repository.name": "\(repository.reference)"])
            var facts = RepositoryFacts(commit: head, lastModified: repository.updatedAt)
            facts.warnings = [FactsWarning(path: "", message: error.problem.message)]
            return (facts, "")
        }
    }

    private func make(_ commit: GitOID, snapshot: GitSnapshot) async throws -> (facts: RepositoryFacts, text: String) {
        let objects = snapshot.objects
        let date = try await git.threads.run { try objects.commit(try objects.peel(commit)).committerTime }
        let contents = FileContents(repository: snapshot.repository, objects: objects, threads: git.threads, lfs: lfs)
        let findings = try await FactsReader.read(commit, contents: contents)
        let facts = FactsRules.facts(findings, commit: commit, at: Date(timeIntervalSince1970: TimeInterval(date)))
        return (facts, findings.text?.text ?? "")
    }

    // MARK: - One at a time

    private func claim(_ id: RepositoryID) async {
        await withCheckedContinuation { continuation in
            let isFree = running.withLock { running in
                guard running[id] == nil else {
                    running[id]?.append(continuation)
                    return false
                }
                running[id] = []
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    private func release(_ id: RepositoryID) {
        let next: CheckedContinuation<Void, Never>? = running.withLock { running in
            guard running[id]?.isEmpty == false else {
                running[id] = nil
                return nil
            }
            return running[id]?.removeFirst()
        }
        next?.resume()
    }
}
