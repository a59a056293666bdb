import GRDB
import HubCore

/// The repositories of one kind that a query asks for, by set operations; which of them are on the page is decided after.
struct ListCandidates {
    let query: RepositoryListQuery
    let kind: RepositoryKind
    let db: Database
    private let terms: TermReader

    init(_ query: RepositoryListQuery, kind: RepositoryKind, in db: Database) {
        self.query = query
        self.kind = kind
        self.db = db
        terms = TermReader(db: db)
    }

    func set() throws -> RepositorySet {
        var required = query.tags.prefix(RepositoryListQuery.maximumTags).map { term(.tag, $0) }
        if let library = query.library { required.append(term(.library, library)) }
        if let pipeline = query.pipelineTag { required.append(term(.pipeline, pipeline)) }
        if let sdk = query.sdk { required.append(term(.sdk, sdk)) }
        if let owner = query.owner {
            guard let namespace = try NamespaceRow.find(owner, in: db) else { return RepositorySet() }
            required.append(term(.owner, String(namespace.id)))
        }
        var set = try visible()
        for term in required {
            guard !set.isEmpty else { return set }
            set.formIntersection(try terms.set(term))
        }
        if let isGated = query.isGated {
            let gated = try terms.union([term(.gated, "auto"), term(.gated, "manual")])
            if isGated { set.formIntersection(gated) } else { set.subtract(gated) }
        }
        if let range = query.parameters, !set.isEmpty { set.formIntersection(try sized(range)) }
        return set
    }

    private func term(_ space: Term.Space, _ text: String) -> Term { Term(kind: kind, space: space, text: text) }

    // MARK: - Who may see what

    private func visible() throws -> RepositorySet {
        switch query.visibleTo {
        case .nothing: return RepositorySet()
        case .everything: return try listed([.public, .internal, .private])
        case .publicOnly: return try listed([.public])
        case .account(let account): return try visible(to: account)
        case .token(let account, let repositories):
            var set = RepositorySet(repositories.map(\.rawValue))
            set.formIntersection(try visible(to: account))
            return set
        }
    }

    private func listed(_ visibilities: [Visibility]) throws -> RepositorySet {
        try terms.union(visibilities.map { term(.visibility, $0.rawValue) })
    }

    private func visible(to account: AccountID) throws -> RepositorySet {
        let namespaces = try db.rows(
            """
            SELECT id FROM namespaces WHERE account_id = ?1 UNION ALL
            SELECT n.id FROM members AS m JOIN namespaces AS n ON n.organization_id = m.organization_id WHERE m.account_id = ?1
            """, [account]
        ).map { term(.owner, String($0[0] as Int64)) }
        var own = try terms.union(namespaces)
        try db.rows("SELECT repository_id FROM collaborators WHERE account_id = ?", [account]).forEach { own.insert($0[0]) }
        own.formIntersection(try listed([.private]))
        own.formUnion(try listed([.public, .internal]))
        return own
    }

    // MARK: - Number of parameters

    /// Whole size terms, and row by row what the two at the ends hold.
    private func sized(_ range: ClosedRange<Int64>) throws -> RepositorySet {
        let (low, high) = (Term.sizeBucket(range.lowerBound), Term.sizeBucket(range.upperBound))
        var set = RepositorySet()
        if high - low > 1 { set = try terms.union((low + 1..<high).map { term(.size, String($0)) }) }
        for bucket in Set([low, high]) {
            guard let bounds = Self.bounds(of: bucket) else { continue }
            let first = max(bounds.lowerBound, range.lowerBound)
            let last = min(bounds.upperBound, range.upperBound)
            guard first <= last else { continue }
            if first...last == bounds {
                set.formUnion(try terms.set(term(.size, String(bucket))))
                continue
            }
            let statement = try db.cachedStatement(
                sql: """
                    SELECT repository_id FROM listing
                    WHERE is_listed = 1 AND kind = ? AND parameters IS NOT NULL AND parameters BETWEEN ? AND ?
                    """)
            let cursor = try Int64.fetchCursor(statement, arguments: [kind, first, last])
            while let id = try cursor.next() { set.insert(id) }
        }
        return set
    }

    /// All numbers of a bucket, found by bisection since the border is a rounded root; `nil` for one that no number falls into.
    static func bounds(of bucket: Int) -> ClosedRange<Int64>? {
        guard bucket > 0 else { return Int64.min...0 }
        let first = smallest(in: bucket)
        let last = bucket >= 125 ? Int64.max : smallest(in: bucket + 1) - 1
        return first <= last ? first...last : nil
    }

    private static func smallest(in bucket: Int) -> Int64 {
        var (low, high): (Int64, Int64) = (1, .max)
        while low < high {
            let middle = low + (high - low) / 2
            if Term.sizeBucket(middle) >= bucket { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
