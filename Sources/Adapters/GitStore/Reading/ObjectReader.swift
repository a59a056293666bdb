import HubCore

/// Reads objects out of packs, applying chains of deltas.
///
/// Used by one thread at a time.
///
/// Nothing recurses, chains and sizes are bounded, and what is read twice as a base comes from a bounded cache.
final class ObjectReader {
    /// git makes chains of at most 4,095.
    static let maximumChain = 4_096
    /// No delta and no base of a delta may be larger: git leaves files from 512 MiB as they are (`core.bigFileThreshold`).
    static let maximumDeltaBytes = 1 << 30
    /// Commits, tags and trees are read whole.
    static let maximumStructureBytes = 256 << 20

    struct Loaded {
        let type: GitObjectType
        /// Valid until the reader reads again.
        let bytes: UnsafeRawBufferPointer
    }

    /// A delta on the way to the base.
    private struct Link {
        let offset: Int
        let dataStart: Int
        let sizeBytes: Int
    }

    /// An object in memory, and whether this reader must free it.
    private struct Held {
        var type: GitObjectType
        var bytes: UnsafeRawBufferPointer
        var owned: ByteBlock?
        let offset: Int
    }

    private let packs: [Pack]
    private let firstNumbers: [ObjectNumber]
    private let inflater = Inflater()
    private lazy var stream = InflateStream()
    private var cache: DeltaBaseCache
    private var pool = BlockPool()
    private var chain: [Link] = []
    private var deltaRoom = ByteBlock(count: 4096)
    /// What was handed out last and is too large for the cache.
    private var current: ByteBlock?

    init(_ objects: GitObjects, cacheBytes: Int) {
        packs = objects.opened
        firstNumbers = objects.firstNumbers
        cache = DeltaBaseCache(maximumBytes: cacheBytes, places: cacheBytes >= 16 << 20 ? 16_384 : 1_024)
    }

    deinit {
        current?.free()
        deltaRoom.free()
    }

    /// The object in full.
    ///
    /// - Parameter limit: The largest size in bytes that the caller takes.
    func load(_ number: ObjectNumber, limit: Int) throws(GitStoreError) -> Loaded {
        let ordinal = GitObjects.ordinal(of: number, in: firstNumbers)
        let pack = packs[ordinal]
        do {
            return try load(
                ordinal, offset: pack.index.offset(at: number - firstNumbers[ordinal]), limit: limit)
        } catch .malformed(let what) {
            throw .corrupt(what)
        } catch .tooLarge {
            throw .tooLarge(pack.index.oid(at: number - firstNumbers[ordinal]), limit: Int64(limit))
        }
    }

    /// A commit, tree or tag, whose type must be the one given.
    @inline(__always)
    func load(_ number: ObjectNumber, expecting type: GitObjectType) throws(GitStoreError) -> UnsafeRawBufferPointer {
        let object = try load(number, limit: Self.maximumStructureBytes)
        guard object.type == type else { throw .unexpectedType(oid(of: number)) }
        return object.bytes
    }

    /// Type and size, without reading the object.
    func header(of number: ObjectNumber) throws(GitStoreError) -> (type: GitObjectType, sizeBytes: Int) {
        do {
            return try readHeader(of: number)
        } catch .malformed(let what) {
            throw .corrupt(what)
        }
    }

    private func oid(of number: ObjectNumber) -> GitOID {
        let ordinal = GitObjects.ordinal(of: number, in: firstNumbers)
        return packs[ordinal].index.oid(at: number - firstNumbers[ordinal])
    }

    // MARK: Whole objects

    private func load(_ ordinal: Int, offset: Int, limit: Int) throws(GitStoreError) -> Loaded {
        var held = try findBase(ordinal, offset: offset, limit: limit)
        while let link = chain.popLast() {
            held = try apply(link, to: held, ordinal: ordinal, limit: chain.isEmpty ? limit : Self.maximumDeltaBytes)
        }
        return keep(held, ordinal: ordinal)
    }

    /// Follows the deltas from an entry to an object that is whole or in the cache, noting them in `chain`.
    private func findBase(_ ordinal: Int, offset: Int, limit: Int) throws(GitStoreError) -> Held {
        let pack = packs[ordinal]
        var offset = offset
        chain.removeAll(keepingCapacity: true)
        while true {
            if let hit = cache.find(pack: ordinal, offset: offset) {
                guard !chain.isEmpty || hit.bytes.count <= limit else { throw .tooLarge(.zero, limit: 0) }
                return Held(type: hit.type, bytes: hit.bytes, owned: nil, offset: offset)
            }
            let entry = pack.entry(at: offset)
            let header = try PackEntryHeader.parse(entry)
            if let type = header.kind.wholeType {
                guard header.sizeBytes <= (chain.isEmpty ? limit : Self.maximumDeltaBytes) else {
                    throw .tooLarge(.zero, limit: 0)
                }
                let block = pool.take(header.sizeBytes)
                do throws(GitStoreError) {
                    _ = try inflater.inflate(
                        UnsafeRawBufferPointer(rebasing: entry[header.headerByteCount...]), into: block.mutableBytes)
                } catch {
                    pool.give(back: block)
                    throw error
                }
                return Held(type: type, bytes: block.bytes, owned: block, offset: offset)
            }
            guard chain.count < Self.maximumChain else { throw .corrupt("a chain of deltas is too long") }
            guard header.sizeBytes <= Self.maximumDeltaBytes else { throw .tooLarge(.zero, limit: 0) }
            chain.append(Link(offset: offset, dataStart: offset + header.headerByteCount, sizeBytes: header.sizeBytes))
            offset = try Self.baseOffset(of: header.kind, at: offset, in: pack)
        }
    }

    private func apply(_ link: Link, to base: Held, ordinal: Int, limit: Int) throws(GitStoreError) -> Held {
        var result: ByteBlock?
        do throws(GitStoreError) {
            if deltaRoom.count < link.sizeBytes {
                deltaRoom.free()
                deltaRoom = ByteBlock(count: link.sizeBytes)
            }
            let delta = UnsafeMutableRawBufferPointer(start: deltaRoom.start, count: link.sizeBytes)
            _ = try inflater.inflate(packs[ordinal].entry(at: link.dataStart), into: delta)
            let sizes = try Delta.sizes(UnsafeRawBufferPointer(delta))
            guard sizes.result <= limit else { throw .tooLarge(.zero, limit: 0) }
            let block = pool.take(sizes.result)
            result = block
            try Delta.apply(UnsafeRawBufferPointer(delta), to: base.bytes, into: block.mutableBytes)
            release(base, ordinal: ordinal)
            return Held(type: base.type, bytes: block.bytes, owned: block, offset: link.offset)
        } catch {
            if let result { pool.give(back: result) }
            if let block = base.owned { pool.give(back: block) }
            throw error
        }
    }

    /// Gives a base that has served to the cache.
    private func release(_ held: Held, ordinal: Int) {
        guard let block = held.owned else { return }
        if cache.keeps(block.capacity) {
            cache.insert(block, type: held.type, pack: ordinal, offset: held.offset, pool: &pool)
        } else {
            pool.give(back: block)
        }
    }

    /// Makes the result last until the next read: in the cache, where trees are likely bases of what is read next, or here.
    private func keep(_ held: Held, ordinal: Int) -> Loaded {
        if let block = held.owned {
            if held.type != .commit, cache.keeps(block.capacity) {
                cache.insert(block, type: held.type, pack: ordinal, offset: held.offset, pool: &pool)
            } else {
                if let current { pool.give(back: current) }
                current = block
            }
        }
        return Loaded(type: held.type, bytes: held.bytes)
    }

    /// Where the base of a delta begins; always inside the entries of the pack.
    static func baseOffset(of kind: PackEntryKind, at offset: Int, in pack: Pack) throws(GitStoreError) -> Int {
        switch kind {
        case .offsetDelta(let distance):
            guard distance <= offset - Pack.headerBytes else { throw .corrupt("a delta's base lies before the pack") }
            return offset - distance
        case .referenceDelta(let base):
            guard let position = pack.index.position(of: base) else {
                throw .corrupt("a delta's base is not in its pack")
            }
            return pack.index.offset(at: position)
        case .commit, .tree, .blob, .tag:
            return offset
        }
    }

    // MARK: Headers

    private func readHeader(of number: ObjectNumber) throws(GitStoreError) -> (type: GitObjectType, sizeBytes: Int) {
        let ordinal = GitObjects.ordinal(of: number, in: firstNumbers)
        let pack = packs[ordinal]
        var offset = pack.index.offset(at: number - firstNumbers[ordinal])
        var size: Int?
        for _ in 0...Self.maximumChain {
            let entry = pack.entry(at: offset)
            let header = try PackEntryHeader.parse(entry)
            if let type = header.kind.wholeType { return (type, size ?? header.sizeBytes) }
            if size == nil {
                size = try resultSize(UnsafeRawBufferPointer(rebasing: entry[header.headerByteCount...]))
            }
            offset = try Self.baseOffset(of: header.kind, at: offset, in: pack)
        }
        throw .corrupt("a chain of deltas is too long")
    }

    /// The result size that a compressed delta names, from its first bytes.
    private func resultSize(_ compressed: UnsafeRawBufferPointer) throws(GitStoreError) -> Int {
        stream.reset()
        var head: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        var failure: GitStoreError?
        var size = 0
        withUnsafeMutableBytes(of: &head) { head in
            do throws(GitStoreError) {
                let step = try stream.step(compressed, into: head)
                size = try Delta.sizes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(head)[..<step.produced]))
                    .result
            } catch { failure = error }
        }
        if let failure { throw failure }
        return size
    }
}
