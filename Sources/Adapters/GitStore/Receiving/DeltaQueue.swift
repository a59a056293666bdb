import HubCore
import Synchronization

/// What there is to do for the threads that resolve one pack's deltas.
///
/// First the objects that are whole and serve as bases, in the order of the file. A thread that finds no more of them
/// waits for a branch of the work that another one gives away.
final class DeltaQueue: Sendable {
    enum Task {
        /// An object stored whole, with all that builds on it.
        case root(Int32)
        /// An object of another pack, with the reference deltas of that list and all that builds on them.
        case outside(Int32, list: Int)
        /// One delta, with all that builds on it.
        case branch(Int32, base: DeltaBase)
    }

    private enum Answer {
        case task(Task)
        case done
    }

    private struct State {
        var tasks: [Task]
        var next = 0
        var branches: [Task] = []
        var workers = 0
        var waiting = 0
        var isDone = false
        var failure: GitStoreError?
    }

    private let state: Monitor<State>
    private let hunger = Atomic(false)

    init(_ tasks: [Task]) {
        state = Monitor(State(tasks: tasks))
    }

    /// Somebody waits for work, so give some away.
    var isHungry: Bool { hunger.load(ordering: .relaxed) }

    /// Says that one more thread will ask for work.
    func join() { state.withLock { $0.workers += 1 } }

    /// The next task, or `nil` when all is done or a thread has failed.
    func next() -> Task? {
        var isWaiting = false
        let answer: Answer = state.wait { state in
            guard let answer = Self.answer(&state) else {
                if !isWaiting {
                    isWaiting = true
                    state.waiting += 1
                }
                // When all wait, nobody is left who could give work away.
                state.isDone = state.waiting == state.workers
                hunger.store(!state.isDone, ordering: .relaxed)
                return state.isDone ? .done : nil
            }
            if isWaiting { state.waiting -= 1 }
            if state.waiting == 0 { hunger.store(false, ordering: .relaxed) }
            return answer
        }
        switch answer {
        case .task(let task): return task
        case .done: return nil
        }
    }

    private static func answer(_ state: inout State) -> Answer? {
        if state.isDone || state.failure != nil { return .done }
        if let branch = state.branches.popLast() { return .task(branch) }
        guard state.next < state.tasks.count else { return nil }
        state.next += 1
        return .task(state.tasks[state.next - 1])
    }

    /// Gives a part of one's own work away.
    func share(_ branch: Task) {
        state.update { state in
            state.branches.append(branch)
            if state.branches.count >= state.waiting { hunger.store(false, ordering: .relaxed) }
        }
    }

    /// Ends the work of all threads; the first error is kept.
    func fail(_ error: GitStoreError) {
        state.update { if $0.failure == nil { $0.failure = error } }
    }

    var failure: GitStoreError? { state.withLock { $0.failure } }
}
