import CHubPlatform
import Foundation
import GRDB
import HubCore
import Testing

@testable import MetadataStore

@Suite("Durability", .serialized)
struct DurabilityTests {
    @Test("the writer is synchronous=FULL in WAL mode with foreign keys, and the file is the owner's alone")
    func pragmas() async throws {
        let test = try TestStore()
        let values = try await test.store.pool.writeWithoutTransaction { db in
            try ["synchronous", "journal_mode", "foreign_keys", "wal_autocheckpoint"].map {
                try String.fetchOne(db, sql: "PRAGMA \($0)") ?? ""
            }
        }
        #expect(values == ["2", "wal", "1", "0"])
        for suffix in ["", "-wal", "-shm"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: test.path + suffix)
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600, "mode of hub.db\(suffix)")
        }
    }

    @Test("a commit synchronizes the log exactly once")
    func syncs() async throws {
        let test = try TestStore()
        try await test.store.setSetting("a", to: "1", audit: test.entry())
        let before = hub_sqlite_wal_syncs()
        for index in 0..<10 { try await test.store.setSetting("a", to: "\(index)", audit: test.entry()) }
        // Other suites commit at the same time, so "exactly" is checked as "at least" here and whole in the exit tests.
        #expect(hub_sqlite_wal_syncs() >= before + 10)
    }

    @Test("what was acknowledged is there when the store is opened again")
    func reopen() async throws {
        let test = try TestStore()
        try await test.account("ada")
        try test.store.close()
        #expect(Self.bytes(of: test.path + "-wal") == 0)
        let again = try MetadataStore(path: test.path)
        #expect(try await again.account(named: NamespaceName(parsing: "ADA"))?.name.text == "ada")
        try again.close()
        try again.close()
        await #expect(throws: MetadataError.closed) { try await again.setting("a") }
        await #expect(throws: MetadataError.closed) { try await again.appendAudit(test.entry()) }
    }

    @Test("EIO from fsync of the log ends the process with status 75")
    func failingSync() async {
        await #expect(processExitsWith: .exitCode(75)) {
            let test = try TestStore()
            try await test.store.setSetting("a", to: "1", audit: test.entry())
            hub_sqlite_inject(Int32(HUB_SQLITE_SYNC.rawValue), 0, 1, EIO)
            try await test.store.setSetting("a", to: "2", audit: test.entry())
        }
    }

    @Test("EIO from writing a commit ends the process with status 75")
    func failingWrite() async {
        await #expect(processExitsWith: .exitCode(75)) {
            let test = try TestStore()
            try await test.store.setSetting("a", to: "1", audit: test.entry())
            hub_sqlite_inject(Int32(HUB_SQLITE_WRITE.rawValue), 0, 1, EIO)
            try await test.store.setSetting("a", to: "2", audit: test.entry())
        }
    }

    @Test("one commit is one fsync, and a full disk refuses cleanly and leaves the store usable")
    func exactSyncsAndFullDisk() async {
        await #expect(processExitsWith: .success) {
            let test = try TestStore()
            try await test.store.setSetting("a", to: "1", audit: test.entry())
            let before = hub_sqlite_wal_syncs()
            for index in 0..<10 { try await test.store.setSetting("a", to: "\(index)", audit: test.entry()) }
            #expect(hub_sqlite_wal_syncs() == before + 10)

            hub_sqlite_inject(Int32(HUB_SQLITE_WRITE.rawValue), 0, 1_000, ENOSPC)
            await #expect(throws: MetadataError.outOfSpace) {
                try await test.store.setSetting("a", to: "full", audit: test.entry())
            }
            hub_sqlite_inject(Int32(HUB_SQLITE_WRITE.rawValue), 0, 0, 0)
            #expect(try await test.store.setting("a") == "9")
            try await test.store.setSetting("a", to: "after", audit: test.entry())
            #expect(try await test.store.setting("a") == "after")
        }
    }

    @Test("refuses a file that is no database of the hub")
    func foreignFile() throws {
        let test = try TestStore()
        let other = test.folder + "/other.db"
        try Data(repeating: 0x41, count: 8192).write(to: URL(fileURLWithPath: other))
        #expect(throws: MetadataError.self) { try MetadataStore(path: other) }

        let foreign = test.folder + "/foreign.db"
        try DatabaseQueue(path: foreign).write { db in
            try db.execute(sql: "PRAGMA application_id = 7; CREATE TABLE t (a)")
        }
        #expect(throws: MetadataError.self) { try MetadataStore(path: foreign) }

        let newer = test.folder + "/newer.db"
        try MetadataStore(path: newer).close()
        try DatabaseQueue(path: newer).write { db in
            try db.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('9999 future')")
        }
        #expect(throws: MetadataError.self) { try MetadataStore(path: newer) }
    }

    @Test("kill -9 in the middle of writing keeps all that was acknowledged")
    func killed() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("killed-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        await #expect(processExitsWith: .signal(SIGKILL)) { [folder = folder as String] in
            let store = try MetadataStore(path: folder + "/hub.db")
            let entry = AuditEntry(actor: "x", action: "x", target: "x")
            guard
                let acknowledged = FileHandle(forWritingAtPath: folder + "/acknowledged")
                    ?? Self.make(folder + "/acknowledged")
            else { return }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<8 {
                    group.addTask {
                        for round in 0..<1_000 {
                            try await store.setSetting("\(writer)-\(round)", to: "x", audit: entry)
                            try acknowledged.write(contentsOf: Data("\(writer)-\(round)\n".utf8))
                            if writer == 3, round == 40 { kill(getpid(), SIGKILL) }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        let lines = try String(contentsOfFile: folder + "/acknowledged", encoding: .utf8).split(separator: "\n")
        let store = try MetadataStore(path: folder + "/hub.db")
        let kept = Set(try await store.read { db in try String.fetchAll(db, sql: "SELECT key FROM settings") })
        #expect(lines.count > 40)
        #expect(lines.allSatisfy { kept.contains(String($0)) })
        guard case .intact(let count, _) = try await store.verifyAuditChain() else {
            Issue.record("the chain is broken")
            return
        }
        #expect(count == Int64(kept.count))
        try store.close()
        try FileManager.default.removeItem(atPath: folder)
    }

    /// The size of a file, 0 when there is none.
    private static func bytes(of path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    private static func make(_ path: String) -> FileHandle? {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        return FileHandle(forWritingAtPath: path)
    }

    @Test("a pause empties the log into the database, and the log keeps a reserve of blocks")
    func checkpoints() async throws {
        let test = try TestStore()
        let text = String(repeating: "x", count: 9_000)
        for index in 0..<1_500 {
            try await test.store.write { db, now in
                try db.run("INSERT INTO settings (key, value, updated_at) VALUES (?, ?, ?)", ["k\(index)", text, now])
            }
        }
        // 1,500 rows of three pages each are some 20 MiB of log if nothing had been moved in between.
        let log = try FileManager.default.attributesOfItem(atPath: test.path + "-wal")[.size] as? Int ?? 0
        #expect(log < 14 << 20)
        var status = stat()
        #expect(stat(test.path + "-wal", &status) == 0)
        #expect(Int(status.st_blocks) * 512 >= 4 << 20)
    }
}
