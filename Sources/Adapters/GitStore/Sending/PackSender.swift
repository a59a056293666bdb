import HubCore
import Synchronization

/// Answers fetches and clones with packs.
///
/// Everything of a repository in good shape is copied from its packs. Anything else is made once per question, whoever asks it
/// meanwhile or soon after, by a bounded number of threads that serve those who ask in turn.
package final class PackSender: Sendable {
    private let threads: GitThreads
    let cache: PackCache
    let queue: FairQueue
    private let keepAliveInterval: Duration
    private let counters = Mutex(PackCounters())
    /// The checksums of joined packs, by what was joined.
    private let trailers = Mutex<[SnapshotKey: GitOID]>([:])
    private static let maximumTrailers = 1_024

    /// - Parameter concurrency: How many packs are made at once.
    package init(store: GitStore, cache settings: PackCacheSettings, concurrency: Int) throws {
        threads = store.threads
        cache = try PackCache(settings)
        keepAliveInterval = settings.keepAliveInterval
        queue = FairQueue(limit: concurrency)
    }

    /// Lets the packs in the making end and stops the threads.
    package func stop() async throws { try await queue.stop() }

    /// Drops made packs that were not used for a while; worth calling once a minute.
    package func trim() { cache.trim() }

    /// How requests have been answered since the start, for metrics.
    package var counts: PackCounters { counters.withLock { $0 } }

    /// The pack that answers a request.
    ///
    /// - Parameters:
    ///   - allReferences: What all refs of the repository point to, tags as they are, whether or not the client sees them.
    ///   - hasUnreachable: Whether packs may hold objects that no ref reaches, as after a forced push.
    ///   - fairKey: Whose turn the work takes: an account's name, or an address.
    ///   - framing: How the data is laid out.
    /// - Throws: `.busy`. Other errors, such as `.missing` for a want, come from the stream.
    package func stream(
        _ request: FetchRequest, from objects: GitObjects, repository: RepositoryUID, allReferences: Set<GitOID>,
        hasUnreachable: Bool, fairKey: String = "", framing: PackFraming = .none
    ) async throws -> PackStream {
        if PackCopy.answers(request, objects, allReferences: allReferences, hasUnreachable: hasUnreachable) {
            counters.withLock { $0.copied += 1 }
            return PackStream(copy(objects, repository: repository, framing: framing))
        }
        let key = PackCacheKey(repository: repository, packs: objects.packs.map(\.id), request: request)
        let (job, number, isNew) = cache.join(key)
        // From here on the reader's end takes it out of the job, whatever happens.
        let reader = PackJobReader(
            job, number: number, threads: threads, framing: framing, keepAliveInterval: keepAliveInterval
        ) { [cache] in
            if job.leave(number) { cache.forget(job, for: key) }
        }
        counters.withLock { if isNew { $0.made += 1 } else { $0.shared += 1 } }
        if isNew {
            do {
                try queue.add(key: fairKey) { [queue, cache] isStopping in
                    if isStopping {
                        job.finish(.failure(.cancelled))
                    } else {
                        PackSender.make(request, objects, job: job, queue: queue)
                    }
                    if !job.isWorthKeeping { cache.forget(job, for: key) }
                }
            } catch {
                job.finish(.failure(error))
                cache.forget(job, for: key)
                throw error
            }
        }
        return PackStream(reader)
    }

    private func copy(_ objects: GitObjects, repository: RepositoryUID, framing: PackFraming) -> PackCopy {
        let key = SnapshotKey(uid: repository, packs: objects.packs)
        return PackCopy(
            objects, threads: threads, framing: framing, trailer: trailers.withLock { $0[key] },
            learned: { [weak self] trailer in
                self?.trailers.withLock { trailers in
                    if trailers.count >= Self.maximumTrailers { trailers.removeAll() }
                    trailers[key] = trailer
                }
            })
    }

    /// Makes a pack on this thread and tells the job how it went.
    private static func make(
        _ request: FetchRequest, _ objects: GitObjects, job: PackJob, queue: FairQueue
    ) {
        job.begin()
        let progress = PackProgress(job)
        let result = Result { () throws(GitStoreError) in
            try objects.writePack(
                request,
                progress: { step throws(GitStoreError) in
                    if job.isAbandoned || queue.isStopping { throw .cancelled }
                    progress.report(step)
                },
                output: { bytes throws(GitStoreError) in
                    if job.isAbandoned { throw .cancelled }
                    try job.append(bytes) { isStalled in isStalled ? queue.stall() : queue.resume() }
                })
        }
        job.finish(result)
    }
}

/// How requests for packs have been answered.
package struct PackCounters: Sendable, Hashable {
    /// From stored packs as they are.
    package var copied = 0
    /// By making a pack.
    package var made = 0
    /// From a pack that was made, or was being made, for someone else.
    package var shared = 0
}
