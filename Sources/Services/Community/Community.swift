import HubCore
import Identity
import MetadataStore

/// What people do around repositories: asking for access, discussing, proposing changes, liking, collecting, being told.
package struct Community: Sendable {
    package let access: AccessRequests

    package init(store: MetadataStore, identity: Identity) {
        access = AccessRequests(store: store, identity: identity)
    }
}
