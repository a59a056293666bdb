import HubCore

/// The index of a pack: git's `.idx` file, version 2 (git `gitformat-pack(5)`).
///
/// The whole layout, the fan-out table and every offset are checked when it is opened, so that no later look-up can leave the
/// files, whatever they hold. Positions count the objects in the order of their names.
struct PackIndex: Sendable {
    private static let headerBytes = 8
    private static let fanOutBytes = 256 * 4
    private static let bytesPerObject = 20 + 4 + 4
    private static let trailerBytes = 40

    private let file: MappedFile
    // Those of `file`, at hand without counting references to it.
    private nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
    /// The names, 20 bytes each.
    ///
    /// Valid as long as the index is.
    nonisolated(unsafe) let names: UnsafeRawPointer
    let count: Int
    private let namesStart: Int
    private let checksumsStart: Int
    private let offsetsStart: Int
    private let largeOffsetsStart: Int

    /// - Parameter packBytes: The size of the `.pack` file; entries lie between its header and its trailer.
    init(file: MappedFile, packBytes: Int) throws(GitStoreError) {
        let bytes = file.bytes
        guard bytes.count >= Self.headerBytes + Self.fanOutBytes + Self.trailerBytes else {
            throw .corrupt("a pack index is too short")
        }
        guard bytes.bigEndian32(at: 0) == 0xff74_4f63, bytes.bigEndian32(at: 4) == 2 else {
            throw .corrupt("a pack index is not of version 2")
        }
        var previous = 0
        for byte in 0..<256 {
            let next = Int(bytes.bigEndian32(at: Self.headerBytes + byte * 4))
            guard next >= previous else { throw .corrupt("the fan-out table of a pack index is out of order") }
            previous = next
        }
        count = previous
        let smallEnd = Self.headerBytes + Self.fanOutBytes + count * Self.bytesPerObject
        let largeBytes = bytes.count - Self.trailerBytes - smallEnd
        guard largeBytes >= 0, largeBytes.isMultiple(of: 8), largeBytes / 8 <= count else {
            throw .corrupt("a pack index does not have the size of its objects")
        }
        guard let start = bytes.baseAddress else { throw .corrupt("a pack index is too short") }
        self.file = file
        self.bytes = bytes
        names = start + Self.headerBytes + Self.fanOutBytes
        namesStart = Self.headerBytes + Self.fanOutBytes
        checksumsStart = namesStart + count * 20
        offsetsStart = checksumsStart + count * 4
        largeOffsetsStart = offsetsStart + count * 4
        try checkOffsets(largeCount: largeBytes / 8, packBytes: packBytes)
    }

    /// The checksum of the pack that the index belongs to.
    var packChecksum: GitOID { GitOID(bytes: names - namesStart + (bytes.count - Self.trailerBytes)) }

    func oid(at position: Int) -> GitOID { GitOID(bytes: names + position * 20) }

    /// The CRC-32 of the stored entry, header included.
    func checksum(at position: Int) -> UInt32 { bytes.bigEndian32(at: checksumsStart + position * 4) }

    /// Where the entry begins in the pack.
    @inline(__always)
    func offset(at position: Int) -> Int {
        let small = bytes.bigEndian32(at: offsetsStart + position * 4)
        if small & 0x8000_0000 == 0 { return Int(small) }
        return Int(bytes.bigEndian64(at: largeOffsetsStart + Int(small & 0x7fff_ffff) * 8))
    }

    /// Looks a name up: the fan-out table, then a guess (names are evenly spread), then ever smaller steps from there.
    func position(of name: NameWords) -> Int? {
        var low = name.firstByte == 0 ? 0 : fanOut(name.firstByte - 1)
        var high = fanOut(name.firstByte)
        if high - low > 16 {
            let guess = low + ((high - low) * name.secondAndThirdByte) >> 16
            var step = 4
            if words(at: guess) < name {
                low = guess + 1
                while low + step < high, words(at: low + step) < name {
                    low += step + 1
                    step *= 2
                }
                high = min(high, low + step + 1)
            } else {
                high = guess + 1
                while high - step > low, name < words(at: high - step) {
                    high -= step
                    step *= 2
                }
                low = max(low, high - step)
            }
        }
        while low < high {
            let middle = (low + high) >> 1
            let found = words(at: middle)
            if found == name { return middle }
            if found < name { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    func position(of oid: GitOID) -> Int? { position(of: NameWords(oid)) }

    @inline(__always)
    private func words(at position: Int) -> NameWords { NameWords(at: names + position * 20) }

    /// The positions whose names begin with this byte.
    func positions(firstByte: UInt8) -> Range<Int> {
        (firstByte == 0 ? 0 : fanOut(Int(firstByte) - 1))..<fanOut(Int(firstByte))
    }

    @inline(__always)
    private func fanOut(_ byte: Int) -> Int { Int(bytes.bigEndian32(at: Self.headerBytes + byte * 4)) }

    private func checkOffsets(largeCount: Int, packBytes: Int) throws(GitStoreError) {
        for position in 0..<count {
            let small = bytes.bigEndian32(at: offsetsStart + position * 4)
            var offset = UInt64(small)
            if small & 0x8000_0000 != 0 {
                let large = Int(small & 0x7fff_ffff)
                guard large < largeCount else { throw .corrupt("a pack index has an offset outside its table") }
                offset = bytes.bigEndian64(at: largeOffsetsStart + large * 8)
            }
            guard offset >= 12, offset < UInt64(max(0, packBytes - 20)) else {
                throw .corrupt("a pack index has an offset outside the pack")
            }
        }
    }
}

extension UnsafeRawBufferPointer {
    @inline(__always)
    func bigEndian32(at offset: Int) -> UInt32 {
        UInt32(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    @inline(__always)
    func bigEndian64(at offset: Int) -> UInt64 {
        UInt64(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}
