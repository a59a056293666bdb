import CHubPlatform
import FoundationEssentials
import Glibc
import HubCore
import NIOCore
import NIOPosix
import Synchronization

/// A folder `staging/imports/<name>` in which the content of one import gathers, by its hash, until it becomes objects of the store.
///
///     documents/<name>      small files that are replaced as a whole
///     content/<sha256>      preallocated, written at their offsets in any order
///     journal               what of it is there (`StagingJournal`)
///
/// It lies in the file system of the store, so that publishing is a rename. Nothing here is an object, no sweep looks at it, and it
/// stays over restarts until it is removed. Calls block; run them on `FileObjectStore.stage`.
package final class StagingArea: Sendable {
    /// Only of hex digits.
    package let name: String
    let path: String
    let space: DiskSpace

    init(name: String, root: String, space: DiskSpace) {
        precondition(
            !name.isEmpty && name.utf8.allSatisfy { Hex.value(of: $0) != nil }, "names of areas are of hex digits")
        self.name = name
        self.space = space
        path = "\(root)/\(name)"
    }

    package func make() throws {
        let parent = Self.parent(of: path)
        for folder in [parent, path, path + "/content", path + "/documents"] { try Folder.make(folder) }
        for folder in [path, parent, Self.parent(of: parent)] { try Folder.sync(folder) }
    }

    private static func parent(of path: String) -> String {
        String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
    }

    package var exists: Bool { access(path, F_OK) == 0 }

    /// Removes everything in it, the journal first, so that what is half removed is never taken for whole.
    package func remove() throws {
        _ = unlink(path + "/journal")
        try Self.removeTree(path)
    }

    private static func removeTree(_ path: String) throws {
        for name in try Folder.names(in: path) {
            let inner = "\(path)/\(name)"
            var status = stat()
            guard lstat(inner, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                try removeTree(inner)
            } else if unlink(inner) != 0, errno != ENOENT {
                throw FileFault(operation: "unlink", code: errno)
            }
        }
        guard rmdir(path) == 0 || errno == ENOENT else { throw FileFault(operation: "rmdir", code: errno) }
    }

    // MARK: - Documents

    /// Replaces a document, durably.
    package func write(_ bytes: [UInt8], document: String) throws {
        let folder = path + "/documents"
        let temporary = "\(folder)/\(document).new"
        _ = unlink(temporary)
        let file = try OpenFile.creating(temporary)
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        try file.sync()
        guard rename(temporary, "\(folder)/\(document)") == 0 else { throw FileFault.outOfSpaceOr("rename", errno) }
        try Folder.sync(folder)
    }

    /// A document's bytes; `nil` when there is none.
    package func document(_ name: String) throws -> [UInt8]? {
        guard let file = try OpenFile.reading("\(path)/documents/\(name)") else { return nil }
        let buffer = try file.read(at: 0, count: Int(try file.status().st_size))
        return Array(buffer.readableBytesView)
    }

    /// The names of all documents.
    package func documents() throws -> [String] {
        try Folder.names(in: path + "/documents").filter { !$0.hasSuffix(".new") }
    }

    // MARK: - Content

    /// Makes the file of a content that has no bytes.
    package func makeEmpty(_ id: ObjectID) throws { _ = try content(id, sizeBytes: 0) }

    /// The file of a content, made with all its room when it is not there.
    /// - Throws: `ObjectStoreError.outOfSpace`.
    func content(_ id: ObjectID, sizeBytes: Int64) throws -> StagedFile {
        let path = contentPath(id)
        if let status = try OpenFile.status(of: path) {
            let file = try OpenFile.writing(path)
            if Int64(status.st_size) != sizeBytes { try Self.size(file, sizeBytes) }
            return StagedFile(path, sizeBytes: sizeBytes, file: file)
        }
        try space.reserve(sizeBytes)
        defer { space.release(sizeBytes) }
        let file = try OpenFile.creating(path)
        do {
            try Self.size(file, sizeBytes)
        } catch {
            _ = unlink(path)
            throw error
        }
        return StagedFile(path, sizeBytes: sizeBytes, file: file)
    }

    private static func size(_ file: OpenFile, _ sizeBytes: Int64) throws {
        if sizeBytes > 0 {
            let code = hub_reserve_blocks(file.descriptor, sizeBytes)
            // File systems that cannot promise blocks say so; then a full disk is met while writing.
            guard code == 0 || code == EOPNOTSUPP else { throw FileFault.outOfSpaceOr("fallocate", code) }
        }
        guard ftruncate(file.descriptor, Int(sizeBytes)) == 0 else { throw FileFault.outOfSpaceOr("ftruncate", errno) }
    }

    /// Whether the file of a content is there with its size.
    package func has(_ id: ObjectID, sizeBytes: Int64) throws -> Bool {
        try OpenFile.status(of: contentPath(id)).map { Int64($0.st_size) == sizeBytes } ?? false
    }

    /// What the disk has given to a content's file so far, whether or not its bytes have come; 0 when it is not made.
    package func allocatedBytes(of id: ObjectID) throws -> Int64 {
        try OpenFile.status(of: contentPath(id)).map { Int64($0.st_blocks) * 512 } ?? 0
    }

    package func removeContent(_ id: ObjectID) throws {
        guard unlink(contentPath(id)) == 0 || errno == ENOENT else { throw FileFault(operation: "unlink", code: errno) }
    }

    /// Makes the names of all contents durable.
    package func syncNames() throws { try Folder.sync(path + "/content") }

    /// The content in pieces of at most 1 MiB from `offset` on.
    package func read(
        _ id: ObjectID, _ range: Range<Int64>, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard let file = try OpenFile.reading(contentPath(id)) else { throw ObjectStoreError.missing(id) }
        file.adviseSequential()
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { piece.deallocate() }
        var offset = range.lowerBound
        while offset < range.upperBound {
            let wanted = UnsafeMutableRawBufferPointer(rebasing: piece[..<Int(min(1 << 20, range.upperBound - offset))])
            guard try file.read(into: wanted, at: offset) == wanted.count else { throw ObjectStoreError.damaged(id) }
            try body(UnsafeRawBufferPointer(wanted))
            offset += Int64(wanted.count)
        }
    }

    /// The hash of what lies in a range of a content.
    package func hash(_ id: ObjectID, _ range: Range<Int64>, _ step: (Int64) throws -> Void = { _ in }) throws
        -> ObjectID
    {
        let digest = try SHA256Digest()
        try read(id, range) {
            try digest.update($0)
            try step(Int64($0.count))
        }
        return try digest.finish()
    }

    func contentPath(_ id: ObjectID) -> String { "\(path)/content/\(id.hex)" }

    /// Where a bundle that is sent by network gathers; for the importer's own use.
    package var mediumPath: String { path + "/medium" }

    package var journalPath: String { path + "/journal" }
}

extension FileObjectStore {
    private var importsFolder: String { staging + "/imports" }

    package func stagingArea(_ name: String) -> StagingArea {
        StagingArea(name: name, root: importsFolder, space: space)
    }

    /// The names of the areas that are there.
    package func stagingAreas() throws -> [String] {
        try Folder.names(in: importsFolder).filter { name in
            !name.isEmpty && name.utf8.allSatisfy { Hex.value(of: $0) != nil }
        }
    }

    /// Runs blocking work of an import on its own threads, so that it holds up neither uploads nor downloads.
    package func stage<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        let fail = onStorageFailure
        return try await stagers.runIfActive {
            do {
                return try work()
            } catch let failure as StorageFailure {
                fail(failure)
                throw failure
            }
        }
    }

    /// What is free for imports: bytes beside the reserve, and files. `nil` files: the file system counts none.
    package func room() throws -> (bytes: Int64, files: Int64?) {
        (try space.available(), try space.availableFiles())
    }

    /// Makes contents of an area objects of the store: a rename each, all of them durable when it returns. Call it with content whose
    /// hash was checked and that is on the disk.
    ///
    /// One that the store has already is proved again instead, so that no sweep takes it before its row is written.
    /// - Throws: `ObjectStoreError.missing` when one is neither here nor there.
    package func adopt(_ contents: [(id: ObjectID, sizeBytes: Int64)], from area: StagingArea) throws {
        var parents: Set<String> = []
        for (id, sizeBytes) in contents {
            let flight = flights.join(id)
            defer { flights.leave(id) }
            let source = area.contentPath(id)
            let parent = try folder.makeDurable(String(id.hex.prefix(2)), String(id.hex.dropFirst(2).prefix(2)))
            if try touch(id, sizeBytes: sizeBytes) != nil {
                // What stored it may not have synced the folder yet.
                _ = unlink(source)
            } else {
                guard let status = try OpenFile.status(of: source), Int64(status.st_size) == sizeBytes else {
                    throw ObjectStoreError.missing(id)
                }
                // Its age is what sweeps go by, and it may have waited here for weeks.
                guard chmod(source, 0o440) == 0, utimensat(AT_FDCWD, source, nil, 0) == 0 else {
                    throw FileFault(operation: "chmod of an object", code: errno)
                }
                guard rename(source, path(of: id)) == 0 else { throw FileFault.outOfSpaceOr("rename", errno) }
                damaged.withLock { _ = $0.remove(id) }
                flight.markStored()
            }
            parents.insert(parent)
        }
        for parent in parents.sorted() { try Folder.sync(parent) }
    }

    /// Which of these the store has whole; they are proved again, as an upload would.
    package func proveStored(_ contents: [(id: ObjectID, sizeBytes: Int64)]) throws -> Set<ObjectID> {
        Set(try contents.compactMap { try touch($0.id, sizeBytes: $0.sizeBytes) == nil ? nil : $0.id })
    }
}
