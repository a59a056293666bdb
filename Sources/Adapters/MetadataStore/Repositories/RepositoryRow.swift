import FoundationEssentials
import GRDB
import HubCore

/// Reads rows of repositories.
enum RepositoryRow {
    static let select = """
        SELECT r.id, r.uid, r.kind, n.name AS owner_name, n.account_id, n.organization_id, r.name, r.visibility,
            r.gating, r.is_protected, r.default_branch, r.creator_id, r.description, r.created_at, r.updated_at, r.deleted_at
        FROM repositories AS r JOIN namespaces AS n ON n.id = r.namespace_id
        """

    static func repository(_ row: Row) throws -> Repository {
        let (account, organization): (AccountID?, OrganizationID?) = (row["account_id"], row["organization_id"])
        guard let owner = account.map(NamespaceOwner.account) ?? organization.map(NamespaceOwner.organization) else {
            throw MetadataError.unusable("A name space has no owner.")
        }
        return Repository(
            id: row["id"], uid: RepositoryUID(trusted: row["uid"]), kind: row["kind"],
            name: RepositoryName(trustedOwner: row["owner_name"], name: row["name"]), owner: owner,
            visibility: row["visibility"], gating: row["gating"], isProtected: row["is_protected"],
            defaultBranch: row["default_branch"], creator: row["creator_id"],
            description: row["description"], createdAt: row.date("created_at"), updatedAt: row.date("updated_at"),
            deletedAt: row.optionalDate("deleted_at"))
    }

    static func repository(_ id: RepositoryID, in db: Database) throws -> Repository? {
        try db.row(select + " WHERE r.id = ?", [id]).map(repository)
    }

    /// One that is not deleted.
    static func live(_ id: RepositoryID, in db: Database) throws -> Repository {
        let repository = try repository(id, in: db)
        guard let repository, repository.deletedAt == nil else { throw MetadataError.repositoryNotFound }
        return repository
    }

    static func lookup(_ reference: RepositoryReference, in db: Database) throws -> RepositoryLookup? {
        let key = pathKey(reference.name)
        let found = try db.row(
            select + " WHERE r.kind = ? AND r.path_key = ? AND r.deleted_at IS NULL", [reference.kind, key])
        if let found { return .found(try repository(found)) }
        let moved = try db.row(
            select + """
                 WHERE r.id = (SELECT repository_id FROM redirects WHERE kind = ? AND path_key = ?) AND r.deleted_at IS NULL
                """, [reference.kind, key])
        return try moved.map { .redirected(try repository($0)) }
    }

    static func pathKey(_ name: RepositoryName) -> String { "\(name.owner.key)/\(name.name.lowercased())" }

    /// Refuses when a repository that is not deleted has the name, and takes it from one that was renamed.
    static func takeName(_ reference: RepositoryReference, in db: Database) throws {
        let key = pathKey(reference.name)
        let isTaken = try db.exists(
            "SELECT 1 FROM repositories WHERE kind = ? AND path_key = ? AND deleted_at IS NULL", [reference.kind, key])
        guard !isTaken else { throw MetadataError.repositoryExists(reference) }
        try db.run("DELETE FROM redirects WHERE kind = ? AND path_key = ?", [reference.kind, key])
    }
}
