import CHubPlatform
import Logging

#if canImport(Glibc)
    import Glibc
#endif

/// Blocks that the write-ahead log owns beyond its length, so that a change fits in when the disk is full.
enum LogReserve {
    /// A file system that cannot do it has no reserve; that is no reason to stop.
    ///
    /// Opening and closing the log is harmless: SQLite's locks are on the database and its index.
    static func setAside(_ bytes: Int, for database: String) {
        let descriptor = open(database + "-wal", O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let code = hub_reserve_blocks(descriptor, Int64(bytes))
        if code != 0 { Logger(label: "hub.metadata").debug("No space is set aside for the log: errno \(code)") }
    }
}
