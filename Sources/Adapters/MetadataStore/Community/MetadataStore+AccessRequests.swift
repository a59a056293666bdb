import FoundationEssentials
import GRDB
import HubCore

extension MetadataStore {
    /// Asks for access, or asks again: a request that was rejected or lost its grant becomes a new one, an accepted one stays.
    package func requestAccess(
        to repository: RepositoryID, by account: AccountID, fields: JSONText, status: AccessRequestStatus, audit: AuditEntry
    ) async throws -> AccessRequest {
        try await change(audit) { db, now in
            _ = try RepositoryRow.live(repository, in: db)
            let decided = status == .pending ? nil : now
            try db.run(
                """
                INSERT INTO access_requests (repository_id, account_id, status, fields, requested_at, decided_at)
                VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (repository_id, account_id) DO UPDATE SET status = excluded.status, fields = excluded.fields,
                    rejection_reason = NULL, requested_at = excluded.requested_at, decided_at = excluded.decided_at
                WHERE status <> 'accepted'
                """, [repository, account, status.rawValue, fields.text, now, decided])
            return try AccessRequestRow.find(repository, account, in: db).orThrow(.accountNotFound)
        }
    }

    /// Decides about somebody, whether they asked or not.
    package func decideAccess(
        to repository: RepositoryID, of account: AccountID, _ status: AccessRequestStatus, reason: String?,
        by decider: AccountID?, audit: AuditEntry
    ) async throws -> AccessRequest {
        try await change(audit) { db, now in
            _ = try RepositoryRow.live(repository, in: db)
            try db.run(
                """
                INSERT INTO access_requests
                    (repository_id, account_id, status, fields, rejection_reason, decided_by, requested_at, decided_at)
                VALUES (?1, ?2, ?3, 'null', ?4, ?5, ?6, ?7)
                ON CONFLICT (repository_id, account_id) DO UPDATE SET status = excluded.status,
                    rejection_reason = excluded.rejection_reason, decided_by = excluded.decided_by, decided_at = excluded.decided_at
                """, [repository, account, status.rawValue, reason, decider, now, status == .pending ? nil : now])
            return try AccessRequestRow.find(repository, account, in: db).orThrow(.accountNotFound)
        }
    }

    package func accessRequest(to repository: RepositoryID, of account: AccountID) async throws -> AccessRequest? {
        try lookUp { db in try AccessRequestRow.find(repository, account, in: db) }
    }

    package func accessRequest(id: AccessRequestID, to repository: RepositoryID) async throws -> AccessRequest? {
        try lookUp { db in
            try db.row(AccessRequestRow.select + " WHERE q.id = ? AND q.repository_id = ?", [id, repository])
                .map(AccessRequestRow.request)
        }
    }

    /// Oldest first.
    package func accessRequests(
        to repository: RepositoryID, _ status: AccessRequestStatus, after: String? = nil, limit: Int = 100
    ) async throws -> Page<AccessRequest> {
        let limit = ListLimit.clamp(limit)
        let after = try ListCursor.id(after) ?? 0
        return try await read { db in
            let requests = try db.rows(
                AccessRequestRow.select + " WHERE q.repository_id = ? AND q.status = ? AND q.id > ? ORDER BY q.id LIMIT ?",
                [repository, status.rawValue, after, limit + 1]
            ).map(AccessRequestRow.request)
            return Page(requests, limit: limit) { $0.id.description }
        }
    }
}

/// Reads rows of access requests.
private enum AccessRequestRow {
    static let select = """
        SELECT q.id AS request_id, q.repository_id, q.status, q.fields, q.rejection_reason, q.requested_at, q.decided_at,
            \(AccountRow.columns)
        FROM access_requests AS q JOIN accounts AS a ON a.id = q.account_id JOIN namespaces AS n ON n.account_id = a.id
        """

    static func find(_ repository: RepositoryID, _ account: AccountID, in db: Database) throws -> AccessRequest? {
        try db.row(select + " WHERE q.repository_id = ? AND q.account_id = ?", [repository, account]).map(request)
    }

    static func request(_ row: Row) -> AccessRequest {
        AccessRequest(
            id: row["request_id"], repository: row["repository_id"], account: AccountRow.account(row),
            // The schema allows no other words.
            status: AccessRequestStatus(rawValue: row["status"]) ?? .rejected,
            fields: JSONText(trusted: row["fields"]), rejectionReason: row["rejection_reason"],
            requestedAt: row.date("requested_at"), decidedAt: row.optionalDate("decided_at"))
    }
}
