import FoundationEssentials
import Glibc
import HubCore
import NIOCore
import Synchronization

/// Xorbs: `objects/xorbs/<ab>/<cd>/<hash>`, immutable like objects. Which ones count is for the caller's rows to say.
extension FileObjectStore {
    /// Stores a xorb as it arrives, and returns once it is durable: decodes its chunks, checks its hash, keeps their raw bytes.
    ///
    /// Whatever is thrown, nothing of the upload stays. The body is read to its end in either case, as proof that its sender has it.
    /// - Parameter isKnown: a row says that it is stored: then it is checked only, if its file is there.
    /// - Throws: `XetFormatError`, `ObjectStoreError.outOfSpace`, or what `body` throws.
    package func putXorb<Body: AsyncSequence & Sendable>(
        _ hash: XetHash, isKnown: Bool, body: Body
    ) async throws -> StoredXorb where Body.Element == ByteBuffer {
        uploadMemory.begin()
        defer { uploadMemory.end() }
        let path = xorbPath(hash)
        let incoming = try await write {
            let isThere = isKnown ? try self.isSound(path, hash) : false
            return try IncomingXorb(path: self.temporaryPath(), keepsBytes: !isThere)
        }
        let promise = SpacePromise(space: space)
        try promise.reserve(0)
        var receiver = PieceReceiver(body.makeAsyncIterator(), memory: uploadMemory, limit: nil)
        var piece = try await receiver.next()
        while !piece.isEmpty {
            let current = piece
            async let written: Void = write {
                let bytes = try incoming.append(current)
                try promise.reserve(bytes)
                promise.release(bytes)
            }
            let following = try await receiver.next()
            try await written
            piece = following
        }
        return try await write {
            defer { incoming.discard() }
            _ = try incoming.finish(expected: hash)
            let parent = try self.xorbFolder.makeDurable(Self.outer(hash), Self.inner(hash))
            try self.xorbLock.withLock { _ in try incoming.rename(to: path) }
            try Folder.sync(parent)
            return try OpenXorb.open(path, hash).xorb
        }
    }

    func isSound(_ path: String, _ hash: XetHash) throws -> Bool {
        do {
            let xorb = try OpenXorb.open(path, hash).xorb
            guard let source = xorb.source else { return true }
            return try statNow(source.object) != nil
        } catch XetStoreError.missingXorb, XetStoreError.damagedXorb {
            return false
        }
    }

    /// What is stored of a xorb, or `nil`.
    package func statXorb(_ hash: XetHash) async throws -> StoredXorb? {
        let path = xorbPath(hash)
        return try await read {
            do {
                return try OpenXorb.open(path, hash).xorb
            } catch XetStoreError.missingXorb {
                return nil
            }
        }
    }

    /// The chunks of a xorb; those that were asked for last are kept in memory.
    /// - Throws: `XetStoreError.missingXorb`, `.damagedXorb`.
    package func xorbTable(_ hash: XetHash) async throws -> XorbTable {
        if let known = xorbTables.table(hash) { return known }
        return try await read { try self.xorbTableNow(hash) }
    }

    func xorbTableNow(_ hash: XetHash) throws -> XorbTable {
        if let known = xorbTables.table(hash) { return known }
        let open = try OpenXorb.open(xorbPath(hash), hash)
        let table = XorbTable(xorb: open.xorb, chunks: try open.readTable())
        xorbTables.keep(table)
        return table
    }

    /// At most `limit` xorbs in the order of their names, from the one after `last` on.
    package func listXorbs(after last: XetHash?, limit: Int) async throws -> [StoredXorb] {
        try await read {
            var found: [StoredXorb] = []
            let start = last?.hex ?? ""
            for first in try Folder.names(in: self.xorbFolder.path)
            where first.utf8.count == 2 && first >= start.prefix(2) {
                let outer = "\(self.xorbFolder.path)/\(first)"
                for second in try Folder.names(in: outer) where first + second >= start.prefix(4) {
                    for name in try Folder.names(in: "\(outer)/\(second)") where name > start {
                        guard let hash = XetHash(hex: name),
                            let status = try OpenFile.status(of: "\(outer)/\(second)/\(name)")
                        else { continue }
                        // A damaged one is listed too, so that it can be found and removed.
                        let object = StoredObject(id: ObjectID(digest: hash.bytes), status: status)
                        found.append(
                            StoredXorb(
                                hash: hash, chunkCount: 0, rawBytes: Int(object.sizeBytes), source: nil,
                                touchedAt: object.touchedAt))
                        if found.count >= limit { return found }
                    }
                }
            }
            return found
        }
    }

    /// Deletes a xorb unless its file is younger than `date`; returns whether it is gone.
    package func deleteXorb(_ hash: XetHash, unlessTouchedSince date: Date) async throws -> Bool {
        let path = xorbPath(hash)
        return try await write {
            defer { self.xorbTables.forget(hash) }
            return try self.xorbLock.withLock { _ in
                guard let status = try OpenFile.status(of: path) else { return true }
                guard StoredObject(id: ObjectID(digest: hash.bytes), status: status).touchedAt < date else {
                    return false
                }
                guard unlink(path) == 0 || errno == ENOENT else { throw FileFault(operation: "unlink", code: errno) }
                return true
            }
        }
    }

    /// Reads a xorb's table and compares it with its name, and whether there is an object with its bytes if it has none.
    /// - Throws: `XetStoreError.damagedXorb`, `.missingXorb`, `ObjectStoreError.damaged`.
    @discardableResult
    package func verifyXorbTable(_ hash: XetHash) async throws -> XorbTable {
        try await read {
            let open = try OpenXorb.open(self.xorbPath(hash), hash)
            _ = try self.xorbSegment(open.xorb, offset: 0, length: open.xorb.rawBytes)
            return XorbTable(xorb: open.xorb, chunks: try open.readTable())
        }
    }

    /// Reads a xorb's chunks and compares each with its hash.
    /// - Parameter progress: called with the number of bytes read since the last call.
    /// - Throws: `XetStoreError.damagedXorb`, `.missingXorb`.
    package func verifyXorb(_ hash: XetHash, progress: @escaping @Sendable (Int64) -> Void) async throws {
        let table = try await verifyXorbTable(hash)
        for (index, chunk) in table.chunks.enumerated() {
            try Task.checkCancellation()
            try await read {
                let segment = try self.xorbSegment(table.xorb, offset: table.offsets[index], length: chunk.length)
                let buffer = try segment.file.read(at: segment.range.lowerBound, count: chunk.length)
                let actual = buffer.withUnsafeReadableBytes { KeyedBlake3(.chunk).hash(of: $0) }
                guard actual == chunk.hash else { throw XetStoreError.damagedXorb(hash) }
            }
            progress(Int64(chunk.length))
        }
    }

    // MARK: Generation

    /// What names this store of xorbs, if anything; left out of backups, so that a restored hub has another name than before.
    package func xorbGeneration() async throws -> String? {
        let path = xorbFolder.path + "/generation"
        return try await read {
            guard let file = try OpenFile.reading(path) else { return nil }
            return String(buffer: try file.read(at: 0, count: 64))
        }
    }

    package func setXorbGeneration(_ generation: String) async throws {
        let path = xorbFolder.path + "/generation"
        try await write {
            let temporary = self.temporaryPath()
            let file = try OpenFile.creating(temporary)
            try generation.utf8.withContiguousStorageIfAvailable { try file.write(UnsafeRawBufferPointer($0), at: 0) }
            try file.sync()
            guard Glibc.rename(temporary, path) == 0 else { throw FileFault.outOfSpaceOr("rename", errno) }
            try Folder.sync(self.xorbFolder.path)
        }
    }

    // MARK: For the other files of the store

    func xorbPath(_ hash: XetHash) -> String {
        "\(xorbFolder.path)/\(Self.outer(hash))/\(Self.inner(hash))/\(hash.hex)"
    }

    static func outer(_ hash: XetHash) -> String { String(hash.hex.prefix(2)) }
    static func inner(_ hash: XetHash) -> String { String(hash.hex.dropFirst(2).prefix(2)) }

    /// Where raw bytes of a xorb lie.
    func xorbSegment(_ xorb: StoredXorb, offset: Int, length: Int) throws -> FileSegment {
        if let source = xorb.source {
            guard let file = try OpenFile.reading(path(of: source.object)) else {
                throw ObjectStoreError.damaged(source.object)
            }
            let start = source.offset + Int64(offset)
            return FileSegment(file: file, range: start..<(start + Int64(length)))
        }
        let open = try OpenXorb.open(xorbPath(xorb.hash), xorb.hash)
        return FileSegment(file: open.file, range: Int64(offset)..<Int64(offset + length))
    }
}

/// The chunk tables that were used last, at most a few megabytes of them.
final class XorbTables: Sendable {
    private static let maximumTables = 256
    private static let maximumChunks = 16 * XetLimits.xorbChunks

    /// The most recent last.
    private let tables = Mutex<[XorbTable]>([])

    func table(_ hash: XetHash) -> XorbTable? {
        tables.withLock { tables in
            guard let index = tables.firstIndex(where: { $0.xorb.hash == hash }) else { return nil }
            let table = tables.remove(at: index)
            tables.append(table)
            return table
        }
    }

    func keep(_ table: XorbTable) {
        tables.withLock { tables in
            tables.removeAll { $0.xorb.hash == table.xorb.hash }
            tables.append(table)
            var chunks = tables.reduce(0) { $0 + $1.chunks.count }
            while tables.count > Self.maximumTables || chunks > Self.maximumChunks {
                chunks -= tables.removeFirst().chunks.count
            }
        }
    }

    func forget(_ hash: XetHash) { tables.withLock { $0.removeAll { $0.xorb.hash == hash } } }
}
