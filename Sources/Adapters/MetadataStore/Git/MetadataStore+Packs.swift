import FoundationEssentials
import GRDB
import HubCore

extension MetadataStore {
    /// Puts packs in the place of others, after a repack.
    ///
    /// False, and nothing changed, when what the repack read no longer holds: a pack to be removed is gone, objects
    /// were dropped since, or (with `droppedObjects`) packs or refs changed at all.
    ///
    /// The expectations are those of the `GitState` that the repack worked on. `droppedObjects`: the new packs leave
    /// out objects that no ref reached then. `hasUnreachable` is what the new packs hold; it is cleared only if no ref
    /// has changed since. Rows of removed packs keep the time and wait for `claimPacksToSweep`.
    package func replacePacks(
        of id: RepositoryID, remove: [PackID], add: [PackDescription], expectedPackGeneration: Int64,
        expectedReferencesVersion: Int64, droppedObjects: Bool, hasUnreachable: Bool
    ) async throws -> Bool {
        try await write { db, now in
            let head = try RepositoryHead(id, in: db)
            let isSameState =
                head.packGeneration == expectedPackGeneration && head.referencesVersion == expectedReferencesVersion
            guard isSameState || (!droppedObjects && expectedPackGeneration >= head.droppedGeneration) else {
                return false
            }
            let live = Set(try PackRow.live(of: id, in: db).map(\.id))
            guard live.isSuperset(of: remove) else { return false }

            let generation = head.packGeneration + 1
            let kept = Set(add.map(\.id))
            for pack in remove where !kept.contains(pack) {
                try db.run("UPDATE packs SET removed_at = ? WHERE repository_id = ? AND pack = ?", [now, id, pack.oid])
            }
            for pack in add {
                _ = try PackRow.add(
                    pack, isDisjoint: pack.isDisjoint, isFullyReachable: pack.isFullyReachable, generation: generation,
                    at: now,
                    to: id, in: db)
            }
            try db.run(
                """
                UPDATE repositories SET pack_generation = ?, dropped_generation = ?, has_unreachable = ? WHERE id = ?
                """,
                [
                    generation, droppedObjects ? generation : head.droppedGeneration,
                    hasUnreachable || (head.hasUnreachable && !isSameState), id,
                ])
            return true
        }
    }

    /// Repositories with at least `minimum` packs, those with most packs first.
    package func repositoriesToRepack(
        minimumPacks minimum: Int, limit: Int = 100
    ) async throws -> [(repository: RepositoryID, packs: Int)] {
        let limit = ListLimit.clamp(limit)
        return try await read { db in
            try db.rows(
                """
                SELECT p.repository_id, count(*) AS packs FROM packs AS p
                WHERE p.removed_at IS NULL GROUP BY p.repository_id HAVING packs >= ? ORDER BY packs DESC LIMIT ?
                """, [minimum, limit]
            ).map { (repository: $0[0], packs: $0[1]) }
        }
    }

    /// Repositories that may hold objects which no ref has reached since before `date`, by id, a page of them after `id`.
    ///
    /// Reads every repository of the page's range, so it is for maintenance only.
    package func repositoriesToClean(
        packsBefore date: Date, after id: RepositoryID? = nil, limit: Int = 100
    ) async throws -> [RepositoryID] {
        let limit = ListLimit.clamp(limit)
        return try await read { db in
            try db.rows(
                """
                SELECT id FROM repositories AS r WHERE has_unreachable = 1 AND deleted_at IS NULL AND id > ?
                AND EXISTS (
                    SELECT 1 FROM packs AS p WHERE p.repository_id = r.id AND p.removed_at IS NULL AND p.created_at < ?)
                ORDER BY id LIMIT ?
                """, [id?.rawValue ?? 0, date.milliseconds, limit]
            ).map { $0[0] }
        }
    }

    /// All rows of packs, those included that were replaced and wait for the sweep: a file that none of these names is
    /// an orphan.
    package func storedPacks(of id: RepositoryID) async throws -> [StoredPack] {
        try await read { db in
            try db.rows(PackRow.selectStored + " WHERE p.repository_id = ?", [id]).map(PackRow.stored)
        }
    }

    /// The packs of all rows of the repository with this folder, replaced ones included; `nil` when there is none.
    package func packs(inFolder uid: RepositoryUID) async throws -> Set<PackID>? {
        try await read { db in
            guard try db.row("SELECT 1 FROM repositories WHERE uid = ?", [uid.text]) != nil else { return nil }
            let rows = try db.rows(PackRow.selectStored + " WHERE r.uid = ?", [uid.text])
            return Set(rows.map { PackRow.stored($0).description.id })
        }
    }

    /// Claims packs that were removed before `date` for the sweep, those of an interrupted sweep included: none of them
    /// can be published again until it is forgotten.
    ///
    /// Remove the files, then call `forgetPacks`.
    package func claimPacksToSweep(removedBefore date: Date, limit: Int = 100) async throws -> [StoredPack] {
        let limit = ListLimit.clamp(limit)
        return try await write { db, _ in
            let packs = try db.rows(
                PackRow.selectStored + " WHERE p.removed_at < ? ORDER BY p.removed_at LIMIT ?",
                [date.milliseconds, limit]
            ).map(PackRow.stored)
            for pack in packs {
                try db.run(
                    "UPDATE packs SET is_sweeping = 1 WHERE repository_id = ? AND pack = ?",
                    [pack.repository, pack.description.id.oid])
            }
            return packs
        }
    }

    /// The files of these claimed packs are gone.
    package func forgetPacks(_ packs: [StoredPack]) async throws {
        try await write { db, _ in
            for pack in packs {
                try db.run(
                    "DELETE FROM packs WHERE repository_id = ? AND pack = ? AND is_sweeping = 1",
                    [pack.repository, pack.description.id.oid])
            }
        }
    }
}

extension PackRow {
    static let selectStored = """
        SELECT \(columns), r.uid, p.created_at, p.removed_at FROM packs AS p JOIN repositories AS r ON r.id = p.repository_id
        """

    static func stored(_ row: Row) -> StoredPack {
        StoredPack(
            repository: row["repository_id"], uid: RepositoryUID(trusted: row["uid"]), description: description(row),
            createdAt: row.date("created_at"), removedAt: row.optionalDate("removed_at"))
    }
}
