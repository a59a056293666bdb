import Foundation
import HubCore
import Testing

@testable import Bundles

@Suite("Progress of imports")
struct ImportProgressTests {
    private func bundle(by publisher: String = "acme") throws -> MadeBundle {
        let source = try SourceRepository()
        let commit = try source.commit(["README.md": "# Model\n"])
        let content = BundleContent(source: source, refs: [("refs/heads/main", commit)], gitBundle: try source.bundle(["--all"]))
        return try MadeBundle([content], publisher: publisher)
    }

    @Test("ends with the run, whether a bundle is published, refused or not whole", arguments: ["acme", "mallory", "cut"])
    func ends(_ publisher: String) async throws {
        let site = try ImportSite()
        let bundle = try bundle(by: publisher == "cut" ? "acme" : publisher)
        if publisher == "cut" { try FileManager.default.removeItem(atPath: bundle.volume(1)) }
        let outcome = try await site.take(bundle.media)
        #expect((outcome.failure == nil) == (publisher == "acme"))
        #expect(site.importer.board.latest(of: bundle.id) == nil)
        // Who watches now is told at once that nothing runs.
        for await step in site.importer.board.listen(to: bundle.id) { Issue.record("\(step)") }
    }
}
