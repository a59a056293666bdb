import FoundationEssentials
import GRDB
import HubCore

/// A property of repositories of one kind that lists filter by.
struct Term: Hashable {
    enum Space: String {
        /// What `filter=` names.
        case tag
        case library, pipeline, visibility, gated, sdk
        /// The id of the name space that owns it.
        case owner
        /// The power of √2 that the number of parameters has reached.
        case size
    }

    let kind: RepositoryKind
    let space: Space
    let text: String

    /// A number's place among the `size` terms.
    static func sizeBucket(_ parameters: Int64) -> Int {
        guard parameters > 0 else { return 0 }
        let power = Int64.bitWidth - 1 - parameters.leadingZeroBitCount
        // The upper half of an octave begins at √2 of its power of two.
        let half = power < 62 && Double(parameters) >= Double(Int64(1) << Int64(power)) * 2.0.squareRoot() ? 1 : 0
        return power * 2 + half + 1
    }
}

/// Reads the sets of terms.
struct TermReader {
    let db: Database

    static let partBits: Int64 = 24

    func id(_ term: Term) throws -> Int64? {
        try db.value(
            Int64.self, "SELECT id FROM terms WHERE kind = ? AND space = ? AND text = ?",
            [term.kind, term.space.rawValue, term.text])
    }

    /// Empty for a term that nothing has.
    func set(_ term: Term) throws -> RepositorySet {
        var set = RepositorySet()
        if let id = try id(term) { try load(id, into: &set) }
        return set
    }

    func union(_ terms: [Term]) throws -> RepositorySet {
        var set = RepositorySet()
        for term in terms {
            if let id = try id(term) { try load(id, into: &set) }
        }
        return set
    }

    private func load(_ id: Int64, into set: inout RepositorySet) throws {
        let statement = try db.cachedStatement(sql: "SELECT id, members FROM term_sets WHERE id BETWEEN ? AND ?")
        let first = id << Self.partBits
        let cursor = try Row.fetchCursor(statement, arguments: [first, first | (1 << Self.partBits - 1)])
        while let row = try cursor.next() {
            let part = Int((row[0] as Int64) & (1 << Self.partBits - 1))
            try row.withUnsafeData(atIndex: 1) { members in
                members?.withUnsafeBytes { set.load($0, part: part) }
            }
        }
    }
}

/// Changes the sets of terms; what was changed is written by `flush`, each part once.
struct TermWriter {
    private let db: Database
    private var parts: [Int64: SetPart] = [:]
    private var ids: [Term: Int64] = [:]
    private var counts: [Int64: Int] = [:]

    init(_ db: Database) { self.db = db }

    /// The id of a term, which is made if it is new.
    mutating func id(_ term: Term) throws -> Int64 {
        if let id = ids[term] { return id }
        var id = try TermReader(db: db).id(term)
        if id == nil {
            try db.run(
                "INSERT INTO terms (kind, space, text) VALUES (?, ?, ?)", [term.kind, term.space.rawValue, term.text])
            id = db.lastInsertedRowID
        }
        let found = id ?? 0
        ids[term] = found
        return found
    }

    mutating func insert(_ repository: Int64, into term: Int64) throws {
        try change(repository, of: term) { $0.insert($1) }
        counts[term, default: 0] += 1
    }

    mutating func remove(_ repository: Int64, from term: Int64) throws {
        try change(repository, of: term) { $0.remove($1) }
        counts[term, default: 0] -= 1
    }

    mutating func flush() throws {
        for (key, part) in parts {
            if part.count == 0 {
                try db.run("DELETE FROM term_sets WHERE id = ?", [key])
            } else {
                try db.run(
                    "INSERT INTO term_sets (id, members) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET members = excluded.members",
                    [key, Data(part.stored)])
            }
        }
        for (term, change) in counts where change != 0 {
            try db.run("UPDATE terms SET count = count + ? WHERE id = ?", [change, term])
            try db.run("DELETE FROM terms WHERE id = ? AND count = 0", [term])
        }
        self = TermWriter(db)
    }

    private mutating func change(_ repository: Int64, of term: Int64, _ body: (inout SetPart, Int) -> Void) throws {
        let key = term << TermReader.partBits | (repository / Int64(RepositorySet.partSize))
        if parts[key] == nil { parts[key] = try stored(key) }
        body(&parts[key, default: SetPart()], Int(repository % Int64(RepositorySet.partSize)))
    }

    /// Parts take 8 KiB each.
    var isLarge: Bool { parts.count > 2048 }

    private func stored(_ key: Int64) throws -> SetPart {
        let members = try db.value(Data.self, "SELECT members FROM term_sets WHERE id = ?", [key])
        return members?.withUnsafeBytes { SetPart(stored: $0) } ?? SetPart()
    }
}
