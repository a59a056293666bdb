import BundleFormat
import Foundation
import HubCore
import HubTestSupport
import MetadataStore
import Testing

@testable import Bundles

@Suite("The custody of what is imported")
struct ImportCustodyTests {
    private func bundle(volumes: Int = 1) throws -> MadeBundle {
        let source = try SourceRepository()
        let large = [made(1000), made(2000, 2)]
        let commit = try source.commit(large: ["a.bin": large[0], "b.bin": large[1]])
        return try MadeBundle(
            [
                BundleContent(
                    source: source, refs: [("refs/heads/main", commit)], gitBundle: try source.bundle(["--all"]), large: large)
            ], volumes: volumes
        ) { $0.custody = [.init(step: "export", host: "desk", operator: "ada")] }
    }

    /// Statements on a medium, the first by the publisher.
    @discardableResult
    private func state(
        _ steps: [String], in bundle: MadeBundle, medium: Int = 0, after former: [CustodyStatement] = [], _ site: ImportSite
    ) throws -> [CustodyStatement] {
        var statements = former
        for step in steps {
            statements.append(
                try CustodyStatement.make(
                    .init(step: step, operator: "ada"), after: statements.last, manifest: BundleDigest.hash(bundle.manifestBytes),
                    key: site.trust.publisherKey))
        }
        for statement in statements {
            let path = "\(bundle.bundleFolder(medium))/\(statement.path)"
            try FileManager.default.createDirectory(
                atPath: "\(bundle.bundleFolder(medium))/custody", withIntermediateDirectories: true)
            try Data(statement.document).write(to: URL(filePath: path))
        }
        return statements
    }

    /// The chain as the receipt tells it.
    private func receipt(of bundle: MadeBundle, _ site: ImportSite) async throws -> (chain: CustodyChain, node: JSONNode) {
        let text = try await site.importer.receipt(of: bundle.id)
        let node = try JSONParser.parse(Array(text.utf8), limits: .init(depth: 32, values: 100_000))
        var documents: [String: [UInt8]] = [:]
        for one in node["custody"]?.elements ?? [] {
            documents["custody/\(one["file"]?.string ?? "")"] = CanonicalJSON.encode(one["statement"] ?? .null)
        }
        return (CustodyChain(documents, manifest: BundleDigest.hash(bundle.manifestBytes), isExpected: true), node)
    }

    @Test("statements of several media and runs are joined, and the receipt goes on with them; media are left alone")
    func goesOn() async throws {
        let site = try ImportSite()
        try await site.set("import-publishing", "administrator")
        try await site.set("import-custody", "required")
        let bundle = try bundle(volumes: 2)
        let first = try state(["export"], in: bundle, medium: 1, site)
        #expect((try await site.take([bundle.media[1]]).failure as? ImportError)?.problem.code == "media_missing")
        try state(["seal"], in: bundle, medium: 0, after: first, site)
        let preflight = try #require(
            try await site.importer.preflight(ImportOptions(paths: [bundle.media[0]]), by: site.caller).first)
        #expect(preflight.custody.statements.map(\.facts.step) == ["export", "seal"] && preflight.obstacle == nil)
        #expect(preflight.keyNames[preflight.custody.statements[0].key.keyID] == "acme")
        #expect(try await site.take([bundle.media[0]]).record?.state == .awaitingApproval)
        #expect(try await site.importer.publish(bundle.id, by: site.caller).record?.state == .published)
        let (chain, node) = try await receipt(of: bundle, site)
        #expect(chain.fault == nil && chain.statements.map(\.facts.step) == ["export", "seal", "import", "approval"])
        #expect(chain.statements[2].key == site.trust.ownKey.publicKey && node["approved_by"]?.string != nil)
        let entry = try #require(try await site.audit("bundle.publish").first)
        #expect(entry.detail["custody"]?.contains(chain.statements[1].digest.hex) == true && entry.detail["custody_fault"] == nil)
        #expect(try await site.audit("bundle.receipt").first?.detail["custody"]?.contains(chain.statements[3].digest.hex) == true)
        for medium in [0, 1] {
            #expect(try FileManager.default.contentsOfDirectory(atPath: bundle.bundleFolder(medium) + "/custody").count == 2 - medium)
        }
    }

    @Test("a chain that was stripped or damaged is told, and stops nothing", arguments: [true, false])
    func optional(_ isStripped: Bool) async throws {
        let site = try ImportSite()
        let bundle = try bundle()
        if !isStripped {
            let statements = try state(["export", "seal"], in: bundle, site)
            try Content.flip("\(bundle.bundleFolder(0))/\(statements[1].path)", at: 200)
        }
        let preflight = try #require(
            try await site.importer.preflight(ImportOptions(paths: bundle.media), by: site.caller).first)
        let fault = try #require(preflight.custody.fault)
        #expect(preflight.obstacle == nil && preflight.notes.contains { $0.hasPrefix(fault) })
        #expect(try await site.publish(bundle.media).custodyFault == fault)
        let (chain, node) = try await receipt(of: bundle, site)
        #expect(node["custody_fault"]?.string == fault)
        #expect(chain.statements.map(\.facts.step) == (isStripped ? ["import"] : ["export", "import"]))
        #expect(try await site.audit("bundle.publish").first?.detail["custody_fault"] == fault)
    }

    @Test("where the site requires a whole chain that begins with the publisher, nothing is copied without one")
    func required() async throws {
        let site = try ImportSite()
        try await site.set("import-custody", "required")
        let bundle = try bundle()
        #expect((try await site.take(bundle.media).failure as? ImportError)?.problem.kind == .forbidden)
        // A chain that a stranger made follows from itself, and not from the publisher.
        let stranger = try CustodyStatement.make(
            .init(step: "export"), after: nil, manifest: BundleDigest.hash(bundle.manifestBytes), key: .make(.ed25519))
        try FileManager.default.createDirectory(atPath: bundle.bundleFolder(0) + "/custody", withIntermediateDirectories: true)
        try Data(stranger.document).write(to: URL(filePath: "\(bundle.bundleFolder(0))/\(stranger.path)"))
        #expect((try await site.take(bundle.media).failure as? ImportError)?.problem.code == "custody")
        #expect(try await site.store.importRecord(bundle.id) == nil && site.stagedFolders.isEmpty)
        try state(["export"], in: bundle, site)
        try await site.publish(bundle.media)
    }

    @Test("the parts of an import that are whole are published by the same rule")
    func parts() async throws {
        let site = try ImportSite()
        let bundle = try MadeBundle(
            [
                try modelContent(try SourceRepository(), large: [made(5_000)]),
                try modelContent(try SourceRepository(uid: "B"), large: [made(6_000, 2), made(7_000, 3)], name: "ada/other"),
            ], volumes: 2
        ) { $0.custody = [.init(step: "export", host: "desk", operator: "ada")] }
        _ = try await site.take([bundle.media[0]])
        try await site.set("import-custody", "required")
        let error = await #expect(throws: ImportError.self) { try await site.importer.publishComplete(bundle.id, by: site.caller) }
        #expect(error?.problem.code == "custody")
        #expect(try await site.repository("models/qwen/qwen3") == nil)
        try await site.set("import-custody", "optional")
        #expect(try await site.importer.publishComplete(bundle.id, by: site.caller).repositories.map(\.name) == ["models/qwen/qwen3"])
    }
}
