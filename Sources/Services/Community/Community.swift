import FoundationEssentials
import HubCore
import Identity
import Logging
import MetadataStore
import ObjectStore
import Repositories
import ServiceLifecycle

/// What people do around repositories: asking for access, discussing, proposing changes, liking, collecting, being told.
package struct Community: Sendable {
    package let access: AccessRequests
    package let discussions: Discussions
    package let pullRequests: PullRequests
    package let attachments: Attachments
    package let likes: Likes
    package let collections: Collections
    package let spaces: Spaces
    package let webhooks: Webhooks
    private let queue: WebhookQueue
    private let store: MetadataStore
    private let events: RepositoryEvents

    /// - Parameter key: 32 random bytes of `secrets/`, which seal what must not be read from the database.
    package init(
        store: MetadataStore, objects: FileObjectStore, identity: Identity, git: GitService, events: RepositoryEvents, key: [UInt8]
    ) {
        let box = SecretBox(key: key)
        self.store = store
        self.events = events
        let logger = Logger(label: "hub.community")
        webhooks = Webhooks(store: store, identity: identity, box: box)
        let queue = WebhookQueue(store: store, identity: identity, git: git, bell: WebhookBell(), logger: logger)
        self.queue = queue
        access = AccessRequests(store: store, identity: identity)
        discussions = Discussions(store: store, identity: identity, git: git,
            notices: DiscussionNotices { notice, repository, _ in await queue.add(notice, in: repository) })
        pullRequests = PullRequests(discussions)
        attachments = Attachments(store: store, objects: objects, identity: identity)
        likes = Likes(store: store, identity: identity)
        collections = Collections(store: store, identity: identity)
        spaces = Spaces(store: store, identity: identity, git: git, box: box)
    }

    /// What runs as long as the hub serves.
    package func services(webhooks transport: any WebhookTransport, logger: Logger) -> [any Service] {
        [
            PullRequestFollower(pullRequests, store: store, events: events, logger: logger),
            WebhookFollower(queue: queue, events: events),
            WebhookDeliverer(
                store: store, webhooks: webhooks, transport: transport, bell: queue.bell, logger: logger, clock: { Date() }),
        ]
    }
}
