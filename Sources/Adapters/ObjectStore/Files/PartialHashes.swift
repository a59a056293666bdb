import HubCore
import Synchronization

/// What is known in memory of uploads in parts: how far each is hashed, and how many jobs write to it.
///
/// Clients send parts mostly in order, so hashing each as it comes spares reading the whole again on completion. After a
/// restart nothing is known and completion reads it all.
final class PartialHashes: Sendable {
    /// The hash of an upload's first `hashedTo` bytes.
    struct Prefix: Sendable {
        var hashedTo: Int64
        var digest: SHA256Digest
    }

    private struct Upload {
        var prefix: Prefix?
        var writingJobs = 0
        /// Completion is looking at the file, or has given it its name: nothing may write to it.
        var isClosed = false
    }

    private let uploads = Mutex<[String: Upload]>([:])

    /// A digest to feed while the bytes from `offset` on are written, if all before them are hashed already. Bytes that
    /// are written again end what was known.
    func beginPart(of name: String, at offset: Int64) throws -> SHA256Digest? {
        try uploads.withLock { uploads in
            var upload = uploads[name] ?? Upload()
            defer { uploads[name] = upload }
            let hashedTo = upload.prefix?.hashedTo ?? 0
            if offset == 0 { return try SHA256Digest() }
            if offset < hashedTo { upload.prefix = nil }
            return offset == hashedTo ? try upload.prefix?.digest.copy() : nil
        }
    }

    /// Records that `range`, fed to `digest`, is written.
    func endPart(of name: String, range: Range<Int64>, digest: SHA256Digest) {
        uploads.withLock { uploads in
            let hashedTo = uploads[name]?.prefix?.hashedTo ?? 0
            guard range.lowerBound == 0 || range.lowerBound == hashedTo else { return }
            uploads[name, default: Upload()].prefix = Prefix(hashedTo: range.upperBound, digest: digest)
        }
    }

    /// Runs one write to the upload's file, unless that is closed.
    func writing(to name: String, _ work: () throws -> Void) throws {
        try uploads.withLock { uploads in
            guard uploads[name]?.isClosed != true else { throw ObjectStoreError.uploadNotFound }
            uploads[name, default: Upload()].writingJobs += 1
        }
        defer { uploads.withLock { $0[name]?.writingJobs -= 1 } }
        try work()
    }

    /// Keeps all writers out and returns how far the upload is hashed; `nil` while one is writing.
    func close(_ name: String) throws -> Prefix? {
        try uploads.withLock { uploads in
            guard uploads[name, default: Upload()].writingJobs == 0, uploads[name]?.isClosed != true else {
                throw ObjectStoreError.uploadBusy
            }
            uploads[name, default: Upload()].isClosed = true
            return uploads[name]?.prefix
        }
    }

    /// Lets writers in again after a completion that failed. What was hashed is forgotten: the digest was used up.
    func reopen(_ name: String) { uploads.withLock { $0[name] = Upload() } }

    /// Forgets an upload whose file is gone.
    func forget(_ name: String) { uploads.withLock { $0[name] = nil } }
}
