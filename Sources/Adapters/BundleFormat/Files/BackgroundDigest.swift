import Glibc
import HubCore

/// A SHA-256 that a thread of its own computes, while its owner reads, writes or hashes otherwise. Used by one thread at a time.
package final class BackgroundDigest {
    /// What the two threads share.
    ///
    /// Unchecked: `work` and `done` pass the fields from one to the other; whoever waited for the last post has them.
    private final class Shared: @unchecked Sendable {
        let digest = BundleDigest()
        /// `nil` ends the thread.
        var bytes: UnsafeRawBufferPointer?
        let work = Semaphore(0)
        /// Posted while the digest is at rest.
        let done = Semaphore(1)
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

    private let shared = Shared()
    private var thread = pthread_t()
    /// Without a thread everything is hashed at once.
    private let hasThread: Bool

    package init() {
        let argument = Unmanaged.passRetained(shared)
        let code = pthread_create(&thread, nil, { argument in
            guard let argument else { return nil }
            let shared = Unmanaged<Shared>.fromOpaque(argument).takeRetainedValue()
            while true {
                shared.work.wait()
                guard let bytes = shared.bytes else { return nil }
                shared.digest.update(bytes)
                shared.done.post()
            }
        }, argument.toOpaque())
        hasThread = code == 0
        if code != 0 { argument.release() }
    }

    deinit {
        guard hasThread else { return }
        shared.done.wait()
        shared.bytes = nil
        shared.work.post()
        pthread_join(thread, nil)
    }

    /// Hashes bytes in the background. They must stay as they are until the next call of any method returns.
    package func update(_ bytes: UnsafeRawBufferPointer) {
        guard hasThread, !bytes.isEmpty else { return shared.digest.update(bytes) }
        shared.done.wait()
        shared.bytes = bytes
        shared.work.post()
    }

    /// Hashes bytes before it returns.
    package func updateNow(_ bytes: UnsafeRawBufferPointer) {
        shared.done.wait()
        shared.digest.update(bytes)
        shared.done.post()
    }

    /// The hash of what was fed; the digest takes no more afterwards.
    package func finish() -> ObjectID {
        shared.done.wait()
        defer { shared.done.post() }
        return shared.digest.finish()
    }
}
