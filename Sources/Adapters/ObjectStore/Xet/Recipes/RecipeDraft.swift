import FoundationEssentials
import Glibc
import HubCore

/// A chunk that clients may ask for, to learn what else the hub has around it.
package struct LandmarkChunk: Hashable, Sendable {
    package let hash: XetHash
    package let xorb: XetHash
    package let index: Int

    /// Clients ask for the first chunk of a file and for those whose hash is divisible by this.
    static let divisor: UInt64 = 1024
    /// Chunks can be made to have such hashes; of more than these, and a few times what chance brings, the rest is not indexed.
    static let usualCount = 64
    static let usualDivisor = 256
}

/// A recipe that is being made, in a temporary file.
///
/// Used by one job at a time.
///
/// Unchecked: its makers await each job before they start the next.
package final class RecipeDraft: @unchecked Sendable {
    private static let writeBytes = 256 << 10

    private let path: String
    private let store: FileObjectStore
    private let limit: Int64
    private var file: OpenFile?
    private var pending: [UInt8] = []
    private var writtenBytes = Int64(RecipeLayout.headerBytes)
    /// The last term, which the next may prolong.
    private var last: RecipeTerm?
    private var tree = MerkleTree()
    private let checker = KeyedBlake3(.term)
    private var chunkCount = 0
    /// The beginnings of the hashes of the landmarks.
    private var marks: Set<UInt64> = []
    private(set) var termCount = 0
    package private(set) var sizeBytes: Int64 = 0
    package private(set) var xorbs: Set<XetHash> = []
    package private(set) var landmarks: [LandmarkChunk] = []

    /// - Parameter limit: the largest file that is taken.
    init(store: FileObjectStore, limit: Int64) throws {
        self.store = store
        self.limit = limit
        path = store.temporaryPath()
        file = try OpenFile.creating(path)
    }

    deinit { discard() }

    /// Adds a term as a client sent it: it must be what its xorb has, and be proved.
    func append(_ term: ShardTerm, work: ShardWork) throws {
        let isAtHand = store.xorbTables.table(term.xorb) != nil
        let table = try store.xorbTableNow(term.xorb)
        try work.begin(term, of: table, readsTable: !isAtHand)
        guard term.chunks.upperBound <= table.chunks.count,
            table.offsets[term.chunks.upperBound] - table.offsets[term.chunks.lowerBound] == term.rawBytes
        else { throw XetStoreError.wrongTerm(term.xorb) }
        for index in term.chunks { checker.update(table.chunks[index].hash) }
        guard checker.finish() == term.check else { throw XetStoreError.unprovedTerm(term.xorb) }
        try append(table, term.chunks)
    }

    /// Adds chunks of a xorb.
    func append(_ table: XorbTable, _ chunks: Range<Int>) throws {
        for index in chunks {
            let chunk = table.chunks[index]
            if tree.totalBytes == 0 || chunk.hash.lastWord % LandmarkChunk.divisor == 0 { mark(chunk, table, index) }
            tree.append(chunk.hash, length: chunk.length)
            chunkCount += 1
        }
        let raw = table.offsets[chunks.lowerBound]..<table.offsets[chunks.upperBound]
        guard sizeBytes + Int64(raw.count) <= limit else { throw XetStoreError.fileTooLarge(limit: limit) }
        let enough = Int64(chunkCount - XetLimits.smallChunks) * Int64(XetLimits.averageChunkBytes)
        guard sizeBytes + Int64(raw.count) >= enough else { throw XetStoreError.chunksTooSmall }
        let prolongs =
            last.map {
                $0.xorb == table.xorb.hash && $0.chunks.upperBound == chunks.lowerBound
                    && $0.rawBytes + raw.count <= XetLimits.xorbBytes
            } ?? false
        if prolongs, let before = last {
            last = RecipeTerm(
                xorb: before.xorb, chunks: before.chunks.lowerBound..<chunks.upperBound, rawOffset: before.rawOffset,
                rawBytes: before.rawBytes + raw.count, fileOffset: before.fileOffset)
        } else {
            try writeLast()
            last = RecipeTerm(
                xorb: table.xorb.hash, chunks: chunks, rawOffset: raw.lowerBound, rawBytes: raw.count,
                fileOffset: sizeBytes)
            xorbs.insert(table.xorb.hash)
        }
        sizeBytes += Int64(raw.count)
    }

    private func mark(_ chunk: XetChunk, _ table: XorbTable, _ index: Int) {
        guard landmarks.count < LandmarkChunk.usualCount + chunkCount / LandmarkChunk.usualDivisor,
            marks.insert(chunk.hash.firstWord).inserted
        else { return }
        landmarks.append(LandmarkChunk(hash: chunk.hash, xorb: table.xorb.hash, index: index))
    }

    /// Ends the terms and returns the hash of the file.
    ///
    /// The content can be read from then on.
    func endTerms() throws -> XetHash {
        try writeLast()
        try flush()
        return tree.finishFile()
    }

    /// The content, to be read before the recipe is published; `id` is only how errors name it.
    func open(as id: ObjectID) throws -> OpenRecipe {
        guard let file else { throw FileFault(operation: "reading a recipe that is gone", code: ENOENT) }
        return OpenRecipe(id: id, sizeBytes: sizeBytes, termCount: termCount, file: file)
    }

    /// Makes the recipe durable under its temporary name.
    func makeDurable(as id: ObjectID) throws {
        guard let file else { throw FileFault(operation: "writing a recipe that is gone", code: ENOENT) }
        let header = RecipeLayout.header(sizeBytes: sizeBytes, termCount: termCount, id: id)
        try header.withUnsafeBytes { try file.write($0, at: 0) }
        guard fchmod(file.descriptor, 0o440) == 0 else { throw FileFault(operation: "fchmod", code: errno) }
        try file.sync()
    }

    func rename(to target: String) throws {
        guard Glibc.rename(path, target) == 0 else { throw FileFault.outOfSpaceOr("rename", errno) }
        file = nil
    }

    /// Removes the temporary file, if there is one.
    func discard() {
        guard file != nil else { return }
        // A file that cannot be removed is removed by the next start.
        _ = unlink(path)
        file = nil
    }

    private func writeLast() throws {
        guard let last else { return }
        RecipeLayout.append(last, to: &pending)
        termCount += 1
        self.last = nil
        if pending.count >= Self.writeBytes { try flush() }
    }

    private func flush() throws {
        guard let file, !pending.isEmpty else { return }
        let count = Int64(pending.count)
        try store.space.reserve(count)
        defer { store.space.release(count) }
        try pending.withUnsafeBytes { try file.write($0, at: writtenBytes) }
        writtenBytes += count
        pending.removeAll(keepingCapacity: true)
    }
}
