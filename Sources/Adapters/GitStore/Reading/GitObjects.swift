import HubCore
import Synchronization

/// The number of an object in a snapshot: its pack's first number plus its position in the pack's index.
///
/// Sets and tables of objects are arrays and bitmaps over these numbers. An object that several packs hold has several
/// numbers; `GitObjects.number(of:)` always answers the same one.
typealias ObjectNumber = Int

/// The objects of a set of packs that never changes.
///
/// Readable by many threads at once. Every call may read from disk and so blocks.
package final class GitObjects: Sendable {
    /// As the caller gave them.
    package let packs: [PackDescription]
    /// The packs by falling number of objects: that is the order of look-ups, as most objects lie in the largest.
    let opened: [Pack]
    /// The first number of each open pack, and the number of objects at the end.
    let firstNumbers: [ObjectNumber]
    // The name tables of `opened`, at hand without counting references.
    private nonisolated(unsafe) let names: [UnsafeRawPointer]
    let objectCount: Int
    private let lazyTable = Mutex<ObjectTable?>(nil)
    let readers = ReaderPool()

    init(packs: [PackDescription], opened: [Pack]) throws(GitStoreError) {
        self.packs = packs
        self.opened = opened.enumerated()
            .sorted { ($1.element.index.count, $0.offset) < ($0.element.index.count, $1.offset) }
            .map(\.element)
        var firstNumbers = [0]
        for pack in self.opened { firstNumbers.append((firstNumbers.last ?? 0) + pack.index.count) }
        self.firstNumbers = firstNumbers
        names = self.opened.map(\.index.names)
        objectCount = firstNumbers.last ?? 0
        guard objectCount < Int(UInt32.max) else {
            throw .corrupt("a repository has more objects than can be numbered")
        }
    }

    package func contains(_ oid: GitOID) -> Bool { number(of: oid) != nil }

    /// The number of an object: always that of the first pack in `opened` that has it.
    func number(of oid: GitOID) -> ObjectNumber? {
        let name = NameWords(oid)
        if let table = tableIfMade { return table.number(of: name, in: self) }
        return search(name)
    }

    /// Looks into one index after another; for few look-ups, where making the table would cost more than it saves.
    func search(_ name: NameWords) -> ObjectNumber? {
        for (ordinal, pack) in opened.enumerated() {
            if let position = pack.index.position(of: name) { return firstNumbers[ordinal] + position }
        }
        return nil
    }

    var tableIfMade: ObjectTable? { lazyTable.withLock { $0 } }

    /// The table of all names, made at first use and kept.
    var table: ObjectTable {
        lazyTable.withLock { cached in
            if let cached { return cached }
            let made = ObjectTable(self)
            cached = made
            return made
        }
    }

    func oid(of number: ObjectNumber) -> GitOID { GitOID(bytes: nameBytes(of: number)) }

    @inline(__always)
    func words(of number: ObjectNumber) -> NameWords { NameWords(at: nameBytes(of: number)) }

    @inline(__always)
    private func nameBytes(of number: ObjectNumber) -> UnsafeRawPointer {
        let ordinal = ordinal(of: number)
        return names.withUnsafeBufferPointer { $0[ordinal] }
            + (number - firstNumbers.withUnsafeBufferPointer { $0[ordinal] }) * 20
    }

    /// The place of the object's pack in `opened`.
    @inline(__always)
    func ordinal(of number: ObjectNumber) -> Int { Self.ordinal(of: number, in: firstNumbers) }

    @inline(__always)
    static func ordinal(of number: ObjectNumber, in firstNumbers: [ObjectNumber]) -> Int {
        firstNumbers.withUnsafeBufferPointer { first in
            var low = 0
            var high = first.count - 1
            while high - low > 1 {
                let middle = (low + high) >> 1
                if first[middle] <= number { low = middle } else { high = middle }
            }
            return low
        }
    }

    @inline(__always)
    func firstNumber(ofPack ordinal: Int) -> ObjectNumber { firstNumbers[ordinal] }
}
