import FoundationEssentials
import GitStore
import HubCore
import MetadataStore

extension GitService {
    /// Merges small packs of a repository, or all of them when some hold objects that no ref has reached for long.
    ///
    /// - Parameter unreachableBefore: objects that only packs older than this hold, and no ref reaches, are dropped.
    /// - Returns: how many packs were replaced; 0 when there was nothing to do, or the repository changed meanwhile and the
    ///   next pass tries again.
    func mergePacks(of repository: Repository, unreachableBefore date: Date) async throws -> Int {
        let state = try await references(of: repository)
        let rows = try await store.storedPacks(of: repository.id).filter { $0.removedAt == nil }
        guard let plan = Self.repackPlan(state: state, rows: rows, unreachableBefore: date) else { return 0 }
        let (result, description) = try await threads.run { [git] in
            let result = try git.repack(plan)
            return (result, try result.pack.map { try git.publish($0) })
        }
        let isReplaced = try await store.replacePacks(
            of: repository.id, remove: result.replaced, add: description.map { [$0] } ?? [],
            expectedPackGeneration: state.packGeneration, expectedReferencesVersion: state.referencesVersion,
            droppedObjects: result.droppedObjects > 0, hasUnreachable: result.hasUnreachable ?? state.hasUnreachable)
        // The pack's files are kept as long as the result is held: until its row is there.
        withExtendedLifetime(result) {}
        return isReplaced ? result.replaced.count : 0
    }

    static func repackPlan(state: GitState, rows: [StoredPack], unreachableBefore date: Date) -> RepackPlan? {
        let old = Set(rows.filter { $0.createdAt < date }.map(\.description.id))
        if state.hasUnreachable, !old.isEmpty {
            return RepackPlan(
                repository: state.uid, packs: state.packs,
                cleaning: RepackPlan.Cleaning(tips: Array(Set(state.references.map(\.oid))), droppable: old))
        }
        let small = smallPacks(state.packs)
        return small.count > 1 ? RepackPlan(repository: state.uid, packs: state.packs, merging: Set(small)) : nil
    }

    /// The packs to merge so that each that stays is at least twice as large as all smaller ones together: then the number of
    /// packs grows with the logarithm of the size, and an object is copied that often at most.
    static func smallPacks(_ packs: [PackDescription]) -> [PackID] {
        let ascending = packs.sorted { $0.sizeBytes < $1.sizeBytes }
        var smaller: Int64 = 0
        var mergedCount = 0
        for (index, pack) in ascending.enumerated() {
            if index > 0, pack.sizeBytes < 2 * smaller { mergedCount = index + 1 }
            smaller += pack.sizeBytes
        }
        return ascending.prefix(mergedCount).map(\.id)
    }

    /// Removes the files of packs that no row shows to readers any more.
    func removePackFiles(_ packs: [StoredPack]) async throws {
        try await threads.run { [git] in
            for (uid, packs) in Dictionary(grouping: packs, by: \.uid) {
                try git.remove(packs: packs.map(\.description.id), of: uid)
            }
        }
    }

    /// Removes files of packs that no row names and that have not changed since `date`.
    ///
    /// - Returns: how many packs are gone.
    func removeUnnamedPacks(before date: Date) async throws -> Int {
        var count = 0
        for uid in try await threads.run({ [git] in try git.repositoryFolders() }) {
            try Task.checkCancellation()
            let seconds = Int64(date.timeIntervalSince1970)
            let isOld = try await threads.run { [git] in try git.packFiles(of: uid).contains { $0.modified < seconds } }
            // The files were listed before the rows are read: a pack that is named meanwhile is not taken for an orphan.
            guard isOld, let named = try await store.packs(inFolder: uid) else { continue }
            let removed = try await threads.run { [git] in
                try git.removeUnnamedPacks(of: uid, named: named, before: seconds)
            }
            count += removed.count
        }
        return count
    }

    func removeFolder(_ uid: RepositoryUID) async throws {
        try await threads.run { [git] in try git.removeRepository(uid) }
    }
}
