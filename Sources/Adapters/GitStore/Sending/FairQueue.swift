import NIOPosix
import Synchronization

/// Runs a bounded number of computations at once and takes those that wait in turn, one of each key after another.
///
/// So an account that asks for a hundred packs delays another account's first by one pack at most.
final class FairQueue: Sendable {
    private static let maximumWaiting = 4_096
    /// Computations that wait for slow readers and so hold a thread but none of the turns.
    private static let maximumStalled = 16

    /// Work to be done; it is told whether the queue is stopping, in which case it should only say so to whoever waits.
    typealias Work = @Sendable (_ isStopping: Bool) -> Void

    private struct State {
        var running = 0
        var isStopping = false
        /// The keys that have something waiting, in the order of their turns.
        var turns: [String] = []
        var waiting: [String: [Work]] = [:]
        var waitingCount = 0
    }

    private let limit: Int
    private let pool: NIOThreadPool
    private let state = Mutex(State())

    init(limit: Int) {
        self.limit = max(1, limit)
        pool = NIOThreadPool(numberOfThreads: self.limit + Self.maximumStalled)
        pool.start()
    }

    deinit { pool.shutdownGracefully { _ in } }

    /// Work in progress should end when it sees this.
    var isStopping: Bool { state.withLock { $0.isStopping } }

    /// Returns when the work in progress has ended.
    func stop() async throws {
        state.withLock { $0.isStopping = true }
        try await pool.shutdownGracefully()
    }

    /// Runs `work` on a thread of its own when its turn comes.
    ///
    /// - Throws: `.busy` when too much is waiting already.
    func add(key: String, _ work: @escaping Work) throws(GitStoreError) {
        let isAdded = state.withLock { state in
            guard state.waitingCount < Self.maximumWaiting else { return false }
            if state.waiting[key] == nil { state.turns.append(key) }
            state.waiting[key, default: []].append(work)
            state.waitingCount += 1
            return true
        }
        guard isAdded else { throw .busy }
        startWaiting()
    }

    /// Lets another computation run while the caller's waits for something slow; `resume` ends that.
    func stall() {
        state.withLock { $0.running -= 1 }
        startWaiting()
    }

    func resume() { state.withLock { $0.running += 1 } }

    private func startWaiting() {
        while let work = state.withLock({ takeNext(&$0) }) {
            pool.submit { [weak self] poolState in
                guard let self else { return work(true) }
                work(poolState == .cancelled || isStopping)
                state.withLock { $0.running -= 1 }
                startWaiting()
            }
        }
    }

    private func takeNext(_ state: inout State) -> Work? {
        guard state.running < limit, !state.turns.isEmpty else { return nil }
        let key = state.turns.removeFirst()
        guard var works = state.waiting[key], !works.isEmpty else { return nil }
        let work = works.removeFirst()
        if works.isEmpty {
            state.waiting[key] = nil
        } else {
            state.waiting[key] = works
            state.turns.append(key)
        }
        state.waitingCount -= 1
        state.running += 1
        return work
    }
}
