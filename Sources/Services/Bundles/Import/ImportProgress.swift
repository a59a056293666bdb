import FoundationEssentials
import HubCore
import Synchronization

/// How far a running import is.
package struct ImportProgress: Hashable, Sendable {
    /// The states of an import, those included that leave no row.
    package enum Phase: String, Hashable, Sendable, CaseIterable, Codable {
        case discovered, trusted, preflight, staging, verifying, scanning
        case awaitingApproval = "awaiting_approval"
        case publishing, published, parked, stopped
    }

    package let bundle: String
    package var phase: Phase
    /// Of the content that is staged, or looked through in `verifying`.
    package var doneBytes: Int64
    package var totalBytes: Int64
    /// The volume that is being read.
    package var volume: Int?
    package var message: String?

    package init(
        bundle: String, phase: Phase, doneBytes: Int64 = 0, totalBytes: Int64 = 0, volume: Int? = nil,
        message: String? = nil
    ) {
        self.bundle = bundle
        self.phase = phase
        self.doneBytes = doneBytes
        self.totalBytes = totalBytes
        self.volume = volume
        self.message = message
    }
}

/// Passes the progress of imports on to whoever looks; a slow one misses steps in between, never the last.
package final class ImportProgressBoard: Sendable {
    private struct State {
        var latest: [String: ImportProgress] = [:]
        var listeners: [Int: (bundle: String?, stream: AsyncStream<ImportProgress>.Continuation)] = [:]
        var lastKey = 0
    }

    private let state = Mutex(State())

    package func tell(_ progress: ImportProgress) {
        let streams = state.withLock { state in
            state.latest[progress.bundle] = progress
            return state.listeners.values.filter { $0.bundle == nil || $0.bundle == progress.bundle }.map(\.stream)
        }
        for stream in streams { stream.yield(progress) }
    }

    /// The import has ended or pauses: its listeners end too.
    package func finish(_ bundle: String) {
        let streams = state.withLock { state in
            state.latest[bundle] = nil
            return state.listeners.values.filter { $0.bundle == bundle }.map(\.stream)
        }
        for stream in streams { stream.finish() }
    }

    /// How far an import is that runs now; `nil` when none does.
    package func latest(of bundle: String) -> ImportProgress? { state.withLock { $0.latest[bundle] } }

    /// From the present step on, until the run ends.
    package func listen(to bundle: String) -> AsyncStream<ImportProgress> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let (key, latest) = state.withLock { state in
                state.lastKey += 1
                state.listeners[state.lastKey] = (bundle, continuation)
                return (state.lastKey, state.latest[bundle])
            }
            continuation.onTermination = { [weak self] _ in self?.forget(key) }
            if let latest { continuation.yield(latest) } else { continuation.finish() }
        }
    }

    /// The steps of all imports from now on, until nobody listens; some are left out when they come too fast.
    package func listen() -> AsyncStream<ImportProgress> {
        AsyncStream(bufferingPolicy: .bufferingNewest(16)) { continuation in
            let key = state.withLock { state in
                state.lastKey += 1
                state.listeners[state.lastKey] = (nil, continuation)
                return state.lastKey
            }
            continuation.onTermination = { [weak self] _ in self?.forget(key) }
        }
    }

    private func forget(_ key: Int) { state.withLock { _ = $0.listeners.removeValue(forKey: key) } }
}
