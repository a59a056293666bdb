import FoundationEssentials
import GRDB
import HubCore
import Synchronization

/// Downloads and likes by day, from which the month's downloads and the trend are made.
///
/// The trend is the sum over the last seven days of downloads and twenty times likes, a day counting a seventh less than the next.
enum DayCounts {
    static let monthDays: Int64 = 30
    static let trendDays: Int64 = 7
    static let likeWeight: Int64 = 20
    /// The trend is kept as an integer; this is one point.
    static let scoreUnit = 700.0

    static func day(_ milliseconds: Int64) -> Int64 { milliseconds / 86_400_000 }

    /// Adds what happened on the day of `now`; `likes` may be negative when somebody takes one back.
    static func add(downloads: Int64, likes: Int64, to repository: RepositoryID, at now: Int64, in db: Database) throws {
        // The repository may have been purged since the download was counted.
        let isThere = try db.exists("SELECT 1 FROM listing WHERE repository_id = ?", [repository])
        guard isThere else { return }
        try db.run(
            """
            INSERT INTO day_counts (day, repository_id, downloads, likes) VALUES (?, ?, ?, ?) ON CONFLICT (day, repository_id)
            DO UPDATE SET downloads = downloads + excluded.downloads, likes = likes + excluded.likes
            """, [day(now), repository, downloads, likes])
        try db.run(
            """
            UPDATE listing SET downloads = downloads + ?1, downloads_all_time = downloads_all_time + ?1, likes = max(0, likes + ?2),
                trending = trending + ?3 WHERE repository_id = ?4
            """, [downloads, likes, score(downloads: downloads, likes: likes, age: 0), repository])
    }

    private static func score(downloads: Int64, likes: Int64, age: Int64) -> Int64 {
        (downloads + likeWeight * likes) * (trendDays - age) * Int64(scoreUnit) / trendDays
    }

    /// Makes the month's count and the trend again for repositories with an id above `after` that have counts.
    ///
    /// - Returns: the last id done; `nil` at the end, when old days are dropped.
    static func roll(after: Int64, limit: Int, at now: Int64, in db: Database) throws -> Int64? {
        let today = day(now)
        let ids = try db.rows(
            "SELECT DISTINCT repository_id FROM day_counts WHERE repository_id > ? ORDER BY repository_id LIMIT ?", [after, limit]
        ).map { $0[0] as Int64 }
        for id in ids {
            let days = try db.rows(
                "SELECT day, downloads, likes FROM day_counts WHERE repository_id = ? AND day > ?", [id, today - monthDays])
            var (downloads, trend): (Int64, Int64) = (0, 0)
            for row in days {
                let age = max(0, today - (row[0] as Int64))
                downloads += row[1] as Int64
                if age < trendDays { trend += score(downloads: row[1], likes: row[2], age: age) }
            }
            try db.run(
                "UPDATE listing SET downloads = ?1, trending = ?2 WHERE repository_id = ?3 AND (downloads, trending) <> (?1, ?2)",
                [max(0, downloads), trend, id])
        }
        if ids.count == limit { return ids.last }
        try db.run("DELETE FROM day_counts WHERE day <= ?", [today - monthDays])
        return nil
    }
}

/// Downloads that are counted but not written yet.
final class PendingDownloads: Sendable {
    private let counts = Mutex<[RepositoryID: Int64]>([:])

    func add(_ repository: RepositoryID) { counts.withLock { $0[repository, default: 0] += 1 } }

    func take() -> [RepositoryID: Int64] {
        counts.withLock { counts in
            defer { counts = [:] }
            return counts
        }
    }

    func giveBack(_ taken: [RepositoryID: Int64]) {
        counts.withLock { $0.merge(taken) { $0 + $1 } }
    }
}
