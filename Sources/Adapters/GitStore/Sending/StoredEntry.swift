import HubCore

/// An entry of a pack as it is stored.
struct StoredEntry {
    typealias Head = (kind: PackEntryKind, sizeBytes: Int, headerByteCount: Int)

    private let pack: Pack
    private let offsets: PackOffsets
    /// The object number of the pack's first object.
    private let first: ObjectNumber
    private let position: Int
    private let start: Int
    private let end: Int

    /// - Parameters:
    ///   - first: The object number of the pack's first object.
    ///   - place: Of the entry, in the order in which they lie in the file.
    @inline(__always)
    init(pack: Pack, offsets: PackOffsets, first: ObjectNumber, place: Int) {
        self.pack = pack
        self.offsets = offsets
        self.first = first
        position = Int(offsets.positions[place])
        start = offsets.starts[place]
        end = offsets.starts[place + 1]
    }

    init(_ number: ObjectNumber, in objects: GitObjects) throws(GitStoreError) {
        let ordinal = objects.ordinal(of: number)
        let pack = objects.opened[ordinal]
        let first = objects.firstNumber(ofPack: ordinal)
        let offsets = pack.offsets
        guard let place = offsets.place(at: pack.index.offset(at: number - first)) else {
            throw .corrupt("a pack index has two objects at one place")
        }
        self.init(pack: pack, offsets: offsets, first: first, place: place)
    }

    var byteCount: Int { end - start }
    /// Header and compressed data.
    ///
    /// Valid as long as the pack is.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: pack.bytes[start..<end]) }

    func header() throws(GitStoreError) -> Head {
        do {
            return try PackEntryHeader.parse(bytes)
        } catch .malformed(let what) {
            throw .corrupt(what)
        }
    }

    /// The number of a delta's base in the same pack.
    func base(_ kind: PackEntryKind) throws(GitStoreError) -> ObjectNumber {
        let offset = try ObjectReader.baseOffset(of: kind, at: start, in: pack)
        guard let place = offsets.place(at: offset) else { throw .corrupt("a delta's base is no entry of its pack") }
        return first + Int(offsets.positions[place])
    }

    /// Compares the stored bytes with the CRC in the index.
    func verify() throws(GitStoreError) {
        guard CRC32.of(bytes) == pack.index.checksum(at: position) else {
            throw .corrupt("an entry of a pack has another CRC")
        }
    }
}

extension PackOffsets {
    /// The first place, from `place` on, whose object is in a set.
    ///
    /// - Parameter first: The object number of the pack's first object.
    func next(from place: Int, first: ObjectNumber, in set: borrowing ObjectSet) -> Int? {
        positions.withUnsafeBufferPointer { positions in
            var place = place
            while place < positions.count {
                if set.contains(first + Int(positions[place])) { return place }
                place += 1
            }
            return nil
        }
    }
}
