import HubCore
import NIOPosix

/// The threads on which blocking git work runs, so that it never holds an event loop or the cooperative pool.
package struct GitThreads: Sendable {
    private let owner: Owner
    private let onStorageFailure: @Sendable (StorageFailure) -> Void

    /// - Parameter onStorageFailure: called when bytes were lost on their way to the disk; it must end the process.
    package init(count: Int, onStorageFailure: @escaping @Sendable (StorageFailure) -> Void = { _ in }) {
        self.onStorageFailure = onStorageFailure
        owner = Owner(pool: NIOThreadPool(numberOfThreads: count))
        owner.pool.start()
    }

    /// Runs `work` on one of the threads; a task that is cancelled before its turn comes throws `CancellationError`.
    package func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        let fail = onStorageFailure
        return try await owner.pool.runIfActive {
            do {
                return try work()
            } catch let failure as StorageFailure {
                fail(failure)
                throw failure
            }
        }
    }

    /// Lets the work in progress end and stops the threads; later calls of `run` throw.
    package func stop() async throws { try await owner.pool.shutdownGracefully() }

    /// Stops the pool when the last copy goes, for owners that are dropped without `stop`.
    private final class Owner: Sendable {
        let pool: NIOThreadPool

        init(pool: NIOThreadPool) { self.pool = pool }

        deinit { pool.shutdownGracefully { _ in } }
    }
}
