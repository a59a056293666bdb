import CHubPlatform
import Glibc

/// Listening sockets that the service manager opened and passed on: systemd `sd_listen_fds(3)`.
enum InheritedSockets {
    /// The first of them, by convention.
    private static let first: Int32 = 3

    /// Takes them over: descriptors from 3 on, if `LISTEN_PID` is this process. Both variables are removed, and the
    /// descriptors are closed in programs that the hub starts, so that nobody else takes them for theirs.
    static func take() -> [Int32] {
        let pid = getenv("LISTEN_PID").map { String(cString: $0) }
        let count = getenv("LISTEN_FDS").map { String(cString: $0) }
        unsetenv("LISTEN_PID")
        unsetenv("LISTEN_FDS")
        unsetenv("LISTEN_FDNAMES")
        guard let pid, Int32(pid) == getpid(), let count = count.flatMap({ Int32($0) }), (1...64).contains(count) else { return [] }
        return (first..<first + count).filter { hub_close_on_exec($0) == 0 }
    }
}
