import NIOPosix

/// The threads on which blocking git work runs, so that it never holds an event loop or the cooperative pool.
package struct GitThreads: Sendable {
    private let owner: Owner

    package init(count: Int) {
        owner = Owner(pool: NIOThreadPool(numberOfThreads: count))
        owner.pool.start()
    }

    /// Runs `work` on one of the threads; a task that is cancelled before its turn comes throws `CancellationError`.
    package func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await owner.pool.runIfActive(work)
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
