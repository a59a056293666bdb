import FoundationEssentials
import GRDB
import HubCore

extension MetadataStore {
    /// What waits for one webhook at most; more is not kept.
    private static let maximumWaiting = 1000

    // MARK: - Webhooks

    package func webhooks(of account: AccountID) async throws -> [Webhook] {
        try await read { db in
            try WebhookRow.webhooks(" WHERE w.account_id = ? ORDER BY w.id", [account], in: db)
        }
    }

    package func webhook(_ publicID: String, of account: AccountID) async throws -> Webhook {
        try await read { db in try WebhookRow.find(publicID, of: account, in: db) }
    }

    /// - Parameter form: whole.
    package func createWebhook(_ form: WebhookForm, for account: AccountID, audit: AuditEntry) async throws -> Webhook {
        try await change(audit) { db, now in
            let count = try db.value(Int.self, "SELECT count(*) FROM webhooks WHERE account_id = ?", [account]) ?? 0
            guard count < WebhookRecordError.maximumPerAccount else { throw WebhookRecordError.tooMany }
            let (publicID, domains) = (PublicID.make(), form.domains ?? Set(WebhookDomain.allCases))
            try db.run(
                """
                INSERT INTO webhooks (public_id, account_id, url, secret, tells_repositories, tells_discussions, created_at, updated_at)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)
                """,
                [
                    publicID, account, form.url, form.secret.map { Data($0) }, domains.contains(.repo),
                    domains.contains(.discussion), now,
                ])
            try WebhookRow.setWatches(form.watches ?? [], of: WebhookID(db.lastInsertedRowID), in: db)
            return try WebhookRow.find(publicID, of: account, in: db)
        }
    }

    package func updateWebhook(
        _ publicID: String, of account: AccountID, _ form: WebhookForm, audit: AuditEntry
    ) async throws -> Webhook {
        try await change(audit) { db, now in
            let old = try WebhookRow.find(publicID, of: account, in: db)
            let domains = form.domains ?? old.domains
            try db.run(
                """
                UPDATE webhooks SET url = coalesce(?, url), secret = coalesce(?, secret), tells_repositories = ?,
                    tells_discussions = ?, updated_at = ? WHERE id = ?
                """,
                [
                    form.url, form.secret.map { Data($0) }, domains.contains(.repo), domains.contains(.discussion), now, old.id,
                ])
            if let watches = form.watches { try WebhookRow.setWatches(watches, of: old.id, in: db) }
            return try WebhookRow.find(publicID, of: account, in: db)
        }
    }

    /// What waits for a disabled webhook is forgotten.
    package func setWebhook(
        _ publicID: String, of account: AccountID, isDisabled: Bool, audit: AuditEntry
    ) async throws -> Webhook {
        try await change(audit) { db, now in
            let old = try WebhookRow.find(publicID, of: account, in: db)
            try db.run("UPDATE webhooks SET is_disabled = ?, updated_at = ? WHERE id = ?", [isDisabled, now, old.id])
            if isDisabled { try db.run("DELETE FROM webhook_deliveries WHERE webhook_id = ?", [old.id]) }
            return try WebhookRow.find(publicID, of: account, in: db)
        }
    }

    package func deleteWebhook(_ publicID: String, of account: AccountID, audit: AuditEntry) async throws {
        try await change(audit) { db, _ in
            let old = try WebhookRow.find(publicID, of: account, in: db)
            try db.run("DELETE FROM webhooks WHERE id = ?", [old.id])
        }
    }

    /// The enabled webhooks that watch a repository or its owner, at most 1,000.
    package func webhooks(watching repository: Repository, _ domain: WebhookDomain) async throws -> [Webhook] {
        let owner =
            switch repository.owner {
            case .account: "user"
            case .organization: "org"
            }
        let path = RepositoryRow.pathKey(repository.name)
        let flag = domain == .repo ? "tells_repositories" : "tells_discussions"
        return try await read { db in
            try WebhookRow.webhooks(
                """
                 WHERE w.is_disabled = 0 AND w.\(flag) = 1 AND w.id IN (
                    SELECT webhook_id FROM webhook_watches WHERE key = ?1 AND type = ?2
                    UNION SELECT webhook_id FROM webhook_watches WHERE key = ?3 AND type = ?4)
                ORDER BY w.id LIMIT 1000
                """, [path, repository.kind, repository.name.owner.key, owner], in: db)
        }
    }

    // MARK: - Deliveries

    package func enqueueDeliveries(_ deliveries: [(webhook: WebhookID, payload: String)]) async throws {
        try await write { db, now in
            for (webhook, payload) in deliveries {
                try db.run(
                    """
                    INSERT INTO webhook_deliveries (webhook_id, payload, next_at, created_at)
                    SELECT id, ?2, ?3, ?3 FROM webhooks WHERE id = ?1
                        AND (SELECT count(*) FROM webhook_deliveries WHERE webhook_id = ?1) < ?4
                    """, [webhook, payload, now, Self.maximumWaiting])
            }
        }
    }

    /// Those whose time has come, first come first.
    package func dueDeliveries(limit: Int) async throws -> [WebhookDelivery] {
        let now = now
        return try await read { db in
            let rows = try db.rows(
                "SELECT * FROM webhook_deliveries WHERE next_at <= ? ORDER BY next_at, id LIMIT ?", [now, limit])
            return try rows.compactMap { row in
                let webhooks = try WebhookRow.webhooks(" WHERE w.id = ?", [row["webhook_id"] as WebhookID], in: db)
                return webhooks.first.map {
                    WebhookDelivery(id: row["id"], webhook: $0, payload: row["payload"], attempts: row["attempts"])
                }
            }
        }
    }

    package func finishDelivery(_ id: Int64) async throws {
        try await write { db, _ in try db.run("DELETE FROM webhook_deliveries WHERE id = ?", [id]) }
    }

    package func postponeDelivery(_ id: Int64, until date: Date) async throws {
        try await write { db, _ in
            try db.run(
                "UPDATE webhook_deliveries SET attempts = attempts + 1, next_at = ? WHERE id = ?", [date.milliseconds, id])
        }
    }
}

/// Reads and writes rows of webhooks.
private enum WebhookRow {
    static func webhooks(_ condition: String, _ arguments: StatementArguments, in db: Database) throws -> [Webhook] {
        try db.rows("SELECT w.* FROM webhooks AS w" + condition, arguments).map { row in
            let id: WebhookID = row["id"]
            let watches = try db.rows("SELECT type, name FROM webhook_watches WHERE webhook_id = ? ORDER BY type, key", [id])
            let secret: Data? = row["secret"]
            var domains: Set<WebhookDomain> = []
            if row["tells_repositories"] { domains.insert(.repo) }
            if row["tells_discussions"] { domains.insert(.discussion) }
            return Webhook(
                id: id, publicID: row["public_id"], account: row["account_id"], url: row["url"], secret: secret.map { Array($0) },
                watches: watches.compactMap { watch in
                    WebhookWatch.Kind(rawValue: watch["type"]).map { WebhookWatch(kind: $0, name: watch["name"]) }
                }, domains: domains, isDisabled: row["is_disabled"])
        }
    }

    static func find(_ publicID: String, of account: AccountID, in db: Database) throws -> Webhook {
        let found = try webhooks(" WHERE w.public_id = ? AND w.account_id = ?", [publicID, account], in: db)
        guard let webhook = found.first else { throw WebhookRecordError.notFound }
        return webhook
    }

    static func setWatches(_ watches: [WebhookWatch], of id: WebhookID, in db: Database) throws {
        try db.run("DELETE FROM webhook_watches WHERE webhook_id = ?", [id])
        for watch in watches {
            try db.run(
                "INSERT INTO webhook_watches (webhook_id, type, name, key) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [id, watch.kind.rawValue, watch.name, watch.name.lowercased()])
        }
    }
}
