import FoundationEssentials
import GRDB
import HubCore

extension MetadataStore {
    /// One page of the repositories that a principal may see.
    package func repositories(_ query: RepositoryQuery) async throws -> Page<Repository> {
        try await read { db in try RepositoryList(query).page(db) }
    }
}

/// Answers a `RepositoryQuery`.
///
/// What somebody may see is the union of some sets (public ones of a kind, private ones of a name space, …), and each
/// is a range of an index in the order asked for. So the page is merged from the first entries of each range, whatever
/// the size of the site: a single query with `OR` would walk over all that the principal may not see.
struct RepositoryList {
    /// A repository with what it is sorted by.
    private struct Entry {
        let id: Int64
        let name: String
        let updated: Int64
    }

    private let query: RepositoryQuery
    private let limit: Int
    private let afterName: String
    private let afterUpdate: Int64
    private let afterID: Int64

    init(_ query: RepositoryQuery) throws {
        self.query = query
        limit = ListLimit.clamp(query.limit, maximum: RepositoryQuery.maximumLimit)
        let cursor = try query.after.map { try ListCursor(parsing: $0) }
        switch query.order {
        case .name:
            afterName = cursor?.key ?? ""
            afterID = cursor?.id ?? 0
            afterUpdate = 0
        case .updated:
            guard let update = Int64(cursor?.key ?? String(Int64.max)) else { throw MetadataError.invalidCursor }
            afterName = ""
            afterID = cursor?.id ?? .max
            afterUpdate = update
        }
    }

    func page(_ db: Database) throws -> Page<Repository> {
        var entries = try entries(db)
        let order = query.order
        entries.sort { left, right in
            switch order {
            case .name: left.name != right.name ? left.name < right.name : left.id < right.id
            case .updated: left.updated != right.updated ? left.updated > right.updated : left.id > right.id
            }
        }
        var seen: Set<Int64> = []
        // Not lazily: a lazy filter may ask about the same entry twice, and the second answer would be no.
        let merged = entries.filter { seen.insert($0.id).inserted }.prefix(limit + 1)
        let page = Page(Array(merged), limit: limit) { entry in
            ListCursor(key: order == .name ? entry.name : String(entry.updated), id: entry.id).text
        }
        return try page.map { entry in
            try RepositoryRow.repository(RepositoryID(entry.id), in: db).orThrow(.repositoryNotFound)
        }
    }

    // MARK: - The sets

    private func entries(_ db: Database) throws -> [Entry] {
        switch query.visibleTo {
        case .nothing: return []
        case .everything:
            return try listed(Visibility.allCases, db) + (query.includesDeleted ? deleted(db) : [])
        case .publicOnly: return try listed([.public], db)
        case .account(let account):
            var entries = try listed([.public, .internal], db)
            for namespace in try namespaces(of: account, db) where try isWanted(namespace, db) {
                entries += try owned(by: namespace, .private, db)
            }
            return try entries + collaborating(account, db)
        case .token(let account, let repositories):
            return try limited(to: repositories, account, db)
        }
    }

    private func listed(_ visibilities: [Visibility], _ db: Database) throws -> [Entry] {
        if let owner = query.owner {
            guard let namespace = try NamespaceRow.find(owner, in: db) else { return [] }
            return try visibilities.flatMap { try owned(by: namespace.id, $0, db) }
        }
        let kinds = query.kind.map { [$0] } ?? RepositoryKind.allCases
        return try kinds.flatMap { kind in
            try visibilities.flatMap { visibility in
                try fetch(
                    "repositories AS r", where: "r.deleted_at IS NULL AND r.kind = ? AND r.visibility = ?",
                    [kind, visibility], db)
            }
        }
    }

    private func owned(by namespace: Int64, _ visibility: Visibility, _ db: Database) throws -> [Entry] {
        try fetch(
            "repositories AS r",
            where: "r.deleted_at IS NULL AND r.namespace_id = ? AND r.visibility = ? AND (? IS NULL OR r.kind = ?)",
            [namespace, visibility, query.kind, query.kind], db)
    }

    private func collaborating(_ account: AccountID, _ db: Database) throws -> [Entry] {
        let owner = try query.owner.map { try NamespaceRow.find($0, in: db)?.id ?? 0 }
        return try fetch(
            "collaborators AS c CROSS JOIN repositories AS r ON r.id = c.repository_id",
            where: """
                c.account_id = ? AND r.deleted_at IS NULL AND r.visibility = 'private' AND (? IS NULL OR r.kind = ?)
                AND (? IS NULL OR r.namespace_id = ?)
                """, [account, query.kind, query.kind, owner, owner], db)
    }

    private func deleted(_ db: Database) throws -> [Entry] {
        let owner = try query.owner.map { try NamespaceRow.find($0, in: db)?.id ?? 0 }
        return try fetch(
            "repositories AS r",
            where: "r.deleted_at IS NOT NULL AND (? IS NULL OR r.kind = ?) AND (? IS NULL OR r.namespace_id = ?)",
            [query.kind, query.kind, owner, owner], db)
    }

    private func limited(to repositories: Set<RepositoryID>, _ account: AccountID, _ db: Database) throws -> [Entry] {
        let owner = try query.owner.map { try NamespaceRow.find($0, in: db)?.id ?? 0 }
        let namespaces = JSONList.text(try namespaces(of: account, db))
        return try fetch(
            "repositories AS r",
            where: """
                r.id IN (SELECT value FROM json_each(?)) AND r.deleted_at IS NULL AND (? IS NULL OR r.kind = ?)
                AND (? IS NULL OR r.namespace_id = ?)
                AND (r.visibility <> 'private' OR r.namespace_id IN (SELECT value FROM json_each(?))
                    OR EXISTS (SELECT 1 FROM collaborators AS c WHERE c.repository_id = r.id AND c.account_id = ?))
                """,
            [JSONList.text(repositories.map(\.rawValue)), query.kind, query.kind, owner, owner, namespaces, account], db
        )
    }

    private func namespaces(of account: AccountID, _ db: Database) throws -> [Int64] {
        try db.rows(
            """
            SELECT id FROM namespaces WHERE account_id = ?1 UNION ALL
            SELECT n.id FROM members AS m JOIN namespaces AS n ON n.organization_id = m.organization_id WHERE m.account_id = ?1
            """, [account]
        ).map { $0[0] as Int64 }
    }

    private func isWanted(_ namespace: Int64, _ db: Database) throws -> Bool {
        guard let owner = query.owner else { return true }
        return try NamespaceRow.find(owner, in: db)?.id == namespace
    }

    // `table` and `condition` are texts of this file; values are bound.
    private func fetch(_ table: String, where condition: String, _ arguments: StatementArguments, _ db: Database) throws
        -> [Entry]
    {
        let sql =
            switch query.order {
            case .name:
                """
                SELECT r.id, r.path_key, 0 FROM \(table) WHERE \(condition) AND (r.path_key, r.id) > (?, ?)
                ORDER BY r.path_key, r.id LIMIT ?
                """
            case .updated:
                """
                SELECT r.id, r.path_key, r.updated_at FROM \(table) WHERE \(condition) AND (r.updated_at, r.id) < (?, ?)
                ORDER BY r.updated_at DESC, r.id DESC LIMIT ?
                """
            }
        let place: StatementArguments = query.order == .name ? [afterName, afterID] : [afterUpdate, afterID]
        return try db.rows(sql, arguments + place + [limit + 1]).map { row in
            Entry(id: row[0], name: row[1], updated: row[2])
        }
    }
}

/// A list of numbers as one bound value, for `json_each`.
enum JSONList {
    static func text(_ numbers: some Sequence<Int64>) -> String {
        "[" + numbers.map(String.init).joined(separator: ",") + "]"
    }
}
