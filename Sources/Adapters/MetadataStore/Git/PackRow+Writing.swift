import GRDB
import HubCore

extension PackRow {
    /// Names a pack for readers, unless a row does already.
    ///
    /// One that was removed and not swept yet comes back. True when the set of packs changed.
    static func add(
        _ pack: PackDescription, isDisjoint: Bool, isFullyReachable: Bool, generation: Int64, at now: Int64,
        to id: RepositoryID, in db: Database
    ) throws -> Bool {
        let old = try db.row(
            "SELECT removed_at IS NULL, is_sweeping FROM packs WHERE repository_id = ? AND pack = ?", [id, pack.id.oid])
        if let old {
            // Its files are going; those that were just published in their place may go with them.
            if old[1] { throw MetadataError.beingSwept }
            if old[0] { return false }
        }
        try db.run(
            """
            INSERT INTO packs (repository_id, pack, object_count, size_bytes, body_end, own_object_count, is_disjoint,
                is_fully_reachable, generation, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (repository_id, pack) DO UPDATE SET object_count = excluded.object_count,
                size_bytes = excluded.size_bytes, body_end = excluded.body_end, own_object_count = excluded.own_object_count,
                is_disjoint = excluded.is_disjoint, is_fully_reachable = excluded.is_fully_reachable,
                generation = excluded.generation, created_at = excluded.created_at, removed_at = NULL
            """,
            [
                id, pack.id.oid, pack.objectCount, pack.sizeBytes, pack.bodyEnd, pack.ownObjectCount, isDisjoint,
                isFullyReachable, generation, now,
            ])
        return true
    }
}
