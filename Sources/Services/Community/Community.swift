import HubCore
import Identity
import Logging
import MetadataStore
import Repositories
import ServiceLifecycle

/// What people do around repositories: asking for access, discussing, proposing changes, liking, collecting, being told.
package struct Community: Sendable {
    package let access: AccessRequests
    package let discussions: Discussions
    package let pullRequests: PullRequests
    package let likes: Likes
    package let collections: Collections
    package let spaces: Spaces
    private let store: MetadataStore
    private let events: RepositoryEvents

    /// - Parameter key: 32 random bytes of `secrets/`, which seal what must not be read from the database.
    package init(store: MetadataStore, identity: Identity, git: GitService, events: RepositoryEvents, key: [UInt8]) {
        let box = SecretBox(key: key)
        self.store = store
        self.events = events
        access = AccessRequests(store: store, identity: identity)
        discussions = Discussions(store: store, identity: identity, git: git, notices: DiscussionNotices())
        pullRequests = PullRequests(discussions)
        likes = Likes(store: store, identity: identity)
        collections = Collections(store: store, identity: identity)
        spaces = Spaces(store: store, identity: identity, git: git, box: box)
    }

    /// What runs as long as the hub serves.
    package func services(logger: Logger) -> [any Service] {
        [PullRequestFollower(pullRequests, store: store, events: events, logger: logger)]
    }
}
