import BundleFormat
import HubCore
import HubTestSupport
import MetadataStore
import Testing

@testable import Bundles

@Suite("Licenses of what is imported")
struct ImportLicenseTests {
    private func bundle(_ licenses: [String?]) throws -> MadeBundle {
        let contents = try licenses.indices.map { index in
            let source = try SourceRepository(uid: index == 0 ? "A" : "B")
            let commit = try source.commit(["README.md": "# \(index)\n"])
            return BundleContent(
                source: source, name: "qwen/model\(index)", refs: [("refs/heads/main", commit)],
                gitBundle: try source.bundle(["--all"]))
        }
        return try MadeBundle(contents) { manifest in
            for (index, license) in licenses.enumerated() {
                manifest.repositories[index].license = license.map { .init(spdx: $0) }
            }
        }
    }

    @Test("one that is denied stops the bundle before anything is written, and its repository is named")
    func denied() async throws {
        let site = try ImportSite()
        let bundle = try bundle(["MIT", "AGPL-3.0-only"])
        try await site.set("import-licenses", "AGPL-*=deny")
        let outcome = try await site.take(bundle.media)
        #expect(outcome.failure as? ImportError == .licensesDenied(["models/qwen/model1 (AGPL-3.0-only)"]))
        #expect(try await site.store.importRecord(bundle.id) == nil && site.stagedFolders.isEmpty)
        let preflight = try #require(
            try await site.importer.preflight(ImportOptions(paths: bundle.media), by: site.caller).first)
        #expect(preflight.repositories.map(\.licenseAnswer) == [.allow, .deny] && preflight.obstacle?.problem.kind == .forbidden)
        // Nobody can accept what is denied.
        let accepted = try await site.take(bundle.media, ImportOptions(acceptedLicenses: ["ALL", "AGPL-3.0-only"]))
        #expect((accepted.failure as? ImportError)?.problem.code == "license_denied")
    }

    @Test("one that is asked about needs to be accepted by its name, none declared too, and the audit log keeps it")
    func asked() async throws {
        let site = try ImportSite()
        let bundle = try bundle(["LicenseRef-llama3.1", nil])
        try await site.set("import-licenses", "LicenseRef-*=ask,unknown=ask")
        let first = try await site.take(bundle.media, ImportOptions(acceptedLicenses: ["licenseref-llama3.1"]))
        #expect(first.failure as? ImportError == .licensesAsked(["models/qwen/model1 (unknown)"], licenses: ["unknown"]))
        #expect(site.stagedFolders.isEmpty)
        let report = try await site.publish(
            bundle.media, ImportOptions(acceptedLicenses: ["LicenseRef-llama3.1", "unknown"]))
        #expect(report.repositories.map(\.license) == ["LicenseRef-llama3.1", nil])
        let kept = try #require(try await site.audit("bundle.publish").first?.detail["accepted_licenses"])
        #expect(kept == "models/qwen/model0 (LicenseRef-llama3.1), models/qwen/model1 (unknown)")
        #expect(try await site.importer.receipt(of: bundle.id).contains(#""license":"LicenseRef-llama3.1""#))
    }

    @Test("where an administrator publishes, publication accepts what is asked about and never what is denied")
    func approved() async throws {
        let site = try ImportSite()
        let bundle = try bundle(["CC-BY-NC-4.0"])
        try await site.set("import-licenses", "CC-BY-NC-*=ask")
        try await site.set("import-publishing", "administrator")
        #expect(try await site.take(bundle.media).record?.state == .awaitingApproval)
        #expect(try await site.audit("bundle.verified").first?.detail["licenses_asked"] == "models/qwen/model0 (CC-BY-NC-4.0)")
        try await site.set("import-licenses", "CC-BY-NC-*=deny")
        let refused = try await site.importer.publish(bundle.id, by: site.caller)
        #expect((refused.failure as? ImportError)?.problem.code == "license_denied")
        #expect(try await site.repository("models/qwen/model0") == nil)
        try await site.set("import-licenses", "CC-BY-NC-*=ask")
        #expect(try await site.importer.publish(bundle.id, by: site.caller).record?.state == .published)
        #expect(try await site.audit("bundle.publish").first?.detail["accepted_licenses"] == "models/qwen/model0 (CC-BY-NC-4.0)")
    }
}
