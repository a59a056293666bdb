import FoundationEssentials
import GRDB
import HubCore

extension MetadataStore {
    /// Records an object whose file is stored and durable, and that this repository has it.
    ///
    /// Repeating it is harmless.
    package func linkObject(
        _ oid: ObjectID, sizeBytes: Int64, repository: RepositoryID, account: AccountID?, audit: AuditEntry? = nil
    ) async throws {
        try await change(audit) { db, now in
            try Self.requireRepository(repository, in: db)
            try Self.link(oid, sizeBytes: sizeBytes, repository: repository, account: account, at: now, in: db)
        }
    }

    static func requireRepository(_ repository: RepositoryID, in db: Database) throws {
        guard try db.exists("SELECT 1 FROM repositories WHERE id = ? AND deleted_at IS NULL", [repository]) else {
            throw MetadataError.repositoryNotFound
        }
    }

    static func link(
        _ oid: ObjectID, sizeBytes: Int64, repository: RepositoryID, account: AccountID?, at now: Int64, in db: Database
    ) throws {
        try prepare(oid, sizeBytes: sizeBytes, at: now, in: db)
        try db.run(
            """
            INSERT INTO object_links (repository_id, oid, account_id, created_at)
            VALUES (?, ?, (SELECT id FROM accounts WHERE id = ?), ?) ON CONFLICT (repository_id, oid) DO NOTHING
            """, [repository, oid, account, now])
        if db.changesCount == 1 {
            try db.run("UPDATE objects SET links = links + 1, unlinked_at = NULL WHERE oid = ?", [oid])
        }
    }

    /// Makes the row of an object that is stored, to be linked in the same transaction.
    static func prepare(_ oid: ObjectID, sizeBytes: Int64, at now: Int64, in db: Database) throws {
        if let known = try db.row("SELECT size_bytes, is_sweeping FROM objects WHERE oid = ?", [oid]) {
            guard known[0] == sizeBytes else { throw MetadataError.sizeMismatch(oid) }
            // Its file is going, or may go with the one that was just found in place.
            if known[1] { throw MetadataError.beingSwept }
        } else {
            try db.run(
                "INSERT INTO objects (oid, size_bytes, created_at, unlinked_at) VALUES (?, ?, ?, ?)",
                [oid, sizeBytes, now, now])
        }
    }

    /// The size of an object that this repository has.
    package func object(_ oid: ObjectID, in repository: RepositoryID) async throws -> Int64? {
        try await linkedObjects(among: [oid], in: repository)[oid]
    }

    /// Which of these this repository has, with their sizes.
    package func linkedObjects(
        among oids: [ObjectID], in repository: RepositoryID
    ) async throws -> [ObjectID: Int64] {
        if oids.count == 1 { return try lookUp { db in try Self.sizes(of: oids, in: repository, db) } }
        return try await read { db in try Self.sizes(of: oids, in: repository, db) }
    }

    private static func sizes(
        of oids: [ObjectID], in repository: RepositoryID, _ db: Database
    ) throws -> [ObjectID: Int64] {
        let statement = try db.cachedStatement(
            sql: """
                SELECT o.size_bytes FROM object_links AS l JOIN objects AS o ON o.oid = l.oid
                WHERE l.repository_id = ? AND l.oid = ?
                """)
        var sizes: [ObjectID: Int64] = [:]
        for oid in oids where sizes[oid] == nil {
            sizes[oid] = try Int64.fetchOne(statement, arguments: [repository, oid])
        }
        return sizes
    }

    /// The objects of a repository by name.
    package func objects(
        in repository: RepositoryID, after: String? = nil, limit: Int = 1000
    ) async throws -> Page<StoredObjectRecord> {
        let limit = ListLimit.clamp(limit, maximum: 10_000)
        let start = try Self.bytes(after)
        return try await read { db in
            let records = try db.rows(
                """
                SELECT l.oid, o.size_bytes FROM object_links AS l JOIN objects AS o ON o.oid = l.oid
                WHERE l.repository_id = ? AND l.oid > ? ORDER BY l.oid LIMIT ?
                """, [repository, start, limit + 1]
            ).map { StoredObjectRecord(oid: $0[0], sizeBytes: $0[1]) }
            return Page(records, limit: limit) { $0.oid.hex }
        }
    }

    /// The size of an object that the hub has, in whatever repository.
    package func storedObject(_ oid: ObjectID) async throws -> Int64? {
        try lookUp { db in try db.value(Int64.self, "SELECT size_bytes FROM objects WHERE oid = ?", [oid]) }
    }

    /// All objects by name.
    package func storedObjects(after: String? = nil, limit: Int = 1000) async throws -> Page<StoredObjectRecord> {
        let limit = ListLimit.clamp(limit, maximum: 10_000)
        let start = try Self.bytes(after)
        return try await read { db in
            let records = try db.rows(
                "SELECT oid, size_bytes FROM objects WHERE oid > ? ORDER BY oid LIMIT ?", [start, limit + 1]
            ).map { StoredObjectRecord(oid: $0[0], sizeBytes: $0[1]) }
            return Page(records, limit: limit) { $0.oid.hex }
        }
    }

    /// Which of these have rows: a file that has none is an orphan.
    package func knownObjects(among oids: [ObjectID]) async throws -> Set<ObjectID> {
        try await read { db in
            let statement = try db.cachedStatement(sql: "SELECT 1 FROM objects WHERE oid = ?")
            return Set(try oids.filter { try Int.fetchOne(statement, arguments: [$0]) != nil })
        }
    }

    /// Claims objects that no repository has had since `date`, those of an interrupted sweep included: they cannot be
    /// linked until forgotten.
    ///
    /// Those stay whose bytes other objects are made of. Remove the files, then call `forgetObjects`.
    package func claimUnlinkedObjects(unlinkedBefore date: Date, limit: Int = 1000) async throws -> [StoredObjectRecord]
    {
        let limit = ListLimit.clamp(limit, maximum: 10_000)
        return try await write { db, _ in
            let records = try db.rows(
                """
                SELECT o.oid, o.size_bytes FROM objects AS o WHERE o.unlinked_at < ? AND NOT EXISTS (
                    SELECT 1 FROM xorbs AS x JOIN xet_uses AS u ON u.xorb = x.hash
                    WHERE x.source_oid = o.oid AND u.oid <> o.oid)
                ORDER BY o.unlinked_at LIMIT ?
                """, [date.milliseconds, limit]
            ).map { StoredObjectRecord(oid: $0[0], sizeBytes: $0[1]) }
            for record in records {
                try db.run("UPDATE objects SET is_sweeping = 1 WHERE oid = ?", [record.oid])
                try db.run("UPDATE xorbs SET is_sweeping = 1 WHERE source_oid = ?", [record.oid])
            }
            return records
        }
    }

    /// The files of these claimed objects are gone.
    package func forgetObjects(_ oids: [ObjectID]) async throws {
        try await write { db, now in
            for oid in oids {
                guard try db.exists("SELECT 1 FROM objects WHERE oid = ? AND is_sweeping = 1", [oid]) else { continue }
                try Self.forgetXetFile(oid, at: now, in: db)
                try db.run("DELETE FROM objects WHERE oid = ?", [oid])
            }
        }
    }

    private static func bytes(_ cursor: String?) throws -> Data {
        guard let cursor else { return Data() }
        guard let bytes = Hex.decode(cursor), bytes.count == 32 else { throw MetadataError.invalidCursor }
        return Data(bytes)
    }
}
