import FoundationEssentials
import Glibc
import HubCore
import NIOCore

/// Uploads in parts: one file an upload, `staging/uploads/<name>`, that parts are written into at their offsets, in any order,
/// again if need be, across restarts. Which parts are there is for the caller's rows to say; a part is durable when
/// `writePart` returns.
extension FileObjectStore {
    /// Makes the file of a new upload; one that is there is kept. `name` is of hex digits only, chosen by the caller.
    package func beginUpload(_ name: String, sizeBytes: Int64) async throws {
        let path = uploadPath(name)
        try await write {
            if access(path, F_OK) == 0 { return }
            try self.space.reserve(sizeBytes)
            self.space.release(sizeBytes)
            _ = try OpenFile.creating(path)
            try Folder.sync(self.staging + "/uploads")
        }
    }

    /// Writes `body`, which must have exactly the bytes of `range`, into the upload.
    ///
    /// When it throws, the part's bytes are undefined and those of the others untouched.
    /// - Throws: `ObjectStoreError.uploadNotFound`, `.wrongSize`, `.outOfSpace`, or what `body` throws.
    package func writePart<Body: AsyncSequence & Sendable>(
        of name: String, range: Range<Int64>, body: Body
    ) async throws where Body.Element == ByteBuffer {
        uploadMemory.begin()
        defer { uploadMemory.end() }
        let path = uploadPath(name)
        let part = try await write {
            guard access(path, F_OK) == 0 else { throw ObjectStoreError.uploadNotFound }
            return PartWriter(
                name: name, file: try OpenFile.writing(path), range: range, hashes: self.partialHashes,
                digest: try self.partialHashes.beginPart(of: name, at: range.lowerBound))
        }
        let promise = SpacePromise(space: space)
        try promise.reserve(Int64(range.count))
        var receiver = PieceReceiver(body.makeAsyncIterator(), memory: uploadMemory, limit: Int64(range.count))
        var piece = try await receiver.next()
        while !piece.isEmpty {
            let current = piece
            async let written: Void = write { promise.release(try part.append(current)) }
            let following = try await receiver.next()
            try await written
            piece = following
        }
        try await write { try part.finish() }
    }

    /// Checks the whole upload's hash and makes it the object. On a wrong hash the upload is gone, as nobody can tell which
    /// part is wrong.
    /// - Throws: `ObjectStoreError.uploadNotFound`, `.uploadBusy`, `.incompleteUpload`, `.wrongHash`.
    package func completeUpload(_ name: String, expected: ObjectID, sizeBytes: Int64) async throws -> StoredObject {
        let flight = flights.join(expected)
        defer { flights.leave(expected) }
        let path = uploadPath(name)
        return try await write {
            let prefix = try self.partialHashes.close(name)
            var isGone = false
            defer { if isGone { self.partialHashes.forget(name) } else { self.partialHashes.reopen(name) } }
            let incoming = try IncomingFile(adopting: path, prefix: prefix, flight: flight)
            do {
                guard incoming.sizeBytes == sizeBytes else { throw ObjectStoreError.incompleteUpload }
                let id = try incoming.finishHash()
                isGone = id != expected
                guard id == expected else { throw ObjectStoreError.wrongHash(expected: expected, actual: id) }
                let object = try self.publish(incoming, as: id)
                isGone = true
                incoming.discard()
                flight.markStored()
                return object
            } catch {
                // A full disk, say: the parts stay for another try.
                if !isGone { incoming.leave() }
                throw error
            }
        }
    }

    /// How many bytes there is room for, beside what running uploads have announced and what is kept free.
    package func availableBytes() async throws -> Int64 { try await read { try self.space.available() } }

    /// Removes an upload; one that is not there is fine.
    package func discardUpload(_ name: String) async throws {
        let path = uploadPath(name)
        try await write {
            guard unlink(path) == 0 || errno == ENOENT else { throw FileFault(operation: "unlink", code: errno) }
            self.partialHashes.forget(name)
        }
    }

    /// Whether there is a file of this upload.
    package func hasUpload(_ name: String) async throws -> Bool {
        let path = uploadPath(name)
        return try await read { access(path, F_OK) == 0 }
    }

    /// The names of all uploads that have a file.
    package func uploads() async throws -> [String] {
        try await read {
            try Folder.names(in: self.staging + "/uploads").filter { $0.utf8.allSatisfy { Hex.value(of: $0) != nil } }
        }
    }

    private func uploadPath(_ name: String) -> String {
        precondition(name.utf8.allSatisfy { Hex.value(of: $0) != nil }, "names of uploads are of hex digits")
        return "\(staging)/uploads/\(name)"
    }
}

/// One part on its way into its upload. Unchecked: `writePart` awaits each job before it starts the next.
private final class PartWriter: @unchecked Sendable {
    private let name: String
    private let file: OpenFile
    private let range: Range<Int64>
    private let hashes: PartialHashes
    private let digest: SHA256Digest?
    private var offset: Int64

    init(name: String, file: OpenFile, range: Range<Int64>, hashes: PartialHashes, digest: SHA256Digest?) {
        self.name = name
        self.file = file
        self.range = range
        self.hashes = hashes
        self.digest = digest
        offset = range.lowerBound
    }

    /// Writes and returns how many bytes that were.
    func append(_ piece: [ByteBuffer]) throws -> Int64 {
        let start = offset
        try hashes.writing(to: name) {
            for buffer in piece {
                try buffer.withUnsafeReadableBytes { bytes in
                    try digest?.update(bytes)
                    try file.write(bytes, at: offset)
                }
                offset += Int64(buffer.readableBytes)
            }
        }
        try file.startWriteback(start..<offset)
        return offset - start
    }

    func finish() throws {
        guard offset == range.upperBound else {
            throw ObjectStoreError.wrongSize(expected: Int64(range.count), actual: offset - range.lowerBound)
        }
        try file.syncData()
        guard let digest else { return }
        hashes.endPart(of: name, range: range, digest: digest)
        file.dropFromCache(range)
    }
}
