import FoundationEssentials
import Glibc
import HubCore
import NIOCore
import Synchronization

/// An object that was cut into chunks where it lies.
package struct ChunkedObject: Sendable {
    package let file: PreparedFile
    /// Its xorbs as they are stored: made from this object, or, where other content has the same chunks, stored before.
    package let xorbs: [StoredXorb]
}

extension FileObjectStore {
    /// Cuts an object that is a file into chunks and makes xorbs that name ranges of it, and its recipe: no byte is stored again.
    ///
    /// The recipe is not published; `publish` does that once the xorbs have rows.
    /// - Returns: `nil` when the object is no file of its own, or empty.
    /// - Throws: `ObjectStoreError.damaged` when the content is not what its name says: it is read anyway, so it is checked.
    package func chunk(_ id: ObjectID) async throws -> ChunkedObject? {
        let path = path(of: id)
        guard let file = try await read({ try OpenFile.reading(path) }) else { return nil }
        let size = Int64(try file.status().st_size)
        guard size > 0 else { return nil }
        let job = try await write { try ObjectChunking(id: id, store: self) }
        var offset: Int64 = 0
        while offset < size {
            try Task.checkCancellation()
            let range = offset..<min(offset + (4 << 20), size)
            try await write {
                let buffer = try file.read(at: range.lowerBound, count: range.count)
                guard buffer.readableBytes == range.count else { throw self.foundDamaged(id) }
                try buffer.withUnsafeReadableBytes { try job.feed($0) }
                file.dropFromCache(range)
            }
            offset = range.upperBound
        }
        return try await write {
            let (draft, hash, actual) = try job.finish()
            guard actual == id else { throw self.foundDamaged(id) }
            return ChunkedObject(file: PreparedFile(hash: hash, id: id, draft: draft), xorbs: job.xorbs)
        }
    }

    /// Stores the table of a xorb whose bytes are an object's, unless the xorb is there; returns what is there.
    func linkXorb(_ hash: XetHash, chunks: [XetChunk], rawBytes: Int, source: XorbSource) throws -> StoredXorb {
        let target = xorbPath(hash)
        let parent = try xorbFolder.makeDurable(Self.outer(hash), Self.inner(hash))
        let temporary = temporaryPath()
        let file = try OpenFile.creating(temporary)
        defer { _ = unlink(temporary) }
        let tail = XorbLayout.tail(of: chunks, rawBytes: rawBytes, source: source)
        try tail.withUnsafeBytes { try file.write($0, at: 0) }
        guard fchmod(file.descriptor, 0o440) == 0 else { throw FileFault(operation: "fchmod", code: errno) }
        try file.sync()
        try xorbLock.withLock { _ in
            guard Glibc.link(temporary, target) != 0 else { return }
            guard errno == EEXIST else { throw FileFault.outOfSpaceOr("link", errno) }
            if try isSound(target, hash) {
                // No sweep may take it for one that nobody names, before its row is written.
                guard utimensat(AT_FDCWD, target, nil, 0) == 0 else {
                    throw FileFault(operation: "utimensat", code: errno)
                }
            } else {
                guard Glibc.rename(temporary, target) == 0 else { throw FileFault.outOfSpaceOr("rename", errno) }
            }
        }
        try Folder.sync(parent)
        return try OpenXorb.open(target, hash).xorb
    }
}

/// One object on its way through the chunker.
///
/// Used by one job at a time.
///
/// Unchecked: `FileObjectStore.chunk` awaits each job before it starts the next.
private final class ObjectChunking: @unchecked Sendable {
    private let id: ObjectID
    private let store: FileObjectStore
    private let chunker = GearChunker()
    private let digest: SHA256Digest
    private let draft: RecipeDraft
    /// The chunks of the xorb that is being gathered.
    private var open: [XetChunk] = []
    private var openBytes = 0
    private var openStart: Int64 = 0
    private(set) var xorbs: [StoredXorb] = []

    init(id: ObjectID, store: FileObjectStore) throws {
        self.id = id
        self.store = store
        digest = try SHA256Digest()
        draft = try RecipeDraft(store: store, limit: .max)
    }

    func feed(_ bytes: UnsafeRawBufferPointer) throws {
        try digest.update(bytes)
        try chunker.feed(bytes) { try add($0) }
    }

    func finish() throws -> (RecipeDraft, XetHash, ObjectID) {
        if let last = chunker.finish() { try add(last) }
        try closeXorb()
        return (draft, try draft.endTerms(), try digest.finish())
    }

    private func add(_ chunk: XetChunk) throws {
        if openBytes + chunk.length > XetLimits.xorbBytes || open.count == XetLimits.xorbChunks { try closeXorb() }
        open.append(chunk)
        openBytes += chunk.length
    }

    private func closeXorb() throws {
        guard !open.isEmpty else { return }
        var tree = MerkleTree()
        for chunk in open { tree.append(chunk.hash, length: chunk.length) }
        let xorb = try store.linkXorb(
            tree.finish(), chunks: open, rawBytes: openBytes, source: XorbSource(object: id, offset: openStart))
        try draft.append(XorbTable(xorb: xorb, chunks: open), 0..<open.count)
        xorbs.append(xorb)
        openStart += Int64(openBytes)
        open = []
        openBytes = 0
    }
}
