import HubCore
import Synchronization

/// Something that happened to a repository and is durable.
package struct RepositoryEvent: Sendable {
    package enum What: Sendable {
        case created
        /// Refs that moved, by a push or a commit. `old` or `new` is `nil` for one that was made or deleted.
        case pushed([ReferenceUpdate])
        case deleted
        case restored
        case moved(from: RepositoryReference)
        case settingsChanged
    }

    package let what: What
    /// As it was when it happened; read it again before relying on it.
    package let repository: Repository
    /// Who did it, as the audit log names them.
    package let actor: String
    package let account: AccountID?

    package init(_ what: What, repository: Repository, actor: String, account: AccountID?) {
        self.what = what
        self.repository = repository
        self.actor = actor
        self.account = account
    }
}

/// Tells listeners what happened to repositories: the indexer, webhooks, the sync feed.
///
/// A listener that is slow loses the oldest events, and none are kept over a restart: they make listeners prompt, and what must
/// not be missed is found in the database (the facts' commit differs from the branch's, a row of the feed is missing).
package final class RepositoryEvents: Sendable {
    /// How many events wait for one listener.
    package static let buffer = 4096

    private struct State {
        var listeners: [Int: AsyncStream<RepositoryEvent>.Continuation] = [:]
        var lastKey = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// All events from now on, until the stream is dropped.
    package func listen() -> AsyncStream<RepositoryEvent> {
        AsyncStream(bufferingPolicy: .bufferingNewest(Self.buffer)) { continuation in
            let key = state.withLock { state in
                state.lastKey += 1
                state.listeners[state.lastKey] = continuation
                return state.lastKey
            }
            continuation.onTermination = { [weak self] _ in self?.forget(key) }
        }
    }

    package func tell(_ event: RepositoryEvent) {
        for listener in state.withLock({ Array($0.listeners.values) }) { listener.yield(event) }
    }

    private func forget(_ key: Int) {
        state.withLock { _ = $0.listeners.removeValue(forKey: key) }
    }
}
