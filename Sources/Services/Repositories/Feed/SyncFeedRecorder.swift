import GitStore
import HubCore
import Logging
import MetadataStore
import ServiceLifecycle

/// Keeps the feed by which other hubs learn what changed here: promptly by events, and what those miss at the start.
package struct SyncFeedRecorder: Service {
    private let store: MetadataStore
    private let git: GitService
    private let logger: Logger

    package init(store: MetadataStore, git: GitService, logger: Logger) {
        self.store = store
        self.git = git
        self.logger = logger
    }

    package func run() async throws {
        // Heard from now on, so that nothing is lost between the two.
        let events = git.events.listen()
        await attempt { try await catchUp() }
        for await event in events.cancelOnGracefulShutdown() {
            await attempt { try await record(event) }
        }
    }

    /// Whatever came while the hub was away.
    package func catchUp() async throws {
        var last: RepositoryID?
        repeat {
            try Task.checkCancellation()
            last = try await store.catchUpSyncFeed(after: last)
        } while last != nil
    }

    private func record(_ event: RepositoryEvent) async throws {
        switch event.what {
        case .pushed(let updates):
            let branch = "refs/heads/" + event.repository.defaultBranch
            guard let tip = updates.first(where: { $0.name.text == branch })?.new else { return }
            try await store.extendSyncFeed(with: event.repository.id, changeLog: try await title(of: tip, in: event.repository))
        case .created, .restored, .settingsChanged:
            try await store.extendSyncFeed(with: event.repository.id, changeLog: "")
        case .moved(let old):
            try await store.extendSyncFeed(with: event.repository.id, changeLog: "Renamed from \(old.name)")
        case .deleted: return
        }
    }

    /// The first line of a commit's message.
    private func title(of commit: GitOID, in repository: Repository) async throws -> String {
        let snapshot = try await git.snapshot(of: repository)
        let message = try await git.commit(commit, in: snapshot).message
        return String(decoding: message.prefix { $0 != 0x0a }, as: UTF8.self)
    }

    private func attempt(_ body: () async throws -> Void) async {
        do {
            try await body()
        } catch is CancellationError {
            return
        } catch {
            // The next start finds what is missing.
            logger.warning("Could not keep the feed for other hubs: \(error)")
        }
    }
}
