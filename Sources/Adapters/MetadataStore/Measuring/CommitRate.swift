import FoundationEssentials
import GRDB
import HubCore

/// How many durable changes a second a disk and the writer manage together.
package struct CommitRate: Hashable, Sendable {
    package let writers: Int
    package let commits: Int
    package let seconds: Double

    package var perSecond: Double { Double(commits) / seconds }
}

extension MetadataStore {
    /// Commits small changes from `writers` tasks at once, each waiting for its own before the next, for `duration`.
    ///
    /// In a database of its own in `folder`, which is removed afterwards.
    package static func measureCommits(
        in folder: String, writers: Int, for duration: Duration
    ) async throws -> CommitRate {
        let path = folder + "/measure-\(RepositoryUID().text).db"
        let store = try MetadataStore(path: path)
        defer {
            for suffix in ["", "-wal", "-shm"] {
                // A file that stays is in the way of nothing.
                try? FileManager.default.removeItem(atPath: path + suffix)
            }
        }
        let clock = ContinuousClock()
        // Statements are compiled and the log has its first size before the time is taken.
        try await store.writeMeasured(writer: 0)
        let start = clock.now
        let commits = try await withThrowingTaskGroup(of: Int.self) { group in
            for writer in 0..<writers {
                group.addTask {
                    var count = 0
                    while clock.now - start < duration {
                        try await store.writeMeasured(writer: writer)
                        count += 1
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        let elapsed = (clock.now - start) / .seconds(1)
        try store.close()
        return CommitRate(writers: writers, commits: commits, seconds: elapsed)
    }

    private func writeMeasured(writer: Int) async throws {
        try await write { db, now in
            try db.run(
                """
                INSERT INTO settings (key, value, updated_at) VALUES (?, ?, ?)
                ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at
                """, ["writer-\(writer)", "x", now])
        }
    }
}
