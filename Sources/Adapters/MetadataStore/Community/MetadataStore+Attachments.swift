import FoundationEssentials
import GRDB
import HubCore

extension MetadataStore {
    /// Records an attachment whose object is stored and durable.
    ///
    /// - Parameter maximumUnused: how many attachments that no discussion mentions the account may have.
    package func createAttachment(
        _ object: ObjectID, sizeBytes: Int64, type: AttachmentType, account: AccountID, maximumUnused: Int, audit: AuditEntry
    ) async throws -> DiscussionAttachment {
        try await change(audit) { db, now in
            let unused = try db.value(
                Int.self,
                """
                SELECT count(*) FROM attachments AS a WHERE a.account_id = ?
                AND NOT EXISTS (SELECT 1 FROM attachment_uses AS u WHERE u.attachment_id = a.id)
                """, [account])
            guard (unused ?? 0) < maximumUnused else { throw AttachmentRecordError.tooManyUnused(limit: maximumUnused) }
            try Self.prepare(object, sizeBytes: sizeBytes, at: now, in: db)
            try db.run("UPDATE objects SET links = links + 1, unlinked_at = NULL WHERE oid = ?", [object])
            let publicID = AttachmentRow.makeID()
            try db.run(
                "INSERT INTO attachments (public_id, account_id, oid, type, created_at) VALUES (?, ?, ?, ?, ?)",
                [publicID, account, object, type.rawValue, now])
            return DiscussionAttachment(
                id: AttachmentID(db.lastInsertedRowID), publicID: publicID, account: account, object: object,
                sizeBytes: sizeBytes, type: type, createdAt: Date(milliseconds: now))
        }
    }

    package func attachment(_ publicID: String) async throws -> DiscussionAttachment? {
        try lookUp { db in
            let row = try db.row(AttachmentRow.select + " WHERE a.public_id = ?", [publicID])
            return row.flatMap(AttachmentRow.attachment)
        }
    }

    /// The repositories in whose discussions an attachment is mentioned, deleted ones left out.
    package func repositories(mentioning attachment: AttachmentID) async throws -> [Repository] {
        try await read { db in
            let ids: [RepositoryID] = try db.rows(
                "SELECT repository_id FROM attachment_uses WHERE attachment_id = ? LIMIT ?",
                [attachment, AttachmentRow.maximumUses]
            ).map { $0[0] }
            return try ids.compactMap { try RepositoryRow.repository($0, in: db) }.filter { $0.deletedAt == nil }
        }
    }

    /// Removes attachments made before `date` that no discussion mentions; their objects then wait for the sweep.
    ///
    /// - Returns: how many.
    package func removeUnusedAttachments(before date: Date, limit: Int = 1000) async throws -> Int {
        let unused: [(id: AttachmentID, object: ObjectID)] = try await read { db in
            try db.rows(
                AttachmentRow.selectUnused + " AND a.created_at < ? ORDER BY a.created_at LIMIT ?", [date.milliseconds, limit]
            ).map { ($0[0], $0[1]) }
        }
        guard !unused.isEmpty else { return 0 }
        return try await write { db, now in
            var removed = 0
            for (id, object) in unused {
                // Somebody may have mentioned it meanwhile.
                guard try db.exists(AttachmentRow.selectUnused + " AND a.id = ?", [id]) else { continue }
                try db.run("DELETE FROM attachments WHERE id = ?", [id])
                try db.run(
                    "UPDATE objects SET links = links - 1, unlinked_at = CASE links WHEN 1 THEN ? END WHERE oid = ?",
                    [now, object])
                removed += 1
            }
            return removed
        }
    }
}

/// Reads and writes rows of attachments.
enum AttachmentRow {
    /// In how many repositories one may be mentioned, and how many one text may mention.
    static let maximumUses = 20
    static let maximumMentions = 100

    static let select = """
        SELECT a.id, a.public_id, a.account_id, a.oid, a.type, a.created_at, o.size_bytes
        FROM attachments AS a JOIN objects AS o ON o.oid = a.oid
        """

    static let selectUnused = """
        SELECT a.id, a.oid FROM attachments AS a
        WHERE NOT EXISTS (SELECT 1 FROM attachment_uses AS u WHERE u.attachment_id = a.id)
        """

    /// 128 random bits: an address that was not told is not found.
    static func makeID() -> String {
        var generator = SystemRandomNumberGenerator()
        return Hex.encode((0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    /// `nil` for a type that an older version of the hub does not know.
    static func attachment(_ row: Row) -> DiscussionAttachment? {
        guard let type = AttachmentType(rawValue: row["type"]) else { return nil }
        return DiscussionAttachment(
            id: row["id"], publicID: row["public_id"], account: row["account_id"], object: row["oid"],
            sizeBytes: row["size_bytes"], type: type, createdAt: row.date("created_at"))
    }

    /// Shows the attachments that a text mentions to the readers of the discussion's repository.
    ///
    /// Only those of whoever wrote it: nobody opens somebody else's picture to others by writing its address.
    static func noteMentions(in text: String, by author: AccountID?, of discussion: DiscussionID, in db: Database) throws {
        guard let author else { return }
        for id in mentions(in: text) {
            try db.run(
                """
                INSERT OR IGNORE INTO attachment_uses (attachment_id, repository_id)
                SELECT a.id, d.repository_id FROM attachments AS a, discussions AS d
                WHERE a.public_id = ? AND a.account_id = ? AND d.id = ?
                AND (SELECT count(*) FROM attachment_uses AS u WHERE u.attachment_id = a.id) < ?
                """, [id, author, discussion, maximumUses])
        }
    }

    /// The ids in `…/uploads/<32 hex digits>…`, each once.
    static func mentions(in text: String) -> [String] {
        let marker = Array("/uploads/".utf8)
        let bytes = Array(text.utf8)
        var found: [String] = []
        var index = 0
        while index + marker.count + 32 <= bytes.count, found.count < maximumMentions {
            guard bytes[index] == marker[0], bytes[index...].starts(with: marker) else {
                index += 1
                continue
            }
            index += marker.count
            let digits = bytes[index..<index + 32]
            guard Hex.decode(utf8: digits) != nil else { continue }
            let id = String(decoding: digits, as: UTF8.self)
            if !found.contains(id) { found.append(id) }
            index += 32
        }
        return found
    }
}
