import HubCore

/// Objects that were read lately, as bases for the deltas that are read next.
///
/// Bounded in bytes.
///
/// A table with one place for each hash of an entry: a new object displaces what stood in its place, and when the bound is
/// passed the places are emptied one after another. Cheap enough to keep every tree of a walk.
struct DeltaBaseCache: ~Copyable {
    struct Hit {
        let type: GitObjectType
        let bytes: UnsafeRawBufferPointer
    }

    private struct Place {
        var key: UInt64 = 0
        var type: GitObjectType = .blob
        var block: ByteBlock?
    }

    private let maximumBytes: Int
    private var places: [Place]
    private var totalBytes = 0
    private var hand = 0

    /// - Parameter places: A power of two.
    init(maximumBytes: Int, places: Int) {
        self.maximumBytes = maximumBytes
        self.places = Array(repeating: Place(), count: places)
    }

    deinit {
        for place in places { place.block?.free() }
    }

    /// The bytes are valid until the next `insert`.
    @inline(__always)
    func find(pack ordinal: Int, offset: Int) -> Hit? {
        let key = Self.key(ordinal, offset)
        let place = places[self.place(of: key)]
        guard place.key == key, let block = place.block else { return nil }
        return Hit(type: place.type, bytes: block.bytes)
    }

    /// Takes over the block; what it displaces goes to the pool.
    mutating func insert(_ block: ByteBlock, type: GitObjectType, pack ordinal: Int, offset: Int, pool: inout BlockPool)
    {
        let key = Self.key(ordinal, offset)
        let index = place(of: key)
        empty(index, &pool)
        while totalBytes + block.capacity > maximumBytes, totalBytes > 0 {
            empty(hand, &pool)
            hand = (hand + 1) & (places.count - 1)
        }
        places[index] = Place(key: key, type: type, block: block)
        totalBytes += block.capacity
    }

    /// Whether a block of this size is worth keeping.
    func keeps(_ bytes: Int) -> Bool { bytes <= maximumBytes / 4 }

    private mutating func empty(_ index: Int, _ pool: inout BlockPool) {
        guard let block = places[index].block else { return }
        totalBytes -= block.capacity
        pool.give(back: block)
        places[index].block = nil
    }

    private static func key(_ ordinal: Int, _ offset: Int) -> UInt64 { UInt64(ordinal) << 48 | UInt64(offset) }

    @inline(__always)
    private func place(of key: UInt64) -> Int {
        Int((key &* 0x9e37_79b9_7f4a_7c15) >> 40) & (places.count - 1)
    }
}
