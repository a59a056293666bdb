import HubCore

/// Makes a stored pack of one that has been parsed: resolves its deltas, checks it as a whole, completes it if it was
/// thin, and writes its index.
struct PackAssembler {
    let repository: RepositoryUID
    let parser: PackParser
    let file: OutputFile
    let folder: QuarantineFolder
    let existing: GitObjects
    let limits: ReceiveLimits
    let threads: ReceiveThreads
    let stop: StopFlag
    var indexWriter = PackIndexWriter()
    let progress: @Sendable (ReceiveProgress) -> Void

    private var table: PackEntryTable { parser.table }

    func run(tips: [GitOID]) throws(GitStoreError) -> ReceivedPack {
        let ownCount = table.count
        let bodyEnd = file.sizeBytes
        let mapped = try MappedFile(path: file.path, operation: "read a pack back")
        let resolver = DeltaResolver(
            parser, file: mapped, existing: existing, threads: threads, stop: stop, progress: progress)
        let (helpers, outside) = try resolver.run()
        let inspectors = [parser.inspector] + helpers

        var order = try sortedByName(0..<Int32(ownCount))
        let check = ConnectivityCheck(table: table, order: order, existing: existing, stop: stop, progress: progress)
        let isFullyReachable = try check.run(inspectors.map(\.references), tips: tips)
        try compareLargeDuplicates()

        let appended = outside.filter { table[$0].type != nil && check.place(of: table[$0].oid) == nil }
        let checksum = try complete(with: appended, ownCount: ownCount)
        if !appended.isEmpty { order = try sortedByName(Array(0..<Int32(ownCount)) + appended) }
        let description = PackDescription(
            id: PackID(checksum), objectCount: order.count, sizeBytes: file.sizeBytes, bodyEnd: bodyEnd,
            ownObjectCount: ownCount, isDisjoint: !inspectors.contains { $0.foundExisting },
            isFullyReachable: isFullyReachable)
        try writeIndex(order, description)

        let pack = try Pack(description, folder: folder.path)
        let joined = try GitObjects(packs: existing.packs + [description], opened: existing.opened + [pack])
        try SpecialFileCheck(objects: joined, limits: limits).run(inspectors.map(\.specialBlobs))
        return try ReceivedPack(
            repository: repository, description: description, folder: folder, pack: pack, tips: tips, objects: joined,
            pointers: inspectors.flatMap(\.pointers))
    }

    /// Numbers of entries by the names of their objects.
    private func sortedByName(_ entries: some Sequence<Int32>) throws(GitStoreError) -> [Int32] {
        var keys = entries.map { SortKey(oid: table[$0].oid, entry: $0) }
        keys.sort { $0.oid < $1.oid }
        var previous: GitOID?
        for key in keys {
            if key.oid == previous { throw .refused(.duplicateObject(key.oid)) }
            previous = key.oid
        }
        return keys.map(\.entry)
    }

    private struct SortKey {
        let oid: GitOID
        let entry: Int32
    }

    // MARK: Completing a thin pack

    /// Appends the objects of other packs that deltas build on, whole, in the order of their names, and the trailer.
    ///
    /// - Returns: the checksum of the pack.
    private func complete(with outside: [Int32], ownCount: Int) throws(GitStoreError) -> GitOID {
        guard !outside.isEmpty else {
            try file.append(parser.trailer.bytes)
            return parser.trailer
        }
        let deflater = Deflater()
        for number in outside.sorted(by: { table[$0].oid < table[$1].oid }) {
            try stop.check()
            let object = try existing.read(table[number].oid, limit: limits.maximumDeltaObjectBytes)
            var bytes: [UInt8] = []
            PackEntryHeader.encode(PackEntryKind(object.type), sizeBytes: object.bytes.count, into: &bytes)
            object.bytes.withUnsafeBytes { deflater.deflate($0, appendingTo: &bytes) }
            table[number].offset = file.sizeBytes
            table[number].crc = bytes.withUnsafeBytes { CRC32.of($0) }
            try file.append(bytes)
        }
        return try file.finishPack(objectCount: ownCount + outside.count)
    }

    private func writeIndex(_ order: [Int32], _ description: PackDescription) throws(GitStoreError) {
        progress(ReceiveProgress(phase: .writingIndex, done: order.count, total: order.count))
        let entries = order.map {
            PackIndexWriter.Entry(oid: table[$0].oid, crc: table[$0].crc, offset: table[$0].offset)
        }
        try folder.store(entries, description, indexWriter: indexWriter)
    }

    // MARK: Large blobs that the repository has

    private func compareLargeDuplicates() throws(GitStoreError) {
        for number in parser.largeDuplicates {
            try stop.check()
            let entry = table[number]
            let start = Int(entry.offset) + Int(entry.headerByteCount)
            let comparison = LargeBlobComparison(existing: existing, oid: entry.oid, sizeBytes: Int(entry.sizeBytes))
            guard try comparison.isEqual(toStreamIn: file.descriptor, at: start) else {
                throw .refused(.collision(entry.oid))
            }
        }
    }
}
