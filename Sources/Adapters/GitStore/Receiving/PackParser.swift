import HubCore

/// Reads a pack as it arrives, in pieces of any size: stores it, checks its checksum, and records and inspects its
/// entries.
///
/// Objects that are whole are inspected at once. Of deltas only the place and length are learned, as their bases may
/// come later. Memory does not grow with the pack except for the table of entries. Used by one thread at a time.
final class PackParser {
    private enum Phase {
        case header
        case entries
        case trailer
        case finished
    }

    /// Entries up to this size are inflated in one step as soon as all of their bytes can be in the window.
    private static let directBytes = 512 << 10
    private static let windowBytes = 1 << 20

    let table = PackEntryTable()
    let inspector: ObjectInspector
    /// Deltas by the name of their base: the first of a list that runs through `nextSibling`.
    private(set) var referenceDeltas: [GitOID: Int32] = [:]
    /// Large blobs of names that the repository has; they are compared when the pack is complete.
    private(set) var largeDuplicates: [Int32] = []
    private(set) var trailer = GitOID.zero

    private let limits: ReceiveLimits
    private let file: OutputFile
    private let inflater = Inflater()
    private var checksum = SHA1()
    private var phase = Phase.header
    private var expectedCount = 0
    private(set) var inflatedBytes: Int64 = 0
    private var streaming: StreamedEntry?

    // The window holds bytes of the pack from `windowStart` on; those before `settled` are stored and hashed, those
    // before `position` are parsed, and the file may be read up to `filled`.
    private let window = UnsafeMutableRawBufferPointer.allocate(byteCount: windowBytes, alignment: 16)
    private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: directBytes, alignment: 16)
    private var windowStart: Int64 = 0
    private var settled = 0
    private var position = 0
    private var filled = 0

    init(file: OutputFile, inspector: ObjectInspector) {
        self.file = file
        self.inspector = inspector
        limits = inspector.limits
    }

    deinit {
        window.deallocate()
        scratch.deallocate()
    }

    /// Whether the pack is complete; more bytes are refused then.
    var isFinished: Bool { phase == .finished }

    /// Where the entries end once the pack is complete.
    var bodyEnd: Int64 { file.sizeBytes }

    func append(_ bytes: UnsafeRawBufferPointer) throws(GitStoreError) {
        var rest = bytes
        while !rest.isEmpty {
            if filled == window.count { try makeRoom() }
            let count = min(rest.count, window.count - filled)
            UnsafeMutableRawBufferPointer(rebasing: window[filled..<filled + count])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
            filled += count
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            guard windowStart + Int64(filled) <= limits.maximumPackBytes else {
                throw .refused(.overLimit("the pack is larger than \(limits.maximumPackBytes) bytes; push in parts"))
            }
            try parse(isLast: false)
        }
    }

    /// Call after the last byte.
    func finish() throws(GitStoreError) {
        try parse(isLast: true)
        guard phase == .finished else { throw .refused(.malformedPack("it ends early")) }
    }

    // MARK: The parts of a pack

    private var available: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: window[position..<filled]) }

    private func parse(isLast: Bool) throws(GitStoreError) {
        while true {
            switch phase {
            case .header:
                guard filled - position >= 12 else { return }
                try parseHeader()
            case .entries:
                if streaming != nil {
                    guard try continueStreaming() else { return }
                } else if table.count == expectedCount {
                    phase = .trailer
                } else {
                    guard try parseEntry(isLast: isLast) else { return }
                }
            case .trailer:
                guard filled - position >= GitOID.byteCount else { return }
                try parseTrailer()
            case .finished:
                guard filled == position else { throw .refused(.malformedPack("bytes follow its checksum")) }
                return
            }
        }
    }

    private func parseHeader() throws(GitStoreError) {
        let bytes = available
        guard bytes.starts(with: "PACK".utf8), [2, 3].contains(bytes.bigEndian32(at: 4)) else {
            throw .refused(.malformedPack("it does not begin like a pack of version 2"))
        }
        expectedCount = Int(bytes.bigEndian32(at: 8))
        guard expectedCount <= limits.maximumObjects else {
            throw .refused(.overLimit("the pack has more than \(limits.maximumObjects) objects; push in parts"))
        }
        position += 12
        phase = .entries
    }

    private func parseTrailer() throws(GitStoreError) {
        try settle()
        trailer = available.baseAddress.map { GitOID(bytes: $0) } ?? .zero
        guard checksum.finish() == trailer else { throw .refused(.malformedPack("its checksum is wrong")) }
        position += GitOID.byteCount
        settled = position
        phase = .finished
    }

    /// Stores and hashes what has been parsed.
    private func settle() throws(GitStoreError) {
        guard settled < position else { return }
        let bytes = UnsafeRawBufferPointer(rebasing: window[settled..<position])
        checksum.update(bytes)
        try file.append(bytes)
        settled = position
    }

    /// Moves what is not parsed yet to the start of the window.
    private func makeRoom() throws(GitStoreError) {
        try settle()
        window.copyMemory(from: available)
        windowStart += Int64(position)
        filled -= position
        position = 0
        settled = 0
    }

    // MARK: Entries

    /// - Returns: false when more bytes are needed first.
    private func parseEntry(isLast: Bool) throws(GitStoreError) -> Bool {
        let bytes = available
        guard isLast || bytes.count >= PackEntryHeader.maximumByteCount else { return false }
        if bytes.isEmpty { return false }
        let header = try PackEntryHeader.parse(bytes)
        let kind = header.kind
        let size = header.sizeBytes
        let needed = header.headerByteCount + size + size / 8 + 64
        guard isLast || size > Self.directBytes || bytes.count >= needed else { return false }
        try checkSize(kind, size)
        if size <= Self.directBytes {
            let target = UnsafeMutableRawBufferPointer(rebasing: scratch[0..<size])
            let source = UnsafeRawBufferPointer(rebasing: bytes[header.headerByteCount...])
            if let consumed = inflater.tryInflate(source, into: target) {
                let length = header.headerByteCount + consumed
                let entry = makeEntry(header, crc: CRC32.of(UnsafeRawBufferPointer(rebasing: bytes[0..<length])))
                position += length
                try record(entry, kind, UnsafeRawBufferPointer(target))
                return true
            }
            // Damaged, or longer than any ordinary stream of its size: the other inflater tells which.
        }
        streaming = StreamedEntry(
            entry: makeEntry(
                header, crc: CRC32.of(UnsafeRawBufferPointer(rebasing: bytes[0..<header.headerByteCount]))),
            kind: kind)
        position += header.headerByteCount
        return true
    }

    private func makeEntry(
        _ header: (kind: PackEntryKind, sizeBytes: Int, headerByteCount: Int), crc: UInt32
    ) -> PackEntry {
        var entry = PackEntry()
        entry.crc = crc
        entry.offset = windowStart + Int64(position)
        entry.sizeBytes = Int64(header.sizeBytes)
        entry.headerByteCount = UInt8(header.headerByteCount)
        entry.type = header.kind.wholeType
        entry.isDelta = entry.type == nil
        return entry
    }

    private func checkSize(_ kind: PackEntryKind, _ size: Int) throws(GitStoreError) {
        let (limit, what): (Int64, String) =
            switch kind {
            case .blob: (limits.maximumBlobBytes, "a file stored in git is larger than")
            case .commit, .tree, .tag: (limits.maximumStructureBytes, "a commit, tree or tag is larger than")
            case .offsetDelta, .referenceDelta: (limits.maximumDeltaObjectBytes, "a delta is larger than")
            }
        guard Int64(size) <= limit else {
            let hint = kind == .blob ? "; track it with Git LFS" : ""
            throw .refused(.overLimit("\(what) \(limit) bytes\(hint)"))
        }
        inflatedBytes += Int64(size)
        guard inflatedBytes <= limits.maximumInflatedBytes else {
            throw limits.tooManyInflatedBytes
        }
    }

    /// Adds an entry that is in memory in full.
    private func record(_ entry: PackEntry, _ kind: PackEntryKind, _ bytes: UnsafeRawBufferPointer)
        throws(GitStoreError)
    {
        var entry = entry
        if let type = kind.wholeType {
            entry.oid = try inspector.inspect(type, bytes)
            table.append(entry)
        } else {
            try checkDelta(bytes)
            try recordDelta(entry, kind)
        }
    }

    private func checkDelta(_ bytes: UnsafeRawBufferPointer) throws(GitStoreError) {
        let sizes = try Delta.sizes(bytes)
        guard max(sizes.base, sizes.result) <= limits.maximumDeltaObjectBytes else {
            throw .refused(.overLimit("a delta makes an object of more than \(limits.maximumDeltaObjectBytes) bytes"))
        }
    }

    private func recordDelta(_ entry: PackEntry, _ kind: PackEntryKind) throws(GitStoreError) {
        switch kind {
        case .offsetDelta(let distance):
            guard let base = table.entry(at: entry.offset - Int64(distance)) else {
                throw .refused(.malformedPack("a delta's base is not an entry"))
            }
            table.link(table.append(entry), to: base)
        case .referenceDelta(let base):
            let number = table.append(entry)
            table[number].nextSibling = referenceDeltas.updateValue(number, forKey: base) ?? PackEntry.none
        case .commit, .tree, .blob, .tag:
            table.append(entry)
        }
    }

    // MARK: Large entries

    /// - Returns: false when more bytes are needed first.
    private func continueStreaming() throws(GitStoreError) -> Bool {
        guard let streaming else { return true }
        let result = try streaming.take(available)
        position += result.consumed
        guard result.isFinished else { return false }
        self.streaming = nil
        try finish(streaming)
        return true
    }

    private func finish(_ streamed: StreamedEntry) throws(GitStoreError) {
        var entry = streamed.entry
        switch streamed.result() {
        case .bytes(let bytes): try record(entry, streamed.kind, bytes)
        case .hash(let hash):
            entry.oid = try hash.finish()
            let isDuplicate = inspector.noteStreamed(entry.oid)
            let number = table.append(entry)
            if isDuplicate { largeDuplicates.append(number) }
        case .discarded: try recordDelta(entry, streamed.kind)
        }
    }
}
