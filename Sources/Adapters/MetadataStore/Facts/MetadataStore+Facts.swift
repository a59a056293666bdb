import FoundationEssentials
import GRDB
import HubCore

extension MetadataStore {
    /// What the indexer found, `nil` before it has been there.
    package func facts(of id: RepositoryID) async throws -> RepositoryFacts? {
        try lookUp { db in
            try db.row("SELECT \(FactsRow.columns(.whole, withCard: true)) FROM facts AS f WHERE f.repository_id = ?", [id])
                .flatMap { FactsRow.facts($0, from: 0, .whole, withCard: true) }
        }
    }

    /// Which commit the facts are of and by which rules they were made.
    package func factsState(of id: RepositoryID) async throws -> (commit: GitOID?, rules: Int?) {
        try lookUp { db in
            let row = try db.row("SELECT commit_oid, rules FROM facts WHERE repository_id = ?", [id])
            return (row?["commit_oid"], row?["rules"])
        }
    }

    /// Keeps the facts of a commit, and the text of its README for search; the lists follow in the same transaction.
    ///
    /// - Parameter rules: The version of the rules that made them; others make the repository stale.
    package func saveFacts(_ facts: RepositoryFacts, searchText: String, of id: RepositoryID, rules: Int) async throws {
        try await write { db, _ in
            // Purged meanwhile: nothing to keep.
            guard try db.exists("SELECT 1 FROM repositories WHERE id = ?", [id]) else { return }
            try SearchRow.setBody(searchText, of: id.rawValue, in: db)
            try FactsRow.save(facts, of: id, rules: rules, in: db)
        }
    }

    /// Repositories among the `span` ids after `last` whose facts are missing, were made by other rules, or are of another commit
    /// than the default branch's. `through` says how far was looked; `nil` at the end.
    package func staleFacts(after last: RepositoryID?, rules: Int, span: Int64 = 2000) async throws
        -> (repositories: [RepositoryID], through: RepositoryID?)
    {
        try await read { db in
            let start = last?.rawValue ?? 0
            let greatest = try db.value(Int64.self, "SELECT max(id) FROM repositories") ?? 0
            let end = start + span
            let ids = try db.rows(
                """
                SELECT r.id FROM repositories AS r LEFT JOIN facts AS f ON f.repository_id = r.id
                LEFT JOIN refs AS h ON h.repository_id = r.id AND h.name = 'refs/heads/' || r.default_branch
                WHERE r.id > ? AND r.id <= ? AND r.deleted_at IS NULL
                    AND (f.repository_id IS NULL OR f.rules <> ? OR f.commit_oid IS NOT h.oid)
                ORDER BY r.id
                """, [start, end, rules]
            ).map { RepositoryID($0[0]) }
            return (ids, end < greatest ? RepositoryID(end) : nil)
        }
    }

    /// The bytes of a repository's packs and of the large objects linked to it.
    package func usedStorage(of id: RepositoryID) async throws -> Int64 {
        try await read { db in
            let packs = try db.value(
                Int64.self, "SELECT CAST(total(size_bytes) AS INTEGER) FROM packs WHERE repository_id = ? AND removed_at IS NULL", [id])
            let objects = try db.value(
                Int64.self,
                """
                SELECT CAST(total(o.size_bytes) AS INTEGER) FROM object_links AS l JOIN objects AS o ON o.oid = l.oid WHERE l.repository_id = ?
                """, [id])
            return (packs ?? 0) + (objects ?? 0)
        }
    }
}
