import FoundationEssentials
import GRDB
import HubCore

/// Whose bundles are trusted.
extension MetadataStore {
    /// All publishers with their documents, by name; at most 1000.
    package func publishers() async throws -> [StoredPublisher] {
        try await read { db in
            try db.rows("SELECT * FROM publishers ORDER BY name LIMIT 1000").map { try Self.publisher($0, db) }
        }
    }

    package func publisher(named name: String) async throws -> StoredPublisher? {
        try await read { db in
            try db.row("SELECT * FROM publishers WHERE name = ?", [name]).map { try Self.publisher($0, db) }
        }
    }

    /// This hub as a publisher.
    package func ownPublisher() async throws -> StoredPublisher? {
        try await read { db in
            try db.row("SELECT * FROM publishers WHERE is_own = 1").map { try Self.publisher($0, db) }
        }
    }

    /// Trusts a publisher with these documents; those that are stored stay. A trust that had ended begins again, with these alone.
    /// - Parameter lost: the own publisher until now, which ends with this, and why.
    /// - Throws: `MetadataError.constraint` when `isOwn` and there is another own publisher.
    package func trustPublisher(
        _ name: String, isOwn: Bool = false, roots: [(version: Int, document: [UInt8])],
        replacing lost: (name: String, reason: String)? = nil, audit: AuditEntry
    ) async throws {
        try await change(audit) { db, now in
            if let lost {
                try db.run(
                    "UPDATE publishers SET is_own = 0, withdrawn_at = ?, withdrawn_reason = ? WHERE name = ? AND is_own = 1",
                    [now, lost.reason, lost.name])
            }
            try db.run("DELETE FROM publishers WHERE name = ? AND withdrawn_at IS NOT NULL", [name])
            try db.run(
                "INSERT INTO publishers (name, is_own, added_at) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING",
                [name, isOwn, now])
            try Self.add(roots, of: name, at: now, db)
            if isOwn { try db.run("DELETE FROM trust_draft") }
        }
    }

    /// Keeps later documents of a publisher that is trusted; nothing happens when it is not.
    package func addRoots(of name: String, _ roots: [(version: Int, document: [UInt8])], audit: AuditEntry) async throws
    {
        try await change(audit) { db, now in
            guard try db.exists("SELECT 1 FROM publishers WHERE name = ? AND withdrawn_at IS NULL", [name]) else {
                return
            }
            try Self.add(roots, of: name, at: now, db)
        }
    }

    /// Ends the trust in a publisher.
    /// - Returns: whether there was one to end; this hub itself is none.
    package func withdrawPublisher(_ name: String, reason: String, audit: AuditEntry) async throws -> Bool {
        try await change(audit) { db, now in
            try db.run(
                "UPDATE publishers SET withdrawn_at = ?, withdrawn_reason = ? WHERE name = ? AND is_own = 0 AND withdrawn_at IS NULL",
                [now, reason, name])
            return db.changesCount > 0
        }
    }

    /// Never counts a key again; the first reason stays.
    package func revokeKey(_ keyID: ObjectID, reason: String, audit: AuditEntry) async throws {
        try await change(audit) { db, now in
            try db.run(
                "INSERT INTO trust_revocations (key_id, reason, revoked_at) VALUES (?, ?, ?) ON CONFLICT (key_id) DO NOTHING",
                [keyID, reason, now])
        }
    }

    /// The latest first, at most 1000.
    package func revokedKeys() async throws -> [StoredRevocation] {
        try await read { db in
            try db.rows("SELECT * FROM trust_revocations ORDER BY revoked_at DESC, key_id LIMIT 1000").map {
                StoredRevocation(keyID: $0["key_id"], reason: $0["reason"], revokedAt: $0.date("revoked_at"))
            }
        }
    }

    /// A next list of keys of this hub that waits for more signatures.
    package func trustDraft() async throws -> [UInt8]? {
        try await read { db in
            try db.value(Data.self, "SELECT document FROM trust_draft").map { Array($0) }
        }
    }

    /// Keeps a draft in the place of the one before; `nil` drops it.
    package func setTrustDraft(_ document: [UInt8]?, audit: AuditEntry) async throws {
        try await change(audit) { db, now in
            try db.run("DELETE FROM trust_draft")
            guard let document else { return }
            try db.run("INSERT INTO trust_draft (id, document, made_at) VALUES (1, ?, ?)", [Data(document), now])
        }
    }

    /// The marks of a stream, by key id in hex.
    package func sequences(of publisher: String, stream: String) async throws -> [String: StoredSequence] {
        try await read { db in
            let marks = try db.rows(
                "SELECT * FROM trust_sequences WHERE publisher = ? AND stream = ? LIMIT 1000", [publisher, stream]
            )
            .map(Self.mark)
            return Dictionary(marks.map { ($0.keyID.hex, $0) }) { first, _ in first }
        }
    }

    /// The marks of all streams, at most 1000.
    package func sequences() async throws -> [StoredSequence] {
        try await read { db in
            try db.rows("SELECT * FROM trust_sequences ORDER BY publisher, stream, key_id LIMIT 1000").map(
                Self.mark)
        }
    }

    /// Raises the marks of a stream in the transaction that publishes the bundle. A mark is never lowered.
    static func raise(_ mark: SequenceMark, at now: Int64, in db: Database) throws {
        for keyID in mark.keyIDs {
            try db.run(
                """
                INSERT INTO trust_sequences (publisher, stream, key_id, sequence, bundle, raised_at) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (publisher, stream, key_id) DO UPDATE
                SET sequence = excluded.sequence, bundle = excluded.bundle, raised_at = excluded.raised_at
                WHERE excluded.sequence > sequence
                """, [mark.publisher, mark.stream, keyID, mark.sequence, mark.bundle, now])
        }
    }

    /// The same as a transaction of its own.
    package func raise(_ mark: SequenceMark, audit: AuditEntry) async throws {
        try await change(audit) { db, now in try Self.raise(mark, at: now, in: db) }
    }

    private static func add(
        _ roots: [(version: Int, document: [UInt8])], of name: String, at now: Int64, _ db: Database
    ) throws {
        for root in roots {
            try db.run(
                "INSERT INTO trust_roots (publisher, version, document, accepted_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [name, root.version, Data(root.document), now])
        }
    }

    private static func publisher(_ row: Row, _ db: Database) throws -> StoredPublisher {
        let name: String = row["name"]
        let roots = try db.rows("SELECT * FROM trust_roots WHERE publisher = ? ORDER BY version", [name]).map { row in
            let document: Data = row["document"]
            return StoredPublisher.Root(
                version: row["version"], document: Array(document), acceptedAt: row.date("accepted_at"))
        }
        let reason: String? = row["withdrawn_reason"]
        return StoredPublisher(
            name: name, isOwn: row["is_own"], addedAt: row.date("added_at"),
            withdrawal: row.optionalDate("withdrawn_at").map { .init(at: $0, reason: reason ?? "") }, roots: roots)
    }

    private static func mark(_ row: Row) -> StoredSequence {
        StoredSequence(
            publisher: row["publisher"], stream: row["stream"], keyID: row["key_id"], sequence: row["sequence"],
            bundle: row["bundle"],
            raisedAt: row.date("raised_at"))
    }
}
