import GRDB

/// Full-text search over what repositories say of themselves.
struct TextSearch {
    let db: Database

    /// What nearly all repositories hold is no question; of its matches the newest are taken: this many, or as many as are found
    /// among `maximumSeen`.
    static let maximumMatches = 5000
    static let maximumSeen = 20_000

    /// The matches among `candidates`, and how many others had to be looked at; nothing when the text has no word.
    func matches(_ text: String, among candidates: RepositorySet) throws -> (found: RepositorySet, seen: Int) {
        var (found, count, seen) = (RepositorySet(), 0, 0)
        guard let pattern = SearchPattern(text) else { return (found, seen) }
        let statement = try db.cachedStatement(sql: "SELECT rowid FROM search WHERE search MATCH ? ORDER BY rowid DESC LIMIT ?")
        let cursor = try Int64.fetchCursor(statement, arguments: [pattern.match, Self.maximumSeen])
        while count < Self.maximumMatches, let id = try cursor.next() {
            seen += 1
            guard candidates.contains(id) else { continue }
            found.insert(id)
            count += 1
        }
        return (found, seen)
    }

    /// The same ones, best first: a word in name, title, tags or description counts ten times one in the README.
    func ranked(_ text: String, among set: RepositorySet) throws -> [Int64] {
        guard let pattern = SearchPattern(text), !set.isEmpty else { return [] }
        let statement = try db.cachedStatement(
            sql: "SELECT rowid, bm25(search, 10.0, 1.0) FROM search WHERE search MATCH ?")
        let cursor = try Row.fetchCursor(statement, arguments: [pattern.match])
        var found: [(id: Int64, rank: Double)] = []
        while let row = try cursor.next() {
            let id: Int64 = row[0]
            if set.contains(id) { found.append((id, row[1])) }
        }
        found.sort { $0.rank != $1.rank ? $0.rank < $1.rank : $0.id > $1.id }
        return found.map(\.id)
    }
}
