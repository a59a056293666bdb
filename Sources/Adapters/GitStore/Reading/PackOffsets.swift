/// The entries of a pack in the order in which they lie in the file: the reverse of its index.
final class PackOffsets: Sendable {
    /// Where the entries begin, ascending; one more than there are entries, the last is where the trailer begins.
    let starts: [Int]
    /// The index position of each.
    let positions: [UInt32]

    init(index: PackIndex, trailerStart: Int) {
        let order = Self.sortedByOffset(index)
        positions = order
        var starts: [Int] = []
        starts.reserveCapacity(order.count + 1)
        for position in order { starts.append(index.offset(at: Int(position))) }
        starts.append(trailerStart)
        self.starts = starts
    }

    var count: Int { positions.count }

    /// The place in file order of the entry that begins exactly at `offset`.
    func place(at offset: Int) -> Int? {
        starts.withUnsafeBufferPointer { starts in
            var low = 0
            var high = positions.count
            while low < high {
                let middle = (low + high) >> 1
                if starts[middle] < offset { low = middle + 1 } else { high = middle }
            }
            return low < positions.count && starts[low] == offset ? low : nil
        }
    }

    /// Sorts by 16 bits at a time, from the lowest: no comparison, and the same time whatever the order was.
    private static func sortedByOffset(_ index: PackIndex) -> [UInt32] {
        var order = (0..<UInt32(index.count)).map { $0 }
        var keys = order.map { UInt64(index.offset(at: Int($0))) }
        let largest = keys.max() ?? 0
        var otherOrder = order
        var otherKeys = keys
        var shift: UInt64 = 0
        while shift < 64, largest >> shift > 0 {
            distribute(keys, order, shift: shift, keysTo: &otherKeys, orderTo: &otherOrder)
            swap(&keys, &otherKeys)
            swap(&order, &otherOrder)
            shift += 16
        }
        return order
    }

    private static func distribute(
        _ keys: [UInt64], _ order: [UInt32], shift: UInt64, keysTo: inout [UInt64], orderTo: inout [UInt32]
    ) {
        var starts = [Int](repeating: 0, count: 65537)
        starts.withUnsafeMutableBufferPointer { starts in
            for key in keys { starts[Int((key >> shift) & 0xffff) + 1] += 1 }
            for digit in 1...65536 { starts[digit] += starts[digit - 1] }
            keysTo.withUnsafeMutableBufferPointer { keysTo in
                orderTo.withUnsafeMutableBufferPointer { orderTo in
                    for item in keys.indices {
                        let digit = Int((keys[item] >> shift) & 0xffff)
                        keysTo[starts[digit]] = keys[item]
                        orderTo[starts[digit]] = order[item]
                        starts[digit] += 1
                    }
                }
            }
        }
    }
}
