import FoundationEssentials
import GitStore
import HubCore
import Logging
import MetadataStore
import ServiceLifecycle

/// Keeps repositories quick to read and the disk free of what nobody needs: merges packs, drops objects that no ref reaches,
/// removes replaced packs, files that no row names, and repositories that were deleted long ago.
///
/// Each step is content first, then the row, then (after a grace time) the removal, so that a crash leaves nothing but files to
/// be removed by the next pass.
package struct RepositoryMaintenance: Service {
    package struct Settings: Sendable {
        /// A repository with this many packs is merged.
        package var packsBeforeMerge = 50
        /// Replaced packs and files without a row are kept this long for readers and backups that still use them.
        package var fileGrace: TimeInterval = 24 * 3600
        /// Objects that no ref reaches are kept this long.
        package var unreachableGrace: TimeInterval = 14 * 24 * 3600
        /// Deleted repositories can be brought back this long.
        package var deletionGrace: TimeInterval = 30 * 24 * 3600
        /// Time between two passes over everything.
        package var interval: Duration = .seconds(3600)
        /// Time between two passes over the repositories that hold objects which no ref reaches, however few packs they have.
        package var cleaningInterval: Duration = .seconds(24 * 3600)

        package init() {}
    }

    private let git: GitService
    private let settings: Settings
    private let logger: Logger

    package init(git: GitService, settings: Settings = Settings(), logger: Logger) {
        self.git = git
        self.settings = settings
        self.logger = logger
    }

    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await repository in git.packArrivals.repositories.cancelOnGracefulShutdown() {
                    await attempt("merge packs") { try await mergeIfNeeded(repository) }
                }
            }
            group.addTask {
                let ticks = AsyncTicks(interval: settings.interval)
                for await _ in ticks.cancelOnGracefulShutdown() { await pass() }
            }
            group.addTask {
                let ticks = AsyncTicks(interval: settings.cleaningInterval)
                for await _ in ticks.cancelOnGracefulShutdown() { await clean() }
            }
            try await group.waitForAll()
        }
    }

    /// One pass over everything; a failure of one step does not stop the others.
    package func pass(now: Date = Date()) async {
        await attempt("merge packs") {
            for (repository, _) in try await git.store.repositoriesToRepack(minimumPacks: settings.packsBeforeMerge) {
                try await mergeIfNeeded(repository)
            }
        }
        git.trimPackCache()
        await attempt("remove replaced packs") { try await sweepPacks(now: now) }
        await attempt("remove packs that no row names") { try await removeUnnamedPacks(now: now) }
        await attempt("purge deleted repositories") { try await purgeRepositories(now: now) }
    }

    /// Drops what no ref has reached for long in all repositories; a failure of one does not stop the others.
    package func clean(now: Date = Date()) async {
        let date = now.addingTimeInterval(-settings.unreachableGrace)
        var last: RepositoryID?
        await attempt("look for unreachable objects") {
            while true {
                let page = try await git.store.repositoriesToClean(packsBefore: date, after: last)
                for repository in page {
                    try Task.checkCancellation()
                    await attempt("drop unreachable objects") { try await merge(repository, minimumPacks: 1, now: now) }
                }
                guard let end = page.last else { return }
                last = end
            }
        }
    }

    private func attempt(_ what: String, _ work: () async throws -> Void) async {
        do {
            try await work()
        } catch is CancellationError {
            // The hub stops; the next start goes on.
        } catch {
            logger.warning("Could not \(what): \(error)")
        }
    }

    private func mergeIfNeeded(_ id: RepositoryID) async throws {
        try await merge(id, minimumPacks: settings.packsBeforeMerge, now: Date())
    }

    private func merge(_ id: RepositoryID, minimumPacks: Int, now: Date) async throws {
        guard let repository = try await git.store.repository(id: id) else { return }
        let state = try await git.references(of: repository)
        guard state.packs.count >= minimumPacks else { return }
        let count = try await git.mergePacks(
            of: repository, unreachableBefore: now.addingTimeInterval(-settings.unreachableGrace))
        guard count > 0 else { return }
        logger.info(
            "Merged \(count) packs of \(repository.reference)",
            metadata: ["repository.name": "\(repository.reference)", "packs.merged": "\(count)"])
    }

    private func sweepPacks(now: Date) async throws {
        let before = now.addingTimeInterval(-settings.fileGrace)
        while true {
            let packs = try await git.store.claimPacksToSweep(removedBefore: before)
            guard !packs.isEmpty else { return }
            try await git.removePackFiles(packs)
            try await git.store.forgetPacks(packs)
        }
    }

    private func removeUnnamedPacks(now: Date) async throws {
        let count = try await git.removeUnnamedPacks(before: now.addingTimeInterval(-settings.fileGrace))
        guard count > 0 else { return }
        logger.info("Removed \(count) packs that no row names", metadata: ["packs.removed": "\(count)"])
    }

    private func purgeRepositories(now: Date) async throws {
        let before = now.addingTimeInterval(-settings.deletionGrace)
        for repository in try await git.store.repositoriesToPurge(deletedBefore: before) {
            let entry = AuditEntry(actor: "hub", action: "repository.purge", target: repository.reference.description)
            _ = try await git.store.purgeRepository(repository.id, audit: entry)
        }
        for uid in try await git.store.foldersToRemove() {
            try await git.removeFolder(uid)
            try await git.store.forgetFolder(uid)
        }
    }
}
