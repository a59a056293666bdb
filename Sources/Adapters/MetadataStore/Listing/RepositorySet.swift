/// A set of repository ids, a bit for each up to the largest: ids are dense, so 100,000 repositories are 12 KB.
struct RepositorySet: Equatable {
    /// Ids of one stored part.
    static let partSize = 65_536
    static let partWords = partSize / 64

    private(set) var words: [UInt64] = []

    init() {}

    init(_ ids: some Sequence<Int64>) {
        for id in ids { insert(id) }
    }

    var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    func contains(_ id: Int64) -> Bool {
        let index = Int(id >> 6)
        return index < words.count && words[index] & (1 << UInt64(id & 63)) != 0
    }

    mutating func insert(_ id: Int64) {
        let index = Int(id >> 6)
        if index >= words.count { words.append(contentsOf: repeatElement(0, count: index + 1 - words.count)) }
        words[index] |= 1 << UInt64(id & 63)
    }

    mutating func formUnion(_ other: RepositorySet) {
        if other.words.count > words.count {
            words.append(contentsOf: repeatElement(0, count: other.words.count - words.count))
        }
        for index in other.words.indices { words[index] |= other.words[index] }
    }

    mutating func formIntersection(_ other: RepositorySet) {
        if words.count > other.words.count { words.removeLast(words.count - other.words.count) }
        for index in words.indices { words[index] &= other.words[index] }
    }

    mutating func subtract(_ other: RepositorySet) {
        for index in 0..<min(words.count, other.words.count) { words[index] &= ~other.words[index] }
    }

    /// All ids in ascending order, until `body` returns false.
    func forEach(_ body: (Int64) throws -> Bool) rethrows {
        for (index, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                guard try body(Int64(index) << 6 | Int64(rest.trailingZeroBitCount)) else { return }
                rest &= rest - 1
            }
        }
    }

    /// True when an id of the range is there.
    func intersects(_ range: Range<Int64>) -> Bool {
        let first = Int(range.lowerBound >> 6)
        let end = min(Int((range.upperBound + 63) >> 6), words.count)
        guard first < end else { return false }
        return words[first..<end].contains { $0 != 0 }
    }

    var ids: [Int64] {
        var ids: [Int64] = []
        forEach { id in
            ids.append(id)
            return true
        }
        return ids
    }

    // MARK: - Stored parts

    /// Adds what a stored part holds. Below 4,096 members a part is a list of 16-bit numbers, else 8,192 bytes of bits.
    mutating func load(_ members: UnsafeRawBufferPointer, part: Int) {
        let base = part * Self.partWords
        let end = base + Self.partWords
        if end > words.count { words.append(contentsOf: repeatElement(0, count: end - words.count)) }
        if members.count == Self.partSize / 8 {
            for index in 0..<Self.partWords {
                words[base + index] |= UInt64(littleEndian: members.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
            }
        } else {
            for offset in stride(from: 0, to: members.count - 1, by: 2) {
                let low = Int(UInt16(littleEndian: members.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
                words[base + low >> 6] |= 1 << UInt64(low & 63)
            }
        }
    }
}

/// One part of a set while it is changed.
struct SetPart {
    private(set) var words = [UInt64](repeating: 0, count: RepositorySet.partWords)
    private(set) var count = 0

    init() {}

    init(stored members: UnsafeRawBufferPointer) {
        var set = RepositorySet()
        set.load(members, part: 0)
        words = set.words
        count = set.count
    }

    mutating func insert(_ low: Int) {
        let bit: UInt64 = 1 << UInt64(low & 63)
        guard words[low >> 6] & bit == 0 else { return }
        words[low >> 6] |= bit
        count += 1
    }

    mutating func remove(_ low: Int) {
        let bit: UInt64 = 1 << UInt64(low & 63)
        guard words[low >> 6] & bit != 0 else { return }
        words[low >> 6] &= ~bit
        count -= 1
    }

    /// As `RepositorySet.load` reads it.
    var stored: [UInt8] {
        var bytes: [UInt8] = []
        if count < 4096 {
            bytes.reserveCapacity(count * 2)
            for (index, word) in words.enumerated() {
                var rest = word
                while rest != 0 {
                    let low = index << 6 | rest.trailingZeroBitCount
                    bytes.append(UInt8(low & 0xff))
                    bytes.append(UInt8(low >> 8))
                    rest &= rest - 1
                }
            }
        } else {
            bytes.reserveCapacity(words.count * 8)
            for word in words { withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) } }
        }
        return bytes
    }
}
