import HubCore

/// A SHA-256 that a thread of its own computes, while its owner reads, writes or hashes otherwise. Used by one thread at a time.
package final class BackgroundDigest {
    private let digest = BundleDigest()
    private let thread = DigestThread()

    package init() {}

    /// Hashes bytes in the background. They must stay as they are until the next call of any method returns.
    package func update(_ bytes: UnsafeRawBufferPointer) { thread.update(digest, bytes) }

    /// Hashes bytes before it returns.
    package func updateNow(_ bytes: UnsafeRawBufferPointer) {
        thread.settle()
        digest.update(bytes)
    }

    /// The hash of what was fed; the digest takes no more afterwards.
    package func finish() -> ObjectID {
        thread.settle()
        return digest.finish()
    }
}
