import FoundationEssentials
import HubCore
import Logging
import MetadataStore
import ObjectStore
import ServiceLifecycle

/// Cuts objects that came by Git LFS into chunks, one after another, and removes xorbs that no file uses after a grace time.
package struct XetMaintenance: Service {
    /// How long a xorb without a file stays: clients remember for weeks what they sent, and do not send it again.
    package static let grace: TimeInterval = 42 * 24 * 3600
    /// How long a file without a row stays: its upload may be about to write the row.
    private static let orphanGrace: TimeInterval = 24 * 3600
    /// Smaller objects have little to share.
    private static let minimumBytes: Int64 = 256 << 10
    /// A sweep comes after so many rounds of chunking.
    private static let roundsPerSweep = 60

    private let xet: XetService
    private let interval: Duration
    private let logger: Logger

    package init(xet: XetService, interval: Duration = .seconds(60), logger: Logger) {
        self.xet = xet
        self.interval = interval
        self.logger = logger
    }

    package func run() async throws {
        var round = 0
        var refused: Set<ObjectID> = []
        for await _ in AsyncTicks(interval: interval).cancelOnGracefulShutdown() {
            do {
                try await chunkObjects(refused: &refused)
                if round % Self.roundsPerSweep == Self.roundsPerSweep - 1 { try await report(sweep(now: Date())) }
                round += 1
            } catch is CancellationError {
                return
            } catch {
                logger.warning("Could not maintain the store of xorbs: \(error)")
            }
        }
    }

    private func report(_ removed: Int) {
        guard removed > 0 else { return }
        logger.info("Removed \(removed) unused xorbs", metadata: ["xorbs.removed": "\(removed)"])
    }

    /// Cuts all objects that are not cut yet; an object that cannot be is named once and left alone until the next start.
    package func chunkObjects(refused: inout Set<ObjectID>) async throws {
        var last: ObjectID?
        while true {
            let found = try await xet.store.objectsWithoutXetFile(
                after: last, minimumBytes: Self.minimumBytes, limit: 100)
            guard let newest = found.last else { return }
            for record in found where !refused.contains(record.oid) {
                do {
                    try await xet.chunk(record.oid)
                } catch let error as CancellationError {
                    throw error
                } catch {
                    refused.insert(record.oid)
                    logger.warning(
                        "Object \(record.oid) could not be cut into chunks: \(error)",
                        metadata: ["object.id": "\(record.oid)"])
                }
            }
            last = newest.oid
        }
    }

    /// One pass; returns how many xorbs were removed.
    package func sweep(now: Date) async throws -> Int {
        try await sweepUnused(now: now) + sweepUnknown(now: now)
    }

    private func sweepUnused(now: Date) async throws -> Int {
        var removed = 0
        while true {
            let claimed = try await xet.store.claimUnusedXorbs(unusedBefore: now.addingTimeInterval(-Self.grace))
            guard !claimed.isEmpty else { return removed }
            for hash in claimed where try await xet.objects.deleteXorb(hash, unlessTouchedSince: .distantFuture) {
                removed += 1
            }
            try await xet.store.forgetXorbs(claimed)
        }
    }

    /// Files without a row: of an upload whose process ended before it, or of objects that are gone.
    private func sweepUnknown(now: Date) async throws -> Int {
        let before = now.addingTimeInterval(-Self.orphanGrace)
        var removed = 0
        var last: StoredXorb?
        while true {
            let files = try await xet.objects.listXorbs(after: last?.hash, limit: 1000)
            guard let newest = files.last else { return removed }
            let known = try await xet.store.knownXorbs(among: files.map(\.hash))
            for file in files where !known.contains(file.hash) && file.touchedAt < before {
                if try await xet.objects.deleteXorb(file.hash, unlessTouchedSince: before) { removed += 1 }
            }
            last = newest
        }
    }
}
