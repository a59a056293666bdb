import Glibc

/// A piece of memory that holds an object, given back by whoever owns it.
struct ByteBlock {
    let start: UnsafeMutableRawPointer
    let count: Int
    /// How many bytes are there; `count` or more.
    let capacity: Int

    /// At least one byte, so that there is always an address.
    init(count: Int) {
        self.init(start: Self.allocate(max(1, count)), count: count, capacity: max(1, count))
    }

    fileprivate init(start: UnsafeMutableRawPointer, count: Int, capacity: Int) {
        self.start = start
        self.count = count
        self.capacity = capacity
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }
    var mutableBytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: start, count: count) }

    func free() { Glibc.free(start) }

    fileprivate static func allocate(_ bytes: Int) -> UnsafeMutableRawPointer {
        guard let start = malloc(bytes) else { fatalError("out of memory") }
        return start
    }
}

/// Blocks that were given back, by size, to be used again at once: a walk needs one for every object that it reads.
struct BlockPool: ~Copyable {
    /// Blocks of 256 bytes up to 128 KiB are kept, in sizes that double.
    private static let smallestShift = 8
    private static let classes = 10
    private static let maximumKept = 64

    private var kept: [[UnsafeMutableRawPointer]] = Array(repeating: [], count: classes)

    deinit {
        for blocks in kept {
            for block in blocks { Glibc.free(block) }
        }
    }

    mutating func take(_ count: Int) -> ByteBlock {
        let index = Self.sizeClass(count)
        guard index < Self.classes else { return ByteBlock(count: count) }
        let capacity = 1 << (index + Self.smallestShift)
        return ByteBlock(start: kept[index].popLast() ?? ByteBlock.allocate(capacity), count: count, capacity: capacity)
    }

    mutating func give(back block: ByteBlock) {
        let index = Self.sizeClass(block.capacity)
        if index < Self.classes, block.capacity == 1 << (index + Self.smallestShift),
            kept[index].count < Self.maximumKept
        {
            kept[index].append(block.start)
        } else {
            block.free()
        }
    }

    private static func sizeClass(_ count: Int) -> Int {
        count <= 1 << smallestShift ? 0 : Int.bitWidth - (count - 1).leadingZeroBitCount - smallestShift
    }
}
