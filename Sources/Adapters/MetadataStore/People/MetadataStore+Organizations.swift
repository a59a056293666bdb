import FoundationEssentials
import GRDB
import HubCore

extension MetadataStore {
    package func createOrganization(_ new: NewOrganization, audit: AuditEntry) async throws -> Organization {
        try await change(audit) { db, now in
            try NamespaceRow.requireFree(new.name, in: db)
            try db.run("INSERT INTO organizations (full_name, created_at) VALUES (?, ?)", [new.fullName, now])
            let id = OrganizationID(db.lastInsertedRowID)
            try db.run(
                "INSERT INTO namespaces (key, name, organization_id) VALUES (?, ?, ?)",
                [new.name.key, new.name.text, id])
            if let admin = new.firstAdmin {
                guard try AccountRow.account(admin, in: db) != nil else { throw MetadataError.accountNotFound }
                try OrganizationRow.setMember(admin, of: id, role: .admin, at: now, in: db)
            }
            return try OrganizationRow.organization(id, in: db).orThrow(.organizationNotFound)
        }
    }

    package func organization(named name: NamespaceName) async throws -> Organization? {
        try await read { db in
            try db.row(OrganizationRow.select + " WHERE n.key = ?", [name.key]).map(OrganizationRow.organization)
        }
    }

    package func organization(id: OrganizationID) async throws -> Organization? {
        try await read { db in try OrganizationRow.organization(id, in: db) }
    }

    /// By name, without case.
    package func organizations(after: String? = nil, limit: Int = 100) async throws -> Page<Organization> {
        let limit = ListLimit.clamp(limit)
        return try await read { db in
            let organizations = try db.rows(
                OrganizationRow.select + " WHERE n.key > ? ORDER BY n.key LIMIT ?", [after ?? "", limit + 1]
            ).map(OrganizationRow.organization)
            return Page(organizations, limit: limit) { $0.name.key }
        }
    }

    package func updateOrganization(
        _ id: OrganizationID, fullName: String?, audit: AuditEntry
    ) async throws -> Organization {
        try await change(audit) { db, _ in
            try db.run("UPDATE organizations SET full_name = ? WHERE id = ?", [fullName, id])
            return try OrganizationRow.organization(id, in: db).orThrow(.organizationNotFound)
        }
    }

    /// Refused while it owns repositories.
    package func deleteOrganization(_ id: OrganizationID, audit: AuditEntry) async throws {
        try await change(audit) { db, _ in
            let namespace = try NamespaceRow.find(.organization(id), in: db).orThrow(.organizationNotFound)
            try namespace.requireEmpty(in: db)
            try db.run("DELETE FROM organizations WHERE id = ?", [id])
        }
    }

    /// By account id, oldest account first.
    package func members(of id: OrganizationID, after: String? = nil, limit: Int = 100) async throws -> Page<Member> {
        let limit = ListLimit.clamp(limit)
        let after = try ListCursor.id(after) ?? 0
        return try await read { db in
            let members = try db.rows(
                """
                SELECT \(AccountRow.columns), m.role, m.created_at AS since FROM members AS m
                JOIN accounts AS a ON a.id = m.account_id JOIN namespaces AS n ON n.account_id = a.id
                WHERE m.organization_id = ? AND m.account_id > ? ORDER BY m.account_id LIMIT ?
                """, [id, after, limit + 1]
            ).map(OrganizationRow.member)
            return Page(members, limit: limit) { $0.account.id.description }
        }
    }

    /// Adds a member, or changes its role.
    package func setMember(
        _ account: AccountID, of organization: OrganizationID, role: OrganizationRole, audit: AuditEntry
    ) async throws -> Member {
        try await change(audit) { db, now in
            let row = try AccountRow.account(account, in: db).orThrow(.accountNotFound)
            guard try OrganizationRow.organization(organization, in: db) != nil else {
                throw MetadataError.organizationNotFound
            }
            try OrganizationRow.setMember(account, of: organization, role: role, at: now, in: db)
            let since = try db.value(
                Int64.self, "SELECT created_at FROM members WHERE organization_id = ? AND account_id = ?",
                [organization, account])
            return Member(account: row, role: role, since: Date(milliseconds: since ?? now))
        }
    }

    package func removeMember(_ account: AccountID, of organization: OrganizationID, audit: AuditEntry) async throws {
        try await change(audit) { db, _ in
            try db.run("DELETE FROM members WHERE organization_id = ? AND account_id = ?", [organization, account])
            guard db.changesCount == 1 else { throw MetadataError.memberNotFound }
        }
    }

    package func organizationRole(
        of account: AccountID, in organization: OrganizationID
    ) async throws -> OrganizationRole? {
        try lookUp { db in try OrganizationRow.role(of: account, in: organization, db) }
    }

    package func organizationRoles(of account: AccountID) async throws -> [OrganizationID: OrganizationRole] {
        let memberships = try await memberships(of: account)
        return Dictionary(uniqueKeysWithValues: memberships.map { ($0.organization.id, $0.role) })
    }

    /// The organizations that an account belongs to, at most 10,000.
    package func memberships(of account: AccountID) async throws -> [Membership] {
        try await read { db in
            try db.rows(
                """
                SELECT \(OrganizationRow.columns), m.role FROM members AS m
                JOIN organizations AS o ON o.id = m.organization_id JOIN namespaces AS n ON n.organization_id = o.id
                WHERE m.account_id = ? ORDER BY m.organization_id LIMIT 10000
                """, [account]
            ).map { Membership(organization: OrganizationRow.organization($0), role: $0["role"]) }
        }
    }
}

/// Reads and writes rows of organizations and members.
enum OrganizationRow {
    static let columns = "o.id AS organization_id, n.name AS organization_name, o.full_name, o.created_at"
    static let select = "SELECT \(columns) FROM namespaces AS n JOIN organizations AS o ON o.id = n.organization_id"

    static func organization(_ row: Row) -> Organization {
        Organization(
            id: row["organization_id"], name: NamespaceName(trusted: row["organization_name"]),
            fullName: row["full_name"],
            createdAt: row.date("created_at"))
    }

    static func organization(_ id: OrganizationID, in db: Database) throws -> Organization? {
        try db.row(select + " WHERE n.organization_id = ?", [id]).map(organization)
    }

    static func member(_ row: Row) -> Member {
        Member(account: AccountRow.account(row), role: row["role"], since: row.date("since"))
    }

    static func role(of account: AccountID, in organization: OrganizationID, _ db: Database) throws -> OrganizationRole?
    {
        try db.value(
            OrganizationRole.self, "SELECT role FROM members WHERE organization_id = ? AND account_id = ?",
            [organization, account])
    }

    static func setMember(
        _ account: AccountID, of organization: OrganizationID, role: OrganizationRole, at now: Int64, in db: Database
    ) throws {
        try db.run(
            """
            INSERT INTO members (organization_id, account_id, role, created_at) VALUES (?, ?, ?, ?)
            ON CONFLICT (organization_id, account_id) DO UPDATE SET role = excluded.role
            """, [organization, account, role, now])
    }
}
