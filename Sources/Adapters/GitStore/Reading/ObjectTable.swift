import Glibc
import HubCore

/// Finds the number of an object by its name in one step, over all packs of a snapshot.
///
/// An open-addressing table of 4-byte numbers; the names themselves stay in the mapped indexes. Where packs hold the same
/// object, the first pack's copy is the one that is found, as in `GitObjects.search`.
final class ObjectTable: Sendable {
    private let slots: [UInt32]
    private let multiplier: UInt64
    private let shift: UInt64

    init(_ objects: GitObjects) {
        var bits: UInt64 = 4
        while 1 << bits < objects.objectCount * 2 { bits += 1 }
        let shift = 64 - bits
        // A secret factor: whoever chooses object names cannot choose where they fall.
        let multiplier = UInt64.random(in: .min ... .max) | 1
        var slots = [UInt32](repeating: 0, count: 1 << Int(bits))
        let mask = slots.count - 1
        slots.withUnsafeMutableBufferPointer { slots in
            for number in 0..<objects.objectCount {
                let name = objects.words(of: number)
                var slot = Int((name.first &* multiplier) >> shift)
                while slots[slot] != 0, !(objects.words(of: Int(slots[slot]) - 1) == name) { slot = (slot + 1) & mask }
                if slots[slot] == 0 { slots[slot] = UInt32(number + 1) }
            }
        }
        self.slots = slots
        self.multiplier = multiplier
        self.shift = shift
    }

    @inline(__always)
    func number(of name: NameWords, in objects: GitObjects) -> ObjectNumber? {
        slots.withUnsafeBufferPointer { slots in
            let mask = slots.count - 1
            var slot = Int((name.first &* multiplier) >> shift)
            while slots[slot] != 0 {
                let number = Int(slots[slot]) - 1
                if objects.words(of: number) == name { return number }
                slot = (slot + 1) & mask
            }
            return nil
        }
    }
}
