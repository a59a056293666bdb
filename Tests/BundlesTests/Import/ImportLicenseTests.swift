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

    private func set(_ policy: String, _ site: ImportSite) async throws {
        try await site.store.setSetting("import-licenses", to: policy, audit: AuditEntry(actor: "t", action: "t", target: "t"))
    }

    private func audit(_ action: String, _ site: ImportSite) async throws -> [AuditEntry] {
        try await site.store.auditEntries(after: 0, limit: 100).map(\.entry).filter { $0.action == action }
    }

    @Test("one that is denied stops the bundle before anything is written, and its repository is named")
    func denied() async throws {
        let site = try ImportSite()
        let bundle = try bundle(["MIT", "AGPL-3.0-only"])
        try await set("AGPL-*=deny", site)
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
        try await set("LicenseRef-*=ask,unknown=ask", site)
        let first = try await site.take(bundle.media, ImportOptions(acceptedLicenses: ["licenseref-llama3.1"]))
        #expect(first.failure as? ImportError == .licensesAsked(["models/qwen/model1 (unknown)"], licenses: ["unknown"]))
        #expect(site.stagedFolders.isEmpty)
        let report = try await site.publish(
            bundle.media, ImportOptions(acceptedLicenses: ["LicenseRef-llama3.1", "unknown"]))
        #expect(report.repositories.map(\.license) == ["LicenseRef-llama3.1", nil])
        let kept = try #require(try await audit("bundle.publish", site).first?.detail["accepted_licenses"])
        #expect(kept == "models/qwen/model0 (LicenseRef-llama3.1), models/qwen/model1 (unknown)")
        #expect(try await site.importer.receipt(of: bundle.id).contains(#""license":"LicenseRef-llama3.1""#))
    }

    @Test("where an administrator publishes, publication accepts what is asked about and never what is denied")
    func approved() async throws {
        let site = try ImportSite()
        let bundle = try bundle(["CC-BY-NC-4.0"])
        try await set("CC-BY-NC-*=ask", site)
        try await site.store.setSetting(
            "import-publishing", to: "administrator", audit: AuditEntry(actor: "t", action: "t", target: "t"))
        #expect(try await site.take(bundle.media).record?.state == .awaitingApproval)
        #expect(try await audit("bundle.verified", site).first?.detail["licenses_asked"] == "models/qwen/model0 (CC-BY-NC-4.0)")
        try await set("CC-BY-NC-*=deny", site)
        let refused = try await site.importer.publish(bundle.id, by: site.caller)
        #expect((refused.failure as? ImportError)?.problem.code == "license_denied")
        #expect(try await site.repository("models/qwen/model0") == nil)
        try await set("CC-BY-NC-*=ask", site)
        #expect(try await site.importer.publish(bundle.id, by: site.caller).record?.state == .published)
        #expect(try await audit("bundle.publish", site).first?.detail["accepted_licenses"] == "models/qwen/model0 (CC-BY-NC-4.0)")
    }
}
