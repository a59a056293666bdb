import FoundationEssentials
import Glibc
import HubCore
import NIOCore
import NIOPosix
import Synchronization

/// Objects as files: `objects/<ab>/<cd>/<sha256>`, mode 0440, and unfinished ones in `staging/`, on the same file system.
///
/// The recipe of design law 2: temporary file, write, fsync, rename, fsync of the folder (and of the folders above it that
/// are new). What returned is durable.
package final class FileObjectStore: ObjectStore {
    package typealias Reader = FileObjectReader

    let folder: Folder
    let staging: String
    let space: DiskSpace
    let flights = Flights()
    let uploadMemory: MemoryShare
    let readMemory: MemoryShare
    /// Hashes and writes; separate from `readers`, so that uploads that wait for the disk do not hold up downloads.
    let writers: NIOThreadPool
    let readers: NIOThreadPool
    /// What running multipart uploads have in memory: their hash so far.
    let partialHashes = PartialHashes()
    /// Objects that a check found changed: their next upload replaces the file, although it has the right size.
    let damaged = Mutex<Set<ObjectID>>([])
    private let settings: Settings

    /// Sizes that follow the machine.
    package struct Settings: Sendable {
        package var writerThreads = 4
        package var readerThreads = 8
        /// What to keep free on the disk; `nil` is a twentieth of it, at most 1 GiB.
        package var reserveBytes: Int64?
        /// What all running uploads together, and all downloads together, hold in memory at most, as long as they are fewer
        /// than 128.
        package var transferMemoryBytes = 64 << 20
        /// Called when a write was lost on its way to the disk; it must end the process.
        package var onStorageFailure: @Sendable (StorageFailure) -> Void

        package init(onStorageFailure: @escaping @Sendable (StorageFailure) -> Void) {
            self.onStorageFailure = onStorageFailure
        }
    }

    /// Makes the folders if they are missing and removes what uploads of an earlier process left, those in parts excepted.
    /// - Parameters:
    ///   - root: the folder of the objects.
    ///   - staging: the folder of unfinished ones.
    package init(root: String, staging: String, settings: Settings) throws {
        folder = try Folder(path: root)
        self.staging = staging
        self.settings = settings
        try Folder.make(staging)
        try Folder.make(staging + "/uploads")
        try Folder.sync(staging)
        space = try DiskSpace(path: staging, reserveBytes: settings.reserveBytes)
        uploadMemory = MemoryShare(totalBytes: settings.transferMemoryBytes, pieceBytes: (256 << 10)...(4 << 20))
        readMemory = MemoryShare(totalBytes: settings.transferMemoryBytes, pieceBytes: (128 << 10)...(4 << 20))
        writers = NIOThreadPool(numberOfThreads: settings.writerThreads)
        readers = NIOThreadPool(numberOfThreads: settings.readerThreads)
        for name in try Folder.names(in: staging) where name.hasPrefix(Self.temporaryPrefix) {
            // What stays is removed by the next start.
            _ = unlink("\(staging)/\(name)")
        }
        writers.start()
        readers.start()
    }

    /// Ends the store's threads; calls that run are finished first.
    package func close() async {
        // The pools report an error only when they are shut down twice.
        try? await writers.shutdownGracefully()
        try? await readers.shutdownGracefully()
    }

    private static let temporaryPrefix = "object-"

    // MARK: ObjectStore

    package func open(_ id: ObjectID) async throws -> FileObjectReader {
        let path = path(of: id)
        let (file, object) = try await read {
            guard let file = try OpenFile.reading(path) else { throw ObjectStoreError.missing(id) }
            return (file, StoredObject(id: id, status: try file.status()))
        }
        return FileObjectReader(object: object, file: file, store: self)
    }

    package func stat(_ id: ObjectID) async throws -> StoredObject? {
        try await read { try self.statNow(id) }
    }

    package func list(after last: ObjectID?, limit: Int) async throws -> [StoredObject] {
        try await read {
            var found: [StoredObject] = []
            let start = last?.hex ?? ""
            for first in try Folder.names(in: self.folder.path) where first >= start.prefix(2) {
                let outer = "\(self.folder.path)/\(first)"
                for second in try Folder.names(in: outer) where first + second >= start.prefix(4) {
                    for name in try Folder.names(in: "\(outer)/\(second)") where name > start {
                        guard let id = ObjectID(hex: name), let object = try self.statNow(id) else { continue }
                        found.append(object)
                        if found.count >= limit { return found }
                    }
                }
            }
            return found
        }
    }

    package func delete(_ id: ObjectID, unlessTouchedSince date: Date) async throws -> Bool {
        let path = path(of: id)
        return try await write {
            try self.flights.alone(id) { isInFlight in
                guard let object = try self.statNow(id) else { return true }
                guard !isInFlight, object.touchedAt < date else { return false }
                guard unlink(path) == 0 || errno == ENOENT else { throw FileFault(operation: "unlink", code: errno) }
                return true
            }
        }
    }

    package func verify(_ id: ObjectID, progress: @escaping @Sendable (Int64) -> Void) async throws {
        let reader = try await open(id)
        let pieceBytes: Int64 = 4 << 20
        let digest = try SHA256Digest()
        var offset: Int64 = 0
        while offset < reader.object.sizeBytes {
            try Task.checkCancellation()
            let range = offset..<min(offset + pieceBytes, reader.object.sizeBytes)
            let count = try await read { () -> Int in
                let buffer = try reader.file.read(at: range.lowerBound, count: range.count)
                try buffer.withUnsafeReadableBytes { try digest.update($0) }
                reader.file.dropFromCache(range)
                return buffer.readableBytes
            }
            guard count == range.count else { throw foundDamaged(id) }
            progress(Int64(count))
            offset = range.upperBound
        }
        guard try digest.finish() == id else { throw foundDamaged(id) }
    }

    private func foundDamaged(_ id: ObjectID) -> ObjectStoreError {
        damaged.withLock { _ = $0.insert(id) }
        return .damaged(id)
    }

    /// Checks that an upload could begin: there is room, and files can be made.
    package func checkWritable() async throws {
        let path = temporaryPath()
        try await write {
            try self.space.reserve(0)
            _ = try OpenFile.creating(path)
            guard unlink(path) == 0 else { throw FileFault(operation: "unlink", code: errno) }
        }
    }

    // MARK: For the other files of the store

    func path(of id: ObjectID) -> String {
        "\(folder.path)/\(id.hex.prefix(2))/\(id.hex.dropFirst(2).prefix(2))/\(id.hex)"
    }

    func temporaryPath() -> String { "\(staging)/\(Self.temporaryPrefix)\(RepositoryUID().text)" }

    func statNow(_ id: ObjectID) throws -> StoredObject? {
        try OpenFile.status(of: path(of: id)).map { StoredObject(id: id, status: $0) }
    }

    /// Runs `work` on a writing thread. A storage failure ends the process before anything else can happen.
    func write<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        let fail = settings.onStorageFailure
        return try await writers.runIfActive {
            do {
                return try work()
            } catch let failure as StorageFailure {
                fail(failure)
                throw failure
            }
        }
    }

    func read<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await readers.runIfActive(work)
    }
}

extension StoredObject {
    init(id: ObjectID, status: stat) {
        let seconds = Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9
        self.init(id: id, sizeBytes: Int64(status.st_size), touchedAt: Date(timeIntervalSince1970: seconds))
    }
}
