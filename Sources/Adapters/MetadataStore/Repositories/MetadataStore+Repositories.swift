import FoundationEssentials
import GRDB
import HubCore

extension MetadataStore {
    package func createRepository(_ new: NewRepository, audit: AuditEntry) async throws -> Repository {
        let uid = RepositoryUID()
        return try await change(audit) { db, now in
            let name = new.reference.name
            let namespace = try NamespaceRow.find(name.owner, in: db).orThrow(.namespaceNotFound(name.owner))
            try RepositoryRow.takeName(new.reference, in: db)
            try db.run(
                """
                INSERT INTO repositories (uid, kind, namespace_id, name, path_key, visibility, default_branch, creator_id,
                    description, created_at, updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    uid.text, new.reference.kind, namespace.id, name.name, RepositoryRow.pathKey(name), new.visibility,
                    new.defaultBranch, new.creator, new.description, now, now,
                ])
            return try RepositoryRow.live(RepositoryID(db.lastInsertedRowID), in: db)
        }
    }

    /// One that is not deleted, by its name or a former one.
    package func repository(_ reference: RepositoryReference) async throws -> RepositoryLookup? {
        try lookUp { db in try RepositoryRow.lookup(reference, in: db) }
    }

    /// Also a deleted one.
    package func repository(id: RepositoryID) async throws -> Repository? {
        try lookUp { db in try RepositoryRow.repository(id, in: db) }
    }

    package func updateRepository(
        _ id: RepositoryID, _ change: RepositoryChange, audit: AuditEntry
    ) async throws -> Repository {
        try await self.change(audit) { db, now in
            _ = try RepositoryRow.live(id, in: db)
            if let visibility = change.visibility.value {
                try db.run("UPDATE repositories SET visibility = ? WHERE id = ?", [visibility, id])
            }
            if let gating = change.gating.value {
                try db.run("UPDATE repositories SET gating = ? WHERE id = ?", [gating, id])
            }
            if let isProtected = change.isProtected.value {
                try db.run("UPDATE repositories SET is_protected = ? WHERE id = ?", [isProtected, id])
            }
            if let branch = change.defaultBranch.value {
                try db.run(
                    "UPDATE repositories SET default_branch = ?, refs_version = refs_version + 1 WHERE id = ?",
                    [branch, id])
            }
            if let description = change.description.value {
                try db.run("UPDATE repositories SET description = ? WHERE id = ?", [description, id])
            }
            try db.run("UPDATE repositories SET updated_at = ? WHERE id = ?", [now, id])
            return try RepositoryRow.live(id, in: db)
        }
    }

    /// Renames it or moves it to another owner.
    ///
    /// The old name redirects until another repository takes it.
    package func renameRepository(
        _ id: RepositoryID, to name: RepositoryName, audit: AuditEntry
    ) async throws -> Repository {
        try await change(audit) { db, now in
            let old = try RepositoryRow.live(id, in: db)
            let namespace = try NamespaceRow.find(name.owner, in: db).orThrow(.namespaceNotFound(name.owner))
            let (oldKey, newKey) = (RepositoryRow.pathKey(old.name), RepositoryRow.pathKey(name))
            if oldKey != newKey {
                try RepositoryRow.takeName(RepositoryReference(kind: old.kind, name: name), in: db)
                try db.run(
                    """
                    INSERT INTO redirects (kind, path_key, repository_id, created_at) VALUES (?, ?, ?, ?)
                    ON CONFLICT (kind, path_key) DO UPDATE SET repository_id = excluded.repository_id
                    """, [old.kind, oldKey, id, now])
            }
            try db.run(
                "UPDATE repositories SET namespace_id = ?, name = ?, path_key = ?, updated_at = ? WHERE id = ?",
                [namespace.id, name.name, newKey, now, id])
            return try RepositoryRow.live(id, in: db)
        }
    }

    /// Marks it deleted: nobody finds it any more, its content stays until it is purged.
    package func deleteRepository(_ id: RepositoryID, audit: AuditEntry) async throws -> Repository {
        try await change(audit) { db, now in
            _ = try RepositoryRow.live(id, in: db)
            try db.run("UPDATE repositories SET deleted_at = ? WHERE id = ?", [now, id])
            return try RepositoryRow.repository(id, in: db).orThrow(.repositoryNotFound)
        }
    }

    /// Refused when another repository has taken its name since.
    package func undeleteRepository(_ id: RepositoryID, audit: AuditEntry) async throws -> Repository {
        try await change(audit) { db, now in
            let old = try RepositoryRow.repository(id, in: db).orThrow(.repositoryNotFound)
            guard old.deletedAt != nil else { return old }
            try RepositoryRow.takeName(old.reference, in: db)
            try db.run("UPDATE repositories SET deleted_at = NULL, updated_at = ? WHERE id = ?", [now, id])
            return try RepositoryRow.live(id, in: db)
        }
    }

    /// Those that had this name when they were deleted, last deleted first, at most 100.
    package func deletedRepositories(_ reference: RepositoryReference) async throws -> [Repository] {
        try await read { db in
            try db.rows(
                RepositoryRow.select + """
                     WHERE n.key = ? AND r.kind = ? AND r.path_key = ? AND r.deleted_at IS NOT NULL
                    ORDER BY r.deleted_at DESC LIMIT 100
                    """, [reference.name.owner.key, reference.kind, RepositoryRow.pathKey(reference.name)]
            ).map(RepositoryRow.repository)
        }
    }
}
