import FoundationEssentials
import HubCore
import MetadataStore
import Synchronization

/// Counts downloads of repositories: one for each reader and five minutes, however many files and ranges that is.
package final class DownloadCounter: Sendable {
    private static let window: TimeInterval = 300
    private static let maximumRemembered = 50_000

    private struct Key: Hashable {
        let repository: RepositoryID
        let reader: String
    }

    private let store: MetadataStore
    /// When each reader's download was counted.
    private let counted = Mutex<[Key: TimeInterval]>([:])

    package init(store: MetadataStore) { self.store = store }

    /// - Parameter reader: an account or an address.
    package func count(_ repository: RepositoryID, by reader: String, at date: Date = Date()) {
        let now = date.timeIntervalSince1970
        let isNew = counted.withLock { counted in
            let key = Key(repository: repository, reader: reader)
            if let last = counted[key], now - last < Self.window { return false }
            if counted.count >= Self.maximumRemembered { counted = counted.filter { now - $0.value < Self.window } }
            // Still full: then each request counts, which is better than to grow.
            if counted.count < Self.maximumRemembered { counted[key] = now }
            return true
        }
        if isNew { store.countDownload(of: repository) }
    }
}
