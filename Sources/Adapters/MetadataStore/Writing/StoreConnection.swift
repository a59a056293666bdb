import CHubPlatform
import FoundationEssentials
import GRDB
import HubCore

#if canImport(Glibc)
    import Glibc
#endif

/// Opens `hub.db` as design law 3 wants it, and reads back that it is so.
enum StoreConnection {
    static let busyMilliseconds = 5_000
    static let readers = 6

    static func open(path: String) throws -> DatabasePool {
        guard hub_sqlite_register_vfs() == 0 else { throw MetadataError.unusable("SQLite could not be set up.") }
        try createFile(path)
        let pool = try DatabasePool(path: path, configuration: configuration())
        // GRDB sets NORMAL after the configuration has run, so this comes last.
        try pool.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA synchronous = FULL")
            try db.execute(sql: "PRAGMA journal_size_limit = \(Checkpointer.keptLogBytes)")
            try check(db)
        }
        try synchronizeFolder(of: path)
        return pool
    }

    /// A connection that only reads; the database must be there.
    static func openReader(path: String) throws -> DatabaseQueue {
        var configuration = configuration()
        configuration.label = "hub.lookup"
        configuration.readonly = true
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    private static func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.label = "hub"
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(Double(busyMilliseconds) / 1000)
        configuration.maximumReaderCount = readers
        configuration.prepareDatabase { db in
            if let connection = db.sqliteConnection {
                guard hub_sqlite_make_defensive(UnsafeMutableRawPointer(connection)) == 0 else {
                    throw MetadataError.unusable("SQLite's defensive mode could not be set.")
                }
            }
            db.add(tokenizer: SearchTokenizer.self)
            try db.execute(sql: "PRAGMA trusted_schema = OFF")
            try db.execute(sql: "PRAGMA temp_store = MEMORY")
            try db.execute(sql: "PRAGMA cache_size = -2048")
            try db.execute(sql: "PRAGMA wal_autocheckpoint = 0")
        }
        return configuration
    }

    /// Refuses to go on with a connection that would acknowledge what a power cut can take.
    private static func check(_ db: Database) throws {
        let wanted = [
            ("synchronous", "2"), ("foreign_keys", "1"), ("journal_mode", "wal"), ("wal_autocheckpoint", "0"),
        ]
        for (pragma, value) in wanted {
            let actual =
                try Row.fetchOne(db, sql: "PRAGMA \(pragma)").map { "\(($0[0] as DatabaseValue?) ?? .null)" } ?? ""
            guard actual.trimmingQuotes == value else {
                throw MetadataError.unusable("The database does not accept \(pragma) = \(value); it has \(actual).")
            }
        }
    }

    /// Made by us with mode 0600; SQLite gives its log and index the mode of the database.
    private static func createFile(_ path: String) throws {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor >= 0 {
            close(descriptor)
        } else if errno != EEXIST {
            throw MetadataError.unusable("The database file cannot be made: \(String(cString: strerror(errno))).")
        }
    }

    /// The names of the database and its log are durable before anything is acknowledged.
    private static func synchronizeFolder(of path: String) throws {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let descriptor = Glibc.open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw MetadataError.unusable("The data folder cannot be opened.") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw MetadataError.unusable("The data folder cannot be synchronized: \(String(cString: strerror(errno))).")
        }
    }
}

extension String {
    fileprivate var trimmingQuotes: String { filter { $0 != "\"" } }
}
