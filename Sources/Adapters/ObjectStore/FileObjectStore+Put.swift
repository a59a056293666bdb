import FoundationEssentials
import Glibc
import HubCore
import NIOCore
import Synchronization

extension FileObjectStore {
    package func put<Body: AsyncSequence & Sendable>(
        _ expected: ObjectID?, sizeBytes: Int64?, body: Body
    ) async throws -> StoredObject where Body.Element == ByteBuffer {
        let flight = expected.map { flights.join($0) }
        defer { if let expected { flights.leave(expected) } }
        uploadMemory.begin()
        defer { uploadMemory.end() }

        let incoming = try await write {
            // A stored copy of another size than promised is damaged, or the promise is wrong: keep the bytes and see.
            let known = try expected.flatMap { try self.soundFile($0) }
            let keepsBytes = known == nil || known?.sizeBytes != sizeBytes
            return try IncomingFile(path: self.temporaryPath(), flight: flight, keepsBytes: keepsBytes)
        }
        let promise = SpacePromise(space: space)
        if incoming.keepsBytes, let sizeBytes { try promise.reserve(sizeBytes) }
        var receiver = PieceReceiver(body.makeAsyncIterator(), memory: uploadMemory, limit: sizeBytes)
        var piece = try await receiver.next()
        while !piece.isEmpty {
            // One piece is hashed and written while the next is gathered.
            let current = piece
            async let written: Void = append(current, to: incoming, promise: promise, isSizeKnown: sizeBytes != nil)
            let following = try await receiver.next()
            try await written
            piece = following
        }
        return try await finish(incoming, expected: expected, sizeBytes: sizeBytes, flight: flight)
    }

    private func append(
        _ piece: [ByteBuffer], to incoming: IncomingFile, promise: SpacePromise, isSizeKnown: Bool
    ) async throws {
        try await write {
            let bytes = Int64(piece.reduce(0) { $0 + $1.readableBytes })
            if incoming.keepsBytes, !isSizeKnown { try promise.reserve(bytes) }
            try incoming.append(piece)
            promise.release(bytes)
        }
    }

    private func finish(
        _ incoming: IncomingFile, expected: ObjectID?, sizeBytes: Int64?, flight: Flights.Flight?
    ) async throws -> StoredObject {
        try await write {
            defer { incoming.discard() }
            if let sizeBytes, incoming.sizeBytes != sizeBytes {
                throw ObjectStoreError.wrongSize(expected: sizeBytes, actual: incoming.sizeBytes)
            }
            let id = try incoming.finishHash()
            if let expected, id != expected { throw ObjectStoreError.wrongHash(expected: expected, actual: id) }
            let object = try self.publish(incoming, as: id)
            flight?.markStored()
            return object
        }
    }

    /// Gives a hashed file its place, unless a whole one is there. On a writing thread.
    func publish(_ incoming: IncomingFile, as id: ObjectID) throws -> StoredObject {
        if let known = try touch(id, sizeBytes: incoming.sizeBytes) {
            // The upload that stored it may be about to sync the folder; what we acknowledge must not depend on that.
            try Folder.sync(folder.makeDurable(String(id.hex.prefix(2)), String(id.hex.dropFirst(2).prefix(2))))
            return known
        }
        guard incoming.keepsBytes else {
            // It was there when the upload began and is not now: damage, as deletion waits for uploads.
            throw ObjectStoreError.damaged(id)
        }
        let parent = try folder.makeDurable(String(id.hex.prefix(2)), String(id.hex.dropFirst(2).prefix(2)))
        try incoming.makeDurable()
        try incoming.rename(to: path(of: id))
        try Folder.sync(parent)
        damaged.withLock { _ = $0.remove(id) }
        return StoredObject(id: id, sizeBytes: incoming.sizeBytes, touchedAt: Date())
    }

    /// What is stored under `id`, unless it is known to be damaged.
    private func soundFile(_ id: ObjectID) throws -> StoredObject? {
        damaged.withLock { $0.contains(id) } ? nil : try statNow(id)
    }

    /// Marks a stored object as proved just now, so that no sweep removes it before its sender's row is written; `nil` when
    /// it is not there in this size.
    func touch(_ id: ObjectID, sizeBytes: Int64) throws -> StoredObject? {
        try flights.alone(id) { _ in
            guard let known = try soundFile(id), known.sizeBytes == sizeBytes else { return nil }
            for path in [path(of: id), recipePath(of: id)] where utimensat(AT_FDCWD, path, nil, 0) != 0 && errno != ENOENT {
                throw FileFault(operation: "utimensat", code: errno)
            }
            return StoredObject(id: id, sizeBytes: known.sizeBytes, touchedAt: Date())
        }
    }
}

/// Gathers the small buffers of a connection into pieces that are worth a job on another thread.
struct PieceReceiver<Iterator: AsyncIteratorProtocol> where Iterator.Element == ByteBuffer {
    private var iterator: Iterator
    private let memory: MemoryShare
    private let limit: Int64?
    private var receivedBytes: Int64 = 0
    private var isAtEnd = false

    /// - Parameter limit: more bytes than this are refused at once, without waiting for the end.
    init(_ iterator: Iterator, memory: MemoryShare, limit: Int64?) {
        self.iterator = iterator
        self.memory = memory
        self.limit = limit
    }

    /// The next piece; empty at the end.
    mutating func next() async throws -> [ByteBuffer] {
        var piece: [ByteBuffer] = []
        var heldBytes = 0
        // One piece is being written while this one is gathered, so two are held.
        let target = memory.pieceBytes(keeping: 2)
        while !isAtEnd, heldBytes < target {
            guard let buffer = try await iterator.next() else {
                isAtEnd = true
                break
            }
            guard buffer.readableBytes > 0 else { continue }
            receivedBytes += Int64(buffer.readableBytes)
            if let limit, receivedBytes > limit {
                throw ObjectStoreError.wrongSize(expected: limit, actual: receivedBytes)
            }
            heldBytes += buffer.storageCapacity
            piece.append(buffer)
        }
        return piece
    }
}

/// What one upload has announced and not yet written; given back when the upload ends, however it ends.
final class SpacePromise: Sendable {
    private let space: DiskSpace
    private let left = Mutex<Int64>(0)

    init(space: DiskSpace) { self.space = space }

    deinit { space.release(left.withLock { $0 }) }

    func reserve(_ bytes: Int64) throws {
        try space.reserve(bytes)
        left.withLock { $0 += bytes }
    }

    /// `bytes` of it are on the disk now, or were not needed.
    func release(_ bytes: Int64) {
        let released = left.withLock { left in
            let released = min(bytes, left)
            left -= released
            return released
        }
        space.release(released)
    }
}
