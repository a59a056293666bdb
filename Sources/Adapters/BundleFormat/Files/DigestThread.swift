import Glibc

/// A thread that feeds digests in the order it is told, while its owner reads, writes or hashes otherwise. Used by one thread at a time.
package final class DigestThread {
    private typealias Job = (digest: BundleDigest, bytes: UnsafeRawBufferPointer)

    /// What the two threads share.
    ///
    /// Unchecked: a place of `jobs` belongs to the owner until `work` is posted for it, and again once `free` is; the digest of a job
    /// belongs to the thread in between.
    private final class Shared: @unchecked Sendable {
        let depth: Int
        let jobs: UnsafeMutablePointer<Job?>
        let work = Semaphore(0)
        let free: Semaphore

        init(depth: Int) {
            self.depth = depth
            jobs = .allocate(capacity: depth)
            jobs.initialize(repeating: nil, count: depth)
            free = Semaphore(UInt32(depth))
        }

        deinit {
            jobs.deinitialize(count: depth)
            jobs.deallocate()
        }

        func run() {
            var place = 0
            while true {
                work.wait()
                guard let job = jobs[place] else { return }
                job.digest.update(job.bytes)
                jobs[place] = nil
                place = (place + 1) % depth
                free.post()
            }
        }
    }

    private final class Semaphore {
        private let handle = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

        init(_ value: UInt32) { sem_init(handle, 0, value) }

        deinit {
            sem_destroy(handle)
            handle.deallocate()
        }

        func post() { sem_post(handle) }
        func wait() { while sem_wait(handle) != 0 {} }
    }

    private let shared: Shared
    private var thread = pthread_t()
    /// Without a thread everything is hashed at once.
    private let hasThread: Bool
    private var next = 0

    /// - Parameter depth: how many pieces may wait to be hashed.
    package init(depth: Int = 1) {
        shared = Shared(depth: depth)
        let argument = Unmanaged.passRetained(shared)
        let code = pthread_create(&thread, nil, { argument in
            guard let argument else { return nil }
            Unmanaged<Shared>.fromOpaque(argument).takeRetainedValue().run()
            return nil
        }, argument.toOpaque())
        hasThread = code == 0
        if code != 0 { argument.release() }
    }

    deinit {
        guard hasThread else { return }
        settle()
        // No job: the thread ends.
        shared.work.post()
        pthread_join(thread, nil)
    }

    /// Hashes bytes in the background. They must stay as they are until `depth` more were given, or `settle` was called.
    package func update(_ digest: BundleDigest, _ bytes: UnsafeRawBufferPointer) {
        guard hasThread, !bytes.isEmpty else { return digest.update(bytes) }
        shared.free.wait()
        shared.jobs[next] = (digest, bytes)
        next = (next + 1) % shared.depth
        shared.work.post()
    }

    /// Waits until everything that was given is hashed.
    package func settle() {
        guard hasThread else { return }
        for _ in 0..<shared.depth { shared.free.wait() }
        for _ in 0..<shared.depth { shared.free.post() }
    }
}
