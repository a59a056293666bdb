import FoundationEssentials
import GRDB
import HubCore

/// A variable or a secret of a space.
package struct SpaceVariable: Hashable, Sendable {
    package let key: String
    /// Of a secret, sealed.
    package let value: [UInt8]
    package let description: String?
    package let updatedAt: Date
}

/// What was asked of a space's runtime.
package struct SpaceRuntimeRecord: Hashable, Sendable {
    package var isPaused = false
    package var hardware: String?
    package var sleepSeconds: Int?
    package var isInDevMode = false
    /// An array, as clients gave it.
    package var volumes: JSONText?

    package init() {}
}

extension MetadataStore {
    package static let maximumSpaceVariables = 200

    package func spaceVariables(of repository: RepositoryID, secrets: Bool) async throws -> [SpaceVariable] {
        try await read { db in
            try db.rows(
                "SELECT * FROM space_variables WHERE repository_id = ? AND is_secret = ? ORDER BY key", [repository, secrets]
            ).map { row in
                let value: Data = row["value"]
                return SpaceVariable(
                    key: row["key"], value: Array(value), description: row["description"], updatedAt: row.date("updated_at"))
            }
        }
    }

    package func setSpaceVariable(
        _ key: String, value: [UInt8], description: String?, isSecret: Bool, of repository: RepositoryID, audit: AuditEntry
    ) async throws {
        try await change(audit) { db, now in
            _ = try RepositoryRow.live(repository, in: db)
            let others = try db.value(
                Int.self, "SELECT count(*) FROM space_variables WHERE repository_id = ? AND key <> ?", [repository, key]) ?? 0
            guard others < Self.maximumSpaceVariables else {
                throw ProblemError(
                    .tooLarge, code: "too_many_variables",
                    "A space has at most \(Self.maximumSpaceVariables) variables and secrets.")
            }
            try db.run(
                """
                INSERT INTO space_variables (repository_id, is_secret, key, value, description, updated_at) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (repository_id, is_secret, key) DO UPDATE SET value = excluded.value,
                    description = coalesce(excluded.description, description), updated_at = excluded.updated_at
                """, [repository, isSecret, key, Data(value), description, now])
        }
    }

    /// - Returns: false when there is none of that name.
    package func deleteSpaceVariable(
        _ key: String, isSecret: Bool, of repository: RepositoryID, audit: AuditEntry
    ) async throws -> Bool {
        try await change(audit) { db, _ in
            try db.run(
                "DELETE FROM space_variables WHERE repository_id = ? AND is_secret = ? AND key = ?", [repository, isSecret, key])
            return db.changesCount == 1
        }
    }

    package func spaceRuntime(of repository: RepositoryID) async throws -> SpaceRuntimeRecord {
        try lookUp { db in
            var record = SpaceRuntimeRecord()
            guard let row = try db.row("SELECT * FROM space_runtimes WHERE repository_id = ?", [repository]) else { return record }
            record.isPaused = row["is_paused"]
            record.hardware = row["hardware"]
            record.sleepSeconds = row["sleep_seconds"]
            record.isInDevMode = row["is_in_dev_mode"]
            let volumes: String? = row["volumes"]
            record.volumes = volumes.map { JSONText(trusted: $0) }
            return record
        }
    }

    package func setSpaceRuntime(_ record: SpaceRuntimeRecord, of repository: RepositoryID, audit: AuditEntry) async throws {
        try await change(audit) { db, now in
            _ = try RepositoryRow.live(repository, in: db)
            try db.run(
                """
                INSERT OR REPLACE INTO space_runtimes (repository_id, is_paused, hardware, sleep_seconds, is_in_dev_mode, volumes, updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    repository, record.isPaused, record.hardware, record.sleepSeconds, record.isInDevMode, record.volumes?.text,
                    now,
                ])
        }
    }
}
