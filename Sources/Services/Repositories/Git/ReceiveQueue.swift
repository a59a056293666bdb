import Synchronization

/// Lets at most `width` pieces of work run at once, and goes round the keys that wait, so that one caller's hundred
/// requests do not hold up another's first.
package final class ReceiveQueue: Sendable {
    private struct Waiter {
        let id: UInt64
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var free: Int
        var nextID: UInt64 = 0
        /// Keys in the order of their turns.
        var turns: [String] = []
        var waiting: [String: [Waiter]] = [:]
        /// Cancelled before they began to wait.
        var cancelled: Set<UInt64> = []
    }

    private let state: Mutex<State>

    package init(width: Int) { state = Mutex(State(free: max(1, width))) }

    /// Waits for a turn of `key`, runs `work`, and gives the place on. Throws `CancellationError` when cancelled while waiting.
    package func run<Value: Sendable>(_ key: String, _ work: @Sendable () async throws -> Value) async throws -> Value {
        try await enter(key)
        defer { leave() }
        return try await work()
    }

    /// How many wait for a turn.
    package var waitingCount: Int { state.withLock { $0.waiting.values.reduce(0) { $0 + $1.count } } }

    private func enter(_ key: String) async throws {
        let id: UInt64? = state.withLock { state in
            if state.free > 0, state.turns.isEmpty {
                state.free -= 1
                return nil
            }
            state.nextID += 1
            return state.nextID
        }
        guard let id else { return }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let isDecided: Result<Void, any Error>? = state.withLock { state in
                    if state.cancelled.remove(id) != nil { return .failure(CancellationError()) }
                    if state.free > 0, state.turns.isEmpty {
                        state.free -= 1
                        return .success(())
                    }
                    if state.waiting[key] == nil { state.turns.append(key) }
                    state.waiting[key, default: []].append(Waiter(id: id, continuation: continuation))
                    return nil
                }
                if let isDecided { continuation.resume(with: isDecided) }
            }
        } onCancel: {
            cancel(id, key: key)
        }
        // A turn may have been given in the moment of cancellation; the work sees the cancellation itself.
    }

    private func leave() {
        let next: Waiter? = state.withLock { state in
            guard let key = state.turns.first else {
                state.free += 1
                return nil
            }
            state.turns.removeFirst()
            var waiters = state.waiting[key] ?? []
            let next = waiters.removeFirst()
            if waiters.isEmpty {
                state.waiting[key] = nil
            } else {
                state.waiting[key] = waiters
                state.turns.append(key)
            }
            return next
        }
        next?.continuation.resume()
    }

    private func cancel(_ id: UInt64, key: String) {
        let waiter: Waiter? = state.withLock { state in
            guard let index = state.waiting[key]?.firstIndex(where: { $0.id == id }) else {
                state.cancelled.insert(id)
                return nil
            }
            let waiter = state.waiting[key]?.remove(at: index)
            if state.waiting[key]?.isEmpty == true {
                state.waiting[key] = nil
                state.turns.removeAll { $0 == key }
            }
            return waiter
        }
        waiter?.continuation.resume(throwing: CancellationError())
    }
}
