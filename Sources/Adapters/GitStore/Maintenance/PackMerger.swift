import HubCore

/// Copies objects of several packs into one, reusing what is stored.
///
/// Each object goes in once. Deltas stay deltas where their base goes in too, or has its home in a pack that stays;
/// such bases are appended whole, as for a thin pack that was received. Other deltas are stored whole. Bases come
/// before their deltas. Chains that would grow longer from merge to merge are cut: what would lie deeper than
/// `maximumDepth` is stored whole. The CRC of every copied entry is checked.
struct PackMerger: ~Copyable {
    /// Git's own maximum for `gc --aggressive`; chains that come so from a client stay as they are.
    private static let maximumDepth = 250
    private static let readerCacheBytes = 32 << 20
    private static let residentBytes: Int64 = 64 << 20

    /// What became of an object, in `places`: not yet, in work, or the offset at which it was written.
    private static let untouched: UInt64 = 0
    private static let inWork: UInt64 = 1

    struct Output {
        var entries: [PackIndexWriter.Entry]
        let checksum: GitOID
        /// Where the entries end that have their home in this pack.
        let bodyEnd: Int64
        let ownCount: Int
    }

    private let objects: GitObjects
    private let sources: [Int]
    private let staying: ObjectSet
    private let reader: ObjectReader
    private let deflater = Deflater(level: 6)
    private let isCancelled: () -> Bool
    private var finder: NumberFinder
    // By object number; 14 bytes an object.
    private var chosen: [UInt32]
    private var places: [UInt64]
    private var depths: [UInt16]
    private var count = 0
    private var releasedAt: Int64 = 0
    private var outside: [GitOID: ObjectNumber] = [:]
    private var pending: [ObjectNumber] = []
    private var entries: [PackIndexWriter.Entry] = []
    private var header: [UInt8] = []

    /// - Parameters:
    ///   - sources: The packs to copy from, by their place in `objects.opened`.
    ///   - selected: Which objects to copy, by their numbers in `objects`.
    ///   - staying: Objects that have their home in packs that stay; deltas may build on copies of them.
    init(
        _ objects: GitObjects, sources: [Int], selected: borrowing ObjectSet, staying: consuming ObjectSet,
        isCancelled: @escaping () -> Bool
    ) {
        self.objects = objects
        self.sources = sources
        self.staying = staying
        self.isCancelled = isCancelled
        reader = ObjectReader(objects, cacheBytes: Self.readerCacheBytes)
        finder = NumberFinder(objects)
        chosen = Array(repeating: 0, count: objects.objectCount)
        places = Array(repeating: Self.untouched, count: objects.objectCount)
        depths = Array(repeating: 0, count: objects.objectCount)
        choose(from: selected)
    }

    /// Finds for each object the entry to copy: one that has its home in its pack rather than an appended one.
    private mutating func choose(from selected: borrowing ObjectSet) {
        for homes in [true, false] {
            for ordinal in sources {
                let index = objects.opened[ordinal].index
                let bodyEnd = objects.bodyEnd(ofPack: ordinal)
                let first = objects.firstNumber(ofPack: ordinal)
                for position in 0..<index.count where homes == (index.offset(at: position) < bodyEnd) {
                    let number = self.number(of: first + position, ordinal: ordinal)
                    guard chosen[number] == 0, selected.contains(number) else { continue }
                    chosen[number] = UInt32(first + position + 1)
                    count += 1
                }
            }
        }
    }

    /// The number by which an object is known, given that of one of its entries.
    private mutating func number(of entry: ObjectNumber, ordinal: Int) -> ObjectNumber {
        // The first pack is searched first, so what is in it is known by its place there.
        ordinal == 0 ? entry : finder.number(of: objects.oid(of: entry)) ?? entry
    }

    /// Writes the pack.
    mutating func write(to file: OutputFile) throws(GitStoreError) -> Output {
        var output = HashedOutput(file)
        try output.append(PackHeader.bytes(objectCount: count))
        for ordinal in sources {
            let pack = objects.opened[ordinal]
            let first = objects.firstNumber(ofPack: ordinal)
            let offsets = pack.offsets
            for place in 0..<offsets.count {
                let entry = first + Int(offsets.positions[place])
                let number = self.number(of: entry, ordinal: ordinal)
                guard chosen[number] == UInt32(entry + 1), places[number] == Self.untouched else { continue }
                if entries.count & 0xfff == 0, isCancelled() { throw .cancelled }
                try write(number, to: &output)
            }
        }
        let bodyEnd = output.count
        let ownCount = entries.count
        try appendBases(to: &output)
        let checksum = try finish(output, file, ownCount: ownCount)
        entries.sort { $0.oid < $1.oid }
        return Output(entries: entries, checksum: checksum, bodyEnd: bodyEnd, ownCount: ownCount)
    }

    private func finish(
        _ output: consuming HashedOutput, _ file: OutputFile, ownCount: Int
    ) throws(GitStoreError) -> GitOID {
        guard entries.count > ownCount else { return try output.finish() }
        try output.flush()
        return try file.finishPack(objectCount: entries.count)
    }

    /// Writes an object, and before it the bases that are not out yet.
    ///
    /// Chains may be long, so this does not recurse.
    private mutating func write(_ number: ObjectNumber, to output: inout HashedOutput) throws(GitStoreError) {
        pending.append(number)
        while let next = pending.last {
            if places[next] > Self.inWork {
                pending.removeLast()
            } else if try writeNow(next, to: &output) {
                pending.removeLast()
            }
        }
    }

    /// Writes an object unless its base must go first; that is then added to `pending`.
    private mutating func writeNow(_ number: ObjectNumber, to output: inout HashedOutput) throws(GitStoreError) -> Bool
    {
        let stored = Int(chosen[number]) - 1
        let entry = try StoredEntry(stored, in: objects)
        let head = try entry.header()
        if head.kind.wholeType != nil {
            try entry.verify()
            try append(number, entry.bytes, depth: 0, to: &output)
            return true
        }
        let base = self.number(of: try entry.base(head.kind), ordinal: objects.ordinal(of: stored))
        if chosen[base] == 0 {
            guard staying.contains(base) else {
                try writeWhole(number, to: &output)
                return true
            }
            outside[objects.oid(of: base)] = base
            try copy(number, entry, head, .referenceDelta(base: objects.oid(of: base)), depth: 1, to: &output)
            return true
        }
        switch places[base] {
        case Self.untouched:
            places[number] = Self.inWork
            pending.append(base)
            return false
        case Self.inWork:
            // Two packs hold the same objects as each other's deltas: the circle is broken here.
            try writeWhole(number, to: &output)
        case let offset:
            if Int(depths[base]) >= Self.maximumDepth {
                try writeWhole(number, to: &output)
            } else {
                let kind = PackEntryKind.offsetDelta(distance: Int(output.count) - Int(offset))
                try copy(number, entry, head, kind, depth: depths[base] + 1, to: &output)
            }
        }
        return true
    }

    private mutating func copy(
        _ number: ObjectNumber, _ entry: StoredEntry, _ head: StoredEntry.Head, _ kind: PackEntryKind, depth: UInt16,
        to output: inout HashedOutput
    ) throws(GitStoreError) {
        try entry.verify()
        if kind == head.kind {
            try append(number, entry.bytes, depth: depth, to: &output)
        } else {
            let data = UnsafeRawBufferPointer(rebasing: entry.bytes[head.headerByteCount...])
            try append(number, kind, sizeBytes: head.sizeBytes, data, depth: depth, to: &output)
        }
    }

    private mutating func writeWhole(_ number: ObjectNumber, to output: inout HashedOutput) throws(GitStoreError) {
        let object = try reader.load(number, limit: ObjectReader.maximumDeltaBytes)
        let kind = PackEntryKind(object.type)
        let size = object.bytes.count
        var compressed: [UInt8] = []
        deflater.deflate(object.bytes, appendingTo: &compressed)
        try withBytes(of: compressed) { (data) throws(GitStoreError) in
            try append(number, kind, sizeBytes: size, data, depth: 0, to: &output)
        }
    }

    private mutating func append(
        _ number: ObjectNumber, _ kind: PackEntryKind, sizeBytes: Int, _ data: UnsafeRawBufferPointer, depth: UInt16,
        to output: inout HashedOutput
    ) throws(GitStoreError) {
        header.removeAll(keepingCapacity: true)
        PackEntryHeader.encode(kind, sizeBytes: sizeBytes, into: &header)
        let crc = CRC32.of(data, continuing: header.withUnsafeBytes { CRC32.of($0) })
        note(number, crc: crc, depth: depth, at: output.count)
        try output.append(header)
        try output.append(data)
        releasePages(at: output.count)
    }

    private mutating func append(
        _ number: ObjectNumber, _ bytes: UnsafeRawBufferPointer, depth: UInt16, to output: inout HashedOutput
    ) throws(GitStoreError) {
        note(number, crc: CRC32.of(bytes), depth: depth, at: output.count)
        try output.append(bytes)
        releasePages(at: output.count)
    }

    /// Lets go of the pages of the packs now and then, or all of them would seem to be held in memory.
    private mutating func releasePages(at offset: Int64) {
        guard offset - releasedAt >= Self.residentBytes else { return }
        releasedAt = offset
        for ordinal in sources { objects.opened[ordinal].releasePages() }
    }

    private mutating func note(_ number: ObjectNumber, crc: UInt32, depth: UInt16, at offset: Int64) {
        places[number] = UInt64(offset)
        depths[number] = depth
        entries.append(PackIndexWriter.Entry(oid: objects.oid(of: number), crc: crc, offset: offset))
    }

    /// Appends whole copies of the bases that stay at home in other packs, in the order of their names.
    private mutating func appendBases(to output: inout HashedOutput) throws(GitStoreError) {
        for (_, number) in outside.sorted(by: { $0.key < $1.key }) {
            try writeWhole(number, to: &output)
        }
    }
}

extension GitObjects {
    /// Where the entries end that have their home in this pack, by its place in `opened`.
    func bodyEnd(ofPack ordinal: Int) -> Int64 {
        let id = opened[ordinal].id
        return packs.first { $0.id == id }?.bodyEnd ?? Int64(opened[ordinal].trailerStart)
    }
}
