import HubCore

/// Where the entries of a volume lie. It follows from the length of the index and the sizes in it.
package struct VolumeLayout: Sendable {
    package struct Place: Hashable, Sendable {
        /// Of the header.
        package var start: Int64
        /// Of the data.
        package var data: Int64
        /// Of the next header.
        package var end: Int64
    }

    package let places: [Place]
    /// The whole tar file.
    package let sizeBytes: Int64

    /// - Throws: `BundleError.unexpectedContent` when the sizes exceed what a file can have.
    package init(indexBytes: Int, entries: [VolumeIndex.Entry], volume: Int) throws(BundleError) {
        var offset = TarHeader.entryBytes(size: Int64(indexBytes))
        var places: [Place] = []
        places.reserveCapacity(entries.count)
        for entry in entries {
            // Lengths are below 2⁵³, so one sum cannot overflow; the bound keeps the next from it too.
            let end = offset + TarHeader.entryBytes(size: entry.storedLength)
            guard end <= CanonicalJSON.maximumInteger else {
                throw .unexpectedContent(volume: volume, reason: "its entries are larger than any file")
            }
            places.append(Place(start: offset, data: offset + TarHeader.byteCount(size: entry.storedLength), end: end))
            offset = end
        }
        self.places = places
        sizeBytes = offset + TarHeader.endBytes
    }
}

/// Puts entries into volumes that keep a limit, in the order in which they come.
package struct VolumePacking {
    /// So that the index of a volume, read as a whole, stays small.
    package static let maximumEntries = 20_000

    private let limitBytes: Int64?
    private let digest = ObjectID(digest: [UInt8](repeating: 0, count: 32))
    private var indexBytes: Int64
    private var dataBytes: Int64 = 0
    private var entryCount = 0
    /// The entries of each finished volume.
    package private(set) var volumes: [Range<Int>] = []
    private var start = 0
    private var next = 0

    /// - Parameter limitBytes: no volume is larger; `nil` for one volume of any size (of at most `maximumEntries`).
    package init(limitBytes: Int64?) {
        self.limitBytes = limitBytes
        // The largest number a volume can have, so that the sum is never too low.
        indexBytes = Int64(VolumeIndex(volume: 999_999, entries: []).canonicalBytes.count)
    }

    /// Adds the next entry; its hash does not matter.
    /// - Throws: `BundleError.volumeTooSmall` when it does not fit into a volume of its own.
    package mutating func add(_ entry: VolumeIndex.Entry) throws(BundleError) {
        var entry = entry
        entry.sha256 = digest
        let line = Int64(CanonicalJSON.encode(entry.node).count) + 1
        let data = TarHeader.entryBytes(size: entry.storedLength)
        if entryCount > 0, entryCount == Self.maximumEntries || !fits(line: line, data: data) { finishVolume() }
        guard fits(line: line, data: data) else {
            throw .volumeTooSmall(neededBytes: total(line: line, data: data), limitBytes: limitBytes ?? 0)
        }
        indexBytes += line
        dataBytes += data
        entryCount += 1
        next += 1
    }

    /// Ends the last volume.
    package mutating func finish() { if entryCount > 0 || volumes.isEmpty { finishVolume() } }

    /// The least that a volume needs for an entry of this stored length.
    package static func neededBytes(storedLength: Int64) -> Int64 {
        TarHeader.entryBytes(size: storedLength) + TarHeader.entryBytes(size: 1024) + TarHeader.endBytes
    }

    private mutating func finishVolume() {
        volumes.append(start..<next)
        start = next
        indexBytes = Int64(VolumeIndex(volume: 999_999, entries: []).canonicalBytes.count)
        dataBytes = 0
        entryCount = 0
    }

    private func fits(line: Int64, data: Int64) -> Bool {
        guard let limitBytes else { return true }
        return total(line: line, data: data) <= limitBytes
    }

    private func total(line: Int64, data: Int64) -> Int64 {
        TarHeader.entryBytes(size: indexBytes + line) + dataBytes + data + TarHeader.endBytes
    }
}
