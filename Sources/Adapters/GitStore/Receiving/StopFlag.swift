import Synchronization

/// Says to the threads of one push that nobody wants the result any more.
final class StopFlag: Sendable {
    private let raised = Atomic(false)

    var isRaised: Bool { raised.load(ordering: .relaxed) }

    func raise() { raised.store(true, ordering: .relaxed) }

    func check() throws(GitStoreError) {
        if isRaised { throw .cancelled }
    }
}
