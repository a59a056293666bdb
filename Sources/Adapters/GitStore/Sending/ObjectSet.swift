import Glibc
import HubCore

/// A set of object numbers of one snapshot: a bit for each.
///
/// Memory is touched only where members are.
struct ObjectSet: ~Copyable {
    private let words: UnsafeMutablePointer<UInt64>
    let wordCount: Int
    private(set) var count = 0

    /// - Throws: `.outOfMemory`.
    init(capacity: Int) throws(GitStoreError) {
        wordCount = (capacity + 63) / 64
        guard let memory = calloc(max(1, wordCount), 8) else { throw .outOfMemory }
        words = memory.bindMemory(to: UInt64.self, capacity: max(1, wordCount))
    }

    deinit { free(words) }

    @inline(__always)
    func contains(_ number: ObjectNumber) -> Bool { words[number >> 6] & (1 << UInt64(number & 63)) != 0 }

    /// Whether the number was not a member before.
    @inline(__always)
    @discardableResult
    mutating func insert(_ number: ObjectNumber) -> Bool {
        let bit: UInt64 = 1 << UInt64(number & 63)
        guard words[number >> 6] & bit == 0 else { return false }
        words[number >> 6] |= bit
        count += 1
        return true
    }

    @inline(__always)
    func word(_ index: Int) -> UInt64 { words[index] }
}

/// Where each member of an `ObjectSet` stands among the members, so that what is kept for them needs no more room than they do.
struct ObjectRanks: ~Copyable {
    private let before: UnsafeMutablePointer<UInt32>

    init(_ set: borrowing ObjectSet) {
        before = .allocate(capacity: max(1, set.wordCount))
        var total: UInt32 = 0
        for index in 0..<set.wordCount {
            before[index] = total
            total += UInt32(set.word(index).nonzeroBitCount)
        }
    }

    deinit { before.deallocate() }

    /// The number of members before a member.
    @inline(__always)
    func rank(of number: ObjectNumber, in set: borrowing ObjectSet) -> Int {
        let below = set.word(number >> 6) & ((1 << UInt64(number & 63)) - 1)
        return Int(before[number >> 6]) + below.nonzeroBitCount
    }
}
