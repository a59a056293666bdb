import FoundationEssentials
import GRDB
import HubCore

/// Which repositories have which large objects.
extension MetadataStore {
    /// Links the objects of one repository to another one too.
    package func copyObjectLinks(
        from source: RepositoryID, to target: RepositoryID, account: AccountID?
    ) async throws {
        var last: Data? = Data()
        while let start = last {
            try Task.checkCancellation()
            last = try await write { db, now in
                try Self.copyLinks(from: source, to: target, account: account, after: start, at: now, in: db)
            }
        }
    }

    /// Links that one transaction copies, so that others need not wait for a repository of a million.
    private static let copyBatch = 2_000

    /// - Returns: where to go on; `nil` at the end.
    private static func copyLinks(
        from source: RepositoryID, to target: RepositoryID, account: AccountID?, after start: Data, at now: Int64,
        in db: Database
    ) throws -> Data? {
        let oids: [Data] = try db.rows(
            "SELECT oid FROM object_links WHERE repository_id = ? AND oid > ? ORDER BY oid LIMIT ?",
            [source, start, copyBatch]
        ).map { $0[0] }
        for oid in oids {
            try db.run(
                """
                INSERT INTO object_links (repository_id, oid, account_id, created_at)
                VALUES (?, ?, (SELECT id FROM accounts WHERE id = ?), ?) ON CONFLICT (repository_id, oid) DO NOTHING
                """, [target, oid, account, now])
            if db.changesCount == 1 { try db.run("UPDATE objects SET links = links + 1 WHERE oid = ?", [oid]) }
        }
        return oids.count == copyBatch ? oids.last : nil
    }

    /// The objects of a repository with the time of their first upload there, by name.
    package func objectLinks(
        of repository: RepositoryID, after: String? = nil, limit: Int = 1000
    ) async throws -> Page<ObjectLink> {
        let limit = ListLimit.clamp(limit)
        guard let start = after.map({ Hex.decode($0) }) ?? [] else { throw MetadataError.invalidCursor }
        return try await read { db in
            let links = try db.rows(
                """
                SELECT l.oid, o.size_bytes, l.created_at FROM object_links AS l JOIN objects AS o ON o.oid = l.oid
                WHERE l.repository_id = ? AND l.oid > ? ORDER BY l.oid LIMIT ?
                """, [repository, Data(start), limit + 1]
            ).map { ObjectLink(oid: $0[0], sizeBytes: $0[1], linkedAt: $0.date("created_at")) }
            return Page(links, limit: limit) { $0.oid.hex }
        }
    }

    /// Takes objects from a repository: it cannot give their bytes to anybody any more. What no repository has waits for the sweep.
    package func unlinkObjects(_ oids: [ObjectID], of repository: RepositoryID, audit: AuditEntry) async throws {
        try await change(audit) { db, now in
            for oid in oids {
                try db.run("DELETE FROM object_links WHERE repository_id = ? AND oid = ?", [repository, oid])
                guard db.changesCount == 1 else { continue }
                try db.run(
                    "UPDATE objects SET links = links - 1, unlinked_at = CASE links WHEN 1 THEN ? END WHERE oid = ?",
                    [now, oid])
            }
        }
    }
}

/// A large object of a repository.
package struct ObjectLink: Hashable, Sendable {
    package let oid: ObjectID
    package let sizeBytes: Int64
    package let linkedAt: Date
}
