import FoundationEssentials
import GRDB
import HubCore
import Synchronization

extension MetadataStore {
    package func createToken(_ new: NewToken, audit: AuditEntry) async throws -> AccessToken {
        try await change(audit) { db, now in
            guard try AccountRow.account(new.account, in: db) != nil else { throw MetadataError.accountNotFound }
            try db.run(
                """
                INSERT INTO tokens (account_id, name, hash, scope, is_limited, created_at, expires_at)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    new.account, new.name, Data(new.hash), new.scope, new.repositories != nil, now,
                    new.expiresAt?.milliseconds,
                ])
            let id = TokenID(db.lastInsertedRowID)
            for repository in new.repositories ?? [] {
                guard try RepositoryRow.repository(repository, in: db) != nil else {
                    throw MetadataError.repositoryNotFound
                }
                try db.run("INSERT INTO token_repositories (token_id, repository_id) VALUES (?, ?)", [id, repository])
            }
            return try TokenRow.token(id, in: db).orThrow(.tokenNotFound)
        }
    }

    /// The token with this SHA-256 and its account.
    ///
    /// Also a revoked or expired one, so that the caller can say which it is.
    package func token(hash: [UInt8]) async throws -> (token: AccessToken, account: Account)? {
        try lookUp { db in
            guard let row = try db.row(TokenRow.select + " WHERE t.hash = ?", [Data(hash)]) else { return nil }
            let token = try TokenRow.token(row, in: db)
            guard let account = try AccountRow.account(token.account, in: db) else { return nil }
            return (token, account)
        }
    }

    package func token(id: TokenID) async throws -> AccessToken? {
        try await read { db in try TokenRow.token(id, in: db) }
    }

    /// By id, revoked and expired ones too; `nil` `account`: of all.
    package func tokens(
        of account: AccountID? = nil, after: String? = nil, limit: Int = 100
    ) async throws -> Page<AccessToken> {
        let limit = ListLimit.clamp(limit)
        let after = try ListCursor.id(after) ?? 0
        return try await read { db in
            let rows =
                if let account {
                    try db.rows(
                        TokenRow.select + " WHERE t.account_id = ? AND t.id > ? ORDER BY t.id LIMIT ?",
                        [account, after, limit + 1])
                } else {
                    try db.rows(TokenRow.select + " WHERE t.id > ? ORDER BY t.id LIMIT ?", [after, limit + 1])
                }
            let tokens = try rows.map { try TokenRow.token($0, in: db) }
            return Page(tokens, limit: limit) { $0.id.description }
        }
    }

    /// From its return on the token works nowhere.
    ///
    /// Revoking again changes nothing.
    package func revokeToken(_ id: TokenID, audit: AuditEntry) async throws -> AccessToken {
        try await change(audit) { db, now in
            try db.run("UPDATE tokens SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?", [now, id])
            return try TokenRow.token(id, in: db).orThrow(.tokenNotFound)
        }
    }

    /// Writes down the last use, at most once a minute a token.
    package func touchToken(_ id: TokenID, at date: Date) async throws {
        guard tokenUses.isDue(id, at: date.milliseconds) else { return }
        try await committer.run(isSeen: false) { db in
            try db.run(
                "UPDATE tokens SET last_used_at = ?1 WHERE id = ?2 AND coalesce(last_used_at, 0) < ?1",
                [date.milliseconds, id])
        }
    }
}

/// When the last use of each token was written.
final class TokenUses: Sendable {
    private static let intervalMilliseconds: Int64 = 60_000
    private static let bound = 10_000
    private let written = Mutex<[TokenID: Int64]>([:])

    func isDue(_ id: TokenID, at now: Int64) -> Bool {
        written.withLock { written in
            if let last = written[id], now >= last, now - last < Self.intervalMilliseconds { return false }
            // Forgetting costs one more write a token.
            if written.count >= Self.bound { written.removeAll(keepingCapacity: true) }
            written[id] = now
            return true
        }
    }
}

/// Reads rows of tokens.
enum TokenRow {
    static let select = """
        SELECT t.id, t.account_id, t.name, t.scope, t.is_limited, t.created_at, t.expires_at, t.last_used_at, t.revoked_at
        FROM tokens AS t
        """

    static func token(_ id: TokenID, in db: Database) throws -> AccessToken? {
        try db.row(select + " WHERE t.id = ?", [id]).map { try token($0, in: db) }
    }

    static func token(_ row: Row, in db: Database) throws -> AccessToken {
        let id: TokenID = row["id"]
        var repositories: Set<RepositoryID>?
        if row["is_limited"] {
            let rows = try db.rows("SELECT repository_id FROM token_repositories WHERE token_id = ?", [id])
            repositories = Set(rows.map { $0[0] as RepositoryID })
        }
        return AccessToken(
            id: id, account: row["account_id"], name: row["name"], scope: row["scope"], repositories: repositories,
            createdAt: row.date("created_at"), expiresAt: row.optionalDate("expires_at"),
            lastUsedAt: row.optionalDate("last_used_at"), revokedAt: row.optionalDate("revoked_at"))
    }
}
