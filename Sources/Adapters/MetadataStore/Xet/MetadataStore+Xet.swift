import FoundationEssentials
import GRDB
import HubCore

/// What makes xorbs, and objects that are stored as parts of them, visible.
extension MetadataStore {
    // MARK: Generation

    /// Which store of xorbs the rows speak of; `nil` before the first start.
    package func xetGeneration() async throws -> String? {
        try lookUp { db in try db.value(String.self, "SELECT generation FROM xet_state WHERE id = 1") }
    }

    package func setXetGeneration(_ generation: String) async throws {
        try await write { db, _ in
            try db.run(
                "INSERT INTO xet_state (id, generation) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET generation = excluded.generation",
                [generation])
        }
    }

    // MARK: Xorbs

    package func xorbState(_ hash: XetHash) async throws -> XorbState {
        try lookUp { db in
            guard let sweeping = try db.value(Bool.self, "SELECT is_sweeping FROM xorbs WHERE hash = ?", [hash]) else {
                return .unknown
            }
            return sweeping ? .sweeping : .stored
        }
    }

    /// What is recorded of a xorb that is about to be sent again; one that no file uses begins its grace time again, so that no sweep
    /// takes it while it is on its way.
    package func renewXorb(_ hash: XetHash) async throws -> XorbState {
        let state = try await xorbState(hash)
        let isUnused = try lookUp { db in try db.exists("SELECT 1 FROM xorbs WHERE hash = ? AND uses = 0", [hash]) }
        guard state == .stored, isUnused else { return state }
        return try await write { db, now in
            guard let sweeping = try db.value(Bool.self, "SELECT is_sweeping FROM xorbs WHERE hash = ?", [hash]) else {
                return .unknown
            }
            if sweeping { return .sweeping }
            try db.run("UPDATE xorbs SET unused_at = ? WHERE hash = ? AND uses = 0", [now, hash])
            return .stored
        }
    }

    /// Whether a file of this repository is made of parts of this xorb.
    package func usesXorb(_ hash: XetHash, in repository: RepositoryID) async throws -> Bool {
        try lookUp { db in
            try db.exists(
                """
                SELECT 1 FROM xet_uses AS u JOIN object_links AS l ON l.repository_id = ? AND l.oid = u.oid
                WHERE u.xorb = ?
                """, [repository, hash])
        }
    }

    /// What is recorded of xorbs, by name.
    package func recordedXorbs(after last: XetHash?, limit: Int = 1000) async throws -> [RecordedXorb] {
        try await read { db in
            try db.rows(
                "SELECT hash, raw_bytes, uses FROM xorbs WHERE hash > ? AND is_sweeping = 0 ORDER BY hash LIMIT ?",
                [last.map { Data($0.bytes) } ?? Data(), min(limit, 10_000)]
            ).map { RecordedXorb(hash: $0[0], rawBytes: $0[1], isUsed: $0[2] as Int > 0) }
        }
    }

    /// Records xorbs whose files are stored and durable.
    ///
    /// One that is known and that no file uses begins its grace time again.
    /// - Throws: `MetadataError.beingSwept`.
    package func recordXorbs(_ xorbs: [XorbRecord]) async throws {
        try await write { db, now in
            for xorb in xorbs { try Self.record(xorb, at: now, in: db) }
        }
    }

    private static func record(_ xorb: XorbRecord, at now: Int64, in db: Database) throws {
        if let sweeping = try db.value(Bool.self, "SELECT is_sweeping FROM xorbs WHERE hash = ?", [xorb.hash]) {
            guard !sweeping else { throw MetadataError.beingSwept }
            try db.run("UPDATE xorbs SET unused_at = ? WHERE hash = ? AND uses = 0", [now, xorb.hash])
            // Its file was lost and is made of an object now, which must stay.
            if let source = xorb.source {
                try db.run(
                    "UPDATE xorbs SET source_oid = ? WHERE hash = ? AND source_oid IS NULL", [source, xorb.hash])
            }
            return
        }
        if let source = xorb.source {
            guard try db.exists("SELECT 1 FROM objects WHERE oid = ? AND is_sweeping = 0", [source]) else {
                throw MetadataError.beingSwept
            }
        }
        try db.run(
            "INSERT INTO xorbs (hash, chunks, raw_bytes, source_oid, created_at, unused_at) VALUES (?, ?, ?, ?, ?, ?)",
            [xorb.hash, xorb.chunkCount, xorb.rawBytes, xorb.source, now, now])
    }

    /// Which of these have rows: a file that has none is an orphan.
    package func knownXorbs(among hashes: [XetHash]) async throws -> Set<XetHash> {
        try await read { db in
            let statement = try db.cachedStatement(sql: "SELECT 1 FROM xorbs WHERE hash = ?")
            return Set(try hashes.filter { try Int.fetchOne(statement, arguments: [$0]) != nil })
        }
    }

    /// Claims xorbs that no file has used since `date`, those of an interrupted sweep included: they cannot be used until forgotten.
    ///
    /// Remove the files, then call `forgetXorbs`.
    package func claimUnusedXorbs(unusedBefore date: Date, limit: Int = 1000) async throws -> [XetHash] {
        let limit = ListLimit.clamp(limit, maximum: 10_000)
        return try await write { db, _ in
            let hashes: [XetHash] = try db.rows(
                "SELECT hash FROM xorbs WHERE unused_at < ? ORDER BY unused_at LIMIT ?", [date.milliseconds, limit]
            ).map { $0[0] }
            for hash in hashes { try db.run("UPDATE xorbs SET is_sweeping = 1 WHERE hash = ?", [hash]) }
            return hashes
        }
    }

    /// The files of these claimed xorbs are gone.
    package func forgetXorbs(_ hashes: [XetHash]) async throws {
        try await write { db, _ in
            for hash in hashes {
                try db.run("DELETE FROM xorbs WHERE hash = ? AND is_sweeping = 1 AND uses = 0", [hash])
            }
        }
    }

    /// Whether there are xorbs whose bytes are those of this object.
    package func hasXorbs(madeOf oid: ObjectID) async throws -> Bool {
        try lookUp { db in try db.exists("SELECT 1 FROM xorbs WHERE source_oid = ?", [oid]) }
    }

    // MARK: Files

    /// Records objects whose recipes are stored and durable, and, if a repository is given, that it has them: all or none.
    /// - Throws: `MetadataError.xorbNotFound`, `.beingSwept`, `.repositoryNotFound`, `.sizeMismatch`.
    package func recordXetFiles(
        _ files: [XetFileRecord], linkedTo repository: RepositoryID?, account: AccountID?
    ) async throws {
        try await write { db, now in
            if let repository { try Self.requireRepository(repository, in: db) }
            for file in files {
                if let repository {
                    try Self.link(
                        file.oid, sizeBytes: file.sizeBytes, repository: repository, account: account, at: now, in: db)
                }
                try Self.record(file, at: now, in: db)
            }
        }
    }

    private static func record(_ file: XetFileRecord, at now: Int64, in db: Database) throws {
        guard try db.exists("SELECT 1 FROM objects WHERE oid = ? AND is_sweeping = 0", [file.oid]) else {
            throw MetadataError.beingSwept
        }
        for xorb in file.xorbs {
            guard let sweeping = try db.value(Bool.self, "SELECT is_sweeping FROM xorbs WHERE hash = ?", [xorb]) else {
                throw MetadataError.xorbNotFound(xorb)
            }
            guard !sweeping else { throw MetadataError.beingSwept }
            try db.run(
                "INSERT INTO xet_uses (oid, xorb) VALUES (?, ?) ON CONFLICT (oid, xorb) DO NOTHING", [file.oid, xorb])
            if db.changesCount == 1 {
                try db.run("UPDATE xorbs SET uses = uses + 1, unused_at = NULL WHERE hash = ?", [xorb])
            }
        }
        try db.run(
            "INSERT INTO xet_files (hash, oid, created_at) VALUES (?, ?, ?) ON CONFLICT (hash) DO NOTHING",
            [file.hash, file.oid, now])
        for landmark in file.landmarks {
            try db.run(
                """
                INSERT INTO xet_landmarks (prefix, oid, xorb, chunk) VALUES (?, ?, ?, ?)
                ON CONFLICT (prefix, oid) DO NOTHING
                """, [landmark.chunk.prefix, file.oid, landmark.xorb, landmark.index])
        }
    }

    /// The object that clients name so, in whatever repository.
    package func xetFile(_ hash: XetHash) async throws -> StoredObjectRecord? {
        try lookUp { db in
            try db.row(
                "SELECT f.oid, o.size_bytes FROM xet_files AS f JOIN objects AS o ON o.oid = f.oid WHERE f.hash = ?",
                [hash]
            ).map { StoredObjectRecord(oid: $0[0], sizeBytes: $0[1]) }
        }
    }

    /// The object that clients name so, if this repository has it.
    package func xetFile(_ hash: XetHash, in repository: RepositoryID) async throws -> StoredObjectRecord? {
        try lookUp { db in
            try db.row(
                """
                SELECT f.oid, o.size_bytes FROM xet_files AS f JOIN objects AS o ON o.oid = f.oid
                JOIN object_links AS l ON l.repository_id = ? AND l.oid = f.oid WHERE f.hash = ?
                """, [repository, hash]
            ).map { StoredObjectRecord(oid: $0[0], sizeBytes: $0[1]) }
        }
    }

    /// What Xet clients name these objects by; those that have not been cut into chunks are left out.
    package func xetHashes(of oids: [ObjectID]) async throws -> [ObjectID: XetHash] {
        if oids.count == 1 { return try lookUp { db in try Self.hashes(of: oids, in: db) } }
        return try await read { db in try Self.hashes(of: oids, in: db) }
    }

    private static func hashes(of oids: [ObjectID], in db: Database) throws -> [ObjectID: XetHash] {
        let statement = try db.cachedStatement(
            sql: "SELECT hash FROM xet_files WHERE oid = ? ORDER BY created_at LIMIT 1")
        var hashes: [ObjectID: XetHash] = [:]
        for oid in oids where hashes[oid] == nil {
            hashes[oid] = try XetHash.fetchOne(statement, arguments: [oid])
        }
        return hashes
    }

    // MARK: Landmarks

    /// Where chunks lie whose hash begins like this one, at most `limit` places.
    package func xetLandmarks(of chunk: XetHash, limit: Int) async throws -> [XetLandmarkPlace] {
        try lookUp { db in
            try db.rows(
                "SELECT oid, xorb, chunk FROM xet_landmarks WHERE prefix = ? LIMIT ?", [chunk.prefix, min(limit, 100)]
            ).map { XetLandmarkPlace(oid: $0[0], xorb: $0[1], index: $0[2]) }
        }
    }

    /// Repositories that have an object, at most `limit`.
    package func repositories(having oid: ObjectID, limit: Int) async throws -> [RepositoryID] {
        try lookUp { db in
            try db.rows("SELECT repository_id FROM object_links WHERE oid = ? LIMIT ?", [oid, min(limit, 100)]).map {
                $0[0]
            }
        }
    }

    // MARK: Objects to be cut into chunks

    /// Objects in use of at least so many bytes that have not been cut into chunks, by name.
    package func objectsWithoutXetFile(after: ObjectID?, minimumBytes: Int64, limit: Int) async throws
        -> [StoredObjectRecord]
    {
        try await read { db in
            try db.rows(
                """
                SELECT o.oid, o.size_bytes FROM objects AS o
                WHERE o.oid > ? AND o.links > 0 AND o.size_bytes >= ?
                AND NOT EXISTS (SELECT 1 FROM xet_files AS f WHERE f.oid = o.oid)
                ORDER BY o.oid LIMIT ?
                """, [after.map { Data(Hex.decode($0.hex) ?? []) } ?? Data(), minimumBytes, min(limit, 1000)]
            ).map { StoredObjectRecord(oid: $0[0], sizeBytes: $0[1]) }
        }
    }

    /// Removes what is known of an object's chunks, when the object itself is forgotten.
    static func forgetXetFile(_ oid: ObjectID, at now: Int64, in db: Database) throws {
        try db.run(
            """
            UPDATE xorbs SET uses = uses - 1, unused_at = CASE WHEN uses = 1 THEN ? END
            WHERE hash IN (SELECT xorb FROM xet_uses WHERE oid = ?)
            """, [now, oid])
        try db.run("DELETE FROM xet_uses WHERE oid = ?", [oid])
        try db.run("DELETE FROM xet_landmarks WHERE oid = ?", [oid])
        try db.run("DELETE FROM xet_files WHERE oid = ?", [oid])
        // Their bytes are gone with it; that nobody else uses them was asked when the object was claimed.
        try db.run("DELETE FROM xorbs WHERE source_oid = ?", [oid])
    }
}

extension XetHash: DatabaseValueConvertible {
    package var databaseValue: DatabaseValue { Data(bytes).databaseValue }

    package static func fromDatabaseValue(_ value: DatabaseValue) -> XetHash? {
        Data.fromDatabaseValue(value).flatMap { XetHash(bytes: $0) }
    }

    /// The first 8 bytes, as the database keeps them.
    fileprivate var prefix: Int64 { Int64(bitPattern: firstWord) }
}
