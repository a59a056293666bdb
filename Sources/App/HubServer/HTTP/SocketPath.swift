import Glibc
import NIOCore

/// Paths of unix sockets.
enum SocketPath {
    /// A socket's address has room for 107 bytes; a longer path goes through its folder's descriptor, which then stays open.
    static func shortened(_ path: String) -> String {
        guard path.utf8.count > 107, let slash = path.lastIndex(of: "/") else { return path }
        let folder = open(String(path[..<slash]), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        return folder < 0 ? path : "/proc/self/fd/\(folder)" + path[slash...]
    }

    /// A socket bound to `path` that nobody but the owner can ever open; one that a process left there is replaced.
    ///
    /// Linux gives the socket's file the mode of the descriptor at the moment it is bound. The process's mask would do it too, but
    /// would take rights from the files that other threads make meanwhile.
    static func bound(_ path: String) throws -> Int32 {
        let path = shortened(path)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let isCopied = withUnsafeMutableBytes(of: &address.sun_path) { room in
            guard path.utf8.count < room.count else { return false }
            room.copyBytes(from: path.utf8)
            return true
        }
        guard isCopied else { throw IOError(errnoCode: ENAMETOOLONG, reason: "bind") }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_NONBLOCK | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK { unlink(path) }
        let isBound = fchmod(descriptor, 0o600) == 0
            && withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
                }
            }
        guard isBound else {
            let code = errno
            close(descriptor)
            throw IOError(errnoCode: code, reason: "bind")
        }
        return descriptor
    }
}
