import BundleFormat
import Glibc
import HubCore

/// A folder with private keys, each in a file named after its id, readable by its owner alone.
///
/// Keys are added and never replaced: which of them act is said by the newest list of keys, so that no crash leaves the two apart.
package struct KeyFolder: Sendable {
    private let folder: String
    private let prefix: String

    /// - Parameter prefix: of the names of the files: `publisher-`.
    package init(_ folder: String, prefix: String = "publisher-") {
        self.folder = folder
        self.prefix = prefix
    }

    private func path(_ keyID: String) -> String { "\(folder)/\(prefix)\(keyID.prefix(16)).key" }

    /// The key with this id, `nil` when it is not here.
    package func key(_ keyID: String) throws -> SigningKey? {
        guard let bytes = try contents(of: path(keyID)) else { return nil }
        let key = try SigningKey(pem: String(decoding: bytes, as: UTF8.self))
        return key.publicKey.keyID == keyID ? key : nil
    }

    private func contents(of path: String) throws(BundleError) -> [UInt8]? {
        do throws(BundleError) {
            return try Media.contents(of: path, name: "the key", limit: SigningKey.maximumBytes)
        } catch {
            if case .inaccessible(_, let code) = error, code == ENOENT { return nil }
            throw error
        }
    }

    /// Stores a key durably before anything names it.
    package func add(_ key: SigningKey) throws {
        try DurableFile.makeFolder(folder, mode: 0o700)
        try DurableFile.write(path(key.publicKey.keyID), Array(key.pem().utf8), mode: 0o600)
    }
}

/// Small files that must not be half there after a crash.
package enum DurableFile {
    /// Makes a folder and those above it; nothing happens when it is there.
    package static func makeFolder(_ path: String, mode: mode_t) throws {
        if mkdir(path, mode) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw BundleError.inaccessible(path: path, code: errno)
        }
        try makeFolder(String(path[..<slash]), mode: 0o755)
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw BundleError.inaccessible(path: path, code: errno) }
    }

    /// Temporary file, fsync, rename, fsync of the folder.
    package static func write(_ path: String, _ content: [UInt8], mode: mode_t) throws {
        let temporary = "\(path).\(getpid()).new"
        // Left by a process of the same number; if it cannot be removed, `open` says so.
        _ = unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw BundleError.inaccessible(path: path, code: errno) }
        defer { close(descriptor) }
        var done = 0
        while done < content.count {
            let count = content.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress.map { $0 + done }, $0.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failed(path, temporary) }
            done += count
        }
        guard fchmod(descriptor, mode) == 0 || errno == EPERM, fsync(descriptor) == 0, rename(temporary, path) == 0
        else {
            throw failed(path, temporary)
        }
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let parent = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard parent >= 0 else { throw BundleError.inaccessible(path: path, code: errno) }
        defer { close(parent) }
        // FAT and some FUSE file systems cannot sync a folder.
        guard fsync(parent) == 0 || errno == EINVAL else { throw BundleError.inaccessible(path: path, code: errno) }
    }

    private static func failed(_ path: String, _ temporary: String) -> BundleError {
        let code = errno
        // What is left of it is in the way of nobody.
        _ = unlink(temporary)
        return code == ENOSPC ? .mediumFull(file: path) : .inaccessible(path: path, code: code)
    }
}
