import Glibc
import HubCore

/// Reads versions of one tree and yields only the entries in which each differs from the one before.
///
/// Versions of a tree have most of their bytes in common. What lies in the common beginning or the common end, from one entry's
/// boundary to another's, need not be looked at again; finding that costs a comparison of memory.
struct TreeDifference {
    /// The tree before, and where its entries begin; its end is the last of them.
    private var bytes: [UInt8] = []
    private var starts: [UInt32] = []
    private var newStarts: [UInt32] = []

    /// Forgets the tree before.
    mutating func reset() {
        bytes.removeAll(keepingCapacity: true)
        starts.removeAll(keepingCapacity: true)
    }

    /// Calls `body` with each entry that the tree before did not have at this place.
    ///
    /// - Parameter tree: Valid during the call; `body` must not have it overwritten.
    mutating func read(
        _ tree: UnsafeRawBufferPointer, body: (TreeParser.Entry) throws(GitStoreError) -> Void
    ) throws(GitStoreError) {
        let (first, last) = common(with: tree)
        let shift = tree.count - bytes.count
        newStarts.removeAll(keepingCapacity: true)
        newStarts.append(contentsOf: starts[..<first])
        var position = starts.isEmpty ? 0 : Int(starts[first])
        var rejoin = last
        var parser = TreeParser(UnsafeRawBufferPointer(rebasing: tree[position...]))
        while position < tree.count {
            // The first entry of the common end that is not behind; entries of both trees may begin at different places before.
            while rejoin < starts.count, Int(starts[rejoin]) + shift < position { rejoin += 1 }
            if rejoin < starts.count, Int(starts[rejoin]) + shift == position { break }
            guard let entry = try parser.next() else { break }
            newStarts.append(UInt32(position))
            try body(entry)
            position = tree.count - parser.remainingBytes
        }
        if position < tree.count {
            for start in starts[rejoin...] { newStarts.append(UInt32(Int(start) + shift)) }
        } else {
            newStarts.append(UInt32(tree.count))
        }
        swap(&starts, &newStarts)
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: tree)
    }

    /// The index in `starts` of the first entry that is not wholly in the common beginning, and of the first that is in the common end.
    private func common(with tree: UnsafeRawBufferPointer) -> (first: Int, last: Int) {
        guard starts.count > 1 else { return (0, starts.count) }
        return bytes.withUnsafeBytes { before in
            let limit = min(before.count, tree.count)
            let beginning = Self.commonBeginning(before, tree, limit: limit)
            let end = Self.commonEnd(before, tree, limit: limit - beginning)
            // An entry is common when its end is: that is where the next begins.
            var first = partition { Int($0) <= beginning }
            first = max(0, first - 1)
            let last = partition { Int($0) < before.count - end }
            return (first, last)
        }
    }

    /// How many of the starts satisfy a condition that those after them do not.
    private func partition(_ isBefore: (UInt32) -> Bool) -> Int {
        var low = 0
        var high = starts.count
        while low < high {
            let middle = (low + high) >> 1
            if isBefore(starts[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func commonBeginning(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer, limit: Int)
        -> Int
    {
        var count = 0
        while count + 8 <= limit {
            let difference =
                left.loadUnaligned(fromByteOffset: count, as: UInt64.self)
                ^ right.loadUnaligned(fromByteOffset: count, as: UInt64.self)
            if difference != 0 { return count + UInt64(littleEndian: difference).trailingZeroBitCount / 8 }
            count += 8
        }
        while count < limit, left[count] == right[count] { count += 1 }
        return count
    }

    private static func commonEnd(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer, limit: Int) -> Int {
        var count = 0
        while count + 8 <= limit {
            let difference =
                left.loadUnaligned(fromByteOffset: left.count - count - 8, as: UInt64.self)
                ^ right.loadUnaligned(fromByteOffset: right.count - count - 8, as: UInt64.self)
            if difference != 0 { return count + UInt64(littleEndian: difference).leadingZeroBitCount / 8 }
            count += 8
        }
        while count < limit, left[left.count - count - 1] == right[right.count - count - 1] { count += 1 }
        return count
    }
}
