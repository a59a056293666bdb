import HubCore
import Synchronization

/// Finds the objects that a pack stores as deltas, on all cores.
///
/// Deltas form trees: each has one base, in this pack or, for a thin pack, among the objects that the repository has.
/// Whole objects come first, then the bases from outside; a list of reference deltas belongs to whoever finds its
/// base first.
final class DeltaResolver: @unchecked Sendable {
    private static let residentBytes = 32 << 20

    // Fixed before the threads start, except: `table`, where each entry is written by the thread that resolves it
    // alone, and the lists' owners, behind a lock.
    let table: PackEntryTable
    let limits: ReceiveLimits
    let stop: StopFlag
    let threads: ReceiveThreads
    private(set) var queue = DeltaQueue([])
    private let file: MappedFile
    private let bodyEnd: Int64
    private let existing: GitObjects
    /// Entries of the pack; later entries of the table are objects from outside.
    private let ownCount: Int
    private let deltaCount: Int
    private let lists: [(base: GitOID, first: Int32)]
    private let listNumbers: [GitOID: Int]
    private let isTaken: Mutex<[Bool]>
    private let resolved = Atomic(0)
    private let inflatedBytes: Atomic<Int64>
    private let readBytes = Atomic(0)
    private let finished = Mutex<[ObjectInspector]>([])
    private let progress: @Sendable (ReceiveProgress) -> Void

    init(
        _ parser: PackParser, file: MappedFile, existing: GitObjects, threads: ReceiveThreads, stop: StopFlag,
        progress: @escaping @Sendable (ReceiveProgress) -> Void
    ) {
        table = parser.table
        limits = parser.inspector.limits
        bodyEnd = parser.bodyEnd
        ownCount = table.count
        var deltaCount = 0
        for index in 0..<Int32(table.count) where table[index].isDelta { deltaCount += 1 }
        self.deltaCount = deltaCount
        lists = parser.referenceDeltas.map { (base: $0.key, first: $0.value) }.sorted { $0.base < $1.base }
        listNumbers = Dictionary(uniqueKeysWithValues: lists.enumerated().map { ($0.element.base, $0.offset) })
        isTaken = Mutex([Bool](repeating: false, count: lists.count))
        inflatedBytes = Atomic(parser.inflatedBytes)
        self.file = file
        self.existing = existing
        self.threads = threads
        self.stop = stop
        self.progress = progress
    }

    /// Resolves all deltas.
    ///
    /// - Returns: the inspectors with what the deltas' objects hold, and the entries of the table that stand for
    ///   objects of
    ///   other packs that deltas build on.
    func run() throws(GitStoreError) -> (inspectors: [ObjectInspector], outside: [Int32]) {
        guard deltaCount > 0 else { return ([], []) }
        table.putLargestFamiliesLast()
        try work(on: (0..<Int32(ownCount)).filter { !table[$0].isDelta }.map { .root($0) })
        let outside = try findOutsideBases()
        if !outside.isEmpty { try work(on: outside) }
        guard resolved.load(ordering: .relaxed) == deltaCount else {
            let missing = isTaken.withLock { taken in lists.indices.first { !taken[$0] } }
            throw missing.map { .refused(.missingBase(lists[$0].base)) } ?? .malformed("a delta has no base")
        }
        return (finished.withLock { $0 }, (Int32(ownCount)..<Int32(table.count)).map { $0 })
    }

    private func work(on tasks: [DeltaQueue.Task]) throws(GitStoreError) {
        let queue = DeltaQueue(tasks)
        self.queue = queue
        threads.run { [self] number in
            queue.join()
            let worker = DeltaWorker(
                self, cacheBytes: limits.baseCacheBytes / threads.width,
                inspector: ObjectInspector(limits: limits, existing: existing))
            do throws(GitStoreError) {
                try worker.run()
            } catch {
                queue.fail(error)
            }
            let result = Inspected(inspector: worker.inspector)
            finished.withLock { $0.append(result.inspector) }
        }
        if let failure = queue.failure { throw failure }
    }

    /// Hands an inspector over: the thread that used it has ended its work.
    private struct Inspected: @unchecked Sendable {
        let inspector: ObjectInspector
    }

    /// Adds an entry to the table for each object of the repository that deltas still wait for.
    private func findOutsideBases() throws(GitStoreError) -> [DeltaQueue.Task] {
        var tasks: [DeltaQueue.Task] = []
        let waiting = isTaken.withLock { taken in lists.indices.filter { !taken[$0] } }
        for list in waiting where existing.contains(lists[list].base) {
            var entry = PackEntry()
            entry.oid = lists[list].base
            entry.offset = .max
            tasks.append(.outside(table.append(entry), list: list))
        }
        return tasks
    }

    // MARK: For the workers

    /// The first of the reference deltas on this object, for the first who asks; afterwards `none`.
    func takeDeltas(on base: GitOID) -> Int32 {
        guard !lists.isEmpty, let list = listNumbers[base] else { return PackEntry.none }
        return takeDeltas(list: list)
    }

    func takeDeltas(list: Int) -> Int32 {
        isTaken.withLock { taken in
            if taken[list] { return PackEntry.none }
            taken[list] = true
            return lists[list].first
        }
    }

    /// The zlib stream of an entry, followed by whatever follows it in the pack.
    func storedBytes(of entry: Int32) -> UnsafeRawBufferPointer {
        let start = Int(table[entry].offset) + Int(table[entry].headerByteCount)
        return UnsafeRawBufferPointer(rebasing: file.bytes[start..<Int(bodyEnd)])
    }

    func isOutside(_ entry: Int32) -> Bool { entry >= ownCount }

    func readOutside(_ oid: GitOID) throws(GitStoreError) -> GitObject {
        try existing.read(oid, limit: limits.maximumDeltaObjectBytes)
    }

    /// Says how much of the file a thread has used.
    ///
    /// Now and then its pages are let go, or a large pack would seem to be held whole; they stay in the system's
    /// cache.
    func countRead(_ bytes: Int) {
        let (old, new) = readBytes.wrappingAdd(bytes, ordering: .relaxed)
        if old / Self.residentBytes != new / Self.residentBytes { file.release() }
    }

    /// Counts what a delta makes, so that a small pack cannot cause work without end.
    func countInflated(_ bytes: Int) throws(GitStoreError) {
        let total = inflatedBytes.wrappingAdd(Int64(bytes), ordering: .relaxed).newValue
        guard total <= limits.maximumInflatedBytes else { throw limits.tooManyInflatedBytes }
    }

    func countResolved() {
        let count = resolved.wrappingAdd(1, ordering: .relaxed).newValue
        if count.isMultiple(of: 4096) || count == deltaCount {
            progress(ReceiveProgress(phase: .resolvingDeltas, done: count, total: deltaCount))
        }
    }
}
