import FoundationEssentials
import GRDB
import HubCore

extension MetadataStore {
    /// Makes a whole bundle visible, or nothing of it: organizations, repositories, links of large objects, packs, refs, where
    /// each repository came from, aliases, the audit log and the import's state, in one transaction.
    ///
    /// The files must be in place and durable before. A bundle that is published already is left alone.
    ///
    /// - Throws: `MetadataError.importNotFound`, `.importState`, `.nameTaken` where an owner is an account, `.beingSwept`.
    package func publishImport(_ publication: ImportPublication) async throws -> ImportPublicationResult {
        try await write { db, now in
            let record = try ImportRow.find(publication.bundle, in: db).orThrow(.importNotFound)
            if let report = record.report { return .alreadyPublished(report) }
            let states: [ImportState] =
                publication.isPartial ? [.staging, .parked] : [.verified, .scanned, .awaitingApproval]
            guard states.contains(record.state) else {
                throw MetadataError.importState(record.state)
            }
            var application = ImportApplication(publication, record, at: now, in: db)
            guard try application.isCurrent() else { return .outdated }
            return .published(try application.run())
        }
    }
}

/// One publication in its transaction.
private struct ImportApplication {
    private let publication: ImportPublication
    private let record: ImportRecord
    private let now: Int64
    private let db: Database
    private var report = ImportReport(repositories: [], organizations: [], aliases: [], skippedAliases: [])

    init(_ publication: ImportPublication, _ record: ImportRecord, at now: Int64, in db: Database) {
        self.publication = publication
        self.record = record
        self.now = now
        self.db = db
    }

    /// Whether what the publication was made from is still so.
    func isCurrent() throws -> Bool {
        try publication.repositories.allSatisfy { repository in
            switch repository.target {
            case .existing(let id, let packGeneration):
                guard let found = try RepositoryRow.repository(id, in: db), found.deletedAt == nil else { return false }
                return try RepositoryHead(id, in: db).droppedGeneration <= packGeneration
            case .new:
                let origin = try OriginRow.repository(
                    publisher: record.publisher, sourceUID: repository.sourceUID, in: db)
                guard origin == nil else { return false }
                if case .found = try RepositoryRow.lookup(repository.reference, in: db) { return false }
                return true
            }
        }
    }

    mutating func run() throws -> ImportReport {
        report.custody = publication.custody
        report.custodyFault = publication.custodyFault
        report.approvedBy = publication.approvedBy
        for repository in publication.repositories { try apply(repository) }
        try addAliases()
        try MetadataStore.raise(
            SequenceMark(
                publisher: record.publisher, stream: record.stream, keyIDs: publication.signingKeys,
                sequence: record.sequence,
                bundle: record.bundle), at: now, in: db)
        if !publication.isPartial {
            try db.run(
                """
                UPDATE imports SET state = 'published', reason_code = NULL, reason = NULL, report = ?, published_at = ?, updated_at = ?
                WHERE id = ?
                """, [try ImportRow.text(report), now, now, record.id])
        }
        var entry = publication.audit
        entry.detail["repositories"] = String(report.repositories.count)
        entry.detail["objects"] = String(report.repositories.reduce(0) { $0 + $1.objectCount })
        let kept = report.repositories.flatMap(\.refs).filter { $0.outcome == .keptLocal }.count
        if kept > 0 { entry.detail["refs_kept"] = String(kept) }
        try AuditChain.append(entry, at: now, in: db)
        return report
    }

    private mutating func apply(_ repository: ImportPublication.Repository) throws {
        let (id, isNew) =
            switch repository.target {
            case .existing(let id, _): (id, false)
            case .new(let uid, let visibility): (try create(repository, uid, visibility), true)
            }
        let isOurs = try isNew || isPublishers(id)
        for object in repository.objects {
            try MetadataStore.link(
                object.oid, sizeBytes: object.sizeBytes, repository: id, account: publication.account, at: now, in: db)
        }
        let head = try RepositoryHead(id, in: db)
        let refs = try repository.refs.map { ref in
            let done = try apply(ref, to: id)
            // What a publisher brings beside another's refs is nothing that a later bundle may move on from.
            if isOurs, done.outcome != .keptLocal { try remember(ref, of: id) }
            return done
        }
        try add(repository, to: head)
        if isOurs { try keepOrigin(of: repository, as: id) }
        let name = try RepositoryRow.live(id, in: db).reference
        try audit(refs, of: name)
        report.repositories.append(
            ImportReport.Repository(
                id: id, name: name.description, sourceName: repository.sourceName, isNew: isNew, refs: refs,
                objectCount: repository.objects.count, objectBytes: repository.objects.reduce(0) { $0 + $1.sizeBytes },
                license: repository.license, modelSignature: repository.modelSignature))
    }

    // MARK: - Repositories and organizations

    private mutating func create(
        _ repository: ImportPublication.Repository, _ uid: RepositoryUID, _ visibility: Visibility
    ) throws -> RepositoryID {
        let name = repository.reference.name
        let namespace = try NamespaceRow.find(name.owner, in: db)?.id ?? makeOrganization(name.owner)
        try RepositoryRow.takeName(repository.reference, in: db)
        try db.run(
            """
            INSERT INTO repositories (uid, kind, namespace_id, name, path_key, visibility, gating, default_branch, description,
                is_protected, created_at, updated_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)
            """,
            [
                uid.text, repository.reference.kind, namespace, name.name, RepositoryRow.pathKey(name), visibility,
                // The table holds 10,000 characters of a description.
                repository.isGated ? Gating.manual : Gating.off, repository.defaultBranch,
                repository.description.map { String(String.UnicodeScalarView($0.unicodeScalars.prefix(10_000))) }, now, now,
            ])
        let id = RepositoryID(db.lastInsertedRowID)
        try tell(
            "repository.create", repository.reference.description,
            ["visibility": visibility.rawValue].merging(repository.isGated ? ["gate": Gating.manual.rawValue] : [:]) { $1 })
        return id
    }

    /// An organization without members: the site's own.
    private mutating func makeOrganization(_ name: NamespaceName) throws -> Int64 {
        try db.run("INSERT INTO organizations (full_name, created_at) VALUES (NULL, ?)", [now])
        let id = OrganizationID(db.lastInsertedRowID)
        try db.run("INSERT INTO namespaces (key, name, organization_id) VALUES (?, ?, ?)", [name.key, name.text, id])
        let row = db.lastInsertedRowID
        report.organizations.append(name.text)
        try tell("organization.create", name.text, [:])
        return row
    }

    /// Whether an existing repository came from the publisher of this bundle, or is empty and came from nobody.
    ///
    /// Another does not become the publisher's because a bundle names it: all that is in it would count as brought by the publisher.
    private func isPublishers(_ id: RepositoryID) throws -> Bool {
        if let publisher = try db.value(String.self, "SELECT publisher FROM origins WHERE repository_id = ?", [id]) {
            return publisher == record.publisher
        }
        return try !db.exists("SELECT 1 FROM refs WHERE repository_id = ?", [id])
            && !db.exists("SELECT 1 FROM object_links WHERE repository_id = ?", [id])
    }

    private func keepOrigin(of repository: ImportPublication.Repository, as id: RepositoryID) throws {
        try db.run(
            """
            INSERT INTO origins (repository_id, publisher, source_uid, source_name, description, first_import_id, last_import_id)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (repository_id) DO UPDATE SET publisher = excluded.publisher, source_uid = excluded.source_uid,
                source_name = excluded.source_name, description = excluded.description, last_import_id = excluded.last_import_id
            """,
            [
                id, record.publisher, repository.sourceUID, repository.sourceName, repository.originDescription,
                record.id,
                record.id,
            ])
    }

    // MARK: - Refs and packs

    private func apply(_ ref: ImportPublication.Ref, to id: RepositoryID) throws -> ImportReport.Ref {
        let current = try ReferenceRow.oid(of: ref.name.text, of: id, in: db)
        if current == ref.oid { return ImportReport.Ref(name: ref.name.text, oid: ref.oid.hex, outcome: .unchanged) }
        let isFree = try current != nil || ReferenceRow.conflicts(with: ref.name, limit: 1, of: id, in: db).isEmpty
        if isFree, ref.movesFrom.contains(current) {
            try set(ref.name, to: ref, from: current, of: id)
            return ImportReport.Ref(
                name: ref.name.text, oid: ref.oid.hex, outcome: current == nil ? .created : .updated)
        }
        // Never over what was done here: beside it.
        let aside = ReferenceName("refs/import/\(record.bundle)/" + ref.name.text.dropFirst(5))
        if let aside {
            let old = try ReferenceRow.oid(of: aside.text, of: id, in: db)
            if old != ref.oid { try set(aside, to: ref, from: old, of: id) }
        }
        return ImportReport.Ref(name: ref.name.text, oid: ref.oid.hex, outcome: .keptLocal, storedAs: aside?.text)
    }

    private func set(_ name: ReferenceName, to ref: ImportPublication.Ref, from old: GitOID?, of id: RepositoryID)
        throws
    {
        try ReferenceRow.set(name, to: ref.oid, peeled: ref.peeled, of: id, in: db)
        try db.run(
            """
            INSERT INTO reflog (repository_id, name, old_oid, new_oid, actor, account_id, at)
            VALUES (?, ?, ?, ?, ?, (SELECT id FROM accounts WHERE id = ?), ?)
            """, [id, name.text, old, ref.oid, publication.actor, publication.account, now])
    }

    private func remember(_ ref: ImportPublication.Ref, of id: RepositoryID) throws {
        try db.run(
            """
            INSERT INTO imported_refs (repository_id, name, oid) VALUES (?, ?, ?)
            ON CONFLICT (repository_id, name) DO UPDATE SET oid = excluded.oid
            """, [id, ref.name.text, ref.oid])
    }

    private func add(_ repository: ImportPublication.Repository, to head: RepositoryHead) throws {
        var generation = head.packGeneration
        if let pack = repository.pack {
            var isDisjoint = pack.isDisjoint
            if case .existing(_, let seen) = repository.target, seen != head.packGeneration { isDisjoint = false }
            let added = try PackRow.add(
                pack, isDisjoint: isDisjoint, isFullyReachable: pack.isFullyReachable, generation: generation + 1,
                at: now,
                to: head.id, in: db)
            if added { generation += 1 }
        }
        let leavesObjects = repository.refs.contains(where: \.isForced) || !(repository.pack?.isFullyReachable ?? true)
        try db.run(
            """
            UPDATE repositories SET refs_version = refs_version + 1, pack_generation = ?, updated_at = ?,
                has_unreachable = max(has_unreachable, ?)
            WHERE id = ?
            """, [generation, now, leavesObjects, head.id])
    }

    // MARK: - Aliases and audit

    /// The key of the site setting that holds the aliases, as `AliasList` reads them.
    private static let aliasSetting = "repository-aliases"

    private mutating func addAliases() throws {
        guard !publication.aliases.isEmpty else { return }
        let text = try db.value(String.self, "SELECT value FROM settings WHERE key = ?", [Self.aliasSetting]) ?? ""
        let entries = AliasList(text)?.entries ?? []
        var known = Set(entries.map(Self.key))
        var length = text.utf8.count
        for alias in publication.aliases {
            let added = AliasList(alias)?.entries ?? []
            if added.count == 1, entries.contains(added[0]) { continue }
            // The table holds 10,000 characters of a setting.
            guard added.count == 1, length + alias.utf8.count + 1 <= 10_000, known.insert(Self.key(added[0])).inserted
            else {
                report.skippedAliases.append(alias)
                continue
            }
            length += alias.utf8.count + 1
            report.aliases.append(alias)
        }
        guard !report.aliases.isEmpty else { return }
        try db.run(
            """
            INSERT INTO settings (key, value, updated_at) VALUES (?, ?, ?)
            ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at
            """, [Self.aliasSetting, ((text.isEmpty ? [] : [text]) + report.aliases).joined(separator: ","), now])
        try tell("setting.change", Self.aliasSetting, ["added": report.aliases.joined(separator: ",")])
    }

    /// Aliases are found without regard to case.
    private static func key(_ alias: AliasList.Entry) -> String { "\(alias.kind.rawValue)/\(alias.name.lowercased())" }

    private func audit(_ refs: [ImportReport.Ref], of reference: RepositoryReference) throws {
        var detail = ["refs": String(refs.count)]
        for ref in refs.prefix(20) { detail[ref.name] = "\(ref.outcome.rawValue) \(ref.oid)" }
        try tell("bundle.refs", reference.description, detail)
    }

    private func tell(_ action: String, _ target: String, _ detail: [String: String]) throws {
        var entry = publication.audit
        entry.action = action
        entry.target = target
        entry.detail = detail.merging(["bundle": record.bundle]) { own, _ in own }
        try AuditChain.append(entry, at: now, in: db)
    }
}
