import Glibc

/// Paths of unix sockets.
enum SocketPath {
    /// A socket's address has room for 107 bytes; a longer path goes through its folder's descriptor, which then stays open.
    static func shortened(_ path: String) -> String {
        guard path.utf8.count > 107, let slash = path.lastIndex(of: "/") else { return path }
        let folder = open(String(path[..<slash]), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        return folder < 0 ? path : "/proc/self/fd/\(folder)" + path[slash...]
    }
}
