import GitStore
import HubCore
import Logging
import MetadataStore

/// Reads and changes the git side of repositories: refs in the database, objects in packs.
///
/// Rights are asked before: every call takes a `Repository` that `Identity` allowed.
package final class GitService: Sendable {
    package let threads: GitThreads
    package let receiveLimits: ReceiveLimits
    let store: MetadataStore
    let git: GitStore
    private let sender: PackSender
    private let receiveQueue: ReceiveQueue
    /// Hears of each push that brought a pack.
    let packArrivals: PackArrivals
    /// Hears of each ref that moved.
    package let events: RepositoryEvents
    let commitTurns = CommitTurns()

    package init(
        store: MetadataStore, git: GitStore, sender: PackSender, threads: GitThreads, receiveLimits: ReceiveLimits,
        concurrentReceives: Int, events: RepositoryEvents = RepositoryEvents()
    ) {
        self.store = store
        self.git = git
        self.sender = sender
        self.threads = threads
        self.receiveLimits = receiveLimits
        receiveQueue = ReceiveQueue(width: concurrentReceives)
        packArrivals = PackArrivals()
        self.events = events
    }

    /// Refs and packs as one transaction sees them, without opening the packs.
    package func references(of repository: Repository) async throws -> GitState {
        try await store.gitState(of: repository.id, prefixes: nil)
    }

    package func snapshot(of repository: Repository) async throws -> GitSnapshot {
        let state = try await references(of: repository)
        let objects = try await threads.run { [git] in try git.objects(of: repository.uid, packs: state.packs) }
        return GitSnapshot(repository: repository, state: state, objects: objects)
    }

    /// The pack that answers a fetch, with progress and keep-alives.
    ///
    /// - Parameter fairKey: who asks; the queue of computations goes round these.
    package func packStream(_ request: FetchRequest, snapshot: GitSnapshot, fairKey: String, framing: PackFraming
    ) async throws -> PackStream {
        try await sender.stream(
            request, from: snapshot.objects, repository: snapshot.repository.uid,
            allReferences: snapshot.allReferenceTargets, hasUnreachable: snapshot.state.hasUnreachable, fairKey: fairKey, framing: framing)
    }

    /// Drops made packs that nobody has asked for lately.
    func trimPackCache() { sender.trim() }

    /// A quarantine for the pack of a push.
    package func makeReceiver(for snapshot: GitSnapshot) async throws -> PackReceiver {
        try await threads.run { [git, receiveLimits] in
            try git.makeReceiver(for: snapshot.repository.uid, existing: snapshot.objects, limits: receiveLimits)
        }
    }

    /// Checks a received pack; waits for its turn when too many packs are being checked.
    package func finish(
        _ receiver: PackReceiver, tips: [GitOID], fairKey: String, progress: @escaping @Sendable (ReceiveProgress) -> Void
    ) async throws -> ReceivedPack {
        try await receiveQueue.run(fairKey) { [threads] in
            try await threads.run { try receiver.finish(tips: tips, progress: progress) }
        }
    }
}
