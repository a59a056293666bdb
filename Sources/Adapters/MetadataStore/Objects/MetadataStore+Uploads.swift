import FoundationEssentials
import GRDB
import HubCore

/// Uploads in parts.
///
/// The bytes lie in staging, in a folder named after the session; a part counts when its row says so.
extension MetadataStore {
    /// Begins an upload.
    ///
    /// An unfinished one of the same object, repository, account and part size is found again and its expiry moved, so
    /// that a client goes on where it stopped.
    ///
    /// - Parameter maximumOpen: how many unfinished ones an account may have.
    /// - Throws: `MetadataError.tooManyUploads`.
    package func createUpload(_ new: NewUpload, maximumOpen: Int = .max) async throws -> UploadSession {
        let id = RepositoryUID().text
        return try await write { db, now in
            guard try db.exists("SELECT 1 FROM repositories WHERE id = ? AND deleted_at IS NULL", [new.repository])
            else {
                throw MetadataError.repositoryNotFound
            }
            let old = try db.row(
                """
                SELECT id FROM uploads WHERE repository_id = ? AND oid = ? AND account_id IS ? AND size_bytes = ?
                AND part_size_bytes = ? AND expires_at > ?
                """, [new.repository, new.oid, new.account, new.sizeBytes, new.partSizeBytes, now])
            if let old {
                let known: String = old[0]
                try db.run("UPDATE uploads SET expires_at = ? WHERE id = ?", [new.expiresAt.milliseconds, known])
                return try UploadRow.session(known, in: db).orThrow(.uploadNotFound)
            }
            let open = try db.row(
                "SELECT count(*) FROM uploads WHERE account_id IS ? AND expires_at > ?", [new.account, now])
            guard (open?[0] ?? 0) < maximumOpen else { throw MetadataError.tooManyUploads(maximumOpen) }
            try db.run(
                """
                INSERT INTO uploads (id, repository_id, account_id, oid, size_bytes, part_size_bytes, created_at, expires_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    id, new.repository, new.account, new.oid, new.sizeBytes, new.partSizeBytes, now,
                    new.expiresAt.milliseconds,
                ])
            return try UploadRow.session(id, in: db).orThrow(.uploadNotFound)
        }
    }

    /// Also an expired one that is not removed yet.
    package func upload(_ id: String) async throws -> UploadSession? {
        try await read { db in try UploadRow.session(id, in: db) }
    }

    /// A part is stored and durable; a part of that number is replaced.
    package func markPart(_ part: UploadPart, of upload: String, expiresAt: Date) async throws {
        try await write { db, _ in
            try db.run("UPDATE uploads SET expires_at = ? WHERE id = ?", [expiresAt.milliseconds, upload])
            guard db.changesCount == 1 else { throw MetadataError.uploadNotFound }
            try db.run(
                """
                INSERT INTO upload_parts (upload_id, number, size_bytes, etag) VALUES (?, ?, ?, ?)
                ON CONFLICT (upload_id, number) DO UPDATE SET size_bytes = excluded.size_bytes, etag = excluded.etag
                """, [upload, part.number, part.sizeBytes, part.etag])
        }
    }

    /// Done or given up.
    ///
    /// Deleting what is gone is harmless.
    package func deleteUpload(_ id: String) async throws {
        try await write { db, _ in try db.run("DELETE FROM uploads WHERE id = ?", [id]) }
    }

    /// First expired first.
    package func expiredUploads(before date: Date, limit: Int = 100) async throws -> [UploadSession] {
        let limit = ListLimit.clamp(limit)
        return try await read { db in
            let ids = try db.rows(
                "SELECT id FROM uploads WHERE expires_at < ? ORDER BY expires_at LIMIT ?", [date.milliseconds, limit])
            return try ids.compactMap { try UploadRow.session($0[0], in: db) }
        }
    }
}

/// Reads rows of uploads.
private enum UploadRow {
    static func session(_ id: String, in db: Database) throws -> UploadSession? {
        guard let row = try db.row("SELECT * FROM uploads WHERE id = ?", [id]) else { return nil }
        let parts = try db.rows(
            "SELECT number, size_bytes, etag FROM upload_parts WHERE upload_id = ? ORDER BY number", [id]
        ).map { UploadPart(number: $0[0], sizeBytes: $0[1], etag: $0[2]) }
        return UploadSession(
            id: row["id"], repository: row["repository_id"], account: row["account_id"], oid: row["oid"],
            sizeBytes: row["size_bytes"], partSizeBytes: row["part_size_bytes"], createdAt: row.date("created_at"),
            expiresAt: row.date("expires_at"), parts: parts)
    }
}
