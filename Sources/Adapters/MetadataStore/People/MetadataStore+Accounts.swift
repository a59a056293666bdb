import FoundationEssentials
import GRDB
import HubCore

extension MetadataStore {
    package func createAccount(_ new: NewAccount, audit: AuditEntry) async throws -> Account {
        try await change(audit) { db, now in
            try NamespaceRow.requireFree(new.name, in: db)
            try db.run(
                "INSERT INTO accounts (email, full_name, password_hash, origin, created_at) VALUES (?, ?, ?, ?, ?)",
                [new.email, new.fullName, new.passwordHash, new.origin, now])
            let id = AccountID(db.lastInsertedRowID)
            try db.run(
                "INSERT INTO namespaces (key, name, account_id) VALUES (?, ?, ?)", [new.name.key, new.name.text, id])
            try AccountRow.setRoles(new.siteRoles, of: id, in: db)
            return try AccountRow.account(id, in: db).orThrow(.accountNotFound)
        }
    }

    package func account(named name: NamespaceName) async throws -> Account? {
        try await read { db in
            try db.row(AccountRow.select + " WHERE n.key = ?", [name.key]).map(AccountRow.account)
        }
    }

    package func account(id: AccountID) async throws -> Account? {
        try lookUp { db in try AccountRow.account(id, in: db) }
    }

    /// By name, without case.
    package func accounts(after: String? = nil, limit: Int = 100) async throws -> Page<Account> {
        let limit = ListLimit.clamp(limit)
        return try await read { db in
            let accounts = try db.rows(
                AccountRow.select + " WHERE n.key > ? ORDER BY n.key LIMIT ?", [after ?? "", limit + 1]
            ).map(AccountRow.account)
            return Page(accounts, limit: limit) { $0.name.key }
        }
    }

    package func accountCount() async throws -> Int {
        try await read { db in try db.value(Int.self, "SELECT count(*) FROM accounts") ?? 0 }
    }

    package func updateAccount(_ id: AccountID, _ change: AccountChange, audit: AuditEntry) async throws -> Account {
        try await self.change(audit) { db, _ in
            guard try AccountRow.account(id, in: db) != nil else { throw MetadataError.accountNotFound }
            if let email = change.email.value { try db.run("UPDATE accounts SET email = ? WHERE id = ?", [email, id]) }
            if let name = change.fullName.value {
                try db.run("UPDATE accounts SET full_name = ? WHERE id = ?", [name, id])
            }
            if let hash = change.passwordHash.value {
                try db.run("UPDATE accounts SET password_hash = ? WHERE id = ?", [hash, id])
            }
            if let isDisabled = change.isDisabled.value {
                try db.run("UPDATE accounts SET is_disabled = ? WHERE id = ?", [isDisabled, id])
            }
            if let roles = change.siteRoles.value { try AccountRow.setRoles(roles, of: id, in: db) }
            return try AccountRow.account(id, in: db).orThrow(.accountNotFound)
        }
    }

    /// Refused while it owns repositories.
    ///
    /// Its tokens, memberships, locks and uploads go with it; the audit log keeps its name.
    package func deleteAccount(_ id: AccountID, audit: AuditEntry) async throws {
        try await change(audit) { db, _ in
            let namespace = try NamespaceRow.find(.account(id), in: db).orThrow(.accountNotFound)
            try namespace.requireEmpty(in: db)
            try db.run("DELETE FROM accounts WHERE id = ?", [id])
        }
    }

    /// An account and its password's hash, for signing in.
    package func storedPassword(named name: NamespaceName) async throws -> StoredPassword? {
        try await read { db in
            guard let account = try db.row(AccountRow.select + " WHERE n.key = ?", [name.key]).map(AccountRow.account)
            else {
                return nil
            }
            return StoredPassword(account: account, hash: try AccountRow.passwordHash(account.id, in: db))
        }
    }

    package func passwordHash(of id: AccountID) async throws -> String? {
        try await read { db in try AccountRow.passwordHash(id, in: db) }
    }
}

/// Reads and writes rows of accounts.
enum AccountRow {
    static let columns = """
        a.id AS account_id, n.name AS account_name, a.email, a.full_name, a.is_disabled, a.created_at AS account_created_at,
        (SELECT group_concat(role) FROM site_roles AS s WHERE s.account_id = a.id) AS roles
        """
    static let select = "SELECT \(columns) FROM namespaces AS n JOIN accounts AS a ON a.id = n.account_id"

    static func account(_ row: Row) -> Account {
        let roles: String? = row["roles"]
        return Account(
            id: row["account_id"], name: NamespaceName(trusted: row["account_name"]), email: row["email"],
            fullName: row["full_name"],
            siteRoles: Set((roles ?? "").split(separator: ",").compactMap { SiteRole(rawValue: String($0)) }),
            isDisabled: row["is_disabled"], createdAt: row.date("account_created_at"))
    }

    static func account(_ id: AccountID, in db: Database) throws -> Account? {
        try db.row(select + " WHERE n.account_id = ?", [id]).map(account)
    }

    static func passwordHash(_ id: AccountID, in db: Database) throws -> String? {
        try db.row("SELECT password_hash FROM accounts WHERE id = ?", [id])?[0]
    }

    static func setRoles(_ roles: Set<SiteRole>, of id: AccountID, in db: Database) throws {
        try db.run("DELETE FROM site_roles WHERE account_id = ?", [id])
        for role in roles { try db.run("INSERT INTO site_roles (account_id, role) VALUES (?, ?)", [id, role]) }
    }
}

extension Optional {
    func orThrow(_ error: MetadataError) throws(MetadataError) -> Wrapped {
        guard let self else { throw error }
        return self
    }
}
