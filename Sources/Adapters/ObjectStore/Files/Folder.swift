import FoundationEssentials
import Glibc
import HubCore
import Synchronization

/// Folders of the store, made when first needed and durable before anything in them is acknowledged.
final class Folder: Sendable {
    let path: String
    /// Paths, below `path`, whose entry in their parent is known to be on disk.
    private let durable = Mutex<Set<String>>([])

    init(path: String) throws {
        self.path = path
        try Self.make(path)
        try Self.sync(path)
    }

    /// Makes `path/first/second` and returns it; each new folder is synced into its parent. Another upload may have made
    /// one but not synced it yet, so one that is there counts only after this process has synced its parent.
    func makeDurable(_ first: String, _ second: String) throws -> String {
        let outer = "\(path)/\(first)"
        let inner = "\(outer)/\(second)"
        if durable.withLock({ $0.contains(inner) }) { return inner }
        try Self.make(outer)
        try Self.make(inner)
        try Self.sync(outer)
        try Self.sync(path)
        durable.withLock { _ = $0.insert(inner) }
        return inner
    }

    static func make(_ path: String) throws {
        guard mkdir(path, 0o750) != 0, errno != EEXIST else { return }
        throw FileFault.outOfSpaceOr("mkdir", errno)
    }

    /// Makes the entries of a folder durable.
    static func sync(_ path: String) throws {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFault(operation: "open of a folder", code: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileFault.syncError("fsync of a folder", errno) }
    }

    /// The names in a folder, sorted; none when it is not there.
    static func names(in path: String) throws -> [String] {
        guard let folder = opendir(path) else {
            if errno == ENOENT { return [] }
            throw FileFault(operation: "opendir", code: errno)
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
