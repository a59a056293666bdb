import HubCore

/// Writes a pack's index, version 2 (git `gitformat-pack(5)`).
struct PackIndexWriter {
    struct Entry {
        let oid: GitOID
        let crc: UInt32
        let offset: Int64
    }

    /// Offsets from here on go into the table of 8-byte offsets; tests lower it.
    var firstLargeOffset: Int64 = 1 << 31

    /// - Parameters:
    ///   - entries: Sorted by name, each name once.
    ///   - checksum: The pack's.
    func write(_ entries: [Entry], checksum: GitOID, to file: OutputFile) throws(GitStoreError) {
        var output = HashedOutput(file)
        try output.append(0xff74_4f63)
        try output.append(2)
        try writeFanOut(entries, to: &output)
        for entry in entries { try output.append(entry.oid) }
        for entry in entries { try output.append(entry.crc) }
        var largeOffsets: [Int64] = []
        for entry in entries {
            if entry.offset < firstLargeOffset {
                try output.append(UInt32(entry.offset))
            } else {
                try output.append(0x8000_0000 | UInt32(largeOffsets.count))
                largeOffsets.append(entry.offset)
            }
        }
        for offset in largeOffsets {
            try output.append(UInt32(offset >> 32))
            try output.append(UInt32(truncatingIfNeeded: offset))
        }
        try output.append(checksum)
        _ = try output.finish()
    }

    private func writeFanOut(_ entries: [Entry], to output: inout HashedOutput) throws(GitStoreError) {
        var counts = [UInt32](repeating: 0, count: 256)
        for entry in entries { counts[Int(entry.oid.firstByte)] += 1 }
        var total: UInt32 = 0
        for count in counts {
            total += count
            try output.append(total)
        }
    }
}

/// Gathers small pieces, stores them in large ones and hashes them on the way.
struct HashedOutput: ~Copyable {
    private static let pieceBytes = 256 << 10

    private let file: OutputFile
    private var hash = SHA1()
    private var pending: [UInt8] = []

    init(_ file: OutputFile) {
        self.file = file
        pending.reserveCapacity(Self.pieceBytes + 64)
    }

    /// How many bytes have come so far.
    var count: Int64 { file.sizeBytes + Int64(pending.count) }

    mutating func append(_ value: UInt32) throws(GitStoreError) {
        pending.append(UInt8(truncatingIfNeeded: value >> 24))
        pending.append(UInt8(truncatingIfNeeded: value >> 16))
        pending.append(UInt8(truncatingIfNeeded: value >> 8))
        pending.append(UInt8(truncatingIfNeeded: value))
        if pending.count >= Self.pieceBytes { try flush() }
    }

    mutating func append(_ oid: GitOID) throws(GitStoreError) {
        let start = pending.count
        pending.append(contentsOf: repeatElement(0, count: GitOID.byteCount))
        pending.withUnsafeMutableBytes { oid.write(to: UnsafeMutableRawBufferPointer(rebasing: $0[start...])) }
        if pending.count >= Self.pieceBytes { try flush() }
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(GitStoreError) {
        if bytes.count >= Self.pieceBytes {
            try flush()
            hash.update(bytes)
            try file.append(bytes)
            return
        }
        pending.append(contentsOf: bytes)
        if pending.count >= Self.pieceBytes { try flush() }
    }

    mutating func append(_ bytes: [UInt8]) throws(GitStoreError) {
        pending.append(contentsOf: bytes)
        if pending.count >= Self.pieceBytes { try flush() }
    }

    /// Stores what is pending.
    mutating func flush() throws(GitStoreError) {
        hash.update(pending)
        try file.append(pending)
        pending.removeAll(keepingCapacity: true)
    }

    /// Appends the checksum of all that came before, and answers it.
    mutating func finish() throws(GitStoreError) -> GitOID {
        try flush()
        let digest = hash.finish()
        try file.append(digest.bytes)
        return digest
    }
}
