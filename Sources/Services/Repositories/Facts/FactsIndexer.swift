import FoundationEssentials
import HubCore
import Logging
import MetadataStore
import ServiceLifecycle
import Synchronization

/// Keeps facts, lists and counters up to date: follows what happens to repositories, and looks for what it missed at start and
/// every hour.
package struct FactsIndexer: Service {
    package struct Settings: Sendable {
        /// Repositories that are read at a time.
        package var width = 2
        package var catchUpInterval: Duration = .seconds(3600)
        /// Downloads are written this often.
        package var counterInterval: Duration = .seconds(10)
        /// Called after each repository that was tried.
        package var indexed: @Sendable (RepositoryID) -> Void = { _ in }

        package init() {}
    }

    private let facts: FactsService
    private let settings: Settings
    private let logger: Logger

    package init(facts: FactsService, settings: Settings = Settings(), logger: Logger) {
        self.facts = facts
        self.settings = settings
        self.logger = logger
    }

    package func run() async throws {
        let queue = IndexQueue()
        // Heard from here on; what was before is found by catching up.
        let events = facts.git.events.listen()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await event in events.cancelOnGracefulShutdown() where Self.matters(event) { queue.add(event.repository.id) }
                queue.finish()
            }
            group.addTask { await work(queue) }
            group.addTask {
                await catchUp(queue)
                for await _ in AsyncTicks(interval: settings.catchUpInterval).cancelOnGracefulShutdown() { await catchUp(queue) }
            }
            group.addTask {
                for await _ in AsyncTicks(interval: settings.counterInterval).cancelOnGracefulShutdown() { await writeDownloads() }
                await writeDownloads()
            }
            try await group.waitForAll()
        }
    }

    private static func matters(_ event: RepositoryEvent) -> Bool {
        switch event.what {
        case .created, .restored, .settingsChanged, .pushed: true
        case .deleted, .moved: false
        }
    }

    /// Indexes what is in the queue, some at a time, until it is finished.
    private func work(_ queue: IndexQueue) async {
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            for await _ in queue.signals {
                while let id = queue.next() {
                    if running >= settings.width {
                        await group.next()
                        running -= 1
                    }
                    running += 1
                    group.addTask { await index(id) }
                }
            }
            // The hub stops: what is under way is made again at the next start.
            group.cancelAll()
        }
    }

    private func index(_ id: RepositoryID) async {
        defer { settings.indexed(id) }
        do {
            try await facts.index(id)
        } catch is CancellationError {
            // The hub stops; the next start catches up.
        } catch {
            logger.warning("The facts of a repository could not be made: \(error)", metadata: ["repository.id": "\(id)"])
        }
    }

    /// Finds repositories whose facts are missing or old; a day's counters are rolled as well.
    private func catchUp(_ queue: IndexQueue) async {
        do {
            while try await facts.store.settleListing(limit: 500) > 0, !Task.isShuttingDownGracefully {}
            try await facts.store.rollDayCounts()
            var last: RepositoryID?
            repeat {
                let found = try await facts.store.staleFacts(after: last, rules: FactsRules.version)
                for id in found.repositories {
                    guard await queue.addWhenThereIsRoom(id) else { return }
                }
                last = found.through
            } while last != nil
        } catch is CancellationError {
            // The hub stops.
        } catch {
            logger.warning("Looking for repositories to index failed: \(error)")
        }
    }

    private func writeDownloads() async {
        do {
            try await facts.store.writeDownloads()
        } catch {
            logger.warning("Downloads could not be counted: \(error)")
        }
    }
}

/// Repositories that wait to be indexed, each once.
final class IndexQueue: Sendable {
    /// How many may wait before those who catch up wait as well.
    static let bound = 1000

    private struct State {
        var waiting: [RepositoryID] = []
        var head = 0
        var members: Set<RepositoryID> = []
        var isFinished = false
        var waitingForRoom: [CheckedContinuation<Bool, Never>] = []
    }

    private let state = Mutex(State())
    /// Wakes the worker; one stands for any number of entries.
    let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    init() { (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    func add(_ id: RepositoryID) {
        state.withLock { state in
            guard state.members.insert(id).inserted else { return }
            state.waiting.append(id)
        }
        signal.yield()
    }

    /// Waits while many are ahead; false when the queue is finished.
    func addWhenThereIsRoom(_ id: RepositoryID) async -> Bool {
        while true {
            let (isFinished, isFull) = state.withLock { ($0.isFinished, $0.members.count >= Self.bound) }
            if isFinished { return false }
            if !isFull { break }
            let goesOn = await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    if state.isFinished { return false }
                    if state.members.count < Self.bound { return true }
                    state.waitingForRoom.append(continuation)
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
            guard goesOn else { return false }
        }
        add(id)
        return true
    }

    /// The first in the queue; it may be added again while it is worked on.
    func next() -> RepositoryID? {
        let (id, woken): (RepositoryID?, [CheckedContinuation<Bool, Never>]) = state.withLock { state in
            guard !state.isFinished, state.head < state.waiting.count else { return (nil, []) }
            let id = state.waiting[state.head]
            state.head += 1
            if state.head > 1024, state.head * 2 > state.waiting.count {
                state.waiting.removeFirst(state.head)
                state.head = 0
            }
            state.members.remove(id)
            guard state.members.count < Self.bound else { return (id, []) }
            defer { state.waitingForRoom = [] }
            return (id, state.waitingForRoom)
        }
        for waiter in woken { waiter.resume(returning: true) }
        return id
    }

    /// Nothing is given out any more.
    func finish() {
        let woken = state.withLock { state in
            state.isFinished = true
            defer { state.waitingForRoom = [] }
            return state.waitingForRoom
        }
        for waiter in woken { waiter.resume(returning: false) }
        signal.finish()
    }
}
