/// Commits waiting to be visited, the newest first; of the same time, the one that was added first.
struct CommitQueue {
    private struct Item {
        let time: Int64
        let order: UInt32
        let slot: Int32
    }

    private var heap: [Item] = []
    private var added: UInt32 = 0

    var isEmpty: Bool { heap.isEmpty }
    var count: Int { heap.count }
    /// The time of the commit that comes next.
    var nextTime: Int64? { heap.first?.time }

    mutating func add(_ slot: CommitGraph.Slot, time: Int64) {
        heap.append(Item(time: time, order: added, slot: Int32(slot)))
        added &+= 1
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard Self.precedes(heap[child], heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func next() -> CommitGraph.Slot? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        return Int(first.slot)
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var child = parent * 2 + 1
            guard child < heap.count else { return }
            if child + 1 < heap.count, Self.precedes(heap[child + 1], heap[child]) { child += 1 }
            guard Self.precedes(heap[child], heap[parent]) else { return }
            heap.swapAt(child, parent)
            parent = child
        }
    }

    @inline(__always)
    private static func precedes(_ left: Item, _ right: Item) -> Bool {
        left.time != right.time ? left.time > right.time : left.order < right.order
    }
}
