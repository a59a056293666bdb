import FoundationEssentials
import GRDB
import HubCore

extension MetadataStore {
    /// Locks a path for an account, unless somebody holds it.
    ///
    /// Of callers at the same moment one gets it.
    package func createLock(
        path: String, in repository: RepositoryID, owner: AccountID, reference: String?
    ) async throws -> LockResult {
        try await write { db, now in
            guard try db.exists("SELECT 1 FROM repositories WHERE id = ? AND deleted_at IS NULL", [repository]) else {
                throw MetadataError.repositoryNotFound
            }
            guard try AccountRow.account(owner, in: db) != nil else { throw MetadataError.accountNotFound }
            if let row = try db.row(LockRow.select + " WHERE l.repository_id = ? AND l.path = ?", [repository, path]) {
                return .held(LockRow.lock(row))
            }
            try db.run(
                "INSERT INTO locks (repository_id, path, owner_id, ref, locked_at) VALUES (?, ?, ?, ?, ?)",
                [repository, path, owner, reference, now])
            let id = LockID(db.lastInsertedRowID)
            let row = try db.row(LockRow.select + " WHERE l.id = ?", [id]).orThrow(.lockNotFound)
            return .created(LockRow.lock(row))
        }
    }

    /// By id, oldest first.
    package func locks(_ query: LockQuery) async throws -> Page<Lock> {
        let limit = ListLimit.clamp(query.limit)
        let after = try ListCursor.id(query.after) ?? 0
        return try await read { db in
            // A path or an id names one lock at most, and each has its index.
            let narrow: (String, StatementArguments) =
                if let path = query.path {
                    (" WHERE l.repository_id = ? AND l.path = ?", [query.repository, path])
                } else if let id = query.id {
                    (" WHERE l.repository_id = ? AND l.id = ?", [query.repository, id])
                } else {
                    (" WHERE l.repository_id = ?", [query.repository])
                }
            let rows = try db.rows(
                LockRow.select + narrow.0 + " AND l.id > ? AND (? IS NULL OR l.owner_id = ?) ORDER BY l.id LIMIT ?",
                narrow.1 + [after, query.owner, query.owner, limit + 1])
            return Page(rows.map(LockRow.lock), limit: limit) { $0.id.description }
        }
    }

    package func lock(_ id: LockID, in repository: RepositoryID) async throws -> Lock? {
        try await read { db in
            try db.row(LockRow.select + " WHERE l.id = ? AND l.repository_id = ?", [id, repository]).map(LockRow.lock)
        }
    }

    /// Takes the lock away and returns it.
    ///
    /// Whether the caller may is the caller's question.
    package func deleteLock(
        _ id: LockID, in repository: RepositoryID, audit: AuditEntry? = nil
    ) async throws -> Lock {
        try await change(audit) { db, _ in
            let row = try db.row(LockRow.select + " WHERE l.id = ? AND l.repository_id = ?", [id, repository])
            let lock = LockRow.lock(try row.orThrow(.lockNotFound))
            try db.run("DELETE FROM locks WHERE id = ?", [id])
            return lock
        }
    }
}

/// Reads rows of locks.
private enum LockRow {
    static let select = """
        SELECT l.id, l.repository_id, l.path, l.owner_id, n.name AS owner_name, l.locked_at, l.ref
        FROM locks AS l JOIN namespaces AS n ON n.account_id = l.owner_id
        """

    static func lock(_ row: Row) -> Lock {
        Lock(
            id: row["id"], repository: row["repository_id"], path: row["path"], owner: row["owner_id"],
            ownerName: NamespaceName(trusted: row["owner_name"]), lockedAt: row.date("locked_at"), reference: row["ref"]
        )
    }
}
