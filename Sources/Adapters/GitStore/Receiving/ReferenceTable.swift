import HubCore

/// The types that an object must have according to those that name it; a set of one unless somebody errs.
struct ExpectedTypes: OptionSet, Hashable {
    let rawValue: UInt8

    static let commit = ExpectedTypes(.commit)
    static let tree = ExpectedTypes(.tree)
    static let blob = ExpectedTypes(.blob)
    static let tag = ExpectedTypes(.tag)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init(_ type: GitObjectType) { rawValue = 1 << type.rawValue }

    var types: [GitObjectType] { GitObjectType.allCases.filter { contains(ExpectedTypes($0)) } }
}

/// The names of all objects that a pack's objects name, each once.
///
/// Used by one thread at a time.
///
/// An open-addressing table of 24-byte slots. Whoever pushes chooses the names, so where they fall depends on all their
/// bytes and on a secret.
final class ReferenceTable {
    private struct Slot {
        var oid = GitOID.zero
        var expected = ExpectedTypes(rawValue: 0)
    }

    private(set) var count = 0
    private var slots: UnsafeMutablePointer<Slot>
    private var mask: Int
    private let secret = (UInt64.random(in: .min ... .max) | 1, UInt64.random(in: .min ... .max) | 1)

    init() {
        mask = 1023
        slots = .allocate(capacity: mask + 1)
        slots.initialize(repeating: Slot(), count: mask + 1)
    }

    deinit { slots.deallocate() }

    @inline(__always)
    private func home(of oid: GitOID) -> Int {
        let mixed = withUnsafeBytes(of: oid) { bytes in
            let first = bytes.loadUnaligned(as: UInt64.self)
            let second = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            let third = UInt64(bytes.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
            let one = (first ^ secret.0).multipliedFullWidth(by: second ^ secret.1)
            let two = (one.low ^ one.high ^ third).multipliedFullWidth(by: secret.1)
            return two.low ^ two.high
        }
        return Int(truncatingIfNeeded: mixed) & mask
    }

    @inline(__always)
    func insert(_ oid: GitOID, _ expected: ExpectedTypes) {
        var slot = home(of: oid)
        while slots[slot].expected.rawValue != 0 {
            if slots[slot].oid == oid {
                slots[slot].expected.formUnion(expected)
                return
            }
            slot = (slot + 1) & mask
        }
        slots[slot] = Slot(oid: oid, expected: expected)
        count += 1
        if count * 2 > mask { grow() }
    }

    private func grow() {
        let old = slots
        let oldCount = mask + 1
        mask = oldCount * 2 - 1
        slots = .allocate(capacity: mask + 1)
        slots.initialize(repeating: Slot(), count: mask + 1)
        for index in 0..<oldCount where old[index].expected.rawValue != 0 {
            var slot = home(of: old[index].oid)
            while slots[slot].expected.rawValue != 0 { slot = (slot + 1) & mask }
            slots[slot] = old[index]
        }
        old.deallocate()
    }

    func forEach<Failure: Error>(_ visit: (GitOID, ExpectedTypes) throws(Failure) -> Void) throws(Failure) {
        for slot in 0...mask where slots[slot].expected.rawValue != 0 {
            try visit(slots[slot].oid, slots[slot].expected)
        }
    }
}
