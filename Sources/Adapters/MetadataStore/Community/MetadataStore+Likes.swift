import FoundationEssentials
import GRDB
import HubCore

/// A repository that somebody likes.
package struct Like: Hashable, Sendable {
    package let repository: Repository
    package let likedAt: Date
}

extension MetadataStore {
    /// - Returns: false when it liked the repository already.
    package func like(_ repository: RepositoryID, by account: AccountID) async throws -> Bool {
        try await write { db, now in
            _ = try RepositoryRow.live(repository, in: db)
            try db.run(
                "INSERT INTO likes (account_id, repository_id, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [account, repository, now])
            guard db.changesCount == 1 else { return false }
            try DayCounts.add(downloads: 0, likes: 1, to: repository, at: now, in: db)
            return true
        }
    }

    /// - Returns: false when it did not like the repository.
    package func unlike(_ repository: RepositoryID, by account: AccountID) async throws -> Bool {
        try await write { db, now in
            try db.run("DELETE FROM likes WHERE account_id = ? AND repository_id = ?", [account, repository])
            guard db.changesCount == 1 else { return false }
            try DayCounts.add(downloads: 0, likes: -1, to: repository, at: now, in: db)
            return true
        }
    }

    /// Who likes a repository, oldest account first.
    package func likers(of repository: RepositoryID, after: String? = nil, limit: Int = 100) async throws -> Page<Account> {
        let limit = ListLimit.clamp(limit)
        let after = try ListCursor.id(after) ?? 0
        return try await read { db in
            let accounts = try db.rows(
                """
                SELECT \(AccountRow.columns) FROM likes AS l JOIN accounts AS a ON a.id = l.account_id
                JOIN namespaces AS n ON n.account_id = a.id
                WHERE l.repository_id = ? AND l.account_id > ? ORDER BY l.account_id LIMIT ?
                """, [repository, after, limit + 1]
            ).map(AccountRow.account)
            return Page(accounts, limit: limit) { $0.id.description }
        }
    }

    /// What an account likes, whether or not others may see it; oldest repository first.
    package func likes(of account: AccountID, after: String? = nil, limit: Int = 100) async throws -> Page<Like> {
        let limit = ListLimit.clamp(limit)
        let after = try ListCursor.id(after) ?? 0
        return try await read { db in
            let rows = try db.rows(
                "SELECT repository_id, created_at FROM likes WHERE account_id = ? AND repository_id > ? ORDER BY repository_id LIMIT ?",
                [account, after, limit + 1])
            let likes = try rows.compactMap { row in
                try RepositoryRow.repository(row["repository_id"] as RepositoryID, in: db).map {
                    Like(repository: $0, likedAt: row.date("created_at"))
                }
            }
            return Page(likes, limit: limit) { $0.repository.id.description }
        }
    }
}
