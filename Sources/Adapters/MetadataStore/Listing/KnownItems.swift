import HubCore
import Synchronization

/// What lists showed of repositories since the last change of the hub, so that an item that many lists have is read once.
///
/// An item is spread over pages of four tables, and reading items was the most that a list cost.
final class KnownItems: Sendable {
    /// All items together take no more, by estimate; then all are forgotten.
    static let maximumBytes = 12 << 20

    private struct State {
        var changeCount: UInt64 = 0
        var items: [Int64: RepositoryListItem] = [:]
        var bytes = 0
    }

    private let state = Mutex(State())

    /// The view of one who took the number of changes before the snapshot that is read.
    struct Reader: Sendable {
        fileprivate let known: KnownItems
        fileprivate let changeCount: UInt64

        /// Those of `ids` that are known.
        func items(_ ids: [Int64]) -> [Int64: RepositoryListItem] {
            known.state.withLock { state in
                guard state.changeCount == changeCount else { return [:] }
                var found: [Int64: RepositoryListItem] = [:]
                found.reserveCapacity(ids.count)
                for id in ids { found[id] = state.items[id] }
                return found
            }
        }

        func keep(_ items: [RepositoryListItem]) {
            guard !items.isEmpty else { return }
            known.state.withLock { state in
                if state.changeCount < changeCount { state = State(changeCount: changeCount) }
                guard state.changeCount == changeCount else { return }
                for item in items {
                    state.bytes += KnownItems.size(of: item)
                    if state.bytes > KnownItems.maximumBytes { state = State(changeCount: changeCount) }
                    state.items[item.repository.id.rawValue] = item
                }
            }
        }
    }

    func reader(changeCount: UInt64) -> Reader { Reader(known: self, changeCount: changeCount) }

    private static func size(of item: RepositoryListItem) -> Int {
        let texts = [item.repository.description, item.facts.title, item.facts.summary].reduce(0) { $0 + ($1?.utf8.count ?? 0) }
        return item.facts.tags.reduce(1000 + texts) { $0 + 32 + $1.utf8.count }
    }
}
