import HubCore
import Synchronization

/// Where made packs are kept for a while, and how much disk they may take.
package struct PackCacheSettings: Sendable {
    /// A folder of its own, `staging/packs`; emptied at start.
    package var folder: String
    /// What all kept packs may take together.
    ///
    /// One pack may take a quarter of it; a larger one passes through memory.
    package var maximumBytes: Int
    /// How long a pack is kept after its last use.
    package var lifetime: Duration
    /// How far the making of a pack that passes through memory may be ahead of its slowest reader.
    package var memoryBytes: Int
    /// How long a client that waits goes without a sign of life.
    package var keepAliveInterval: Duration

    package init(
        folder: String, maximumBytes: Int, lifetime: Duration = .seconds(600), memoryBytes: Int = 8 << 20,
        keepAliveInterval: Duration = .seconds(5)
    ) {
        self.folder = folder
        self.maximumBytes = maximumBytes
        self.lifetime = lifetime
        self.memoryBytes = memoryBytes
        self.keepAliveInterval = keepAliveInterval
    }
}

/// What an answer depends on: the same key, the same pack.
struct PackCacheKey: Hashable {
    let repository: RepositoryUID
    let packs: [PackID]
    let request: FetchRequest

    init(repository: RepositoryUID, packs: [PackID], request: FetchRequest) {
        self.repository = repository
        self.packs = packs
        var request = request
        request.wants = Set(request.wants).sorted()
        request.haves = Set(request.haves).sorted()
        self.request = request
    }
}

/// Packs that were made lately or are being made, so that the same question is worked on once.
///
/// Bounded in bytes; the least recently used go first.
final class PackCache: Sendable {
    private struct Entry {
        let job: PackJob
        var lastUse: ContinuousClock.Instant
    }

    private let settings: PackCacheSettings
    private let entries = Mutex<[PackCacheKey: Entry]>([:])
    private let usedBytes = Mutex(0)

    init(_ settings: PackCacheSettings) throws(GitStoreError) {
        self.settings = settings
        try Folder.create(settings.folder)
        for name in try Folder.names(in: settings.folder) { try Folder.remove("\(settings.folder)/\(name)") }
    }

    /// The job for a key with a reader's number in it, and whether the caller must start it.
    func join(_ key: PackCacheKey) -> (job: PackJob, reader: Int, isNew: Bool) {
        trim()
        return entries.withLock { entries in
            if let entry = entries[key], let reader = entry.job.join() {
                entries[key]?.lastUse = .now
                return (entry.job, reader, false)
            }
            // Without a file, as on a full disk, the pack goes through memory.
            let spool = try? SpoolFile(folder: settings.folder)
            let job = PackJob(
                spool: spool, room: PackCacheRoom(self, maximumBytes: settings.maximumBytes / 4),
                memoryBytes: settings.memoryBytes)
            entries[key] = Entry(job: job, lastUse: .now)
            // A job that has only just been made can be joined.
            return (job, job.join() ?? 0, true)
        }
    }

    /// What the packs in the cache, and those that are still read after they left it, take on disk.
    var diskBytes: Int { usedBytes.withLock { $0 } }

    /// Takes a job that no one should join any more out of the cache.
    func forget(_ job: PackJob, for key: PackCacheKey) {
        let removed = entries.withLock { entries -> Entry? in
            guard entries[key]?.job === job else { return nil }
            return entries.removeValue(forKey: key)
        }
        _ = removed
    }

    /// Drops packs that were not used for the lifetime.
    func trim() {
        let oldest = ContinuousClock.now - settings.lifetime
        let expired = entries.withLock { entries in
            let keys = entries.filter { $0.value.lastUse < oldest && $0.value.job.isIdle }.map(\.key)
            return keys.compactMap { entries.removeValue(forKey: $0) }
        }
        // Freed here, outside the lock, as closing a large file takes time.
        _ = expired
    }

    /// Reserves disk space, at the expense of packs that nobody reads.
    fileprivate func take(_ bytes: Int) -> Bool {
        while true {
            let isTaken = usedBytes.withLock { used in
                guard used + bytes <= settings.maximumBytes else { return false }
                used += bytes
                return true
            }
            if isTaken { return true }
            guard dropLeastRecentlyUsed() else { return false }
        }
    }

    fileprivate func give(back bytes: Int) { usedBytes.withLock { $0 -= bytes } }

    private func dropLeastRecentlyUsed() -> Bool {
        let dropped = entries.withLock { entries -> Entry? in
            guard let oldest = entries.filter({ $0.value.job.isIdle }).min(by: { $0.value.lastUse < $1.value.lastUse })
            else {
                return nil
            }
            return entries.removeValue(forKey: oldest.key)
        }
        return dropped != nil
    }
}

/// The disk space that one pack takes of the cache, given back when the pack is gone.
final class PackCacheRoom: Sendable {
    private let cache: PackCache
    private let maximumBytes: Int
    private let takenBytes = Mutex(0)

    init(_ cache: PackCache, maximumBytes: Int) {
        self.cache = cache
        self.maximumBytes = maximumBytes
    }

    deinit { cache.give(back: takenBytes.withLock { $0 }) }

    /// Whether so much more may be written.
    func take(_ bytes: Int) -> Bool {
        takenBytes.withLock { taken in
            guard taken + bytes <= maximumBytes, cache.take(bytes) else { return false }
            taken += bytes
            return true
        }
    }
}
