import BundleFormat
import FoundationEssentials
import HubCore
import Identity
import MetadataStore
import ObjectStore

extension BundleImporter {
    static let manifestDocument = "BUNDLE.json"
    private static let folderDocument = "folder"

    func area(of bundle: String) -> StagingArea { objects.stagingArea(bundle) }

    /// What an import of this bundle would do and need; changes nothing.
    package func preflight(
        _ options: ImportOptions, chosen: Set<String> = [], by caller: Caller
    ) async throws -> [ImportPreflight] {
        try await identity.requireSite(.approveImports, by: caller.principal)
        var options = options
        if options.paths.isEmpty { options.paths = try await mediaPaths(of: chosen) }
        try await checkPaths(options.paths, by: caller)
        var answers: [ImportPreflight] = []
        var refused: [(bundle: String, error: any Error)] = []
        for found in try await discover(options.paths) where chosen.isEmpty || chosen.contains(found.signed.id.text) {
            do {
                let (signers, manifest) = try await trust.judge(found.signed)
                answers.append(
                    try await preflight(Trusted(found: found, signers: signers, manifest: manifest), options))
            } catch let error as any Refusal {
                // One that is not trusted does not hinder those beside it; a run tells of each.
                refused.append((found.signed.id.text, error))
            }
        }
        if answers.isEmpty, let first = refused.first {
            // The command ends here, so no run writes it down.
            for one in refused { try await noteRefusal(one.error, of: one.bundle, by: caller) }
            throw first.error
        }
        return answers
    }

    /// The options of an import under way count where the new ones say nothing.
    private func resolved(_ options: ImportOptions, _ record: ImportRecord?) throws -> ImportOptions {
        guard let record, record.state.keepsStaging else { return options }
        return options.continuing(try ImportOptions(reading: record.options))
    }

    func preflight(_ trusted: Trusted, _ given: ImportOptions) async throws -> ImportPreflight {
        let record = try await store.importRecord(trusted.bundle)
        let options = try resolved(given, record)
        let manifest = trusted.manifest
        let plan = try StagingPlan(manifest, key: trusted.key)
        let targets = try await targets(of: manifest, options)
        let (organizations, held) = try await owners(of: targets, options)
        let licenses = try await licenses(of: targets, options)
        let custody = try await custody(of: trusted)
        let custodyObstacle = try await obstacle(custody, trusted.signers)
        let spared = try await spared(plan, targets)
        let isPublished = record?.state == .published
        let (area, objects, bundle, locations) = (area(of: trusted.bundle), objects, trusted.bundle, trusted.locations)
        let (staged, free) = try await objects.stage { () -> (Staged, (bytes: Int64, files: Int64?)) in
            let run = try StagingRun(
                plan: plan, bundle: bundle, area: area, store: objects, spared: spared, stop: StopFlag(), tell: { _ in }
            )
            let missing = Set(run.missingVolumes.map(\.number))
            return (
                Staged(
                    copyBytes: run.missingBytes, neededBytes: try run.neededBytes(), files: run.missingFiles, missingVolumes: missing,
                    presentVolumes: Set(locations.flatMap { $0.presentVolumes().map(\.number) })), try objects.room()
            )
        }
        var missing = MissingContent()
        if !isPublished { for target in targets { missing.add(try await self.missing(of: target, in: manifest)) } }
        // A pack lies twice on the disk while it is checked, and its index beside it.
        let gitBytes = manifest.repositories.reduce(0) { $0 + ($1.gitBundle?.sizeBytes ?? 0) }
        let copyBytes = isPublished ? 0 : staged.copyBytes
        return ImportPreflight(
            bundle: trusted.bundle, publisher: manifest.publisher, fingerprints: trusted.signers.fingerprints,
            stream: manifest.stream,
            sequence: manifest.sequence, lastSequence: trusted.signers.lastSequence, created: manifest.created,
            isDelta: manifest.kind == .delta, note: manifest.note, state: record?.state.rawValue,
            repositories: zip(targets, licenses.findings).map(Self.described),
            volumes: manifest.volumes.map {
                ImportPreflight.Volume(
                    number: $0.number, medium: plan.medium(of: $0.number), sizeBytes: $0.sizeBytes,
                    isPresent: staged.presentVolumes.contains($0.number),
                    isDone: isPublished || !staged.missingVolumes.contains($0.number))
            },
            organizations: organizations, contentBytes: plan.contents.reduce(0) { $0 + $1.sizeBytes },
            presentBytes: plan.contents.reduce(0) { $0 + $1.sizeBytes } - copyBytes, copyBytes: copyBytes,
            neededBytes: isPublished ? 0 : staged.neededBytes + gitBytes + gitBytes / 4 + Self.recordBytes(manifest),
            freeBytes: free.bytes,
            neededFiles: isPublished
                ? 0 : Int64(staged.files + 4 * manifest.repositories.count + manifest.volumes.count + 8),
            freeFiles: free.files, missingObjects: missing.objects.count, missingObjectBytes: missing.objectBytes,
            missingCommits: missing.commitCount, heldNames: held,
            licenseObstacle: isPublished ? nil : licenses.obstacle(isApproved: try await needsApproval()),
            custody: custody, keyNames: try await trust.keyNames(), custodyObstacle: isPublished ? nil : custodyObstacle,
            notes: notes(manifest, targets) + (custody.fault.map { ["\($0) The content is checked all the same."] } ?? []))
    }

    private struct Staged: Sendable {
        let copyBytes: Int64
        let neededBytes: Int64
        let files: Int
        let missingVolumes: Set<Int>
        let presentVolumes: Set<Int>
    }

    /// Rows and indexes: some hundred bytes for each ref and object, and the manifest and indexes themselves.
    private static func recordBytes(_ manifest: BundleManifest) -> Int64 {
        (4 << 20) + manifest.repositories.reduce(0) { $0 + 4096 + Int64($1.refs.count + $1.objects.count) * 512 }
    }

    private static func described(
        _ target: ImportTarget, _ finding: ImportLicenses.Finding
    ) -> ImportPreflight.Repository {
        ImportPreflight.Repository(
            sourceName: target.source.reference.description, name: target.name.description,
            isNew: target.existing == nil,
            refCount: target.source.refs.count, objectCount: target.source.objects.count,
            objectBytes: target.source.objects.reduce(0) { $0 + $1.sizeBytes }, license: target.source.license?.spdx,
            licenseAnswer: finding.answer, isLicenseAccepted: finding.isAccepted,
            isGated: target.source.license?.isGated ?? false,
            hasModelSignature: target.source.attachments.contains { $0.format == BundleRepository.Attachment.modelSignature })
    }

    private func notes(_ manifest: BundleManifest, _ targets: [ImportTarget]) -> [String] {
        var notes: [String] = []
        for target in targets where target.existing != nil && !target.isFollowed {
            notes.append(
                "\(target.name) is here already and did not come from \(manifest.publisher): its refs stay as they are, and those of the "
                    + "bundle that differ go to refs/import/ in it, where all who may read it see them.")
        }
        let gated = targets.filter { $0.source.license?.isGated == true }
        let new = gated.filter { $0.existing == nil }.map(\.name.description)
        if !new.isEmpty {
            notes.append(
                "Access is restricted where these came from, so they arrive gated, for an administrator to let people in: "
                    + "\(new.listed(atMost: 5)).")
        }
        let open = gated.filter { $0.existing?.gating == .off }.map(\.name.description)
        if !open.isEmpty {
            notes.append(
                "Access is restricted where these came from and not here: \(open.listed(atMost: 5)). “csghub repository gate” changes that.")
        }
        if manifest.created.prefix(4) < "2020" {
            notes.append("The clock of the publisher was not set: the bundle says it was made at \(manifest.created).")
        }
        return notes
    }

    /// Contents that the hub has and the bundle need not prove: they are not copied again.
    ///
    /// One that several repositories of the bundle name must count in each of them: what a repository here keeps to itself may not
    /// get into another because the bundle names both.
    private func spared(_ plan: StagingPlan, _ targets: [ImportTarget]) async throws -> Set<Int> {
        var wanted: [ObjectID: Int] = [:]
        var present: [ObjectID: Int] = [:]
        for target in targets {
            let named = Set(
                target.source.objects.filter(\.isInBundle).map(\.oid) + target.source.attachments.map(\.sha256))
            for id in named { wanted[id, default: 0] += 1 }
            let list = Array(named)
            for start in stride(from: 0, to: list.count, by: 1000) {
                let known = try await store.presumableObjects(
                    among: Array(list[start..<min(start + 1000, list.count)]), publisher: plan.manifest.publisher,
                    repository: target.existing?.id, visibility: target.visibility)
                for (id, size) in known {
                    guard let index = plan.index(of: id), plan.contents[index].sizeBytes == size else { continue }
                    present[id, default: 0] += 1
                }
            }
        }
        let known = plan.contents.filter { $0.isObject && wanted[$0.id] == present[$0.id] }
            .map { (id: $0.id, sizeBytes: $0.sizeBytes) }
        let objects = objects
        let stored = try await objects.stage { try objects.proveStored(known) }
        return Set(stored.compactMap { plan.index(of: $0) })
    }

    // MARK: - Staging

    /// Takes in what the media of this run bring, and goes on as far as it can.
    func take(_ trusted: Trusted, _ given: ImportOptions, by caller: Caller) async throws -> Outcome {
        let bundle = trusted.bundle
        let known = try await store.importRecord(bundle)
        let options = try resolved(given, known)
        if let known, known.state == .published {
            // A run that was cut off right after publication left what it had staged.
            if try await hasLeftovers(of: bundle) { _ = try await conclude(bundle) }
            return Outcome(bundle: bundle, record: known, failure: nil, wasPublished: true)
        }
        try trusted.signers.checkAge(of: trusted.manifest, options)
        board.tell(ImportProgress(bundle: bundle, phase: .preflight))
        let preflight = try await preflight(trusted, options)
        if let obstacle = preflight.obstacle { throw obstacle }
        _ = try await store.beginImport(
            NewImport(
                bundle: bundle, manifest: trusted.key, publisher: trusted.manifest.publisher,
                stream: trusted.manifest.stream,
                sequence: trusted.manifest.sequence, options: options.text, actor: caller.principal.auditName,
                account: caller.principal.account?.id), audit: startEntry(trusted, options, by: caller))
        try await stage(trusted, options)
        return try await advance(bundle, by: caller)
    }

    private func startEntry(_ trusted: Trusted, _ options: ImportOptions, by caller: Caller) -> AuditEntry {
        var detail = [
            "publisher": trusted.manifest.publisher, "stream": trusted.manifest.stream,
            "sequence": String(trusted.manifest.sequence),
            "keys": trusted.signers.fingerprints.joined(separator: ", "),
        ]
        if let reason = options.olderReason { detail["older_reason"] = reason }
        if !options.map.isEmpty {
            detail["map"] = options.map.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(
                separator: ", ")
        }
        detail["visibility"] = (options.visibility ?? .internal).rawValue
        if !options.acceptedLicenses.isEmpty {
            detail["accepted_licenses"] = String(options.acceptedLicenses.joined(separator: ", ").prefix(4000))
        }
        return caller.entry("bundle.import", on: trusted.bundle, detail)
    }

    private func stage(_ trusted: Trusted, _ options: ImportOptions) async throws {
        let plan = try StagingPlan(trusted.manifest, key: trusted.key)
        let spared = try await spared(plan, targets(of: trusted.manifest, options))
        let (area, objects, board, bundle) = (area(of: trusted.bundle), objects, board, trusted.bundle)
        let (signed, locations) = (trusted.found.signed, trusted.locations)
        let custody = try await statements(on: trusted)
        let stop = StopFlag()
        try await withTaskCancellationHandler {
            try await objects.stage {
                try area.make()
                try Self.keep(signed, in: area)
                try Self.keep(custody, in: area)
                let run = try StagingRun(
                    plan: plan, bundle: bundle, area: area, store: objects, spared: spared, stop: stop,
                    tell: { board.tell($0) })
                try run.run(locations)
                try area.removeReceived(volumes: run.takenVolumes.map(\.file))
                try Self.conclude(run, bundle: bundle)
            }
        } onCancel: {
            stop.raise()
        }
    }

    private static func keep(_ signed: SignedManifest, in area: StagingArea) throws {
        func write(_ bytes: [UInt8], _ name: String) throws {
            if try area.document(name) != bytes { try area.write(bytes, document: name) }
        }
        // The bundle may have been signed again since it was last seen.
        for (name, bytes) in signed.documents { try write(bytes, name.replacing("/", with: ":")) }
        try write(Array(signed.folder.utf8), folderDocument)
        try write(signed.bytes, manifestDocument)
    }

    /// The signed manifest of an import under way, from its staging area.
    func kept(_ bundle: String) async throws -> SignedManifest {
        let area = area(of: bundle)
        return try await objects.stage {
            guard let bytes = try area.document(Self.manifestDocument), let id = BundleID(parsing: bundle) else {
                throw MetadataError.importNotFound
            }
            var documents: [String: [UInt8]] = [:]
            for name in try area.documents() where name == "BUNDLE.dsse.json" || name.hasPrefix("trust:") {
                documents[name.replacing(":", with: "/")] = try area.document(name)
            }
            let folder = try area.document(Self.folderDocument).map { String(decoding: $0, as: UTF8.self) } ?? ""
            return SignedManifest(bytes: bytes, id: id, documents: documents, folder: folder)
        }
    }

    private static func conclude(_ run: StagingRun, bundle: String) throws {
        // Another copy may have had what was damaged in the first.
        guard !run.isWhole else { return }
        if !run.damaged.isEmpty { throw ImportError.damaged(run.damaged) }
        let missing = run.missingVolumes
        let media = Set(missing.compactMap { run.plan.medium(of: $0.number) }).sorted()
        // What is wrong with the content of a volume is bad data; everything else may be tried again.
        for failure in run.failures {
            switch failure {
            case .invalidDocument, .unknownFormat, .tooLarge, .wrongHash, .unexpectedContent: throw failure
            case .damagedSegment, .truncated, .mediumFailed, .noBundle, .inaccessible, .volumeTooSmall, .mediumFull:
                break
            }
        }
        throw ImportError.incomplete(
            bundle: bundle, volumes: missing.map(\.number), media: media, reasons: run.failures.map(\.problem.message))
    }

    /// Which of the contents are staged or here, without a medium.
    func staged(_ plan: StagingPlan, bundle: String, _ options: ImportOptions) async throws -> (
        isWhole: Bool, ready: Set<ObjectID>, missing: [Int]
    ) {
        let spared = try await spared(plan, targets(of: plan.manifest, options))
        let (area, objects) = (area(of: bundle), objects)
        return try await objects.stage {
            let run = try StagingRun(
                plan: plan, bundle: bundle, area: area, store: objects, spared: spared, stop: StopFlag(), tell: { _ in }
            )
            let ready = plan.contents.indices.filter(run.isVerified).map { plan.contents[$0].id }
            return (run.isWhole, Set(ready), run.missingVolumes.map(\.number))
        }
    }
}

extension ImportSigners {
    /// Refuses a bundle that is older than what these keys have published here, unless somebody said why it is wanted. Asked when an
    /// import begins and when it publishes: others may have been published while it waited.
    /// - Throws: `TrustError.olderSequence`
    func checkAge(of manifest: BundleManifest, _ options: ImportOptions) throws(TrustError) {
        guard let known = laterSequence, options.olderReason == nil else { return }
        throw .olderSequence(
            publisher: manifest.publisher, stream: manifest.stream, sequence: manifest.sequence, known: known)
    }
}

extension TrustError {
    static func isOlder(_ error: (any Error)?) -> Bool {
        if case .olderSequence? = error as? TrustError { true } else { false }
    }
}
