import Glibc

/// The entries that the trees of one path have, by name: what lies at the same place in different versions.
///
/// Made for one path after another without giving memory back in between. A seed makes its hashes unpredictable.
struct ChildTable {
    struct Child {
        fileprivate let hash: UInt64
        fileprivate let nameStart: Int
        fileprivate let nameCount: Int
        /// Trees to send, by object number.
        var interesting: [UInt32] = []
        /// Trees that the client has.
        var boundary: [UInt32] = []
        /// A blob that the client has at this place, plus one; 0 is none.
        var boundaryBlob: UInt32 = 0
    }

    private(set) var children: [Child] = []
    private var names: [UInt8] = []
    private var slots: [Int32] = Array(repeating: 0, count: 64)
    private let seed = UInt64.random(in: .min ... .max)

    mutating func removeAll() {
        children.removeAll(keepingCapacity: true)
        names.removeAll(keepingCapacity: true)
        if slots.count > 4096 { slots = Array(repeating: 0, count: 64) }
        for index in slots.indices { slots[index] = 0 }
    }

    /// Changes the child of a name, which is added at its first use.
    @inline(__always)
    mutating func withChild(_ name: UnsafeRawBufferPointer, _ body: (inout Child) -> Void) {
        body(&children[index(of: name)])
    }

    func child(named name: UnsafeRawBufferPointer) -> Child? {
        let slot = slot(of: name, hash: hash(name))
        return slots[slot] == 0 ? nil : children[Int(slots[slot]) - 1]
    }

    private mutating func index(of name: UnsafeRawBufferPointer) -> Int {
        let hash = hash(name)
        let slot = slot(of: name, hash: hash)
        if slots[slot] != 0 { return Int(slots[slot]) - 1 }
        children.append(Child(hash: hash, nameStart: names.count, nameCount: name.count))
        names.append(contentsOf: name)
        slots[slot] = Int32(children.count)
        if children.count * 2 > slots.count { grow() }
        return children.count - 1
    }

    /// The slot that holds the name, or the free one where it would go.
    private func slot(of name: UnsafeRawBufferPointer, hash: UInt64) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash >> 20) & mask
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            if children[index].hash == hash, isName(ofChild: index, name) { break }
            slot = (slot + 1) & mask
        }
        return slot
    }

    private func isName(ofChild index: Int, _ name: UnsafeRawBufferPointer) -> Bool {
        let nameStart = children[index].nameStart
        guard children[index].nameCount == name.count, let start = name.baseAddress else { return false }
        return names.withUnsafeBytes { names in
            names.baseAddress.map { memcmp($0 + nameStart, start, name.count) == 0 } ?? false
        }
    }

    private mutating func grow() {
        slots = Array(repeating: 0, count: slots.count * 2)
        let mask = slots.count - 1
        for (index, child) in children.enumerated() {
            var slot = Int(truncatingIfNeeded: child.hash >> 20) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = Int32(index + 1)
        }
    }

    private func hash(_ name: UnsafeRawBufferPointer) -> UInt64 {
        var hash = seed ^ UInt64(name.count)
        var index = 0
        while index + 8 <= name.count {
            hash = Self.mixed(hash ^ name.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            index += 8
        }
        var tail: UInt64 = 0
        while index < name.count {
            tail = tail << 8 | UInt64(name[index])
            index += 1
        }
        return Self.mixed(hash ^ tail)
    }

    @inline(__always)
    private static func mixed(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
        return product.high ^ product.low
    }
}
