import Glibc
import NIOPosix

/// What all receivers of the process share: threads that help to resolve deltas, and the permit for large objects.
///
/// A receiver works on the thread that called it; helpers join when they are free. So many pushes at once slow one
/// another down but never wait for one another.
final class ReceiveThreads: Sendable {
    /// Threads that work on one push at most, the caller's included.
    let width: Int
    /// Held by whoever has an object larger than `ReceiveLimits.largeObjectBytes` in memory for a delta.
    private let largeObjects = Monitor(false)
    private let pool: NIOThreadPool

    init(width: Int = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) {
        self.width = min(width, 32)
        pool = NIOThreadPool(numberOfThreads: max(1, self.width - 1))
        pool.start()
    }

    deinit { pool.shutdownGracefully { _ in } }

    private enum HelperState {
        case waiting
        case running
        case done
    }

    /// Runs `work` on this thread and on as many helpers as are free, and returns when all have ended.
    ///
    /// `work` gets the number of its run, 0 on this thread; runs share what there is to do among themselves.
    func run(_ work: @escaping @Sendable (Int) -> Void) {
        let helpers = Monitor([HelperState](repeating: .waiting, count: width - 1))
        for helper in 0..<width - 1 {
            pool.submit { state in
                let mayRun = helpers.withLock { states in
                    guard state == .active, states[helper] == .waiting else { return false }
                    states[helper] = .running
                    return true
                }
                guard mayRun else { return }
                work(helper + 1)
                helpers.update { $0[helper] = .done }
            }
        }
        work(0)
        // Helpers that have not begun find nothing to do any more and must not touch what the caller is about to free.
        helpers.update { states in
            for helper in states.indices where states[helper] == .waiting { states[helper] = .done }
        }
        helpers.wait { states in states.allSatisfy { $0 == .done } ? () : nil }
    }

    func takeLargeObjectPermit() {
        largeObjects.wait { isTaken -> Void? in
            if isTaken { return nil }
            isTaken = true
            return ()
        }
    }

    func returnLargeObjectPermit() { largeObjects.update { $0 = false } }
}
