import BundleFormat
import Foundation
import GitStore
import HubCore
import HubTestSupport
import Identity
import MetadataStore
import ObjectStore
import Testing

@testable import Bundles

@Suite("Importing a bundle")
struct ImportTests {
    @Test("publishes repositories, objects and refs as they were sent, under their names")
    func whole() async throws {
        let site = try ImportSite()
        let (source, large) = (try SourceRepository(), [made(300_000), made(5), []])
        var content = try modelContent(source, large: large)
        content.attachments = [("model.sig", made(100, 9))]
        let bundle = try MadeBundle([content])
        let report = try await site.publish(bundle.media)
        #expect(report.organizations == ["qwen"] && report.repositories.map(\.name) == ["models/qwen/qwen3"])
        let repository = try #require(try await site.repository("models/qwen/qwen3"))
        #expect(repository.isProtected && repository.visibility == .internal)
        #expect(try await site.refs("models/qwen/qwen3") == ["refs/heads/main": try source.head()])
        for bytes in large + [made(100, 9)] {
            #expect(try await site.object(BundleDigest.hash(bytes), in: "models/qwen/qwen3") == bytes)
        }
        #expect(site.stagedFolders.isEmpty)
        let receipt = try await site.importer.receipt(of: bundle.id)
        #expect(receipt.contains("hubbundle-receipt/1") && receipt.contains("models/qwen/qwen3"))
        let state = try await site.store.gitState(of: repository.id)
        #expect(state.packs.count == 1)
        let (objects, head) = (try site.git.objects(of: repository.uid, packs: state.packs), try source.head())
        #expect(objects.contains(head))
    }

    @Test("media come in any order, one at a time, and a wrong one is no harm", arguments: [false, true])
    func anyOrder(_ isScattered: Bool) async throws {
        let site = try ImportSite()
        // Three segments of one object, so that they come out of order.
        let large = [made(150 << 20)]
        let bundle = try MadeBundle(
            [try modelContent(try SourceRepository(), large: large)], volumes: 4, isScattered: isScattered)
        for (step, medium) in [3, 1, 1, 0].enumerated() {
            let outcome = try await site.take([bundle.media[medium]])
            let failure = try #require(outcome.failure as? ImportError)
            guard case .incomplete(_, let volumes, _, _) = failure else { throw failure }
            #expect(volumes.count == [3, 2, 2, 1][step])
            #expect(outcome.record?.state == .staging)
            #expect(try await site.repository("models/qwen/qwen3") == nil && site.storedObjects == 0)
        }
        try await site.publish([bundle.media[2]])
        #expect(try await site.object(BundleDigest.hash(large[0]), in: "models/qwen/qwen3") == large[0])
    }

    @Test(
        "content that comes in order is hashed as it comes and not read again; any other is hashed when it is whole",
        arguments: [true, false])
    func hashedOnce(_ isInOrder: Bool) throws {
        let site = try ImportSite()
        let large = [made(70 << 20), made(3_000_001, 2), made(4096, 3), made(5, 4)]
        let bundle = try MadeBundle([try modelContent(try SourceRepository(), large: large)], volumes: 2, isScattered: true)
        let area = site.objects.stagingArea(bundle.id)
        try area.make()
        var phases: Set<ImportProgress.Phase> = []
        let run = try StagingRun(
            plan: StagingPlan(bundle.manifest, key: BundleDigest.hash(bundle.manifestBytes)), bundle: bundle.id,
            area: area,
            store: site.objects, spared: [], stop: StopFlag(), tell: { phases.insert($0.phase) })
        let locations = try bundle.media.flatMap { try Media.bundles(below: $0) }
        if isInOrder {
            try run.run(locations)
        } else {
            for location in locations.reversed() { try run.run([location]) }
        }
        #expect(run.isWhole && run.missingBytes == 0 && run.damaged.isEmpty && run.failures.isEmpty)
        #expect(phases.contains(.verifying) == !isInOrder)
        for bytes in large {
            let id = BundleDigest.hash(bytes)
            #expect(try area.hash(id, 0..<Int64(bytes.count)) == id)
        }
    }

    @Test("importing again is a no-op that says so")
    func again() async throws {
        let site = try ImportSite()
        let bundle = try MadeBundle([try modelContent(try SourceRepository(), large: [made(1000)])])
        try await site.publish(bundle.media)
        let audit = try await site.store.latestAuditEntries().first?.sequence
        let outcome = try await site.take(bundle.media)
        #expect(outcome.wasPublished && outcome.failure == nil && outcome.record?.state == .published)
        #expect(try await site.store.latestAuditEntries().first?.sequence == audit)
    }

    @Test("the preflight tells exact figures and changes nothing")
    func preflight() async throws {
        let site = try ImportSite()
        let large = [made(100_000), made(50_000, 2)]
        let bundle = try MadeBundle([try modelContent(try SourceRepository(), large: large)], volumes: 2)
        var options = ImportOptions(paths: [bundle.media[0]])
        let answer = try #require(try await site.importer.preflight(options, by: site.caller).first)
        let gitBytes = bundle.manifest.repositories[0].gitBundle?.sizeBytes ?? 0
        #expect(
            answer.contentBytes == 150_000 + gitBytes && answer.copyBytes == answer.contentBytes
                && answer.presentBytes == 0)
        #expect(answer.neededBytes >= answer.copyBytes + gitBytes && answer.freeBytes > answer.neededBytes)
        #expect(answer.volumes.map(\.isPresent) == [true, false] && answer.organizations == ["qwen"])
        #expect(answer.repositories.map(\.name) == ["models/qwen/qwen3"] && answer.repositories.first?.isNew == true)
        #expect(try await site.store.importRecord(bundle.id) == nil && site.stagedFolders.isEmpty)
        options.map = ["qwen": "lab"]
        #expect(
            try await site.importer.preflight(options, by: site.caller).first?.repositories.first?.name
                == "models/lab/qwen3")
    }

    @Test("an account's name is asked about, and --map answers")
    func heldName() async throws {
        let site = try ImportSite()
        _ = try await site.store.createAccount(
            NewAccount(name: NamespaceName(parsing: "Qwen")), audit: AuditEntry(actor: "t", action: "t", target: "t"))
        let bundle = try MadeBundle([try modelContent(try SourceRepository())])
        let outcome = try await site.take(bundle.media)
        #expect(outcome.failure as? ImportError == .needsMapping(["qwen"]))
        #expect(site.stagedFolders.isEmpty)
        let report = try await site.publish(bundle.media, ImportOptions(map: ["qwen": "lab"], visibility: .private))
        #expect(report.repositories.first?.name == "models/lab/qwen3" && report.organizations == ["lab"])
        #expect(try await site.repository("models/lab/qwen3")?.visibility == .private)
    }

    @Test("a delta moves what was not moved here, puts the rest aside, and copies no byte twice")
    func delta() async throws {
        let site = try ImportSite()
        let source = try SourceRepository()
        let (one, two) = (made(70_000), made(80_000, 2))
        let first = try modelContent(source, large: [one])
        try source.git(["branch", "dev"])
        let base = try MadeBundle([
            BundleContent(
                source: source, refs: first.refs + [("refs/heads/dev", try source.head())],
                gitBundle: try source.bundle(["--all"]), large: [one])
        ])
        try await site.publish(base.media)
        let old = try source.head()
        // Somebody moves dev here.
        let repository = try #require(try await site.repository("models/qwen/qwen3"))
        let dev = try #require(ReferenceName("refs/heads/dev"))
        _ = try await site.store.applyPush(
            Push(
                repository: repository.id, expectedPackGeneration: 1,
                updates: [ReferenceUpdate(name: dev, old: old, new: nil)],
                actor: "t", audit: AuditEntry(actor: "t", action: "t", target: "t")))
        let new = try source.commit(["README.md": "# Changed\n"], large: ["model-1.bin": two])
        try source.git(["branch", "-f", "dev"])
        let delta = try MadeBundle(
            [
                BundleContent(
                    source: source, refs: [("refs/heads/main", new), ("refs/heads/dev", new)],
                    gitBundle: try source.bundle(["main", "^\(old)"]), prerequisites: [old], large: [two],
                    presumed: [one])
            ], sequence: 2)
        let report = try await site.publish(delta.media)
        #expect(report.repositories.first?.refs.map(\.outcome) == [.updated, .keptLocal])
        let refs = try await site.refs("models/qwen/qwen3")
        #expect(refs == ["refs/heads/main": new, "refs/import/\(delta.id)/heads/dev": new])
        #expect(try await site.object(BundleDigest.hash(two), in: "models/qwen/qwen3") == two)
        #expect(site.storedObjects == 2)
    }

    @Test("a delta without its base is parked with a request, and goes on when the base has come")
    func parked() async throws {
        let site = try ImportSite()
        let source = try SourceRepository()
        let one = made(9_000)
        let base = try MadeBundle([try modelContent(source, large: [one])])
        let old = try source.head()
        let new = try source.commit(["x.txt": "x\n"])
        let delta = try MadeBundle(
            [
                BundleContent(
                    source: source, refs: [("refs/heads/main", new)],
                    gitBundle: try source.bundle(["main", "^\(old)"]),
                    prerequisites: [old], presumed: [one])
            ], sequence: 2)
        let outcome = try await site.take(delta.media)
        guard case .parked(_, let objects, let bytes, let commits)? = outcome.failure as? ImportError else {
            throw outcome.failure ?? CocoaError(.featureUnsupported)
        }
        #expect(objects == 1 && bytes == 9_000 && commits == 1 && outcome.record?.state == .parked)
        let request = try #require(try await site.importer.request(of: delta.id))
        #expect(request.count < 1024 && String(decoding: request, as: UTF8.self).contains(old.hex))
        #expect(try await site.repository("models/qwen/qwen3") == nil)
        // The base comes; the delta follows by itself.
        let outcomes = try await site.importer.run(
            ImportOptions(paths: base.media, olderReason: "base"), by: site.caller)
        #expect(outcomes.map(\.bundle) == [base.id, delta.id] && outcomes.allSatisfy { $0.failure == nil })
        #expect(try await site.refs("models/qwen/qwen3") == ["refs/heads/main": new])
    }

    @Test("waits for an administrator where the site says so, and nothing of it is visible before")
    func approval() async throws {
        let site = try ImportSite()
        try await site.store.setSetting(
            "import-publishing", to: "administrator", audit: AuditEntry(actor: "t", action: "t", target: "t"))
        let (first, second) = (
            try MadeBundle([try modelContent(try SourceRepository(), large: [made(5_000)])]),
            try MadeBundle(
                [try modelContent(try SourceRepository(uid: "B"), large: [made(6_000)], name: "ada/other")], sequence: 2)
        )
        for bundle in [first, second] {
            let outcome = try await site.take(bundle.media)
            #expect(outcome.failure == nil && outcome.record?.state == .awaitingApproval)
        }
        #expect(try await site.repository("models/qwen/qwen3") == nil && site.storedObjects == 0)
        #expect(try await site.store.storedObject(BundleDigest.hash(made(5_000))) == nil)
        #expect(try await site.importer.publish(first.id, by: site.caller).record?.state == .published)
        #expect(try await site.object(BundleDigest.hash(made(5_000)), in: "models/qwen/qwen3") != nil)
        let rejected = try await site.importer.reject(second.id, reason: "Not wanted.", by: site.caller)
        #expect(rejected.state == .rejected && rejected.reason == "Not wanted." && site.stagedFolders.isEmpty)
        // It may come again.
        #expect(try await site.take(second.media).record?.state == .awaitingApproval)
        #expect(try await site.importer.abandon(second.id, by: site.caller).state == .abandoned)
        #expect(site.stagedFolders.isEmpty)
    }

    @Test("goes on with the map and the visibility that were given with the first medium")
    func keepsOptions() async throws {
        let site = try ImportSite()
        let bundle = try MadeBundle(
            [try modelContent(try SourceRepository(), large: [made(5_000), made(6_000, 2)])], volumes: 2)
        let first = ImportOptions(map: ["qwen": "lab"], visibility: .private)
        #expect(try await site.take([bundle.media[0]], first).record?.state == .staging)
        let preflight = try await site.importer.preflight(ImportOptions(paths: [bundle.media[1]]), by: site.caller)
        #expect(preflight.first?.repositories.map(\.name) == ["models/lab/qwen3"])
        try await site.publish([bundle.media[1]])
        #expect(try await site.repository("models/lab/qwen3")?.visibility == .private)
    }

    @Test("goes on with a bundle that was signed again while it waited")
    func signedAgain() async throws {
        let site = try ImportSite()
        let bundle = try MadeBundle(
            [try modelContent(try SourceRepository(), large: [made(5_000), made(6_000, 2)])], volumes: 2)
        #expect(try await site.take([bundle.media[0]]).record?.state == .staging)
        site.trust.replaceKey()
        #expect((try await site.take([bundle.media[1]]).failure as? any Refusal)?.problem.code == "wrong_signature")
        for medium in 0...1 {
            try Data((BundleDigest.hash(bundle.manifestBytes).hex + "-2").utf8)
                .write(to: URL(filePath: bundle.bundleFolder(medium) + "/BUNDLE.dsse.json"))
        }
        try await site.publish([bundle.media[1]])
    }

    @Test("goes on in a new process from what the journal says")
    func newProcess() async throws {
        let folder = try TemporaryFolder("import")
        let large = [made(80 << 20), made(70 << 20, 2)]
        let bundle = try MadeBundle([try modelContent(try SourceRepository(), large: large)], volumes: 2)
        do {
            let site = try ImportSite(folder)
            #expect(try await site.take([bundle.media[1]]).failure != nil)
            try await site.close()
        }
        let site = try ImportSite(folder)
        let rest = try #require(
            try await site.importer.preflight(ImportOptions(paths: bundle.media), by: site.caller).first)
        #expect(rest.presentBytes > 0 && rest.copyBytes < rest.contentBytes)
        let outcomes = try await site.importer.resume(bundle.id, paths: bundle.media, by: site.caller)
        #expect(outcomes.first?.record?.state == .published)
        for bytes in large {
            #expect(try await site.object(BundleDigest.hash(bytes), in: "models/qwen/qwen3") == bytes)
        }
    }

    @Test("those who may not approve imports may do nothing with them")
    func rights() async throws {
        let site = try ImportSite()
        let account = try await site.store.createAccount(
            NewAccount(name: NamespaceName(parsing: "ada")), audit: AuditEntry(actor: "t", action: "t", target: "t"))
        let caller = Caller(.account(account))
        let bundle = try MadeBundle([try modelContent(try SourceRepository())])
        await #expect(throws: IdentityError.siteForbidden(.approveImports)) {
            try await site.importer.run(ImportOptions(paths: bundle.media), by: caller)
        }
        await #expect(throws: IdentityError.siteForbidden(.approveImports)) {
            try await site.importer.publish(bundle.id, by: caller)
        }
        await #expect(throws: IdentityError.siteForbidden(.approveImports)) {
            try await site.importer.abandon(bundle.id, by: caller)
        }
    }
}
