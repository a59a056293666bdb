import FoundationEssentials
import GRDB
import HubCore

/// Everything of the hub that changes: accounts, rights, settings, repositories with their refs and packs, links of
/// large objects.
///
/// One process opens it, holding `hub.lock`. Changes are durable when they return; those that wait at the same time
/// share a transaction. Reads see a snapshot and never wait for a change. An I/O error while committing ends the
/// process (`GroupCommitter`).
package final class MetadataStore: Sendable {
    let pool: DatabasePool
    let committer: GroupCommitter
    private let checkpointer: Checkpointer
    private let lookUps: LookUpConnections
    let gitStates = GitStateCache()
    /// The last use of a token that was written, so that it is written once a minute.
    let tokenUses = TokenUses()
    let pendingDownloads = PendingDownloads()
    let knownNames = KnownNames()
    let knownItems = KnownItems()
    private let clock: @Sendable () -> Date

    /// Opens or makes the database, and brings its schema up to date.
    package init(path: String, clock: @escaping @Sendable () -> Date = { Date() }) throws {
        do {
            self.clock = clock
            pool = try StoreConnection.open(path: path)
            lookUps = LookUpConnections(path: path)
            try Schema.migrate(pool)
            checkpointer = Checkpointer(pool: pool)
            committer = GroupCommitter(pool: pool, checkpointer: checkpointer, settle: { try Listing.settle($0) })
        } catch {
            throw MetadataError.translating(error)
        }
    }

    /// Lets waiting changes end, moves all of them into the database's file, then closes it.
    ///
    /// Later calls throw `.closed`; closing again does nothing.
    package func close() throws {
        guard committer.close() else { return }
        try lookUps.close()
        // The writer's queue is serial, so what was asked for before is done when this returns.
        checkpointer.close()
        try pool.close()
    }

    /// Grows with every change, before whoever made it is answered.
    ///
    /// What was read after the number was taken may be shown again as long as the number stays. The last uses of tokens do not count.
    package var changeCount: UInt64 { committer.changeCount }

    var now: Int64 { clock().milliseconds }

    /// A read in one snapshot.
    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        do {
            return try await pool.read(body)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_MISUSE {
            throw MetadataError.closed
        } catch {
            throw MetadataError.translating(error)
        }
    }

    /// Reads a few rows by key on the caller's thread: moving to another thread and back costs several times the look-up, and a
    /// request makes four or five. Not for lists, nor for anything whose work grows with the data.
    func lookUp<Value>(_ body: (Database) throws -> Value) throws -> Value {
        do {
            return try lookUps.read(body)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_MISUSE {
            throw MetadataError.closed
        } catch {
            throw MetadataError.translating(error)
        }
    }

    /// A change without an audit row.
    func write<Value: Sendable>(_ body: @escaping @Sendable (Database, _ now: Int64) throws -> Value) async throws
        -> Value
    {
        let now = now
        return try await committer.run { db in try body(db, now) }
    }

    /// A change and its audit row in one transaction.
    func change<Value: Sendable>(
        _ audit: AuditEntry?, _ body: @escaping @Sendable (Database, _ now: Int64) throws -> Value
    ) async throws -> Value {
        let now = now
        return try await committer.run { db in
            let value = try body(db, now)
            if let audit { try AuditChain.append(audit, at: now, in: db) }
            return value
        }
    }
}
