import HubCore

/// Writes a selection of objects as a pack, copying what is stored wherever that is possible.
///
/// Objects go out in the order in which they lie in their packs, so that reading is sequential and bases precede their deltas.
/// A stored entry is copied as it is when it is whole, or a delta whose base is sent too (its distance is then written
/// anew) or is known to a client that takes thin packs. What else is a delta is inflated and compressed again. The CRC of
/// every copied entry is checked, so that damage on disk is found here and not by the client.
struct PackWriter: ~Copyable {
    /// What became of an object, in `places`: 0 not yet, 1 in work, otherwise its offset in the pack.
    private static let inWork: UInt64 = 1

    /// How the entries of a pack were made, for the closing message.
    struct Counts {
        var objects = 0
        var deltas = 0
        var reused = 0
        var reusedDeltas = 0
    }

    private let objects: GitObjects
    private let reader: ObjectReader
    private let selection: ObjectSelection
    private let isThin: Bool
    private let usesOffsetDeltas: Bool
    private let output: PackOutput
    private let check: (Int) throws(GitStoreError) -> Void

    private let ranks: ObjectRanks
    private var places: [UInt64]
    private var finder: NumberFinder
    private let deflater = Deflater()
    private var thinBudget = ThinDelta.maximumTotalBytes
    private var header: [UInt8] = []
    private var pending: [ObjectNumber] = []
    private(set) var counts = Counts()

    init(
        _ selection: consuming ObjectSelection, of objects: GitObjects, reader: ObjectReader, isThin: Bool,
        usesOffsetDeltas: Bool, output: PackOutput, check: @escaping (Int) throws(GitStoreError) -> Void
    ) {
        self.objects = objects
        self.reader = reader
        self.isThin = isThin
        self.usesOffsetDeltas = usesOffsetDeltas
        self.output = output
        self.check = check
        ranks = ObjectRanks(selection.selected)
        places = Array(repeating: 0, count: selection.selected.count)
        finder = NumberFinder(objects)
        self.selection = selection
    }

    /// Writes the whole pack: header, entries, trailer.
    mutating func run() throws(GitStoreError) {
        try output.writeHeader(objectCount: selection.selected.count)
        for (ordinal, pack) in objects.opened.enumerated() {
            let first = objects.firstNumber(ofPack: ordinal)
            guard selection.hasSelected(in: first..<first + pack.index.count) else { continue }
            let offsets = pack.offsets
            var next = 0
            while let place = offsets.next(from: next, first: first, in: selection.selected) {
                next = place + 1
                let number = first + Int(offsets.positions[place])
                if counts.objects & 0xfff == 0 { try check(counts.objects) }
                try write(number, StoredEntry(pack: pack, offsets: offsets, first: first, place: place))
            }
        }
        try output.finish()
    }

    /// Writes an object, its base before it where that is not out yet.
    private mutating func write(_ number: ObjectNumber, _ entry: StoredEntry) throws(GitStoreError) {
        guard places[rank(number)] == 0 else { return }
        if try writeNow(number, entry) { return }
        // Only deltas between packs come here; chains of them may be long, so this does not recurse.
        pending = [number]
        while let next = pending.last {
            if places[rank(next)] > Self.inWork {
                pending.removeLast()
            } else if try writeNow(next, StoredEntry(next, in: objects)) {
                pending.removeLast()
            }
        }
    }

    /// Writes an entry, unless its base must go first; that is then added to `pending`.
    private mutating func writeNow(_ number: ObjectNumber, _ entry: StoredEntry) throws(GitStoreError) -> Bool {
        let head = try entry.header()
        guard head.kind.wholeType == nil else {
            if try !writeThin(number, storedBytes: entry.byteCount) { try copy(number, entry, head) }
            return true
        }
        let local = try entry.base(head.kind)
        let base = selection.selected.contains(local) ? local : finder.number(of: objects.oid(of: local)) ?? local
        if selection.selected.contains(base) {
            switch places[rank(base)] {
            case 0:
                places[rank(number)] = Self.inWork
                pending.append(base)
                return false
            case Self.inWork:
                // Packs that hold the same objects as each other's deltas: the circle is broken here.
                try writeAnew(number)
            case let offset:
                try copy(number, entry, head, base: base, baseOffset: Int(offset))
            }
        } else if isThin, selection.known.contains(base) {
            try copy(number, entry, head, base: base, baseOffset: nil)
        } else if try !writeThin(number, storedBytes: entry.byteCount) {
            try writeAnew(number)
        }
        return true
    }

    @inline(__always)
    private func rank(_ number: ObjectNumber) -> Int { ranks.rank(of: number, in: selection.selected) }

    private mutating func begin(_ number: ObjectNumber) {
        places[rank(number)] = UInt64(output.offset)
        counts.objects += 1
    }

    // MARK: Copies

    private mutating func copy(_ number: ObjectNumber, _ entry: StoredEntry, _ head: StoredEntry.Head)
        throws(GitStoreError)
    {
        try entry.verify()
        begin(number)
        counts.reused += 1
        try output.write(entry.bytes)
    }

    /// Copies a delta.
    ///
    /// Without an offset the base is one that the client has.
    private mutating func copy(
        _ number: ObjectNumber, _ entry: StoredEntry, _ head: StoredEntry.Head, base: ObjectNumber, baseOffset: Int?
    ) throws(GitStoreError) {
        try entry.verify()
        let here = output.offset
        begin(number)
        counts.reused += 1
        counts.reusedDeltas += 1
        counts.deltas += 1
        let kind: PackEntryKind
        if let baseOffset, usesOffsetDeltas {
            kind = .offsetDelta(distance: here - baseOffset)
        } else {
            kind = .referenceDelta(base: objects.oid(of: base))
        }
        if kind == head.kind {
            try output.write(entry.bytes)
        } else {
            try writeHeader(kind, sizeBytes: head.sizeBytes)
            try output.write(UnsafeRawBufferPointer(rebasing: entry.bytes[head.headerByteCount...]))
        }
    }

    private mutating func writeHeader(_ kind: PackEntryKind, sizeBytes: Int) throws(GitStoreError) {
        header.removeAll(keepingCapacity: true)
        PackEntryHeader.encode(kind, sizeBytes: sizeBytes, into: &header)
        try output.write(header)
    }

    // MARK: New entries

    private mutating func writeAnew(_ number: ObjectNumber) throws(GitStoreError) {
        let object = try reader.load(number, limit: ObjectReader.maximumDeltaBytes)
        var compressed: [UInt8] = []
        deflater.deflate(object.bytes, appendingTo: &compressed)
        let size = object.bytes.count
        begin(number)
        try writeHeader(PackEntryKind(object.type), sizeBytes: size)
        try output.write(compressed)
    }

    /// Tries a delta against what the client has at the same path; answers whether it was worth it and is written.
    private mutating func writeThin(_ number: ObjectNumber, storedBytes: Int) throws(GitStoreError) -> Bool {
        guard isThin, let base = selection.candidates[UInt32(number)], thinBudget > 0 else { return false }
        guard let delta = try ThinDelta.make(number, from: Int(base), reader: reader, budget: &thinBudget) else {
            return false
        }
        var compressed: [UInt8] = []
        delta.withUnsafeBytes { deflater.deflate($0, appendingTo: &compressed) }
        guard compressed.count + GitOID.byteCount < storedBytes else { return false }
        begin(number)
        counts.deltas += 1
        try writeHeader(.referenceDelta(base: objects.oid(of: Int(base))), sizeBytes: delta.count)
        try output.write(compressed)
        return true
    }
}

extension ObjectSelection {
    /// Whether anything of a range of numbers is selected.
    func hasSelected(in range: Range<ObjectNumber>) -> Bool {
        var number = range.lowerBound
        while number < range.upperBound {
            if number & 63 == 0, number + 64 <= range.upperBound {
                if selected.word(number >> 6) != 0 { return true }
                number += 64
            } else {
                if selected.contains(number) { return true }
                number += 1
            }
        }
        return false
    }
}
