import CHubPlatform
import FoundationEssentials
import GRDB
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// The names of all listed repositories in lower case, 256 ids to a row, for search by any part of `owner/name`.
///
/// Looking through the names of 100,000 repositories this way is to read 3 MB in order, which takes a millisecond or two whatever is
/// looked for; an index of trigrams takes as long for common parts and cannot find parts of one or two characters. Most of the time
/// went into getting the blocks out of the database, so `KnownNames` holds them as long as no name changes.
///
/// The row `versionKey` holds a number that grows with each change of a name. Another row is a block: a byte with the number of names less one, a byte of the id of each, ascending, then the names, each ending in a line feed.
struct NameBlocks {
    static let size: Int64 = 256
    private static let versionKey: Int64 = -1

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
        case (let name?, true):
            guard names[index].text != Array(name.utf8) else { return }
            names[index] = (low, Array(name.utf8))
        case (let name?, false): names.insert((low, Array(name.utf8)), at: index)
        case (nil, true): names.remove(at: index)
        case (nil, false): return
        }
        let version = try version() + 1
        try db.run("INSERT OR REPLACE INTO name_blocks (id, names) VALUES (?, ?)", [Self.versionKey, Data(String(version).utf8)])
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

    private func version() throws -> Int64 {
        let stored = try db.value(Data.self, "SELECT names FROM name_blocks WHERE id = ?", [Self.versionKey])
        return stored.flatMap { Int64(String(decoding: $0, as: UTF8.self)) } ?? 0
    }

    /// Those of `candidates` whose name holds all of `parts`, which are compared without case.
    func search(_ parts: [String], among candidates: RepositorySet, known: KnownNames) throws -> RepositorySet {
        let needles = parts.map { Array($0.lowercased().utf8) }.filter { !$0.isEmpty }
            .sorted { $0.count > $1.count }
        guard let longest = needles.first else { return candidates }
        var found = RepositorySet()
        guard !needles.contains(where: { $0.contains(UInt8(ascii: "\n")) }) else { return found }
        let rest = Array(needles.dropFirst())
        for block in try blocks(known) where candidates.intersects(block.base..<block.base + Self.size) {
            block.bytes.withUnsafeBytes {
                Self.search(longest, rest, in: $0, base: block.base, candidates: candidates, found: &found)
            }
        }
        return found
    }

    /// The blocks of this snapshot.
    private func blocks(_ known: KnownNames) throws -> [KnownNames.Block] {
        let version = try version()
        if let blocks = known.blocks(version: version) { return blocks }
        let statement = try db.cachedStatement(sql: "SELECT id, names FROM name_blocks WHERE id >= ? ORDER BY id")
        let cursor = try Row.fetchCursor(statement, arguments: [0])
        var blocks: [KnownNames.Block] = []
        while let row = try cursor.next() {
            let bytes = try row.withUnsafeData(atIndex: 1) { $0.map { [UInt8]($0) } ?? [] }
            blocks.append(KnownNames.Block(base: (row[0] as Int64) * Self.size, bytes: bytes))
        }
        known.keep(blocks, version: version)
        return blocks
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

/// The names as they are in the database, so that a search need not fetch them.
final class KnownNames: Sendable {
    struct Block: Sendable {
        /// The first id.
        let base: Int64
        let bytes: [UInt8]
    }

    /// More are read from the database each time.
    static let maximumBytes = 16 << 20

    private let state = Mutex<(version: Int64, blocks: [Block])?>(nil)

    /// `nil` when those of another version are known.
    func blocks(version: Int64) -> [Block]? {
        state.withLock { $0.flatMap { $0.version == version ? $0.blocks : nil } }
    }

    /// Readers of an older snapshot do not undo what those of a newer one have kept.
    func keep(_ blocks: [Block], version: Int64) {
        let isSmall = blocks.reduce(0) { $0 + $1.bytes.count } <= Self.maximumBytes
        state.withLock { state in
            if state.map({ $0.version < version }) ?? true { state = isSmall ? (version, blocks) : nil }
        }
    }
}
