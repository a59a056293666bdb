import FoundationEssentials
import GRDB
import HubCore

/// Answers a `RepositoryListQuery`.
///
/// Sets say which repositories are asked for. Then either the index of the order is walked until the page is full, or, when they
/// are few, their sort keys are looked up one by one.
struct RepositoryListing {
    /// The most matches of a text that are ranked.
    static let maximumRanked = 1000

    private struct Entry {
        let id: Int64
        let key: Int64
    }

    private let query: RepositoryListQuery
    private let names: KnownNames
    private let known: KnownItems.Reader
    private let limit: Int
    private let cursor: ListCursor?
    private let afterKey: Int64

    init(_ query: RepositoryListQuery, names: KnownNames, items: KnownItems.Reader) throws {
        self.query = query
        self.names = names
        known = items
        limit = ListLimit.clamp(query.limit, maximum: RepositoryListQuery.maximumLimit)
        cursor = try query.after.map { try ListCursor(parsing: $0) }
        guard let key = Int64(cursor?.key ?? String(Int64.max)) else { throw MetadataError.invalidCursor }
        afterKey = key
    }

    func page(_ db: Database) throws -> RepositoryListPage {
        let kinds = query.kinds.isEmpty ? RepositoryKind.allCases : query.kinds
        var sets = try kinds.map { try ListCandidates(query, kind: $0, in: db).set() }
        var all = RepositorySet()
        sets.forEach { all.formUnion($0) }
        let parts = query.nameParts.filter { !$0.isEmpty }
        var narrowed: RepositorySet?
        if !parts.isEmpty {
            let parts = Array(parts.prefix(RepositoryListQuery.maximumParts))
            narrowed = try NameBlocks(db: db).search(parts, among: all, known: names)
        }
        var ranked: [Int64]?
        if let text = query.text, text.contains(where: { !$0.isWhitespace }) {
            let search = TextSearch(db: db)
            let (found, seen) = try search.matches(text, among: narrowed ?? all)
            if query.order == .relevance, seen <= Self.maximumRanked { ranked = try search.ranked(text, among: found) }
            narrowed = found
        }
        if let narrowed {
            for index in sets.indices { sets[index].formIntersection(narrowed) }
        }
        if let ranked { return try page(ofRanked: ranked, db) }
        return try page(of: Array(zip(kinds, sets)), db)
    }

    private func page(of sets: [(RepositoryKind, RepositorySet)], _ db: Database) throws -> RepositoryListPage {
        var entries: [Entry] = []
        var total = 0
        for (kind, set) in sets {
            let count = set.count
            guard count > 0 else { continue }
            total += count
            entries += try first(of: set, count: count, kind: kind, db)
        }
        entries.sort { $0.key != $1.key ? $0.key > $1.key : $0.id > $1.id }
        let shown = entries.prefix(limit)
        let next = entries.count > limit ? shown.last.map { ListCursor(key: String($0.key), id: $0.id).text } : nil
        return RepositoryListPage(items: try items(shown.map(\.id), db), next: next, total: total)
    }

    /// The cursor of a ranked list is the place in it.
    private func page(ofRanked ids: [Int64], _ db: Database) throws -> RepositoryListPage {
        let start = Int(clamping: max(cursor?.id ?? 0, 0))
        let shown = ids.dropFirst(start).prefix(limit)
        let end = start + shown.count
        let next = end < ids.count && !shown.isEmpty ? ListCursor(key: "0", id: Int64(end)).text : nil
        return RepositoryListPage(items: try items(Array(shown), db), next: next, total: ids.count)
    }

    // MARK: - The order

    private var column: String {
        switch query.order {
        case .created: "created"
        case .modified: "modified"
        case .likes: "likes"
        case .downloads: "downloads"
        case .trending, .relevance: "trending"
        }
    }

    /// The first `limit + 1` after the cursor.
    private func first(of set: RepositorySet, count: Int, kind: RepositoryKind, _ db: Database) throws -> [Entry] {
        // A look-up costs about four steps of a walk; a walk takes as many steps for an entry as the set is sparse.
        let listed = try TermReader(db: db).union(Visibility.allCases.map { Term(kind: kind, space: .visibility, text: $0.rawValue) })
            .count
        let walk = Double(limit + 1) * Double(max(listed, 1)) / Double(count)
        return Double(count) * 4 < walk ? try lookUp(set, db) : try self.walk(set, kind: kind, db)
    }

    private func lookUp(_ set: RepositorySet, _ db: Database) throws -> [Entry] {
        let statement = try db.cachedStatement(
            sql: """
                SELECT l.repository_id, l.\(column) FROM json_each(?) AS j CROSS JOIN listing AS l ON l.repository_id = j.value
                """)
        let rows = try Row.fetchCursor(statement, arguments: [JSONList.text(set.ids)])
        var entries: [Entry] = []
        while let row = try rows.next() {
            let entry = Entry(id: row[0], key: row[1])
            if entry.key < afterKey || (entry.key == afterKey && entry.id < cursor?.id ?? .max) { entries.append(entry) }
        }
        entries.sort { $0.key != $1.key ? $0.key > $1.key : $0.id > $1.id }
        return Array(entries.prefix(limit + 1))
    }

    private func walk(_ set: RepositorySet, kind: RepositoryKind, _ db: Database) throws -> [Entry] {
        let statement = try db.cachedStatement(
            sql: """
                SELECT repository_id, \(column) FROM listing
                WHERE is_listed = 1 AND kind = ? AND (\(column), repository_id) < (?, ?)
                ORDER BY \(column) DESC, repository_id DESC
                """)
        let rows = try Row.fetchCursor(statement, arguments: [kind, afterKey, cursor?.id ?? Int64.max])
        var entries: [Entry] = []
        while entries.count <= limit, let row = try rows.next() {
            let id: Int64 = row[0]
            if set.contains(id) { entries.append(Entry(id: id, key: row[1])) }
        }
        return entries
    }

    // MARK: - The rows

    private func items(_ ids: [Int64], _ db: Database) throws -> [RepositoryListItem] {
        guard query.detail == .listed, !query.includesCardData else {
            return try RepositoryListItem.all(ids, query.detail, withCard: query.includesCardData, in: db)
        }
        var items = known.items(ids)
        let missing = ids.filter { items[$0] == nil }
        let read = try RepositoryListItem.all(missing, .listed, withCard: false, in: db)
        known.keep(read)
        for item in read { items[item.repository.id.rawValue] = item }
        return ids.compactMap { items[$0] }
    }
}

extension RepositoryListItem {
    private static func select(_ detail: RepositoryListQuery.Detail, withCard: Bool) -> String {
        """
        SELECT r.id, r.uid, r.kind, n.name, n.account_id, n.organization_id, r.name, r.visibility, r.gating, r.is_protected,
            r.default_branch, r.creator_id, r.description, r.created_at, r.updated_at, r.deleted_at,
            l.downloads, l.downloads_all_time, l.likes, l.trending, \(FactsRow.columns(detail, withCard: withCard))
        FROM json_each(?) AS j CROSS JOIN repositories AS r ON r.id = j.value JOIN namespaces AS n ON n.id = r.namespace_id
        LEFT JOIN facts AS f ON f.repository_id = r.id LEFT JOIN listing AS l ON l.repository_id = r.id
        """
    }

    private static let listed = (plain: select(.listed, withCard: false), withCard: select(.listed, withCard: true))
    private static let whole = (plain: select(.whole, withCard: false), withCard: select(.whole, withCard: true))

    static func find(_ id: RepositoryID, withCard: Bool, in db: Database) throws -> RepositoryListItem? {
        try all([id.rawValue], .whole, withCard: withCard, in: db).first
    }

    /// The repositories with these ids, in their order. One statement for all, since GRDB looks at the columns' names each time.
    static func all(
        _ ids: [Int64], _ detail: RepositoryListQuery.Detail, withCard: Bool, in db: Database
    ) throws -> [RepositoryListItem] {
        guard !ids.isEmpty else { return [] }
        let texts = detail == .whole ? whole : listed
        let statement = try db.cachedStatement(sql: withCard ? texts.withCard : texts.plain)
        let cursor = try Row.fetchCursor(statement, arguments: [JSONList.text(ids)])
        var items: [RepositoryListItem] = []
        items.reserveCapacity(ids.count)
        while let row = try cursor.next() { items.append(try item(row, detail, withCard: withCard)) }
        return items
    }

    private static func item(_ row: Row, _ detail: RepositoryListQuery.Detail, withCard: Bool) throws -> RepositoryListItem {
        let repository = try repository(row)
        let facts = FactsRow.facts(row, from: 20, detail, withCard: withCard)
        let trending: Int64 = row[19] ?? 0
        let counters = RepositoryCounters(
            downloads: row[16] ?? 0, downloadsAllTime: row[17] ?? 0, likes: row[18] ?? 0,
            trendingScore: Double(trending) / DayCounts.scoreUnit)
        return RepositoryListItem(
            repository: repository, facts: facts ?? RepositoryFacts(commit: nil, lastModified: repository.createdAt), counters: counters)
    }

    /// By place, for the reason that `FactsRow.facts` gives.
    private static func repository(_ row: Row) throws -> Repository {
        let (account, organization): (AccountID?, OrganizationID?) = (row[4], row[5])
        guard let owner = account.map(NamespaceOwner.account) ?? organization.map(NamespaceOwner.organization) else {
            throw MetadataError.unusable("A name space has no owner.")
        }
        return Repository(
            id: row[0], uid: RepositoryUID(trusted: row[1]), kind: row[2], name: RepositoryName(trustedOwner: row[3], name: row[6]),
            owner: owner, visibility: row[7], gating: row[8], isProtected: row[9], defaultBranch: row[10], creator: row[11],
            description: row[12], createdAt: Date(milliseconds: row[13]), updatedAt: Date(milliseconds: row[14]),
            deletedAt: (row[15] as Int64?).map { Date(milliseconds: $0) })
    }
}
