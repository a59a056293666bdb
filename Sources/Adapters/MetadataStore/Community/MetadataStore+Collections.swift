import FoundationEssentials
import GRDB
import HubCore

extension MetadataStore {
    // MARK: - Reading

    package func collection(_ publicID: String) async throws -> RepositoryCollection? {
        try lookUp { db in
            try db.row(CollectionRow.select + " WHERE c.public_id = ?", [publicID]).flatMap(CollectionRow.collection)
        }
    }

    package func collections(_ query: CollectionQuery) async throws -> Page<RepositoryCollection> {
        let limit = ListLimit.clamp(query.limit, maximum: 100)
        let cursor = try query.after.map { try ListCursor(parsing: $0) }
        guard let updated = Int64(cursor?.key ?? String(Int64.max)) else { throw MetadataError.invalidCursor }
        let (account, seesAll): (AccountID?, Bool) =
            switch query.viewer {
            case .visitor: (nil, false)
            case .account(let id): (id, false)
            case .everything: (nil, true)
            }
        // Each its own statement, so that each has its index.
        let ofOwner = query.owner == nil ? "?1 IS NULL" : "c.namespace_id = (SELECT id FROM namespaces WHERE key = ?1)"
        let withItem =
            query.repository == nil
            ? "?2 IS NULL" : "c.id IN (SELECT collection_id FROM collection_items WHERE repository_id = ?2)"
        return try await read { db in
            let found = try db.rows(
                CollectionRow.select + """
                     WHERE \(ofOwner) AND \(withItem) AND (c.is_private = 0 OR ?3 OR n.account_id = ?4
                        OR n.organization_id IN (SELECT organization_id FROM members WHERE account_id = ?4))
                    AND (c.updated_at, c.id) < (?5, ?6) ORDER BY c.updated_at DESC, c.id DESC LIMIT ?7
                    """,
                [query.owner?.key, query.repository, seesAll, account, updated, cursor?.id ?? .max, limit + 1]
            ).compactMap(CollectionRow.collection)
            return Page(found, limit: limit) {
                ListCursor(key: String($0.updatedAt.milliseconds), id: $0.id.rawValue).text
            }
        }
    }

    /// In their order.
    package func items(of collection: CollectionID, limit: Int = CollectionRecordError.maximumItems) async throws -> [CollectionItem] {
        try await read { db in try CollectionRow.items(of: collection, limit: limit, in: db) }
    }

    // MARK: - Changing

    package func createCollection(
        title: String, description: String?, isPrivate: Bool, owner: NamespaceName, audit: AuditEntry
    ) async throws -> RepositoryCollection {
        try await change(audit) { db, now in
            let namespace = try NamespaceRow.find(owner, in: db).orThrow(.namespaceNotFound(owner))
            let same = try db.row(CollectionRow.select + " WHERE c.namespace_id = ? AND c.title = ?", [namespace.id, title])
            if let same = same.flatMap(CollectionRow.collection) { throw CollectionRecordError.titleTaken(same) }
            let count = try db.value(Int.self, "SELECT count(*) FROM collections WHERE namespace_id = ?", [namespace.id]) ?? 0
            guard count < CollectionRecordError.maximumPerNamespace else { throw CollectionRecordError.tooMany }
            try db.run(
                """
                INSERT INTO collections (public_id, namespace_id, title, description, is_private, position, created_at, updated_at)
                VALUES (?1, ?2, ?3, ?4, ?5, (SELECT count(*) FROM collections WHERE namespace_id = ?2), ?6, ?6)
                """, [PublicID.make(), namespace.id, title, description, isPrivate, now])
            return try CollectionRow.find(CollectionID(db.lastInsertedRowID), in: db)
        }
    }

    package func updateCollection(
        _ id: CollectionID, _ change: CollectionChange, audit: AuditEntry
    ) async throws -> RepositoryCollection {
        try await self.change(audit) { db, now in
            try db.run(
                """
                UPDATE collections SET title = coalesce(?1, title), description = coalesce(?2, description),
                    theme = coalesce(?3, theme), is_private = coalesce(?4, is_private), position = coalesce(?5, position),
                    updated_at = ?6 WHERE id = ?7
                """,
                [change.title, change.description, change.theme, change.isPrivate, change.position, now, id])
            return try CollectionRow.find(id, in: db)
        }
    }

    package func deleteCollection(_ id: CollectionID, audit: AuditEntry) async throws {
        try await change(audit) { db, _ in
            try db.run("DELETE FROM collections WHERE id = ?", [id])
            guard db.changesCount == 1 else { throw CollectionRecordError.notFound }
        }
    }

    /// Adds an item at the end.
    package func addItem(_ content: CollectionItem.Content, note: String?, to collection: CollectionID) async throws {
        try await write { db, now in
            let count = try db.value(
                Int.self, "SELECT count(*) FROM collection_items WHERE collection_id = ?", [collection]) ?? 0
            guard count < CollectionRecordError.maximumItems else { throw CollectionRecordError.full }
            let (type, repository, item): (String, RepositoryID?, String?) =
                switch content {
                case .repository(let repository): (repository.kind.rawValue, repository.id, nil)
                case .other(let type, let id): (type, nil, id)
                }
            try db.run(
                """
                INSERT INTO collection_items (public_id, collection_id, type, repository_id, item, note, position, created_at)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING
                """, [PublicID.make(), collection, type, repository, item, note, count, now])
            guard db.changesCount == 1 else { throw CollectionRecordError.hasItem }
            try CollectionRow.touch(collection, at: now, in: db)
        }
    }

    /// Changes the note, the place among the others, or both.
    package func updateItem(
        _ item: String, of collection: CollectionID, note: String?, position: Int?
    ) async throws {
        try await write { db, now in
            let ids = try db.rows(
                "SELECT public_id FROM collection_items WHERE collection_id = ? ORDER BY position, id", [collection]
            ).map { $0[0] as String }
            guard let index = ids.firstIndex(of: item) else { throw CollectionRecordError.itemNotFound }
            if let note {
                try db.run(
                    "UPDATE collection_items SET note = ? WHERE collection_id = ? AND public_id = ?", [note, collection, item])
            }
            if let position {
                var ordered = ids
                ordered.remove(at: index)
                ordered.insert(item, at: min(max(position, 0), ordered.count))
                try CollectionRow.number(ordered, in: collection, db)
            }
            try CollectionRow.touch(collection, at: now, in: db)
        }
    }

    package func deleteItem(_ item: String, of collection: CollectionID) async throws {
        try await write { db, now in
            try db.run("DELETE FROM collection_items WHERE collection_id = ? AND public_id = ?", [collection, item])
            guard db.changesCount == 1 else { throw CollectionRecordError.itemNotFound }
            let rest = try db.rows(
                "SELECT public_id FROM collection_items WHERE collection_id = ? ORDER BY position, id", [collection])
            try CollectionRow.number(rest.map { $0[0] }, in: collection, db)
            try CollectionRow.touch(collection, at: now, in: db)
        }
    }
}

/// Reads and writes rows of collections.
private enum CollectionRow {
    static let select = """
        SELECT c.id, c.public_id, n.name AS owner_name, n.account_id, n.organization_id, c.title, c.description, c.theme,
            c.is_private, c.position, c.updated_at
        FROM collections AS c JOIN namespaces AS n ON n.id = c.namespace_id
        """

    static func collection(_ row: Row) -> RepositoryCollection? {
        let (account, organization): (AccountID?, OrganizationID?) = (row["account_id"], row["organization_id"])
        guard let owner = account.map(NamespaceOwner.account) ?? organization.map(NamespaceOwner.organization) else { return nil }
        return RepositoryCollection(
            id: row["id"], publicID: row["public_id"], owner: NamespaceName(trusted: row["owner_name"]), ownerID: owner,
            title: row["title"], description: row["description"], theme: row["theme"], isPrivate: row["is_private"],
            position: row["position"], updatedAt: row.date("updated_at"))
    }

    static func find(_ id: CollectionID, in db: Database) throws -> RepositoryCollection {
        guard let found = try db.row(select + " WHERE c.id = ?", [id]).flatMap(collection) else {
            throw CollectionRecordError.notFound
        }
        return found
    }

    static func items(of collection: CollectionID, limit: Int, in db: Database) throws -> [CollectionItem] {
        let rows = try db.rows(
            """
            SELECT public_id, type, repository_id, item, note, position FROM collection_items
            WHERE collection_id = ? ORDER BY position, id LIMIT ?
            """, [collection, limit])
        return try rows.compactMap { row in
            let content: CollectionItem.Content
            if let id: RepositoryID = row["repository_id"] {
                // A deleted one comes back with its place when it is restored.
                guard let repository = try RepositoryRow.repository(id, in: db), repository.deletedAt == nil else { return nil }
                content = .repository(repository)
            } else {
                content = .other(type: row["type"], id: row["item"] ?? "")
            }
            return CollectionItem(id: row["public_id"], content: content, note: row["note"], position: row["position"])
        }
    }

    static func number(_ ids: [String], in collection: CollectionID, _ db: Database) throws {
        for (position, id) in ids.enumerated() {
            try db.run(
                "UPDATE collection_items SET position = ?1 WHERE collection_id = ?2 AND public_id = ?3 AND position <> ?1",
                [position, collection, id])
        }
    }

    static func touch(_ collection: CollectionID, at now: Int64, in db: Database) throws {
        try db.run("UPDATE collections SET updated_at = ? WHERE id = ?", [now, collection])
        guard db.changesCount == 1 else { throw CollectionRecordError.notFound }
    }
}
