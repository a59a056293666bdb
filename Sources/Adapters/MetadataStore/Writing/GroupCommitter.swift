import GRDB
import HubCore
import Synchronization

/// The one writer: changes that wait at the same time share one durable transaction.
///
/// Callers append a job and the writer's queue is asked to drain the list: `BEGIN IMMEDIATE`, a savepoint for each job,
/// one `COMMIT`, and only then is anybody answered. A job that throws undoes its savepoint only. When an error ends the
/// whole transaction (disk full, an I/O error, `RAISE(ROLLBACK)`), nobody is acknowledged and the other jobs run again,
/// each alone. So a job does nothing outside the database and may run more than once. Cancelling a caller does not stop
/// its job.
final class GroupCommitter: Sendable {
    /// The most jobs in one transaction, so that the first of them does not wait for ever.
    static let maximumBatch = 512
    /// The most jobs that wait; more are refused with `.busy`.
    static let maximumWaiting = 20_000

    private struct Job: Sendable {
        /// Does the work and returns what tells the caller, to be called once it is durable.
        let attempt: @Sendable (Database) throws -> @Sendable () -> Void
        let fail: @Sendable (any Error) -> Void
        let isSeen: Bool
    }

    private struct State {
        var waiting: [Job] = []
        var isDraining = false
        var isClosed = false
    }

    private let pool: DatabasePool
    private let checkpointer: Checkpointer
    /// Brings what is derived from other rows in step, at the end of each job.
    private let settle: @Sendable (Database) throws -> Void
    private let state = Mutex(State())
    private let changes = Atomic<UInt64>(0)

    /// Grows after each commit, before anybody is told of it.
    var changeCount: UInt64 { changes.load(ordering: .acquiring) }

    init(
        pool: DatabasePool, checkpointer: Checkpointer, settle: @escaping @Sendable (Database) throws -> Void = { _ in }
    ) {
        self.pool = pool
        self.checkpointer = checkpointer
        self.settle = settle
    }

    /// Runs `work` in a transaction and returns when it is durable.
    ///
    /// - Parameter isSeen: False for what no list nor page shows: `changeCount` stays.
    func run<Value: Sendable>(
        isSeen: Bool = true, _ work: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
            let job = Job(
                attempt: { db in
                    let value = try work(db)
                    return { continuation.resume(returning: value) }
                },
                fail: { continuation.resume(throwing: MetadataError.translating($0)) }, isSeen: isSeen)
            if let refusal = enqueue(job) { continuation.resume(throwing: refusal) }
        }
    }

    /// Refuses further jobs.
    ///
    /// Those that wait are still done. False when it was closed already.
    func close() -> Bool {
        state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
    }

    /// How many changes wait at this moment.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    private func enqueue(_ job: Job) -> MetadataError? {
        let (refusal, mustDrain): (MetadataError?, Bool) = state.withLock { state in
            if state.isClosed { return (.closed, false) }
            if state.waiting.count >= Self.maximumWaiting { return (.busy, false) }
            state.waiting.append(job)
            defer { state.isDraining = true }
            return (nil, !state.isDraining)
        }
        // Belongs to no task, so that one caller's cancellation cannot interrupt the others' statements.
        if mustDrain { pool.asyncWriteWithoutTransaction { db in self.drain(db) } }
        return refusal
    }

    private func drain(_ db: Database) {
        while true {
            let batch: [Job] = state.withLock { state in
                let count = min(state.waiting.count, Self.maximumBatch)
                let batch = Array(state.waiting.prefix(count))
                state.waiting.removeFirst(count)
                if batch.isEmpty { state.isDraining = false }
                return batch
            }
            guard !batch.isEmpty else { return checkpointer.becameIdle() }
            if batch.count == 1 { commitAlone(batch[0], on: db) } else { commit(batch, on: db) }
            checkpointer.committed(on: db)
        }
    }

    /// One transaction for all; on a failure of the whole, one for each.
    private func commit(_ batch: [Job], on db: Database) {
        do {
            try db.run("BEGIN IMMEDIATE")
        } catch {
            return batch.forEach { $0.fail(error) }
        }
        var answers: [@Sendable () -> Void] = []
        answers.reserveCapacity(batch.count)
        for (index, job) in batch.enumerated() {
            switch attempt(job, on: db) {
            case .done(let answer): answers.append(answer)
            case .transactionEnded(let error):
                job.fail(error)
                // What others were told to fail for may have been undone with the rest, so they are asked again as well.
                for (other, job) in batch.enumerated() where other != index { commitAlone(job, on: db) }
                return
            }
        }
        do {
            try finish(db, isSeen: batch.contains(where: \.isSeen))
        } catch {
            return batch.forEach { commitAlone($0, on: db) }
        }
        answers.forEach { $0() }
    }

    private enum Attempt {
        /// What to tell the caller after the commit: success, or the error that undid its savepoint.
        case done(@Sendable () -> Void)
        case transactionEnded(any Error)
    }

    private func attempt(_ job: Job, on db: Database) -> Attempt {
        do {
            try db.run("SAVEPOINT job")
            let answer = try job.attempt(db)
            guard db.isInsideTransaction else {
                return .transactionEnded(MetadataError.constraint("the change ended its transaction"))
            }
            try settle(db)
            try db.run("RELEASE job")
            return .done(answer)
        } catch {
            guard db.isInsideTransaction else { return .transactionEnded(error) }
            do {
                try db.run("ROLLBACK TO job")
                try db.run("RELEASE job")
                return .done { job.fail(error) }
            } catch let failure {
                abandon(db)
                return .transactionEnded(failure)
            }
        }
    }

    private func commitAlone(_ job: Job, on db: Database) {
        do {
            try db.run("BEGIN IMMEDIATE")
            let answer = try job.attempt(db)
            guard db.isInsideTransaction else { throw MetadataError.constraint("the change ended its transaction") }
            try settle(db)
            try finish(db, isSeen: job.isSeen)
            answer()
        } catch {
            abandon(db)
            job.fail(error)
        }
    }

    /// Commits, or ends the process if it cannot be known whether it did.
    ///
    /// Throws with the transaction undone.
    private func finish(_ db: Database, isSeen: Bool) throws {
        do {
            try db.run("COMMIT")
            if isSeen { changes.wrappingAdd(1, ordering: .releasing) }
        } catch {
            CommitOutcome.endProcessIfUnknown(after: error)
            abandon(db)
            throw error
        }
    }

    private func abandon(_ db: Database) {
        guard db.isInsideTransaction else { return }
        do {
            try db.run("ROLLBACK")
        } catch {
            CommitOutcome.endProcess("Undoing a transaction failed: \(error)")
        }
    }
}
