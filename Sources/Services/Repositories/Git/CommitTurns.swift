import Synchronization

/// Lets those who commit to one branch do so one after the other, in the order of their coming, so that none has to be told to try
/// again. Pushes do not wait here: who loses against one is told.
final class CommitTurns: Sendable {
    /// Who waits for each branch that somebody commits to.
    private let waiting = Mutex<[String: [CheckedContinuation<Void, Never>]]>([:])

    func run<Value: Sendable>(_ key: String, _ work: @Sendable () async throws -> Value) async throws -> Value {
        await begin(key)
        defer { end(key) }
        // One that is cancelled while it waits keeps its place, and gives its turn to the next at once.
        try Task.checkCancellation()
        return try await work()
    }

    private func begin(_ key: String) async {
        await withCheckedContinuation { continuation in
            let isFirst = waiting.withLock { waiting in
                guard waiting[key] != nil else {
                    waiting[key] = []
                    return true
                }
                waiting[key]?.append(continuation)
                return false
            }
            if isFirst { continuation.resume() }
        }
    }

    private func end(_ key: String) {
        let next = waiting.withLock { waiting -> CheckedContinuation<Void, Never>? in
            guard var queue = waiting[key], !queue.isEmpty else {
                waiting[key] = nil
                return nil
            }
            let first = queue.removeFirst()
            waiting[key] = queue
            return first
        }
        next?.resume()
    }
}
