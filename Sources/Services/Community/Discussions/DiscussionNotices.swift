import HubCore
import Identity
import MetadataStore

/// Something that happened in a discussion and is durable.
package enum DiscussionNotice: Sendable {
    case opened(Discussion)
    /// Its title, its status or its commits.
    case changed(Discussion)
    case commented(Discussion, DiscussionEvent)
    case commentChanged(Discussion, DiscussionEvent)
}

/// Tells whoever follows discussions: webhooks.
package struct DiscussionNotices: Sendable {
    package typealias Listener = @Sendable (DiscussionNotice, Repository, Caller) async -> Void

    private let listener: Listener?

    package init(_ listener: Listener? = nil) { self.listener = listener }

    func tell(_ notice: DiscussionNotice, in repository: Repository, by caller: Caller) async {
        await listener?(notice, repository, caller)
    }
}
