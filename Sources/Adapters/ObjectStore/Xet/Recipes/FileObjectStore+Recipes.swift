import FoundationEssentials
import Glibc
import HubCore
import NIOCore

/// Objects that are stored as recipes: which bytes of which xorbs they are made of.
extension FileObjectStore {
    /// Receives a shard into a temporary file, which goes with the result.
    /// - Throws: `XetFormatError.shardTooLarge`, or what `body` throws.
    package func receiveShard<Body: AsyncSequence & Sendable>(
        _ body: Body
    ) async throws -> ReceivedShard where Body.Element == ByteBuffer {
        uploadMemory.begin()
        defer { uploadMemory.end() }
        let shard = try await write { try ReceivedShard(path: self.temporaryPath()) }
        let promise = SpacePromise(space: space)
        var receiver = PieceReceiver(body.makeAsyncIterator(), memory: uploadMemory, limit: nil)
        var piece = try await receiver.next()
        while !piece.isEmpty {
            let current = piece
            let bytes = Int64(piece.reduce(0) { $0 + $1.readableBytes })
            try promise.reserve(bytes)
            try await write { try shard.append(current) }
            promise.release(bytes)
            piece = try await receiver.next()
        }
        return shard
    }

    /// Checks a file of a shard against the xorbs: its terms, their proofs, its hash, and the SHA-256 of its content, which is read for
    /// it unless the hub knows it.
    /// - Parameters:
    ///   - known: the SHA-256 that the hub recorded for this file hash before.
    ///   - limit: the largest file that is taken.
    ///   - work: what the shard may cost.
    ///   - progress: called with the number of bytes whose content was read since the last call.
    /// - Throws: `XetStoreError`, `XetFormatError`.
    package func prepare(
        _ file: ShardFile, of shard: ReceivedShard, known: ObjectID?, limit: Int64, work: ShardWork,
        progress: @escaping @Sendable (Int64) -> Void
    ) async throws -> PreparedFile {
        let draft = try await write { try RecipeDraft(store: self, limit: limit) }
        for start in stride(from: 0, to: file.termCount, by: 512) {
            try Task.checkCancellation()
            try await read {
                let reader = try shard.makeReader()
                for index in start..<min(start + 512, file.termCount) {
                    try draft.append(reader.term(index, of: file), work: work)
                }
            }
        }
        let hash = try await write { try draft.endTerms() }
        guard hash == file.hash else { throw XetStoreError.wrongFileHash(expected: file.hash, actual: hash) }
        let id: ObjectID
        if let known {
            id = known
        } else {
            try work.spend(draft.sizeBytes)
            id = try await digest(draft, progress)
        }
        if let expected = file.sha256, expected != id {
            throw XetStoreError.wrongSHA256(expected: expected, actual: id)
        }
        return PreparedFile(hash: hash, id: id, draft: draft)
    }

    private func digest(_ draft: RecipeDraft, _ progress: @escaping @Sendable (Int64) -> Void) async throws -> ObjectID
    {
        let unnamed = ObjectID(digest: [UInt8](repeating: 0, count: 32))
        let recipe = try draft.open(as: unnamed)
        return try await digest(.recipe(recipe), sizeBytes: recipe.sizeBytes, id: unnamed, progress)
    }

    /// The SHA-256 of an object's bytes.
    func digest(
        _ source: ObjectSource, sizeBytes: Int64, id: ObjectID, dropsFromCache: Bool = false,
        _ progress: @escaping @Sendable (Int64) -> Void
    ) async throws -> ObjectID {
        let cursor = SegmentCursor(id: id, source: source, range: 0..<sizeBytes, store: self)
        let digest = try SHA256Digest()
        var done: Int64 = 0
        while done < sizeBytes {
            try Task.checkCancellation()
            let step = min(16 << 20, sizeBytes - done)
            let count = try await read {
                try withUnsafeTemporaryAllocation(byteCount: 256 << 10, alignment: 4096) { buffer in
                    try cursor.digest(into: digest, buffer: buffer, step, dropsFromCache: dropsFromCache)
                }
            }
            guard count == step else { throw ObjectStoreError.damaged(id) }
            progress(count)
            done += count
        }
        return try digest.finish()
    }

    /// Gives a prepared file its place; durable when it returns.
    /// - Parameter replaces: takes the place of a recipe that is there; otherwise that one is kept.
    package func publish(_ prepared: PreparedFile, replaces: Bool) async throws -> StoredObject {
        let id = prepared.id
        let sizeBytes = prepared.sizeBytes
        _ = flights.join(id)
        defer { flights.leave(id) }
        return try await write {
            defer { prepared.draft.discard() }
            let target = self.recipePath(of: id)
            let parent = try self.folder.makeDurable(String(id.hex.prefix(2)), String(id.hex.dropFirst(2).prefix(2)))
            if !replaces, try self.recipe(id)?.sizeBytes == sizeBytes {
                _ = try self.touch(id, sizeBytes: sizeBytes)
            } else {
                try prepared.draft.makeDurable(as: id)
                try prepared.draft.rename(to: target)
            }
            try Folder.sync(parent)
            return StoredObject(id: id, sizeBytes: sizeBytes, touchedAt: Date())
        }
    }

    /// Removes the file of an object that has a recipe, which holds all of it; who reads the file reads on.
    package func dropWholeFile(of id: ObjectID) async throws {
        let path = path(of: id)
        try await write {
            try self.flights.alone(id) { _ in
                guard try self.recipe(id) != nil else { return }
                guard unlink(path) == 0 || errno == ENOENT else { throw FileFault(operation: "unlink", code: errno) }
            }
        }
    }

    /// The recipe of an object, or `nil`: the object is missing, or is a file that has not been cut into chunks.
    package func recipe(of id: ObjectID) async throws -> OpenRecipe? { try await read { try self.recipe(id) } }

    /// The terms that hold the bytes of `range`, at most `limit` of them.
    package func terms(of recipe: OpenRecipe, in range: Range<Int64>, limit: Int) async throws -> [RecipeTerm] {
        try await read {
            let first = try recipe.termIndex(at: range.lowerBound)
            guard first < recipe.termCount else { return [] }
            let terms = try recipe.terms(first..<min(first + limit, recipe.termCount))
            return Array(terms.prefix { $0.fileOffset < range.upperBound })
        }
    }

    /// How many terms hold the bytes of `range`.
    package func termCount(of recipe: OpenRecipe, in range: Range<Int64>) async throws -> Int {
        guard !range.isEmpty else { return 0 }
        return try await read {
            try recipe.termIndex(at: range.upperBound - 1) + 1 - recipe.termIndex(at: range.lowerBound)
        }
    }

    func recipePath(of id: ObjectID) -> String { path(of: id) + RecipeLayout.suffix }

    func recipe(_ id: ObjectID) throws -> OpenRecipe? { try OpenRecipe.open(recipePath(of: id), id) }
}

/// A file of a shard that was checked, with its recipe.
package struct PreparedFile: Sendable {
    /// What Xet clients name it by.
    package let hash: XetHash
    package let id: ObjectID
    let draft: RecipeDraft

    package var sizeBytes: Int64 { draft.sizeBytes }
    /// The xorbs that its bytes are in.
    package var xorbs: [XetHash] { draft.xorbs.sorted() }
    package var landmarks: [LandmarkChunk] { draft.landmarks }
}

/// A shard in a temporary file, removed when the last reference to it goes.
///
/// Unchecked: its receiver awaits each job before it starts the next, and nothing is appended once it is read.
package final class ReceivedShard: @unchecked Sendable {
    private let path: String
    private let file: OpenFile
    private var sizeBytes = 0

    init(path: String) throws {
        self.path = path
        file = try OpenFile.creating(path)
    }

    // A file that cannot be removed is removed by the next start.
    deinit { _ = unlink(path) }

    func append(_ piece: [ByteBuffer]) throws {
        for buffer in piece {
            guard sizeBytes + buffer.readableBytes <= XetLimits.shardBytes else { throw XetFormatError.shardTooLarge }
            try buffer.withUnsafeReadableBytes { try file.write($0, at: Int64(sizeBytes)) }
            sizeBytes += buffer.readableBytes
        }
    }

    /// Reads it from its beginning, which is checked; blocks.
    func makeReader(at place: ShardPlace = .start) throws -> ShardReader {
        let file = file
        return try ShardReader(sizeBytes: sizeBytes, at: place) { try file.read(into: $0, at: Int64($1)) }
    }
}

extension FileObjectStore {
    /// Checks the form of a shard to its end and returns how many files it names, at most `limit`.
    package func countFiles(of shard: ReceivedShard, limit: Int) async throws -> Int {
        try await read {
            let reader = try shard.makeReader()
            var count = 0
            while try reader.nextFile() != nil {
                guard count < limit else { throw XetFormatError.malformedShard("more than \(limit) files") }
                count += 1
            }
            try reader.checkXorbSection()
            return count
        }
    }

    /// The files of a shard from `place` on, at most `limit`, and the place of the next.
    package func files(
        of shard: ReceivedShard, at place: ShardPlace = .start, limit: Int
    ) async throws -> (files: [ShardFile], next: ShardPlace) {
        try await read {
            let reader = try shard.makeReader(at: place)
            var files: [ShardFile] = []
            while files.count < limit, let file = try reader.nextFile() { files.append(file) }
            return (files, reader.place)
        }
    }
}
