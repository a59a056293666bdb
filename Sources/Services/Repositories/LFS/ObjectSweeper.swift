import FoundationEssentials
import Logging
import MetadataStore
import ObjectStore
import ServiceLifecycle

/// Removes objects that nothing links, attachments that no discussion mentions and uploads that nobody finishes, after a grace time.
package struct ObjectSweeper: Service {
    /// How long an object without a link stays: uploads come before the push that needs them.
    package static let grace: TimeInterval = 24 * 3600

    private let lfs: LFSService
    private let interval: Duration
    private let logger: Logger

    package init(lfs: LFSService, interval: Duration = .seconds(3600), logger: Logger) {
        self.lfs = lfs
        self.interval = interval
        self.logger = logger
    }

    package func run() async throws {
        for await _ in AsyncTicks(interval: interval).cancelOnGracefulShutdown() {
            do {
                let removed = try await sweep(now: Date())
                if removed > 0 {
                    logger.info("Removed \(removed) unreferenced objects", metadata: ["objects.removed": "\(removed)"])
                }
            } catch is CancellationError {
                return
            } catch {
                logger.warning("Could not remove unreferenced objects: \(error)")
            }
        }
    }

    /// One pass; returns how many objects were removed.
    package func sweep(now: Date) async throws -> Int {
        for session in try await lfs.store.expiredUploads(before: now) {
            try await lfs.objects.discardUpload(session.id)
            try await lfs.store.deleteUpload(session.id)
        }
        // The row comes before the file, so a file without one belongs to an upload that is done or given up.
        for name in try await lfs.objects.uploads() where try await lfs.store.upload(name) == nil {
            try await lfs.objects.discardUpload(name)
        }
        while try await lfs.store.removeUnusedAttachments(before: now.addingTimeInterval(-Self.grace)) > 0 {}
        return try await sweepUnlinked(now: now) + sweepUnknown(now: now)
    }

    /// Objects with a row but no link.
    private func sweepUnlinked(now: Date) async throws -> Int {
        let before = now.addingTimeInterval(-Self.grace)
        var removed = 0
        while true {
            let claimed = try await lfs.store.claimUnlinkedObjects(unlinkedBefore: before)
            guard !claimed.isEmpty else { return removed }
            for record in claimed where try await lfs.objects.delete(record.oid, unlessTouchedSince: before) { removed += 1 }
            try await lfs.store.forgetObjects(claimed.map(\.oid))
        }
    }

    /// Files without a row: an upload whose process ended before the row was written.
    private func sweepUnknown(now: Date) async throws -> Int {
        let before = now.addingTimeInterval(-Self.grace)
        var removed = 0
        var last: StoredObject?
        while true {
            let files = try await lfs.objects.list(after: last?.id, limit: 1000)
            guard let newest = files.last else { return removed }
            let known = try await lfs.store.knownObjects(among: files.map(\.id))
            for file in files where !known.contains(file.id) && file.touchedAt < before {
                if try await lfs.objects.delete(file.id, unlessTouchedSince: before) { removed += 1 }
            }
            last = newest
        }
    }
}
