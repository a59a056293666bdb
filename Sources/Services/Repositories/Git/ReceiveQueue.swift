import Synchronization

/// Lets at most `width` pieces of work run at once, at most `perKey` of one key, and goes round the keys that wait, so that
/// one caller's hundred requests do not hold up another's first.
package final class ReceiveQueue: Sendable {
    private struct Waiter {
        let id: UInt64
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var free: Int
        /// How many of each key run.
        var running: [String: Int] = [:]
        var nextID: UInt64 = 0
        /// Keys in the order of their turns.
        var turns: [String] = []
        var waiting: [String: [Waiter]] = [:]
        /// Cancelled before they began to wait.
        var cancelled: Set<UInt64> = []
    }

    private let state: Mutex<State>
    private let perKey: Int

    package init(width: Int, perKey: Int = .max) {
        state = Mutex(State(free: max(1, width)))
        self.perKey = max(1, perKey)
    }

    /// Waits for a turn of `key`, runs `work`, and gives the place on. Throws `CancellationError` when cancelled while waiting.
    package func run<Value: Sendable>(_ key: String, _ work: @Sendable () async throws -> Value) async throws -> Value {
        try await enter(key)
        defer { leave(key) }
        return try await work()
    }

    /// How many wait for a turn.
    package var waitingCount: Int { state.withLock { $0.waiting.values.reduce(0) { $0 + $1.count } } }

    /// Waits for a turn of `key`; end it with `leave`. Throws `CancellationError` when cancelled while waiting.
    package func enter(_ key: String) async throws {
        let id: UInt64? = state.withLock { state in
            if isFree(for: key, state) {
                begin(key, &state)
                return nil
            }
            state.nextID += 1
            return state.nextID
        }
        guard let id else { return }
        // A turn may be given in the moment of cancellation; the work sees the cancellation itself.
        defer { state.withLock { _ = $0.cancelled.remove(id) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let decision: Result<Void, any Error>? = state.withLock { state in
                    if state.cancelled.contains(id) { return .failure(CancellationError()) }
                    if isFree(for: key, state) {
                        begin(key, &state)
                        return .success(())
                    }
                    if state.waiting[key] == nil { state.turns.append(key) }
                    state.waiting[key, default: []].append(Waiter(id: id, continuation: continuation))
                    return nil
                }
                if let decision { continuation.resume(with: decision) }
            }
        } onCancel: {
            cancel(id, key: key)
        }
    }

    /// Gives the place on.
    package func leave(_ key: String) {
        let next: Waiter? = state.withLock { state in
            state.free += 1
            state.running[key, default: 0] -= 1
            if state.running[key] == 0 { state.running[key] = nil }
            return takeNext(&state)
        }
        next?.continuation.resume()
    }

    /// Whoever may run without a wait: nobody who waits could use the place, or `leave` would have given it to them.
    private func isFree(for key: String, _ state: State) -> Bool {
        state.free > 0 && state.waiting[key] == nil && state.running[key, default: 0] < perKey
    }

    private func begin(_ key: String, _ state: inout State) {
        state.free -= 1
        state.running[key, default: 0] += 1
    }

    /// The first waiter of the first key that may run one more; the key's next turn comes after those of all others.
    private func takeNext(_ state: inout State) -> Waiter? {
        guard let turn = state.turns.firstIndex(where: { state.running[$0, default: 0] < perKey }) else { return nil }
        let key = state.turns.remove(at: turn)
        var waiters = state.waiting[key] ?? []
        let next = waiters.removeFirst()
        if waiters.isEmpty {
            state.waiting[key] = nil
        } else {
            state.waiting[key] = waiters
            state.turns.append(key)
        }
        begin(key, &state)
        return next
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
