import Glibc
import Synchronization

/// Keeps a part of the disk free, so that the database can still commit and deletions still work when uploads have filled the rest.
final class DiskSpace: Sendable {
    private let path: String
    private let reserveBytes: Int64
    /// What running uploads have announced and not yet written.
    private let promised = Mutex<Int64>(0)

    /// - Parameters:
    ///   - path: a folder on the file system in question.
    ///   - reserveBytes: what to keep free; `nil` is a twentieth of the file system, at most 1 GiB.
    init(path: String, reserveBytes: Int64?) throws {
        self.path = path
        let status = try Self.status(of: path)
        let total = Int64(clamping: UInt64(status.f_blocks) * UInt64(status.f_frsize))
        self.reserveBytes = reserveBytes ?? min(1 << 30, total / 20)
    }

    /// Promises room for `bytes` more; give the rest back with `release`.
    /// - Throws: `ObjectStoreError.outOfSpace`.
    func reserve(_ bytes: Int64) throws {
        let status = try Self.status(of: path)
        let free = Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
        // File systems without a fixed number of inodes report none at all.
        guard status.f_files == 0 || status.f_favail > 16 else { throw ObjectStoreError.outOfSpace }
        try promised.withLock { promised in
            guard bytes <= free - promised - reserveBytes else { throw ObjectStoreError.outOfSpace }
            promised += bytes
        }
    }

    /// What may still be promised.
    func available() throws -> Int64 {
        let status = try Self.status(of: path)
        let free = Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
        return max(0, free - promised.withLock { $0 } - reserveBytes)
    }

    /// How many files may still be made; `nil` where the file system does not count them.
    func availableFiles() throws -> Int64? {
        let status = try Self.status(of: path)
        return status.f_files == 0 ? nil : Int64(clamping: UInt64(status.f_favail))
    }

    func release(_ bytes: Int64) { promised.withLock { $0 -= bytes } }

    private static func status(of path: String) throws -> statvfs {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw FileFault(operation: "statvfs", code: errno) }
        return status
    }
}
