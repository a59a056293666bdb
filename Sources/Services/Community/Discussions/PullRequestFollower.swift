import HubCore
import Logging
import MetadataStore
import Repositories
import ServiceLifecycle

/// Follows the refs of pull requests and of their bases, so that their events say what was pushed.
///
/// What it misses, as while the hub is down, is found when somebody looks at the pull request.
package struct PullRequestFollower: Service {
    private let pullRequests: PullRequests
    private let store: MetadataStore
    private let events: RepositoryEvents
    private let logger: Logger

    package init(_ pullRequests: PullRequests, store: MetadataStore, events: RepositoryEvents, logger: Logger) {
        self.pullRequests = pullRequests
        self.store = store
        self.events = events
        self.logger = logger
    }

    package func run() async throws {
        for await event in events.listen().cancelOnGracefulShutdown() {
            guard case .pushed(let updates) = event.what else { continue }
            do {
                try await follow(updates, in: event.repository)
            } catch {
                logger.warning("Could not follow the pull requests of \(event.repository.reference): \(error)")
            }
        }
    }

    func follow(_ updates: [ReferenceUpdate], in repository: Repository) async throws {
        for update in updates {
            if let number = PullRequests.number(of: update.name) {
                guard let discussion = try await store.discussion(number, in: repository.id) else { continue }
                _ = try await pullRequests.synchronize(discussion, in: repository)
            } else if update.name.isBranch, update.new != nil {
                for discussion in try await store.unmergedPullRequests(in: repository.id, into: update.name) {
                    _ = try await pullRequests.synchronize(discussion, in: repository)
                }
            }
        }
    }
}
