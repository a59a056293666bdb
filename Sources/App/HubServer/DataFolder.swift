import CHubPlatform
import Glibc
import HubCore

/// The data directory, owned by this process: its lock is held until the process ends.
final class DataFolder: Sendable {
    let path: String
    private let lock: Int32

    /// Makes the folder if it is missing, with mode 0750, and takes its lock.
    /// - Throws: `StartError.alreadyRunning`, `.dataFolder`.
    init(path: String) throws {
        guard mkdir(path, 0o750) == 0 || errno == EEXIST else { throw Self.fault("cannot make \(path)") }
        guard let absolute = realpath(path, nil) else { throw Self.fault("cannot find \(path)") }
        defer { free(absolute) }
        self.path = String(cString: absolute)
        lock = try Self.takeLock(self.path + "/hub.lock")
    }

    deinit { close(lock) }

    /// A path in the folder.
    func file(_ name: String) -> String { path + "/" + name }

    private static func takeLock(_ path: String) throws -> Int32 {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw fault("cannot open hub.lock") }
        let code = hub_lock_file(descriptor)
        if code == EWOULDBLOCK {
            defer { close(descriptor) }
            throw StartError.alreadyRunning(holder: holder(descriptor))
        }
        guard code == 0 else {
            close(descriptor)
            throw StartError.dataFolder(reason: "cannot lock hub.lock: \(String(cString: strerror(code))).")
        }
        // Who holds it, for the message of the next one; the lock itself does not depend on it.
        let text = Array("\(getpid())\n".utf8)
        guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, text, text.count, 0) == text.count else {
            close(descriptor)
            throw fault("cannot write hub.lock")
        }
        return descriptor
    }

    private static func holder(_ descriptor: Int32) -> String? {
        var bytes = [UInt8](repeating: 0, count: 20)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        let digits = bytes.prefix(max(0, count)).prefix { (0x30...0x39).contains($0) }
        return digits.isEmpty ? nil : String(decoding: digits, as: UTF8.self)
    }

    private static func fault(_ what: String) -> StartError {
        .dataFolder(reason: "\(what): \(String(cString: strerror(errno))).")
    }
}
