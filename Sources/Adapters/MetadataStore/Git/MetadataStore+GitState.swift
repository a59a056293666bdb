import FoundationEssentials
import GRDB
import HubCore

extension MetadataStore {
    /// More prefixes than this and all refs are read and filtered.
    private static let prefixQueries = 32

    /// The refs and packs of a repository that is not deleted, in one snapshot.
    ///
    /// `prefixes`: only refs whose full names start with one of these; `nil` is all.
    package func gitState(of id: RepositoryID, prefixes: [String]? = nil) async throws -> GitState {
        let cache = gitStates
        let known = try lookUp { db in cache.state(of: id, at: try RepositoryHead(id, in: db).versions) }
        if let known { return prefixes.map { known.filtered($0) } ?? known }
        return try await read { db in
            let head = try RepositoryHead(id, in: db)
            if let state = cache.state(of: id, at: head.versions) {
                return prefixes.map { state.filtered($0) } ?? state
            }
            let packs = try PackRow.live(of: id, in: db)
            if let prefixes, prefixes.count <= Self.prefixQueries {
                let names = Set(prefixes)
                // A prefix of another prefix covers it, so that no ref comes twice.
                let ranges = names.filter { name in !names.contains { $0 != name && name.hasPrefix($0) } }
                let references = try ranges.flatMap { try ReferenceRow.starting(with: $0, of: id, in: db) }
                return head.state(references.sorted { $0.name < $1.name }, packs)
            }
            let state = head.state(try ReferenceRow.all(of: id, in: db), packs)
            cache.keep(state)
            return prefixes.map { state.filtered($0) } ?? state
        }
    }

    /// The changes of refs, newest first; `nil` `name`: of all refs.
    package func reflog(
        of id: RepositoryID, name: ReferenceName? = nil, after: String? = nil, limit: Int = 100
    ) async throws -> Page<ReflogRecord> {
        let limit = ListLimit.clamp(limit)
        let before = try ListCursor.id(after) ?? .max
        return try await read { db in
            let select = "SELECT id, name, old_oid, new_oid, actor, account_id, at FROM reflog WHERE repository_id = ?"
            let rows =
                if let name {
                    try db.rows(
                        select + " AND name = ? AND id < ? ORDER BY id DESC LIMIT ?",
                        [id, name.text, before, limit + 1])
                } else {
                    try db.rows(select + " AND id < ? ORDER BY id DESC LIMIT ?", [id, before, limit + 1])
                }
            let records = rows.map { row in
                ReflogRecord(
                    id: row["id"], reference: ReferenceName(trusted: row["name"]), old: row["old_oid"],
                    new: row["new_oid"],
                    actor: row["actor"], account: row["account_id"], at: row.date("at"))
            }
            return Page(records, limit: limit) { String($0.id) }
        }
    }
}

extension GitState {
    func filtered(_ prefixes: [String]) -> GitState {
        GitState(
            repository: repository, uid: uid,
            references: references.filter { reference in prefixes.contains { reference.name.text.hasPrefix($0) } },
            packs: packs,
            packGeneration: packGeneration, referencesVersion: referencesVersion, hasUnreachable: hasUnreachable,
            defaultBranch: defaultBranch)
    }
}

/// The columns of a repository that git needs.
struct RepositoryHead {
    let id: RepositoryID
    let uid: RepositoryUID
    let defaultBranch: String
    let packGeneration: Int64
    let droppedGeneration: Int64
    let referencesVersion: Int64
    let hasUnreachable: Bool

    /// Of a repository that is not deleted.
    init(_ id: RepositoryID, in db: Database) throws {
        let row = try db.row(
            """
            SELECT uid, default_branch, pack_generation, dropped_generation, refs_version, has_unreachable
            FROM repositories WHERE id = ? AND deleted_at IS NULL
            """, [id]
        ).orThrow(.repositoryNotFound)
        self.id = id
        uid = RepositoryUID(trusted: row["uid"])
        defaultBranch = row["default_branch"]
        packGeneration = row["pack_generation"]
        droppedGeneration = row["dropped_generation"]
        referencesVersion = row["refs_version"]
        hasUnreachable = row["has_unreachable"]
    }

    var versions: GitStateCache.Versions {
        GitStateCache.Versions(packGeneration: packGeneration, referencesVersion: referencesVersion)
    }

    func state(_ references: [Reference], _ packs: [PackDescription]) -> GitState {
        GitState(
            repository: id, uid: uid, references: references, packs: packs, packGeneration: packGeneration,
            referencesVersion: referencesVersion, hasUnreachable: hasUnreachable, defaultBranch: defaultBranch)
    }
}

/// Reads and writes rows of refs.
///
/// The table is stored in the order of names' bytes, as git sorts.
enum ReferenceRow {
    private static let select = "SELECT name, oid, peeled FROM refs WHERE repository_id = ?"

    static func all(of id: RepositoryID, in db: Database) throws -> [Reference] {
        try fetch(select + " ORDER BY name", [id], db)
    }

    static func starting(with prefix: String, of id: RepositoryID, in db: Database) throws -> [Reference] {
        // U+10FFFF sorts after every text that continues the prefix; names hold no such character.
        try fetch(select + " AND name >= ? AND name < ? ORDER BY name", [id, prefix, prefix + "\u{10FFFF}"], db)
    }

    static func oid(of name: String, of id: RepositoryID, in db: Database) throws -> GitOID? {
        try db.value(GitOID.self, "SELECT oid FROM refs WHERE repository_id = ? AND name = ?", [id, name])
    }

    static func set(_ name: ReferenceName, to oid: GitOID, peeled: GitOID?, of id: RepositoryID, in db: Database) throws
    {
        try db.run(
            """
            INSERT INTO refs (repository_id, name, oid, peeled) VALUES (?, ?, ?, ?)
            ON CONFLICT (repository_id, name) DO UPDATE SET oid = excluded.oid, peeled = excluded.peeled
            """, [id, name.text, oid, peeled])
    }

    static func delete(_ name: ReferenceName, of id: RepositoryID, in db: Database) throws {
        try db.run("DELETE FROM refs WHERE repository_id = ? AND name = ?", [id, name.text])
    }

    /// Stored refs that cannot be beside `name`: its folders, and at most `limit` in it.
    static func conflicts(with name: ReferenceName, limit: Int, of id: RepositoryID, in db: Database) throws -> [String]
    {
        var found: [String] = []
        var parts = name.text.split(separator: "/").dropLast()
        while parts.count > 2 {
            let folder = parts.joined(separator: "/")
            if try oid(of: folder, of: id, in: db) != nil { found.append(folder) }
            parts = parts.dropLast()
        }
        // "0" is the byte after "/".
        let inside = try db.rows(
            "SELECT name FROM refs WHERE repository_id = ? AND name > ? AND name < ? LIMIT ?",
            [id, name.text + "/", name.text + "0", limit])
        return found + inside.map { $0[0] as String }
    }

    private static func fetch(_ sql: String, _ arguments: StatementArguments, _ db: Database) throws -> [Reference] {
        var references: [Reference] = []
        let rows = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: arguments)
        while let row = try rows.next() {
            guard let oid = try Self.oid(row, 1) else { throw MetadataError.unusable("A ref holds no object name.") }
            references.append(Reference(name: ReferenceName(trusted: row[0]), oid: oid, peeled: try Self.oid(row, 2)))
        }
        return references
    }

    /// Without a copy: this is the hot path of an advertisement.
    private static func oid(_ row: Row, _ index: Int) throws -> GitOID? {
        try row.withUnsafeData(atIndex: index) { data in
            guard let data, data.count == GitOID.byteCount else { return nil }
            return data.withUnsafeBytes { $0.baseAddress.map { GitOID(bytes: $0) } }
        }
    }
}

/// Reads rows of packs.
enum PackRow {
    static let columns = """
        p.repository_id, p.pack, p.object_count, p.size_bytes, p.body_end, p.own_object_count, p.is_disjoint, p.is_fully_reachable
        """

    static func description(_ row: Row) -> PackDescription {
        PackDescription(
            id: PackID(row["pack"]), objectCount: row["object_count"], sizeBytes: row["size_bytes"],
            bodyEnd: row["body_end"],
            ownObjectCount: row["own_object_count"], isDisjoint: row["is_disjoint"],
            isFullyReachable: row["is_fully_reachable"])
    }

    /// Newest first.
    static func live(of id: RepositoryID, in db: Database) throws -> [PackDescription] {
        try db.rows(
            """
            SELECT \(columns) FROM packs AS p WHERE p.repository_id = ? AND p.removed_at IS NULL
            ORDER BY p.generation DESC, p.pack
            """, [id]
        ).map(description)
    }
}
