import FoundationEssentials
import GRDB

/// Values of settings, by key.
///
/// Which keys exist and what they may hold is known to those who read them.
extension MetadataStore {
    package func setting(_ key: String) async throws -> String? {
        try lookUp { db in try db.value(String.self, "SELECT value FROM settings WHERE key = ?", [key]) }
    }

    /// All that differ from their defaults.
    package func settings() async throws -> [String: String] {
        try await read { db in
            var values: [String: String] = [:]
            for row in try db.rows("SELECT key, value FROM settings ORDER BY key LIMIT 1000") {
                values[row["key"]] = row["value"]
            }
            return values
        }
    }

    /// `nil` takes the setting back to its default.
    package func setSetting(_ key: String, to value: String?, audit: AuditEntry) async throws {
        try await change(audit) { db, now in
            if let value {
                try db.run(
                    """
                    INSERT INTO settings (key, value, updated_at) VALUES (?, ?, ?)
                    ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at
                    """, [key, value, now])
            } else {
                try db.run("DELETE FROM settings WHERE key = ?", [key])
            }
        }
    }

    /// The faults that `PRAGMA quick_check` finds, on a reader, at most 100 lines; none when the database is sound.
    package func quickCheck() async throws -> [String] {
        try await read { db in
            try String.fetchAll(db, sql: "PRAGMA quick_check(100)").filter { $0 != "ok" }
        }
    }
}
