import FoundationEssentials
import GRDB
import HubCore

extension MetadataStore {
    /// One page of the repositories that a query asks for.
    package func listRepositories(_ query: RepositoryListQuery) async throws -> RepositoryListPage {
        let names = knownNames
        // Before the snapshot is taken.
        let items = knownItems.reader(changeCount: changeCount)
        return try await read { db in try RepositoryListing(query, names: names, items: items).page(db) }
    }

    /// A repository with its facts and counters, deleted ones too.
    package func listItem(of id: RepositoryID, includesCardData: Bool = true) async throws -> RepositoryListItem? {
        try lookUp { db in try RepositoryListItem.find(id, withCard: includesCardData, in: db) }
    }

    package func counters(of id: RepositoryID) async throws -> RepositoryCounters {
        try lookUp { db in try RepositoryListItem.find(id, withCard: false, in: db)?.counters ?? RepositoryCounters() }
    }

    /// The commonest tags of a kind with the number of repositories that the scope may see, most first.
    package func tagCounts(
        of kind: RepositoryKind, visibleTo scope: VisibilityScope, limit: Int = 1000
    ) async throws -> [TagCount] {
        try await read { db in
            let visible = try ListCandidates(RepositoryListQuery(visibleTo: scope), kind: kind, in: db).set()
            let everything = try ListCandidates(RepositoryListQuery(visibleTo: .everything), kind: kind, in: db).set()
            let seesAll = visible == everything
            let rows = try db.rows(
                "SELECT text, count FROM terms WHERE kind = ? AND space = 'tag' ORDER BY count DESC LIMIT ?",
                [kind, ListLimit.clamp(limit, maximum: 5000)])
            let reader = TermReader(db: db)
            return try rows.compactMap { row in
                let tag: String = row[0]
                guard !seesAll else { return TagCount(tag: tag, count: row[1]) }
                var set = try reader.set(Term(kind: kind, space: .tag, text: tag))
                set.formIntersection(visible)
                let count = set.count
                return count > 0 ? TagCount(tag: tag, count: count) : nil
            }.sorted { $0.count != $1.count ? $0.count > $1.count : $0.tag < $1.tag }
        }
    }

    // MARK: - Counters

    /// Counts a download; it is written with others by `writeDownloads`.
    package func countDownload(of repository: RepositoryID) { pendingDownloads.add(repository) }

    /// Writes the downloads counted since the last call. A crash loses at most those.
    package func writeDownloads() async throws {
        let taken = pendingDownloads.take()
        guard !taken.isEmpty else { return }
        do {
            try await write { db, now in
                for (repository, count) in taken {
                    try DayCounts.add(downloads: count, likes: 0, to: repository, at: now, in: db)
                }
            }
        } catch {
            pendingDownloads.giveBack(taken)
            throw error
        }
    }

    /// Lets the month's downloads and the trend forget days that are over; to be called once a day and at start.
    package func rollDayCounts() async throws {
        var last: Int64 = 0
        while true {
            try Task.checkCancellation()
            let from = last
            guard let next = try await write({ db, now in try DayCounts.roll(after: from, limit: 500, at: now, in: db) }) else { return }
            last = next
        }
    }

    /// Brings the lists in step with up to `limit` repositories that an update of the hub, or a direct change, has marked.
    ///
    /// - Returns: how many there were; 0 at the end.
    package func settleListing(limit: Int) async throws -> Int {
        try await write { db, _ in try Listing.settle(db, limit: limit) }
    }
}
