import FoundationEssentials
import GRDB
import HubCore

/// Keeps what lists read in step with the repositories: their sort keys, their terms, their names, their words.
///
/// All of it can be made again from `repositories`, `facts` and the counters. Triggers mark what changed in `listing_stale`, and
/// every change settles the marks before it is committed, so that a list never shows what another row has forgotten.
enum Listing {
    /// How many marks one change settles at most: its own, and some of a backlog that an update of the hub left.
    static let settledPerChange = 64

    /// Makes the listing of marked repositories again; the newest first, so that a change settles its own mark.
    ///
    /// - Returns: how many there were.
    @discardableResult
    static func settle(_ db: Database, limit: Int = settledPerChange) throws -> Int {
        let stale = try db.rows("SELECT repository_id FROM listing_stale ORDER BY repository_id DESC LIMIT ?", [limit])
            .map { $0[0] as Int64 }
        guard !stale.isEmpty else { return 0 }
        var writer = TermWriter(db)
        for id in stale {
            try refresh(id, db, &writer)
            try db.run("DELETE FROM listing_stale WHERE repository_id = ?", [id])
            if writer.isLarge { try writer.flush() }
        }
        try writer.flush()
        return stale.count
    }

    private static func refresh(_ id: Int64, _ db: Database, _ writer: inout TermWriter) throws {
        let row = try db.row(
            """
            SELECT r.kind, r.namespace_id, r.visibility, r.gating, r.path_key, r.description, r.created_at, r.deleted_at,
                f.last_modified, f.parameters, f.library_name, f.pipeline_tag, f.sdk, f.title, f.summary, f.tags,
                f.base_models, f.datasets,
                l.terms, l.is_listed
            FROM repositories AS r LEFT JOIN facts AS f ON f.repository_id = r.id LEFT JOIN listing AS l ON l.repository_id = r.id
            WHERE r.id = ?
            """, [id])
        guard let row else { return }
        let isListed = row["deleted_at"] as Int64? == nil
        let old = Set(JSONList.numbers(row["terms"] ?? "[]"))
        let new = Set(try isListed ? terms(row).map { try writer.id($0) } : [])
        for term in old.subtracting(new) { try writer.remove(id, from: term) }
        for term in new.subtracting(old) { try writer.insert(id, into: term) }
        let created: Int64 = row["created_at"]
        try db.run(
            """
            INSERT INTO listing (repository_id, kind, is_listed, created, modified, parameters, terms) VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (repository_id) DO UPDATE SET kind = excluded.kind, is_listed = excluded.is_listed,
                created = excluded.created, modified = excluded.modified, parameters = excluded.parameters, terms = excluded.terms
            """,
            [
                id, row["kind"] as RepositoryKind, isListed, created, row["last_modified"] as Int64? ?? created,
                row["parameters"] as Int64?, JSONList.text(new.sorted()),
            ])
        try NameBlocks(db: db).set(isListed ? row["path_key"] : nil, of: id)
        try SearchRow.setTitle(isListed ? title(row) : nil, of: id, in: db)
    }

    private static func terms(_ row: Row) -> Set<Term> {
        let kind: RepositoryKind = row["kind"]
        var terms: Set<Term> = [
            Term(kind: kind, space: .visibility, text: row["visibility"]),
            Term(kind: kind, space: .owner, text: String(row["namespace_id"] as Int64)),
        ]
        for tag in FactsRow.lines(row["tags"] ?? "").prefix(RepositoryFacts.maximumTags) {
            terms.insert(Term(kind: kind, space: .tag, text: tag))
        }
        let gating: Gating = row["gating"]
        if gating != .off { terms.insert(Term(kind: kind, space: .gated, text: gating.rawValue)) }
        if kind == .space { terms.formUnion(links(row)) }
        if let library: String = row["library_name"] { terms.insert(Term(kind: kind, space: .library, text: library)) }
        if let pipeline: String = row["pipeline_tag"] { terms.insert(Term(kind: kind, space: .pipeline, text: pipeline)) }
        if let sdk: String = row["sdk"] { terms.insert(Term(kind: kind, space: .sdk, text: sdk)) }
        if let parameters: Int64 = row["parameters"] {
            terms.insert(Term(kind: kind, space: .size, text: String(Term.sizeBucket(parameters))))
        }
        return terms
    }

    /// What a space's card links to: no tags of its own, but lists are filtered by it as if it were.
    private static func links(_ row: Row) -> [Term] {
        let models = (row["base_models"] as String?).flatMap { JSONText(trusted: $0).node }.map(FactsJSON.baseModels) ?? []
        let names = models.map { "model:\($0.id)" } + FactsRow.lines(row["datasets"] ?? "").map { "dataset:\($0)" }
        return names.map { Term(kind: .space, space: .tag, text: $0) }
    }

    private static func title(_ row: Row) -> String {
        let parts: [String?] = [row["path_key"], row["title"], row["description"], row["summary"], row["tags"]]
        return parts.compactMap { $0 }.joined(separator: "\n")
    }
}

/// The words of a repository, for full-text search.
enum SearchRow {
    static func setTitle(_ title: String?, of repository: Int64, in db: Database) throws {
        guard let title else { return try db.run("DELETE FROM search WHERE rowid = ?", [repository]) }
        let current = try db.row("SELECT title FROM search WHERE rowid = ?", [repository])
        guard let current else {
            return try db.run("INSERT INTO search (rowid, title, body) VALUES (?, ?, '')", [repository, title])
        }
        guard current["title"] as String != title else { return }
        try db.run("UPDATE search SET title = ? WHERE rowid = ?", [title, repository])
    }

    static func setBody(_ body: String, of repository: Int64, in db: Database) throws {
        let current = try db.row("SELECT body FROM search WHERE rowid = ?", [repository])
        guard let current else {
            return try db.run("INSERT INTO search (rowid, title, body) VALUES (?, '', ?)", [repository, body])
        }
        guard current["body"] as String != body else { return }
        try db.run("UPDATE search SET body = ? WHERE rowid = ?", [body, repository])
    }
}

extension JSONList {
    static func numbers(_ text: String) -> [Int64] {
        text.dropFirst().dropLast().split(separator: ",").compactMap { Int64($0) }
    }
}
