import FoundationEssentials
import GRDB
import HubCore

/// A change of a public repository, as other hubs hear of it.
package struct SyncFeedEntry: Sendable {
    /// Grows with every change of the site.
    package let version: Int64
    package let kind: RepositoryKind
    package let name: RepositoryName
    package let modifiedAt: Date
    package let changeLog: String
}

extension MetadataStore {
    /// Kinds that CSGHub synchronizes.
    private static let syncedKinds = "('model', 'dataset', 'code')"

    /// Public repositories that differ from what the feed says of them, with the branch that it follows.
    private static let changed = """
        FROM repositories AS r JOIN refs AS h ON h.repository_id = r.id AND h.name = 'refs/heads/' || r.default_branch
        LEFT JOIN sync_feed AS f ON f.repository_id = r.id
        WHERE r.visibility = 'public' AND r.deleted_at IS NULL AND r.kind IN \(syncedKinds)
            AND (f.version IS NULL OR f.commit_oid <> h.oid OR f.path_key <> r.path_key)
        """

    /// The changes after a version, oldest first; only the last one of each repository that is public now.
    package func syncFeed(after version: Int64, limit: Int) async throws -> [SyncFeedEntry] {
        try await read { db in
            try db.rows(
                """
                SELECT f.version, r.kind, n.name AS owner_name, r.name, f.at, f.change_log
                FROM sync_feed AS f JOIN repositories AS r ON r.id = f.repository_id JOIN namespaces AS n ON n.id = r.namespace_id
                WHERE f.version > ? AND r.visibility = 'public' AND r.deleted_at IS NULL
                ORDER BY f.version LIMIT ?
                """, [version, limit]
            ).map { row in
                SyncFeedEntry(
                    version: row["version"], kind: row["kind"],
                    name: RepositoryName(trustedOwner: row["owner_name"], name: row["name"]), modifiedAt: row.date("at"),
                    changeLog: row["change_log"])
            }
        }
    }

    /// Adds the present state of a repository to the feed, if it is public and not there yet.
    package func extendSyncFeed(with id: RepositoryID, changeLog: String) async throws {
        let text = String(changeLog.prefix(500))
        try await write { db, now in
            try db.run(
                "REPLACE INTO sync_feed (repository_id, commit_oid, path_key, at, change_log) SELECT r.id, h.oid, r.path_key, ?, ? "
                    + Self.changed + " AND r.id = ?", [now, text, id])
        }
    }

    /// Adds what the feed lacks among the `span` repositories after `last`; returns how far it came, `nil` at the end.
    package func catchUpSyncFeed(after last: RepositoryID?, span: Int64 = 2000) async throws -> RepositoryID? {
        let start = last?.rawValue ?? 0
        let (lacks, greatest) = try await read { db in
            (
                try db.exists("SELECT 1 " + Self.changed + " AND r.id > ? AND r.id <= ? LIMIT 1", [start, start + span]),
                try db.value(Int64.self, "SELECT max(id) FROM repositories") ?? 0
            )
        }
        if lacks {
            try await write { db, _ in
                try db.run(
                    "REPLACE INTO sync_feed (repository_id, commit_oid, path_key, at, change_log) "
                        + "SELECT r.id, h.oid, r.path_key, r.updated_at, '' " + Self.changed + " AND r.id > ? AND r.id <= ? ORDER BY r.id",
                    [start, start + span])
            }
        }
        return start + span < greatest ? RepositoryID(start + span) : nil
    }
}
