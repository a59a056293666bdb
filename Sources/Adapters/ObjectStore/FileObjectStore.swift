import FoundationEssentials
import Glibc
import HubCore
import NIOCore
import NIOPosix
import Synchronization

/// Objects as files: `objects/<ab>/<cd>/<sha256>`, mode 0440, and unfinished ones in `staging/`, on the same file system.
///
/// An object may instead have a recipe beside that place, `<sha256>.recipe`, which names parts of xorbs (`objects/xorbs/`) that hold
/// its bytes; it is opened, listed, verified and deleted like any other.
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
    /// Of imports: one reads, one hashes, one writes, and another two check what is there.
    let stagers: NIOThreadPool
    /// What running multipart uploads have in memory: their hash so far.
    let partialHashes = PartialHashes()
    /// Objects that a check found changed: their next upload replaces the file, although it has the right size.
    let damaged = Mutex<Set<ObjectID>>([])
    let xorbFolder: Folder
    let xorbTables = XorbTables()
    /// Held while the file of a xorb is named or removed.
    let xorbLock = Mutex<Void>(())
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
        xorbFolder = try Folder(path: root + "/xorbs")
        try Folder.sync(root)
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
        stagers = NIOThreadPool(numberOfThreads: 5)
        for name in try Folder.names(in: staging) where name.hasPrefix(Self.temporaryPrefix) {
            // What stays is removed by the next start.
            _ = unlink("\(staging)/\(name)")
        }
        writers.start()
        readers.start()
        stagers.start()
    }

    /// Ends the store's threads; calls that run are finished first.
    package func close() async {
        // The pools report an error only when they are shut down twice.
        try? await writers.shutdownGracefully()
        try? await readers.shutdownGracefully()
        try? await stagers.shutdownGracefully()
    }

    private static let temporaryPrefix = "object-"

    // MARK: ObjectStore

    package func open(_ id: ObjectID) async throws -> FileObjectReader {
        let path = path(of: id)
        let (source, object) = try await read { () -> (ObjectSource, StoredObject) in
            if let file = try OpenFile.reading(path) { return (.file(file), StoredObject(id: id, status: try file.status())) }
            guard let recipe = try self.recipe(id), let object = try self.statNow(id) else { throw ObjectStoreError.missing(id) }
            return (.recipe(recipe), object)
        }
        return FileObjectReader(object: object, source: source, store: self)
    }

    package func stat(_ id: ObjectID) async throws -> StoredObject? {
        try await read { try self.statNow(id) }
    }

    package func list(after last: ObjectID?, limit: Int) async throws -> [StoredObject] {
        try await read {
            var found: [StoredObject] = []
            let start = last?.hex ?? ""
            // Longer names are those of other folders.
            for first in try Folder.names(in: self.folder.path) where first.utf8.count == 2 && first >= start.prefix(2) {
                let outer = "\(self.folder.path)/\(first)"
                for second in try Folder.names(in: outer) where first + second >= start.prefix(4) {
                    for name in try Folder.names(in: "\(outer)/\(second)") {
                        let hex = name.hasSuffix(RecipeLayout.suffix) ? name.dropLast(RecipeLayout.suffix.count) : name[...]
                        guard hex > start, let id = ObjectID(hex: hex), id != found.last?.id, let object = try self.statNow(id)
                        else { continue }
                        found.append(object)
                        if found.count >= limit { return found }
                    }
                }
            }
            return found
        }
    }

    package func delete(_ id: ObjectID, unlessTouchedSince date: Date) async throws -> Bool {
        let paths = [path(of: id), recipePath(of: id)]
        return try await write {
            try self.flights.alone(id) { isInFlight in
                guard let object = try self.statNow(id) else { return true }
                guard !isInFlight, object.touchedAt < date else { return false }
                for path in paths where unlink(path) != 0 && errno != ENOENT {
                    throw FileFault(operation: "unlink", code: errno)
                }
                return true
            }
        }
    }

    package func verify(_ id: ObjectID, progress: @escaping @Sendable (Int64) -> Void) async throws {
        let reader = try await open(id)
        let size = reader.object.sizeBytes
        do {
            let actual = try await digest(reader.source, sizeBytes: size, id: id, dropsFromCache: true, progress)
            guard actual == id else { throw foundDamaged(id) }
        } catch ObjectStoreError.damaged {
            throw foundDamaged(id)
        }
    }

    func foundDamaged(_ id: ObjectID) -> ObjectStoreError {
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

    var onStorageFailure: @Sendable (StorageFailure) -> Void { settings.onStorageFailure }

    func path(of id: ObjectID) -> String {
        "\(folder.path)/\(id.hex.prefix(2))/\(id.hex.dropFirst(2).prefix(2))/\(id.hex)"
    }

    func temporaryPath() -> String { "\(staging)/\(Self.temporaryPrefix)\(RepositoryUID().text)" }

    func statNow(_ id: ObjectID) throws -> StoredObject? {
        if let status = try OpenFile.status(of: path(of: id)) { return StoredObject(id: id, status: status) }
        guard let status = try OpenFile.status(of: recipePath(of: id)) else { return nil }
        let touchedAt = StoredObject(id: id, status: status).touchedAt
        // A recipe that cannot be read is listed all the same, so that it is found and can be removed.
        let sizeBytes: Int64
        do {
            sizeBytes = try recipe(id)?.sizeBytes ?? 0
        } catch ObjectStoreError.damaged {
            sizeBytes = 0
        }
        return StoredObject(id: id, sizeBytes: sizeBytes, touchedAt: touchedAt)
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
