import Synchronization

/// Tells blocking work that nobody waits for it any more.
package final class StopFlag: Sendable {
    private let raised = Atomic<Bool>(false)

    package init() {}

    package func raise() { raised.store(true, ordering: .relaxed) }

    package func check() throws(CancellationError) {
        if raised.load(ordering: .relaxed) { throw CancellationError() }
    }
}
