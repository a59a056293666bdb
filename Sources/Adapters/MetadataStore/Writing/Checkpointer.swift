import CHubPlatform
import Dispatch
import GRDB
import Logging
import Synchronization

/// Moves the write-ahead log into the database: in between when it has grown, and whole when nobody has written for a
/// while.
///
/// The log keeps the blocks of `keptLogBytes` when it is empty, so that deletions commit on a full disk.
final class Checkpointer: Sendable {
    /// 2,000 frames of 4 KiB are 8 MiB of log.
    static let framesBetween: Int64 = 2_000
    /// A log up to this size keeps its file, and this much is set aside for it.
    static let keptLogBytes = 4 << 20
    static let idleDelay: Duration = .seconds(3)

    private struct Idle {
        var commits: UInt64 = 0
        var isScheduled = false
    }

    private let log = Logger(label: "hub.metadata")
    private let frames: LogFrames
    private let idle = Mutex(Idle())
    private let pool: DatabasePool

    init(pool: DatabasePool) {
        self.pool = pool
        frames = LogFrames()
        pool.writeWithoutTransaction { db in
            frames.watch(db)
            // What a run that was ended left in the log.
            checkpoint(db, .truncate)
        }
        LogReserve.setAside(Self.keptLogBytes, for: pool.path)
    }

    /// Empties the log before the database is closed: the readers' connections, which close last, could not.
    func close() {
        pool.writeWithoutTransaction { db in _ = checkpoint(db, .truncate) }
    }

    /// After each transaction, on the writer's queue.
    func committed(on db: Database) {
        idle.withLock { $0.commits += 1 }
        guard frames.haveGrown(by: Self.framesBetween) else { return }
        checkpoint(db, .passive)
        frames.note()
    }

    /// When the writer has nothing left to do.
    func becameIdle() {
        let commits: UInt64? = idle.withLock { idle in
            if idle.isScheduled { return nil }
            idle.isScheduled = true
            return idle.commits
        }
        if let commits { schedule(since: commits) }
    }

    private func schedule(since commits: UInt64) {
        let delay = DispatchTimeInterval.milliseconds(Int(Self.idleDelay / .milliseconds(1)))
        DispatchQueue.global(qos: .utility).asyncAfter(deadline: .now() + delay) { [weak self] in
            guard let self else { return }
            let now = self.idle.withLock { idle in
                if idle.commits == commits { idle.isScheduled = false }
                return idle.commits
            }
            guard now == commits else { return self.schedule(since: now) }
            self.pool.asyncWriteWithoutTransaction { db in self.emptyLog(db) }
        }
    }

    /// Everything into the database, and a large log's file cut to nothing.
    private func emptyLog(_ db: Database) {
        guard frames.current > 0 else { return }
        let isLarge = frames.current * 4096 > Self.keptLogBytes
        // Readers that hold an old snapshot make it fail at once instead of keeping writers waiting; the next pause tries again.
        do { try db.execute(sql: "PRAGMA busy_timeout = 0") } catch { return }
        if checkpoint(db, isLarge ? .truncate : .restart) { frames.reset() }
        if isLarge { LogReserve.setAside(Self.keptLogBytes, for: pool.path) }
        do {
            try db.execute(sql: "PRAGMA busy_timeout = \(StoreConnection.busyMilliseconds)")
        } catch {
            log.warning("The busy time-out could not be set again: \(error)")
        }
    }

    /// A failure is no loss: the log still holds everything.
    ///
    /// An error of fsync ends the process in the VFS.
    @discardableResult
    private func checkpoint(_ db: Database, _ mode: Database.CheckpointMode) -> Bool {
        // The idle timer may fire after the database was closed.
        guard db.sqliteConnection != nil else { return false }
        do {
            _ = try db.checkpoint(mode)
            return true
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY || error.resultCode == .SQLITE_LOCKED
        {
            log.debug("A checkpoint waits for readers")
        } catch {
            log.warning("A checkpoint failed; the log keeps growing: \(error)")
        }
        return false
    }
}

/// The number of frames in the log, as the last commit left it.
///
/// `@unchecked Sendable`: the memory is touched on the writer's queue only, by SQLite's hook and by `Checkpointer`.
private final class LogFrames: @unchecked Sendable {
    private let count: UnsafeMutablePointer<Int64>
    private var noted: Int64 = 0

    init() {
        count = .allocate(capacity: 1)
        count.initialize(to: 0)
    }

    // The hook may be called until the connection closes, which this object cannot see; eight bytes a store are left.
    func watch(_ db: Database) {
        guard let connection = db.sqliteConnection else { return }
        hub_sqlite_watch_log(UnsafeMutableRawPointer(connection), count)
    }

    var current: Int64 { count.pointee }

    func haveGrown(by step: Int64) -> Bool {
        // The log began anew.
        if count.pointee < noted { noted = 0 }
        return count.pointee >= noted + step
    }

    func note() { noted = count.pointee }

    /// The log is empty.
    func reset() { (count.pointee, noted) = (0, 0) }
}
