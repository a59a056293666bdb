import HubCore

/// The packs that make up a snapshot of a repository.
struct SnapshotKey: Hashable {
    let uid: RepositoryUID
    let packs: [PackDescription]
}

/// The snapshots in use lately, so that the packs of a busy repository are opened and indexed once.
///
/// Bounded by the number of snapshots, open packs and objects; the least recently used go first. Guarded by its owner.
struct SnapshotCache {
    private static let maximumSnapshots = 128
    /// Each open pack holds a descriptor.
    private static let maximumPacks = 512
    /// A snapshot's tables take up to some 28 bytes an object once they are in use.
    private static let maximumObjects = 2_000_000

    private struct Entry {
        let objects: GitObjects
        var lastUse: UInt64
    }

    private var entries: [SnapshotKey: Entry] = [:]
    private var clock: UInt64 = 0

    mutating func snapshot(for key: SnapshotKey) -> GitObjects? {
        clock += 1
        guard let entry = entries[key] else { return nil }
        entries[key]?.lastUse = clock
        return entry.objects
    }

    /// The packs of a repository that some snapshot holds open.
    func openPacks(of uid: RepositoryUID) -> [PackID: Pack] {
        var open: [PackID: Pack] = [:]
        for (key, entry) in entries where key.uid == uid {
            for pack in entry.objects.opened { open[pack.id] = pack }
        }
        return open
    }

    /// Keeps a snapshot and answers the one to use: another caller may have been first.
    mutating func insert(_ objects: GitObjects, for key: SnapshotKey) -> GitObjects {
        if let earlier = snapshot(for: key) { return earlier }
        entries[key] = Entry(objects: objects, lastUse: clock)
        evict(sparing: key)
        return objects
    }

    mutating func forget(_ uid: RepositoryUID) {
        entries = entries.filter { $0.key.uid != uid }
    }

    private mutating func evict(sparing newest: SnapshotKey) {
        var packs = 0
        var objects = 0
        for entry in entries.values {
            packs += entry.objects.opened.count
            objects += entry.objects.objectCount
        }
        while entries.count > Self.maximumSnapshots || packs > Self.maximumPacks || objects > Self.maximumObjects {
            guard let oldest = entries.filter({ $0.key != newest }).min(by: { $0.value.lastUse < $1.value.lastUse })
            else { return }
            entries[oldest.key] = nil
            packs -= oldest.value.objects.opened.count
            objects -= oldest.value.objects.objectCount
        }
    }
}
