/// What the hub knows of trust: whose bundles it takes and as whom it signs its own.
package struct TrustServices: Sendable {
    package let store: TrustStore
    package let publisher: PublisherKeys

    package init(store: TrustStore, publisher: PublisherKeys) {
        self.store = store
        self.publisher = publisher
    }
}
