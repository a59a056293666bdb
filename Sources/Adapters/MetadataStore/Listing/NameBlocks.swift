import CHubPlatform
import FoundationEssentials
import GRDB

#if canImport(Glibc)
    import Glibc
#endif

/// The names of all listed repositories in lower case, 256 ids to a row, for search by any part of `owner/name`.
///
/// Looking through the names of 100,000 repositories this way is to read 3 MB in order, which takes a millisecond or two whatever is
/// looked for; an index of trigrams takes as long for common parts and cannot find parts of one or two characters.
///
/// A block is a byte with the number of names less one, a byte of the id of each, ascending, then the names, each ending in a line feed.
struct NameBlocks {
    static let size: Int64 = 256

    let db: Database

    // MARK: - Changing

    /// Sets the name of a repository, or removes it.
    func set(_ name: String?, of repository: Int64) throws {
        let key = repository / Self.size
        let low = UInt8(truncatingIfNeeded: repository % Self.size)
        let stored = try db.value(Data.self, "SELECT names FROM name_blocks WHERE id = ?", [key])
        var names = stored.map { Self.decode([UInt8]($0)) } ?? []
        let index = names.firstIndex { $0.low >= low } ?? names.endIndex
        let isThere = index < names.endIndex && names[index].low == low
        switch (name, isThere) {
        case (let name?, true): names[index] = (low, Array(name.utf8))
        case (let name?, false): names.insert((low, Array(name.utf8)), at: index)
        case (nil, true): names.remove(at: index)
        case (nil, false): return
        }
        if names.isEmpty {
            try db.run("DELETE FROM name_blocks WHERE id = ?", [key])
        } else {
            try db.run(
                "INSERT INTO name_blocks (id, names) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET names = excluded.names",
                [key, Data(Self.encode(names))])
        }
    }

    private typealias Name = (low: UInt8, text: [UInt8])

    private static func decode(_ block: [UInt8]) -> [Name] {
        guard let first = block.first else { return [] }
        let count = Int(first) + 1
        guard block.count > count else { return [] }
        let lines = block[(count + 1)...].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        return zip(block[1...count], lines).map { (low: $0, text: Array($1)) }
    }

    private static func encode(_ names: [Name]) -> [UInt8] {
        var block = [UInt8(truncatingIfNeeded: names.count - 1)] + names.map(\.low)
        for name in names {
            block.append(contentsOf: name.text)
            block.append(UInt8(ascii: "\n"))
        }
        return block
    }

    // MARK: - Searching

    /// Those of `candidates` whose name holds all of `parts`, which are compared without case.
    func search(_ parts: [String], among candidates: RepositorySet) throws -> RepositorySet {
        let needles = parts.map { Array($0.lowercased().utf8) }.filter { !$0.isEmpty }
            .sorted { $0.count > $1.count }
        guard let longest = needles.first else { return candidates }
        var found = RepositorySet()
        guard !needles.contains(where: { $0.contains(UInt8(ascii: "\n")) }) else { return found }
        let rest = Array(needles.dropFirst())
        let statement = try db.cachedStatement(sql: "SELECT id, names FROM name_blocks WHERE id >= ? ORDER BY id")
        let cursor = try Row.fetchCursor(statement, arguments: [0])
        while let row = try cursor.next() {
            let base = (row[0] as Int64) * Self.size
            guard candidates.intersects(base..<base + Self.size) else { continue }
            try row.withUnsafeData(atIndex: 1) { data in
                data?.withUnsafeBytes { block in
                    Self.search(longest, rest, in: block, base: base, candidates: candidates, found: &found)
                }
            }
        }
        return found
    }

    private static func search(
        _ needle: [UInt8], _ others: [[UInt8]], in block: UnsafeRawBufferPointer, base: Int64, candidates: RepositorySet,
        found: inout RepositorySet
    ) {
        guard let start = block.baseAddress, let first = block.first else { return }
        let count = Int(first) + 1
        guard block.count > count else { return }
        let end = start + block.count
        var line = start + count + 1
        var index = 0
        var from = line
        while index < count, let hit = hub_find(from, end - from, needle, needle.count) {
            // The line that the hit lies in.
            while let feed = memchr(line, 0x0a, hit - line) {
                line = UnsafeRawPointer(feed) + 1
                index += 1
            }
            guard index < count, let feed = memchr(hit, 0x0a, end - hit).map({ UnsafeRawPointer($0) }) else { return }
            let id = base + Int64(block[1 + index])
            let length = feed - line
            let holdsAll = others.allSatisfy { hub_find(line, length, $0, $0.count) != nil }
            if holdsAll, candidates.contains(id) { found.insert(id) }
            line = feed + 1
            from = line
            index += 1
        }
    }
}
