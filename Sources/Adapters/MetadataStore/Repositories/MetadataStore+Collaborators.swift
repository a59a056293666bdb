import GRDB
import HubCore

extension MetadataStore {
    /// At most 10,000.
    package func collaborators(of id: RepositoryID) async throws -> [Collaborator] {
        try await read { db in
            try db.rows(
                """
                SELECT \(AccountRow.columns), c.role FROM collaborators AS c
                JOIN accounts AS a ON a.id = c.account_id JOIN namespaces AS n ON n.account_id = a.id
                WHERE c.repository_id = ? ORDER BY c.account_id LIMIT 10000
                """, [id]
            ).map { Collaborator(account: AccountRow.account($0), role: $0["role"]) }
        }
    }

    /// Adds a collaborator, or changes its role.
    package func setCollaborator(
        _ account: AccountID, of repository: RepositoryID, role: CollaboratorRole, audit: AuditEntry
    ) async throws {
        try await change(audit) { db, now in
            _ = try RepositoryRow.live(repository, in: db)
            guard try AccountRow.account(account, in: db) != nil else { throw MetadataError.accountNotFound }
            try db.run(
                """
                INSERT INTO collaborators (repository_id, account_id, role, created_at) VALUES (?, ?, ?, ?)
                ON CONFLICT (repository_id, account_id) DO UPDATE SET role = excluded.role
                """, [repository, account, role, now])
        }
    }

    package func removeCollaborator(_ account: AccountID, of repository: RepositoryID, audit: AuditEntry) async throws {
        try await change(audit) { db, _ in
            try db.run("DELETE FROM collaborators WHERE repository_id = ? AND account_id = ?", [repository, account])
            guard db.changesCount == 1 else { throw MetadataError.memberNotFound }
        }
    }

    package func collaboratorRole(of account: AccountID, in repository: RepositoryID) async throws -> CollaboratorRole?
    {
        try await read { db in try Self.collaboratorRole(of: account, in: repository, db) }
    }

    /// What `Identity` needs to decide, in one snapshot.
    package func accessFacts(of account: AccountID, to repository: Repository) async throws -> AccessFacts {
        try lookUp { db in
            var facts = AccessFacts()
            if case .organization(let organization) = repository.owner {
                facts.organizationRole = try OrganizationRow.role(of: account, in: organization, db)
            }
            facts.collaboratorRole = try Self.collaboratorRole(of: account, in: repository.id, db)
            if repository.gating != .off {
                facts.isAdmitted = try db.exists(
                    "SELECT 1 FROM access_requests WHERE repository_id = ? AND account_id = ? AND status = 'accepted'",
                    [repository.id, account])
            }
            return facts
        }
    }

    private static func collaboratorRole(
        of account: AccountID, in repository: RepositoryID, _ db: Database
    ) throws -> CollaboratorRole? {
        try db.value(
            CollaboratorRole.self, "SELECT role FROM collaborators WHERE repository_id = ? AND account_id = ?",
            [repository, account])
    }
}
