import FoundationEssentials
import GRDB
import HubCore

/// The end of deleted repositories, when nobody can want them back.
extension MetadataStore {
    /// Links of large objects that one transaction removes, so that others need not wait for a repository of a million.
    private static let purgeBatch = 5_000

    /// First deleted first.
    package func repositoriesToPurge(deletedBefore date: Date, limit: Int = 100) async throws -> [Repository] {
        let limit = ListLimit.clamp(limit)
        return try await read { db in
            try db.rows(
                RepositoryRow.select + " WHERE r.deleted_at < ? ORDER BY r.deleted_at LIMIT ?",
                [date.milliseconds, limit]
            ).map(RepositoryRow.repository)
        }
    }

    /// Removes all rows of a deleted repository.
    ///
    /// Its folder is then in `foldersToRemove` until it is forgotten; its large objects that no other repository has
    /// wait for the sweep.
    package func purgeRepository(_ id: RepositoryID, audit: AuditEntry) async throws -> RepositoryUID {
        while try await write({ db, now in try Self.unlinkSome(of: id, at: now, in: db) }) {
            try Task.checkCancellation()
        }
        return try await change(audit) { db, now in
            let repository = try RepositoryRow.repository(id, in: db)
            guard let repository, repository.deletedAt != nil else { throw MetadataError.repositoryNotFound }
            try db.run(
                "INSERT INTO removed_folders (uid, removed_at) VALUES (?, ?) ON CONFLICT (uid) DO NOTHING",
                [repository.uid.text, now])
            try db.run("DELETE FROM repositories WHERE id = ?", [id])
            return repository.uid
        }
    }

    /// Folders of repositories that were purged.
    package func foldersToRemove(limit: Int = 100) async throws -> [RepositoryUID] {
        let limit = ListLimit.clamp(limit)
        return try await read { db in
            try db.rows("SELECT uid FROM removed_folders ORDER BY uid LIMIT ?", [limit]).map {
                RepositoryUID(trusted: $0[0])
            }
        }
    }

    /// The folder is gone.
    package func forgetFolder(_ uid: RepositoryUID) async throws {
        try await write { db, _ in try db.run("DELETE FROM removed_folders WHERE uid = ?", [uid.text]) }
    }

    /// True when there may be more.
    private static func unlinkSome(of id: RepositoryID, at now: Int64, in db: Database) throws -> Bool {
        let isDeleted = try db.exists("SELECT 1 FROM repositories WHERE id = ? AND deleted_at IS NOT NULL", [id])
        guard isDeleted else { throw MetadataError.repositoryNotFound }
        let oids = try db.rows("SELECT oid FROM object_links WHERE repository_id = ? LIMIT ?", [id, purgeBatch])
        for row in oids {
            let oid: Data = row[0]
            try db.run("DELETE FROM object_links WHERE repository_id = ? AND oid = ?", [id, oid])
            try db.run(
                "UPDATE objects SET links = links - 1, unlinked_at = CASE links WHEN 1 THEN ? END WHERE oid = ?",
                [now, oid])
        }
        return oids.count == purgeBatch
    }
}
