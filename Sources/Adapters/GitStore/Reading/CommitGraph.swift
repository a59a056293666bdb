import Glibc
import HubCore

/// The commits that one walk has read: their trees, parents and times, by slots numbered as they are met.
///
/// Used by one thread at a time.
final class CommitGraph {
    typealias Slot = Int

    private struct Record {
        let number: UInt32
        let tree: UInt32
        let firstParent: UInt32
        let parentCount: UInt32
        let time: Int64
    }

    let objects: GitObjects
    private let reader: ObjectReader
    private var finder: NumberFinder
    /// For each object number, its slot plus one.
    ///
    /// Only touched where there are commits.
    private let slots: UnsafeMutablePointer<UInt32>
    private var records: [Record] = []
    private var parentNumbers: [UInt32] = []

    /// - Throws: `.outOfMemory`.
    init(_ objects: GitObjects, reader: ObjectReader) throws(GitStoreError) {
        self.objects = objects
        self.reader = reader
        finder = NumberFinder(objects)
        guard let memory = calloc(max(1, objects.objectCount), 4) else { throw .outOfMemory }
        slots = memory.bindMemory(to: UInt32.self, capacity: max(1, objects.objectCount))
    }

    deinit { free(slots) }

    var count: Int { records.count }

    func number(of slot: Slot) -> ObjectNumber { Int(records[slot].number) }
    func tree(of slot: Slot) -> ObjectNumber { Int(records[slot].tree) }
    /// The committer's time, seconds since 1970.
    func time(of slot: Slot) -> Int64 { records[slot].time }

    /// The object numbers of the parents, in order.
    func parents(of slot: Slot) -> ArraySlice<UInt32> {
        let first = Int(records[slot].firstParent)
        return parentNumbers[first..<first + Int(records[slot].parentCount)]
    }

    /// The slot of a commit, which is read at the first call.
    func slot(of number: ObjectNumber) throws(GitStoreError) -> Slot {
        if slots[number] != 0 { return Int(slots[number]) - 1 }
        return try read(number)
    }

    private func read(_ number: ObjectNumber) throws(GitStoreError) -> Slot {
        let bytes = try reader.load(number, expecting: .commit)
        let first = parentNumbers.count
        var missing: GitOID?
        let links: (tree: GitOID, committerTime: Int64)
        do {
            links = try GitCommit.links(in: bytes) { parent in
                guard let number = finder.number(of: parent) else {
                    missing = parent
                    return
                }
                parentNumbers.append(UInt32(number))
            }
        } catch .malformed(let what) {
            throw .corrupt(what)
        }
        if let missing { throw .missing(missing) }
        guard let tree = finder.number(of: links.tree) else { throw .missing(links.tree) }
        records.append(
            Record(
                number: UInt32(number), tree: UInt32(tree), firstParent: UInt32(first),
                parentCount: UInt32(parentNumbers.count - first), time: links.committerTime))
        slots[number] = UInt32(records.count)
        return records.count - 1
    }
}
