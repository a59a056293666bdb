import Glibc
import HubCore

/// What is known of one entry of a pack that is being received.
struct PackEntry {
    static let none: Int32 = -1

    /// The object's name; zero until a delta is resolved.
    var oid = GitOID.zero
    var crc: UInt32 = 0
    var offset: Int64 = 0
    /// The inflated size of what is stored: of the delta for a delta.
    var sizeBytes: Int64 = 0
    /// The entry that this one is a delta to, once it is known.
    var base = PackEntry.none
    /// The deltas that name this entry as their base are a list: the first, and from each the next.
    var firstChild = PackEntry.none
    var nextSibling = PackEntry.none
    var headerByteCount: UInt8 = 0
    var isDelta = false
    /// `nil` until a delta is resolved.
    var type: GitObjectType?
}

/// The entries of a pack in the order of the file, and after them the objects of other packs that its deltas build on.
///
/// Filled by the thread that parses. While deltas are resolved its size stays fixed and each entry is written only by
/// the thread that resolves it; `DeltaResolver` joins the threads before anybody reads the results.
final class PackEntryTable: @unchecked Sendable {
    private(set) var count = 0
    private var capacity: Int
    private var storage: UnsafeMutablePointer<PackEntry>

    init() {
        capacity = 256
        storage = .allocate(capacity: capacity)
    }

    deinit { storage.deallocate() }

    /// - Returns: the number of the new entry.
    @discardableResult
    func append(_ entry: PackEntry) -> Int32 {
        if count == capacity { grow() }
        (storage + count).initialize(to: entry)
        count += 1
        return Int32(count - 1)
    }

    private func grow() {
        let larger = UnsafeMutablePointer<PackEntry>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: storage, count: count)
        storage.deallocate()
        storage = larger
        capacity *= 2
    }

    subscript(index: Int32) -> PackEntry {
        @inline(__always) unsafeAddress {
            precondition(index >= 0 && index < count)
            return UnsafePointer(storage + Int(index))
        }
        @inline(__always) unsafeMutableAddress {
            precondition(index >= 0 && index < count)
            return storage + Int(index)
        }
    }

    /// The entry that begins exactly at `offset`.
    func entry(at offset: Int64) -> Int32? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) >> 1
            if storage[middle].offset < offset { low = middle + 1 } else { high = middle }
        }
        return low < count && storage[low].offset == offset ? Int32(low) : nil
    }

    /// Adds `child` to the deltas of `base`.
    func link(_ child: Int32, to base: Int32) {
        self[child].base = base
        self[child].nextSibling = self[base].firstChild
        self[base].firstChild = child
    }

    /// Orders the deltas of each base as they lie in the file, but the one on which most others build last.
    ///
    /// Only what is linked by offset counts: there the base comes before its deltas.
    func putLargestFamiliesLast() {
        var familySizes = [Int32](repeating: 1, count: count)
        var largest = [Int32](repeating: PackEntry.none, count: count)
        for index in stride(from: count - 1, through: 0, by: -1) where storage[index].base != PackEntry.none {
            let base = Int(storage[index].base)
            familySizes[base] += familySizes[index]
            if largest[base] == PackEntry.none || familySizes[index] > familySizes[Int(largest[base])] {
                largest[base] = Int32(index)
            }
        }
        for base in 0..<count {
            storage[base].firstChild = largest[base]
            if largest[base] != PackEntry.none { storage[Int(largest[base])].nextSibling = PackEntry.none }
        }
        for index in stride(from: count - 1, through: 0, by: -1) where storage[index].base != PackEntry.none {
            let base = Int(storage[index].base)
            guard largest[base] != Int32(index) else { continue }
            storage[index].nextSibling = storage[base].firstChild
            storage[base].firstChild = Int32(index)
        }
    }
}
