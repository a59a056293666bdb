import Glibc
import HubCore

/// Small files that only the hub's user may read: keys made at first start.
struct SecretFiles: Sendable {
    private let folder: String

    /// Makes `folder` with mode 0700 if it is missing.
    init(folder: String) throws {
        self.folder = folder
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw Self.fault(errno) }
    }

    /// The file's content, or `nil` when there is none.
    func read(_ name: String) throws -> [UInt8]? { try Self.read("\(folder)/\(name)") }

    /// Reads a whole file of at most 1 MiB.
    static func read(_ path: String) throws -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0, errno == ENOENT { return nil }
        guard descriptor >= 0 else { throw fault(errno) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        var count = 0
        while count < bytes.count {
            let more = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress.map { $0 + count }, $0.count - count) }
            if more < 0, errno == EINTR { continue }
            guard more >= 0 else { throw fault(errno) }
            if more == 0 { break }
            count += more
        }
        return Array(bytes.prefix(count))
    }

    func write(_ name: String, _ content: [UInt8]) throws {
        try Self.write("\(folder)/\(name)", content, mode: 0o600, in: folder)
    }

    /// Writes a file durably: temporary file, fsync, rename, fsync of the folder.
    static func write(_ path: String, _ content: [UInt8], mode: mode_t, in folder: String) throws {
        let temporary = path + ".new"
        // Left by a start that was interrupted; if it cannot be removed, `open` says so.
        _ = unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw fault(errno) }
        defer { close(descriptor) }
        var done = 0
        while done < content.count {
            let count = content.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress.map { $0 + done }, $0.count - done) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw fault(errno) }
            done += count
        }
        guard fchmod(descriptor, mode) == 0, fsync(descriptor) == 0, rename(temporary, path) == 0 else { throw fault(errno) }
        let parent = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard parent >= 0 else { throw fault(errno) }
        defer { close(parent) }
        guard fsync(parent) == 0 else { throw fault(errno) }
    }

    /// 32 random bytes, made at first use and kept.
    func key(_ name: String) throws -> [UInt8] {
        if let known = try read(name), known.count == 32 { return known }
        var generator = SystemRandomNumberGenerator()
        let key = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        try write(name, key)
        return key
    }

    private static func fault(_ code: Int32) -> StartError { .dataFolder(reason: String(cString: strerror(code)) + ".") }
}
