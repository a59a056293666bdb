import FoundationEssentials
import GRDB
import HubCore

extension MetadataStore {
    /// Begins an import, or takes up one of the same bundle again with new options; a published one stays as it is.
    package func beginImport(_ new: NewImport, audit: AuditEntry) async throws -> ImportRecord {
        try await write { db, now in
            let known = try ImportRow.find(new.bundle, in: db)
            if let known {
                guard known.manifest == new.manifest else { throw MetadataError.constraint("two bundles have one id") }
                guard known.state != .published else { return known }
                try db.run(
                    "UPDATE imports SET options = ?, actor = ?, account_id = (SELECT id FROM accounts WHERE id = ?), updated_at = ? WHERE id = ?",
                    [new.options, new.actor, new.account, now, known.id])
                // What was given up begins anew; what waits for a decision goes on waiting.
                let beginsAnew = !known.state.keepsStaging || known.state == .failed
                if beginsAnew {
                    try db.run(
                        "UPDATE imports SET state = 'staging', reason_code = NULL, reason = NULL WHERE id = ?",
                        [known.id])
                }
                // It may now go elsewhere, or be an older one that is wanted.
                if beginsAnew || known.options != new.options { try AuditChain.append(audit, at: now, in: db) }
            } else {
                try db.run(
                    """
                    INSERT INTO imports (bundle, manifest_sha256, publisher, stream, sequence, state, options, actor, account_id,
                        created_at, updated_at)
                    VALUES (?, ?, ?, ?, ?, 'staging', ?, ?, (SELECT id FROM accounts WHERE id = ?), ?, ?)
                    """,
                    [
                        new.bundle, new.manifest, new.publisher, new.stream, new.sequence, new.options, new.actor,
                        new.account, now,
                        now,
                    ])
                try AuditChain.append(audit, at: now, in: db)
            }
            return try ImportRow.find(new.bundle, in: db).orThrow(.importNotFound)
        }
    }

    /// Moves an import to another state, if it is in one of `states`.
    ///
    /// - Throws: `MetadataError.importNotFound`, `.importState` when it is in another one.
    package func moveImport(
        _ bundle: String, from states: Set<ImportState>, to state: ImportState, reasonCode: String? = nil,
        reason: String? = nil,
        audit: AuditEntry? = nil
    ) async throws -> ImportRecord {
        precondition(state != .published, "only publication publishes")
        return try await change(audit) { db, now in
            let known = try ImportRow.find(bundle, in: db).orThrow(.importNotFound)
            guard states.contains(known.state) else { throw MetadataError.importState(known.state) }
            try db.run(
                "UPDATE imports SET state = ?, reason_code = ?, reason = ?, updated_at = ? WHERE id = ?",
                [state.rawValue, reasonCode, reason.map { String($0.prefix(10_000)) }, now, known.id])
            return try ImportRow.find(bundle, in: db).orThrow(.importNotFound)
        }
    }

    /// Keeps the signed receipt of a published import; the first one stays.
    package func keepReceipt(_ text: String, of bundle: String, audit: AuditEntry) async throws {
        try await write { db, now in
            try db.run(
                "UPDATE imports SET receipt = ? WHERE bundle = ? AND state = 'published' AND receipt IS NULL",
                [text, bundle])
            if db.changesCount > 0 { try AuditChain.append(audit, at: now, in: db) }
        }
    }

    package func importRecord(_ bundle: String) async throws -> ImportRecord? {
        try lookUp { db in try ImportRow.find(bundle, in: db) }
    }

    /// Newest first; `states` empty is all.
    package func imports(
        in states: Set<ImportState> = [], after: String? = nil, limit: Int = 100
    ) async throws -> Page<ImportRecord> {
        let limit = ListLimit.clamp(limit)
        let before = try ListCursor.id(after) ?? .max
        return try await read { db in
            let words = states.map(\.rawValue).sorted()
            let filter = words.isEmpty ? "" : " AND state IN (" + words.map { _ in "?" }.joined(separator: ", ") + ")"
            let rows = try db.rows(
                "SELECT * FROM imports WHERE id < ?\(filter) ORDER BY id DESC LIMIT ?",
                [before] + StatementArguments(words) + [limit + 1])
            return Page(try rows.map(ImportRow.record), limit: limit) { $0.id.description }
        }
    }

    /// The last published bundle of each line, at most 1,000.
    package func importedStreams() async throws -> [ImportedStream] {
        try await read { db in
            try db.rows(
                """
                SELECT publisher, stream, max(sequence) AS sequence, bundle, published_at FROM imports WHERE state = 'published'
                GROUP BY publisher, stream ORDER BY publisher, stream LIMIT 1000
                """
            ).map {
                ImportedStream(
                    publisher: $0["publisher"], stream: $0["stream"], sequence: $0["sequence"], bundle: $0["bundle"],
                    publishedAt: $0.date("published_at"))
            }
        }
    }

    // MARK: - Where repositories came from

    package func origin(of repository: RepositoryID) async throws -> RepositoryOrigin? {
        try lookUp { db in
            try db.row("SELECT * FROM origins WHERE repository_id = ?", [repository]).map(OriginRow.origin)
        }
    }

    /// The repository that earlier bundles of this publisher made for `sourceUID`, unless it was deleted.
    package func importedRepository(publisher: String, sourceUID: String) async throws -> Repository? {
        try lookUp { db in try OriginRow.repository(publisher: publisher, sourceUID: sourceUID, in: db) }
    }

    /// What the refs of a repository were when they were last imported.
    package func importedReferences(of repository: RepositoryID) async throws -> [ReferenceName: GitOID] {
        try await read { db in
            var known: [ReferenceName: GitOID] = [:]
            for row in try db.rows("SELECT name, oid FROM imported_refs WHERE repository_id = ?", [repository]) {
                known[ReferenceName(trusted: row[0])] = row[1]
            }
            return known
        }
    }

    /// Which of these objects a bundle of `publisher` may presume in `repository` without bringing their bytes: those that the
    /// repository has, those that the same publisher brought to where nobody else writes, and those that all readers of a repository
    /// of this visibility can get here anyway.
    ///
    /// Others that the hub stores do not count: nobody gets at content by knowing its hash.
    /// - Parameter repository: `nil` for one that is to be made.
    package func presumableObjects(
        among oids: [ObjectID], publisher: String, repository: RepositoryID?, visibility: Visibility
    ) async throws -> [ObjectID: Int64] {
        try await read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT o.size_bytes FROM objects AS o WHERE o.oid = ? AND EXISTS (
                        SELECT 1 FROM object_links AS l JOIN repositories AS r ON r.id = l.repository_id
                        LEFT JOIN origins AS s ON s.repository_id = r.id
                        WHERE l.oid = o.oid AND r.deleted_at IS NULL AND (r.id = ? OR (s.publisher = ? AND r.is_protected = 1)
                            OR (r.gating = 'off' AND (r.visibility = 'public' OR (r.visibility = 'internal' AND ?)))))
                    """)
            var sizes: [ObjectID: Int64] = [:]
            for oid in oids where sizes[oid] == nil {
                sizes[oid] = try Int64.fetchOne(statement, arguments: [oid, repository, publisher, visibility != .public])
            }
            return sizes
        }
    }
}

/// Reads rows of origins.
enum OriginRow {
    static func origin(_ row: Row) -> RepositoryOrigin {
        RepositoryOrigin(
            repository: row["repository_id"], publisher: row["publisher"], sourceUID: row["source_uid"],
            sourceName: row["source_name"], description: row["description"], firstImport: row["first_import_id"],
            lastImport: row["last_import_id"])
    }

    static func repository(publisher: String, sourceUID: String, in db: Database) throws -> Repository? {
        let id = try db.value(
            RepositoryID.self,
            """
            SELECT o.repository_id FROM origins AS o JOIN repositories AS r ON r.id = o.repository_id
            WHERE o.publisher = ? AND o.source_uid = ? AND r.deleted_at IS NULL ORDER BY o.last_import_id DESC LIMIT 1
            """, [publisher, sourceUID])
        return try id.flatMap { try RepositoryRow.repository($0, in: db) }
    }
}
