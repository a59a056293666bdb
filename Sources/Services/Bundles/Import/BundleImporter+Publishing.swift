import BundleFormat
import FoundationEssentials
import GitStore
import HubCore
import Identity
import Logging
import MetadataStore
import ObjectStore
import Repositories

extension BundleImporter {
    /// Takes a staged import as far as it goes: verified, through the gates, published.
    ///
    /// - Parameter isApproved: an administrator has said yes.
    func advance(_ bundle: String, isApproved: Bool = false, by caller: Caller) async throws -> Outcome {
        guard let record = try await store.importRecord(bundle) else { throw MetadataError.importNotFound }
        if record.state == .published {
            return Outcome(bundle: bundle, record: record, failure: nil, wasPublished: true)
        }
        guard record.state.keepsStaging else { throw MetadataError.importState(record.state) }
        let options = try ImportOptions(reading: record.options)
        let signed = try await kept(bundle)
        // Trust is asked for again: a key may have been revoked while the import waited.
        let (signers, manifest) = try await trust.judge(signed)
        try signers.checkAge(of: manifest, options)
        let plan = try StagingPlan(manifest, key: record.manifest)
        let staged = try await staged(plan, bundle: bundle, options)
        guard staged.isWhole else {
            if record.state != .staging { _ = try await store.moveImport(bundle, from: [record.state], to: .staging) }
            throw ImportError.incomplete(
                bundle: bundle, volumes: staged.missing,
                media: Set(staged.missing.compactMap { plan.medium(of: $0) }).sorted(), reasons: [])
        }
        let targets = try await targets(of: manifest, options)
        let (_, held) = try await owners(of: targets, options)
        guard held.isEmpty else { throw ImportError.needsMapping(held) }
        // Asked again: the policy may have changed while the import waited.
        let waits = isApproved ? false : try await needsApproval()
        let licenses = try await licenses(of: targets, options)
        if let obstacle = licenses.obstacle(isApproved: isApproved || waits) { throw obstacle }
        let custody = try await keptCustody(of: bundle, manifest, digest: record.manifest)
        if let obstacle = try await obstacle(custody, signers) { throw obstacle }

        board.tell(ImportProgress(bundle: bundle, phase: .verifying))
        let prepared = try await prepare(manifest, options, signers: signers, bundle: bundle)
        _ = try await store.moveImport(bundle, from: [record.state], to: .verified)
        try await scan(bundle)
        if waits {
            let waiting = try await store.moveImport(
                bundle, from: [.scanned], to: .awaitingApproval,
                audit: caller.entry(
                    "bundle.verified", on: bundle,
                    ["publisher": manifest.publisher].merging(licenses.accepted.map { ["licenses_asked": $0] } ?? [:]) { $1 }))
            board.tell(ImportProgress(bundle: bundle, phase: .awaitingApproval))
            return Outcome(bundle: bundle, record: waiting, failure: nil)
        }
        board.tell(ImportProgress(bundle: bundle, phase: .publishing))
        _ = try await publish(
            prepared, of: manifest, plan: plan, options, signers: signers, record: record, isApproved: isApproved, by: caller)
        return Outcome(bundle: bundle, record: try await conclude(bundle), failure: nil)
    }

    func needsApproval() async throws -> Bool {
        try await store.setting(SiteSetting.importPublishing.key) == BundleSettings.Publishing.administrator.rawValue
    }

    /// The gate of scanners. None is there yet; what looks at content attaches here, before anybody is asked to approve.
    private func scan(_ bundle: String) async throws {
        board.tell(ImportProgress(bundle: bundle, phase: .scanning))
        _ = try await store.moveImport(bundle, from: [.verified], to: .scanned)
    }

    /// Checks the git data of every repository.
    /// - Throws: `ImportError.parked` when something is presumed that is not here.
    private func prepare(
        _ manifest: BundleManifest, _ options: ImportOptions, signers: ImportSigners, bundle: String
    ) async throws -> [PreparedRepository] {
        let area = area(of: bundle)
        var prepared: [PreparedRepository] = []
        var missing = MissingContent()
        for target in try await targets(of: manifest, options) {
            try Task.checkCancellation()
            let repository = try await prepare(target, in: manifest, signers: signers, area: area)
            missing.add(repository.missing)
            prepared.append(repository)
        }
        guard missing.isEmpty else {
            try await keepRequest(missing, manifest, bundle: bundle)
            throw ImportError.parked(
                bundle: bundle, objects: missing.objects.count, bytes: missing.objectBytes, commits: missing.commitCount
            )
        }
        return prepared
    }

    // MARK: - Publication

    /// Puts the content in its place, then makes all of it visible in one transaction; looks again when the hub changed meanwhile.
    private func publish(
        _ first: [PreparedRepository], of manifest: BundleManifest, plan: StagingPlan, _ options: ImportOptions,
        signers: ImportSigners, record: ImportRecord, isPartial: Bool = false, isApproved: Bool = false, by caller: Caller
    ) async throws -> ImportReport {
        var prepared = first
        for attempt in 1...5 {
            let publication = try await place(
                prepared, of: manifest, plan: plan, options, signers: signers, record: record, isPartial: isPartial,
                isApproved: isApproved, by: caller)
            do {
                let result = try await store.publishImport(publication)
                // The packs' files are kept as long as they are held: until their rows are there.
                withExtendedLifetime(prepared) {}
                switch result {
                case .published(let report):
                    await tell(report, prepared, by: caller)
                    return report
                case .alreadyPublished(let report): return report
                case .outdated:
                    guard attempt < 5 else { throw MetadataError.busy }
                }
            } catch MetadataError.beingSwept where attempt < 5 {
                // The sweep forgets its claims in a moment.
                try await Task.sleep(for: .seconds(1))
            }
            let names = Set(prepared.map(\.target.source.uid))
            var again: [PreparedRepository] = []
            for target in try await targets(of: manifest, options) where names.contains(target.source.uid) {
                again.append(try await prepare(target, in: manifest, signers: signers, area: area(of: record.bundle)))
            }
            prepared = again
        }
        throw MetadataError.busy
    }

    /// Moves objects into the store and packs into their folders, durably, and says what rows they need.
    private func place(
        _ prepared: [PreparedRepository], of manifest: BundleManifest, plan: StagingPlan, _ options: ImportOptions,
        signers: ImportSigners, record: ImportRecord, isPartial: Bool, isApproved: Bool,
        by caller: Caller
    ) async throws -> ImportPublication {
        let (area, objects) = (area(of: record.bundle), objects)
        let wanted = Set(
            prepared.flatMap { repository in
                repository.target.source.objects.filter(\.isInBundle).map(\.oid)
                    + repository.target.source.attachments.map(\.sha256)
            })
        let contents = plan.contents.filter { wanted.contains($0.id) }.map { (id: $0.id, sizeBytes: $0.sizeBytes) }
        let presumed = prepared.flatMap { $0.target.source.objects.filter { !$0.isInBundle } }.map {
            (id: $0.oid, sizeBytes: $0.sizeBytes)
        }
        try await objects.stage {
            for start in stride(from: 0, to: contents.count, by: 1000) {
                try objects.adopt(Array(contents[start..<min(start + 1000, contents.count)]), from: area)
            }
            let stored = try objects.proveStored(presumed)
            if let lost = presumed.first(where: { !stored.contains($0.id) }) { throw ObjectStoreError.damaged(lost.id) }
        }
        var repositories: [ImportPublication.Repository] = []
        let custody = try await keptCustody(of: record.bundle, manifest, digest: record.manifest)
        for repository in prepared {
            try Task.checkCancellation()
            var description: PackDescription?
            if let pack = repository.pack, !pack.isEmpty {
                description = try await threads.run { [git] in try git.publish(pack) }
            }
            repositories.append(Self.publication(of: repository, pack: description, options))
        }
        let accepted = try await licenses(of: prepared.map(\.target), options).accepted
        return ImportPublication(
            bundle: record.bundle, repositories: repositories,
            aliases: isPartial ? [] : try aliases(of: manifest, options), isPartial: isPartial,
            signingKeys: signers.keyIDs,
            custody: custody.statements.map { .init(file: $0.fileName, document: String(decoding: $0.document, as: UTF8.self)) },
            custodyFault: custody.fault, approvedBy: isApproved ? caller.principal.auditName : nil,
            actor: caller.principal.auditName, account: caller.principal.account?.id,
            audit: caller.entry(
                "bundle.publish", on: record.bundle, Self.detail(manifest, signers, options, custody, acceptedLicenses: accepted)))
    }

    private static func detail(
        _ manifest: BundleManifest, _ signers: ImportSigners, _ options: ImportOptions, _ custody: CustodyChain, acceptedLicenses: String?
    ) -> [String: String] {
        var detail = [
            "publisher": manifest.publisher, "stream": manifest.stream, "sequence": String(manifest.sequence),
            "keys": signers.fingerprints.joined(separator: ", "),
        ]
        if signers.laterSequence != nil, let reason = options.olderReason { detail["older_reason"] = reason }
        detail["accepted_licenses"] = acceptedLicenses
        if !custody.statements.isEmpty { detail["custody"] = String(custody.text.prefix(4000)) }
        detail["custody_fault"] = custody.fault.map { String($0.prefix(1000)) }
        return detail
    }

    private static func publication(
        of repository: PreparedRepository, pack: PackDescription?, _ options: ImportOptions
    ) -> ImportPublication.Repository {
        let source = repository.target.source
        let objects = source.objects.map { StoredObjectRecord(oid: $0.oid, sizeBytes: $0.sizeBytes) }
        let attachments = source.attachments.map { StoredObjectRecord(oid: $0.sha256, sizeBytes: $0.sizeBytes) }
        return ImportPublication.Repository(
            target: repository.target.existing.map { .existing($0.id, packGeneration: repository.packGeneration) }
                ?? .new(repository.uid, visibility: repository.target.visibility),
            reference: repository.target.reference, sourceUID: source.uid, sourceName: source.reference.description,
            originDescription: OriginDescription.text(of: source), defaultBranch: source.defaultBranch,
            description: source.description, license: source.license?.spdx,
            isGated: source.license?.isGated ?? false, modelSignature: repository.modelSignature, pack: pack, refs: repository.refs,
            objects: Array(Dictionary((objects + attachments).map { ($0.oid, $0) }) { first, _ in first }.values).sorted
            { $0.oid.hex < $1.oid.hex })
    }

    private func aliases(of manifest: BundleManifest, _ options: ImportOptions) throws -> [String] {
        try manifest.aliases.map { alias in
            let target = try options.reference(of: RepositoryReference(kind: alias.kind, name: alias.target)).name
            return "\(alias.kind == .model ? "" : alias.kind.gitPathPart + "/")\(alias.name)=\(target)"
        }
    }

    /// Lets the indexer, webhooks and the sync feed know.
    private func tell(_ report: ImportReport, _ prepared: [PreparedRepository], by caller: Caller) async {
        let (actor, account) = (caller.principal.auditName, caller.principal.account?.id)
        for (done, repository) in zip(report.repositories, prepared) {
            // Events make listeners prompt and may be lost; they find what they missed in the database.
            guard let row = try? await store.repository(id: done.id) else { continue }
            if done.isNew { events.tell(RepositoryEvent(.created, repository: row, actor: actor, account: account)) }
            let moved = zip(done.refs, repository.refs).compactMap { outcome, ref -> ReferenceUpdate? in
                guard outcome.outcome == .created || outcome.outcome == .updated else { return nil }
                return ReferenceUpdate(
                    name: ref.name, old: outcome.outcome == .created ? nil : ref.movesFrom.first ?? nil, new: ref.oid,
                    peeled: ref.peeled, isForced: ref.isForced)
            }
            if !moved.isEmpty {
                events.tell(RepositoryEvent(.pushed(moved), repository: row, actor: actor, account: account))
            }
        }
    }

    /// After publication: the receipt, then the staging area goes.
    func conclude(_ bundle: String) async throws -> ImportRecord {
        guard let record = try await store.importRecord(bundle) else { throw MetadataError.importNotFound }
        do {
            try await signReceipt(record)
        } catch {
            // The hub's own keys may still wait for others' signatures; the receipt is made when it is asked for.
            logger.warning(
                "The receipt of bundle \(bundle) could not be signed yet: \(Problem.describing(error)?.message ?? "\(error)")"
            )
        }
        let area = area(of: bundle)
        try await objects.stage { try area.remove() }
        board.tell(ImportProgress(bundle: bundle, phase: .published))
        return try await store.importRecord(bundle) ?? record
    }

    func hasLeftovers(of bundle: String) async throws -> Bool {
        let area = area(of: bundle)
        return try await objects.stage { area.exists }
    }

    // MARK: - What administrators decide

    /// Publishes an import that waits for approval.
    package func publish(_ bundle: String, by caller: Caller) async throws -> Outcome {
        try await identity.requireSite(.approveImports, by: caller.principal)
        guard let record = try await store.importRecord(bundle) else { throw MetadataError.importNotFound }
        if record.state == .awaitingApproval {
            try await store.appendAudit(caller.entry("bundle.approve", on: bundle, ["publisher": record.publisher]))
        }
        let outcome = try await attempt(bundle) { try await self.advance(bundle, isApproved: true, by: caller) }
        if outcome.record?.state == .published { _ = try await continueParked(except: [bundle], by: caller) }
        return outcome
    }

    /// Publishes those repositories of an unfinished import that are wholly here. The import goes on with the others.
    package func publishComplete(_ bundle: String, by caller: Caller) async throws -> ImportReport {
        try await identity.requireSite(.approveImports, by: caller.principal)
        guard claim(bundle) else { throw ImportError.busy(bundle) }
        defer { release(bundle) }
        return try await turns.run(bundle) { try await self.publishWhole(of: bundle, by: caller) }
    }

    private func publishWhole(of bundle: String, by caller: Caller) async throws -> ImportReport {
        guard let record = try await store.importRecord(bundle) else { throw MetadataError.importNotFound }
        guard record.state == .staging || record.state == .parked else { throw MetadataError.importState(record.state) }
        let options = try ImportOptions(reading: record.options)
        let (signers, manifest) = try await trust.judge(kept(bundle))
        try signers.checkAge(of: manifest, options)
        let plan = try StagingPlan(manifest, key: record.manifest)
        let ready = try await staged(plan, bundle: bundle, options).ready
        var prepared: [PreparedRepository] = []
        for target in try await targets(of: manifest, options) {
            let needed =
                target.source.objects.filter(\.isInBundle).map(\.oid) + target.source.attachments.map(\.sha256)
                + (target.source.gitBundle.map { [$0.sha256] } ?? [])
            guard needed.allSatisfy(ready.contains) else { continue }
            let repository = try await prepare(target, in: manifest, signers: signers, area: area(of: bundle))
            if repository.missing.isEmpty { prepared.append(repository) }
        }
        guard !prepared.isEmpty else { throw ImportError.nothingComplete(bundle) }
        if let obstacle = try await licenses(of: prepared.map(\.target), options).obstacle(isApproved: true) { throw obstacle }
        let custody = try await keptCustody(of: bundle, manifest, digest: record.manifest)
        if let obstacle = try await obstacle(custody, signers) { throw obstacle }
        let (_, held) = try await owners(of: prepared.map(\.target), options)
        guard held.isEmpty else { throw ImportError.needsMapping(held) }
        return try await publish(
            prepared, of: manifest, plan: plan, options, signers: signers, record: record, isPartial: true, by: caller)
    }

    /// Refuses an import for good; what was staged goes.
    package func reject(_ bundle: String, reason: String, by caller: Caller) async throws -> ImportRecord {
        try await end(bundle, as: .rejected, action: "bundle.reject", reason: reason, by: caller)
    }

    /// Gives an import up; what was staged goes.
    package func abandon(_ bundle: String, by caller: Caller) async throws -> ImportRecord {
        try await end(bundle, as: .abandoned, action: "bundle.abandon", reason: nil, by: caller)
    }

    private func end(
        _ bundle: String, as state: ImportState, action: String, reason: String?, by caller: Caller
    ) async throws -> ImportRecord {
        try await identity.requireSite(.approveImports, by: caller.principal)
        guard claim(bundle) else { throw ImportError.busy(bundle) }
        defer { release(bundle) }
        let record = try await store.moveImport(
            bundle, from: Set(ImportState.allCases.filter(\.keepsStaging)), to: state, reason: reason,
            audit: caller.entry(action, on: bundle, reason.map { ["reason": $0] } ?? [:]))
        let area = area(of: bundle)
        try await objects.stage { try area.remove() }
        return record
    }

    // MARK: - Parked imports

    /// Looks again at imports that wait for what another bundle may have brought.
    func continueParked(except done: Set<String>, by caller: Caller) async throws -> [Outcome] {
        var outcomes: [Outcome] = []
        var finished = done
        var progressed = true
        while progressed {
            progressed = false
            for record in try await store.imports(in: [.parked], limit: 1000).items
            where !finished.contains(record.bundle) {
                let outcome = try await attempt(record.bundle) { try await self.advance(record.bundle, by: caller) }
                guard (outcome.failure as? ImportError)?.isParked != true else { continue }
                finished.insert(record.bundle)
                // Its status says so; it is no fault of the run that let it look again.
                if TrustError.isOlder(outcome.failure) { continue }
                outcomes.append(outcome)
                progressed = true
            }
        }
        return outcomes
    }

    /// Removes staging areas that no import needs, as an interrupted `abandon` leaves them.
    package func removeOrphans() async throws {
        let objects = objects
        for name in try await objects.stage({ try objects.stagingAreas() }) {
            let record = try await store.importRecord(name)
            // One that has no row may be receiving volumes by network.
            guard let record, !record.state.keepsStaging else { continue }
            if record.state == .published, record.receipt == nil { _ = try await conclude(name) }
            let area = area(of: name)
            try await objects.stage { try area.remove() }
        }
    }
}

extension ImportError {
    var isParked: Bool { if case .parked = self { true } else { false } }
}
