import HubCore
import MetadataStore
import NIOCore
import ObjectStore

/// How far the check of a shard is.
package enum XetProgress: Hashable, Sendable {
    /// So many files of so many are checked.
    case validating(verified: Int, total: Int)
    case committing
}

/// A shard that was received and whose form is sound.
package struct XetShard: Sendable {
    let received: ReceivedShard
    let ticket: ShardTicket
    package let fileCount: Int
}

extension XetService {
    /// The most files of one shard.
    package static let maximumFiles = 100_000
    /// How many files of a shard are checked, and then recorded, together: each holds a file open.
    private static let batchFiles = 256
    private static let concurrentFiles = 4

    /// Stores a xorb as it arrives; durable when it returns.
    ///
    /// Whether others had sent it before is not told.
    package func receiveXorb<Body: AsyncSequence & Sendable>(
        _ hash: XetHash, body: Body, for access: XetAccess
    ) async throws where Body.Element == ByteBuffer {
        try await xorbQueue.run(key(of: access)) {
            let state = try await store.renewXorb(hash)
            // Told before the body is read.
            if state == .sweeping { throw MetadataError.beingSwept }
            let xorb = try await objects.putXorb(hash, isKnown: state == .stored, body: body)
            try await store.recordXorbs([XorbRecord(xorb)])
        }
    }

    /// Receives a shard and checks its form.
    package func receiveShard<Body: AsyncSequence & Sendable>(
        _ body: Body, for access: XetAccess
    ) async throws -> XetShard where Body.Element == ByteBuffer {
        let ticket = try shardTickets.take(key(of: access))
        let received = try await objects.receiveShard(body)
        let count = try await objects.countFiles(of: received, limit: Self.maximumFiles)
        return XetShard(received: received, ticket: ticket, fileCount: count)
    }

    /// Checks every file of a shard against the xorbs and its SHA-256, and records that the token's repository has them.
    ///
    /// Durable when it returns. Large shards are recorded in several steps; when a later one fails, its sender has proved the earlier
    /// ones all the same.
    /// - Returns: whether any of them is new to the repository.
    package func register(
        _ shard: XetShard, for access: XetAccess, progress: @escaping @Sendable (XetProgress) -> Void
    ) async throws -> Bool {
        try await shardQueue.run(key(of: access)) {
            var isNew = false
            var verified = 0
            var place = ShardPlace.start
            let work = ShardWork(allowanceBytes: settings.shardAllowanceBytes)
            while verified < shard.fileCount {
                let batch = try await objects.files(
                    of: shard.received, at: place, limit: min(Self.batchFiles, shard.fileCount - verified))
                place = batch.next
                let before = verified
                let files = try await prepare(batch.files, of: shard, work) { count in
                    progress(.validating(verified: before + count, total: shard.fileCount))
                }
                verified += files.count
                progress(.committing)
                let account = access.principal.account?.id
                if try await record(files, linkedTo: access.repository.id, account: account) { isNew = true }
            }
            return isNew
        }
    }

    /// Checks files, a few at a time.
    private func prepare(
        _ files: [ShardFile], of shard: XetShard, _ work: ShardWork, progress: (Int) -> Void
    ) async throws -> [PreparedFile] {
        try await withThrowingTaskGroup(of: PreparedFile.self) { group in
            var prepared: [PreparedFile] = []
            var next = 0
            while prepared.count < files.count {
                if next < files.count, next - prepared.count < Self.concurrentFiles {
                    let file = files[next]
                    next += 1
                    group.addTask { try await self.prepare(file, of: shard, work) }
                } else if let file = try await group.next() {
                    prepared.append(file)
                    progress(prepared.count)
                }
            }
            return prepared
        }
    }

    private func prepare(_ file: ShardFile, of shard: XetShard, _ work: ShardWork) async throws -> PreparedFile {
        let known = try await store.xetFile(file.hash)
        return try await objects.prepare(
            file, of: shard.received, known: known?.oid, limit: settings.maximumFileBytes, work: work,
            progress: { _ in })
    }

    /// Gives recipes their places, then their rows.
    /// - Returns: whether any of the files was not known to the repository by this name.
    private func record(_ files: [PreparedFile], linkedTo repository: RepositoryID, account: AccountID?) async throws
        -> Bool
    {
        try await recording.run("") {
            let known = try await store.xetHashes(of: files.map(\.id))
            var isNew = false
            for file in files where !isNew { isNew = try await store.xetFile(file.hash, in: repository) == nil }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, file) in files.enumerated() {
                    if index >= Self.concurrentFiles { try await group.next() }
                    // A recipe without a row may name other xorbs than this one.
                    let replaces = known[file.id] == nil
                    group.addTask { _ = try await self.objects.publish(file, replaces: replaces) }
                }
                try await group.waitForAll()
            }
            try await store.recordXetFiles(files.map(XetFileRecord.init), linkedTo: repository, account: account)
            for file in files where known[file.id] == nil {
                // It had come whole before and was not cut yet: its bytes are in the xorbs now, which were just read for its SHA-256.
                if try await !store.hasXorbs(madeOf: file.id) { try await objects.dropWholeFile(of: file.id) }
            }
            return isNew
        }
    }

    /// Cuts an object into chunks where it lies and records them.
    ///
    /// Nothing happens when it is gone, or has a recipe meanwhile.
    package func chunk(_ oid: ObjectID) async throws {
        guard let chunked = try await objects.chunk(oid) else { return }
        try await recording.run("") {
            guard try await store.xetHashes(of: [oid]).isEmpty, try await objects.stat(oid) != nil else { return }
            try await store.recordXorbs(chunked.xorbs.map(XorbRecord.init))
            _ = try await objects.publish(chunked.file, replaces: true)
            try await store.recordXetFiles([XetFileRecord(chunked.file)], linkedTo: nil, account: nil)
        }
    }
}

extension XorbRecord {
    init(_ xorb: StoredXorb) {
        self.init(hash: xorb.hash, chunkCount: xorb.chunkCount, rawBytes: xorb.rawBytes, source: xorb.source?.object)
    }
}

extension XetFileRecord {
    init(_ file: PreparedFile) {
        self.init(
            hash: file.hash, oid: file.id, sizeBytes: file.sizeBytes, xorbs: file.xorbs,
            landmarks: file.landmarks.map { XetLandmark(chunk: $0.hash, xorb: $0.xorb, index: $0.index) })
    }
}
