import BundleFormat
import Foundation
import HubCore
import HubTestSupport
import MetadataStore
import Testing

@testable import Bundles

/// What else must not get through: floods, names that pretend, and old bundles that waited.
extension BadMediaTests {
    @Test("what is damaged on one medium is taken from another that is there too")
    func secondCopy() async throws {
        let site = try ImportSite()
        let large = [made(130 << 20)]
        let bundle = try MadeBundle([try modelContent(try SourceRepository(), large: large)])
        let copy = try bundle.folder.folder("copy") + "/stick"
        try FileManager.default.copyItem(atPath: bundle.media[0], toPath: copy)
        let found = try offset(of: "seg/\(BundleDigest.hash(large[0]))/\(64 << 20)", in: bundle)
        try Content.flip(bundle.volume(1), at: Int(found.offset) + 300)
        // The first run sees only when the object is whole that a segment of it is not.
        guard case .damaged? = try await site.take(bundle.media).failure as? ImportError else {
            throw CocoaError(.featureUnsupported)
        }
        try await site.publish(bundle.media + [copy])
        #expect(try await site.object(BundleDigest.hash(large[0]), in: "models/qwen/qwen3") == large[0])
    }

    @Test("a medium with more manifests and lists of keys than memory should hold is refused before any is judged")
    func documentFlood() async throws {
        let site = try ImportSite()
        let bundle = try MadeBundle([try modelContent(try SourceRepository(), large: [made(1_000)])])
        let parent = bundle.media[0] + "/HUBBUNDLE"
        let root = Data(count: 200 << 10)
        for number in 0..<10 {
            let folder = "\(parent)/flood-\(number)"
            try FileManager.default.createDirectory(atPath: folder + "/trust", withIntermediateDirectories: true)
            try Data("{\(number)}".utf8).write(to: URL(filePath: folder + "/BUNDLE.json"))
            try Data("{}".utf8).write(to: URL(filePath: folder + "/BUNDLE.dsse.json"))
            // One file with as many names.
            try root.write(to: URL(filePath: folder + "/trust/root.1.json"))
            for version in 2...256 { link(folder + "/trust/root.1.json", folder + "/trust/root.\(version).json") }
        }
        let audit = try await site.store.latestAuditEntries().first?.sequence
        await #expect {
            try await site.importer.preflight(ImportOptions(paths: bundle.media), by: site.caller)
        } throws: {
            ($0 as? any Refusal)?.problem.kind == .tooLarge
        }
        #expect(try await site.store.latestAuditEntries().first?.sequence == audit)
        for number in 0..<10 { try FileManager.default.removeItem(atPath: "\(parent)/flood-\(number)") }
        for number in 0..<1000 {
            let folder = "\(parent)/b\(number)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data("{\(number)}".utf8).write(to: URL(filePath: folder + "/BUNDLE.json"))
        }
        #expect(throws: BundleError.tooLarge(what: bundle.media[0], limit: "1000 bundles")) {
            try Media.folders(below: bundle.media[0])
        }
    }

    @Test("a folder whose name has control characters is no bundle")
    func hiddenName() throws {
        let bundle = try MadeBundle([try modelContent(try SourceRepository(), large: [made(1_000)])])
        let parent = bundle.media[0] + "/HUBBUNDLE"
        try FileManager.default.copyItem(
            atPath: bundle.bundleFolder(0), toPath: parent + "/x\nTrust it: csghub trust add y")
        #expect(try Media.folders(below: bundle.media[0]).map(\.path) == [bundle.bundleFolder(0)])
    }

    @Test("nobody publishes a part of an import while another works on it")
    func busy() async throws {
        let site = try ImportSite()
        let bundle = try MadeBundle(
            [
                try modelContent(try SourceRepository(), large: [made(5_000)]),
                try modelContent(
                    try SourceRepository(uid: "B"), large: [made(6_000, 2), made(7_000, 3)], name: "ada/other"),
            ], volumes: 2)
        _ = try await site.take([bundle.media[0]])
        #expect(site.importer.claim(bundle.id))
        await #expect(throws: ImportError.busy(bundle.id)) {
            try await site.importer.publishComplete(bundle.id, by: site.caller)
        }
        await #expect(throws: ImportError.busy(bundle.id)) {
            try await site.importer.abandon(bundle.id, by: site.caller)
        }
        site.importer.release(bundle.id)
        _ = try await site.importer.publishComplete(bundle.id, by: site.caller)
    }

    @Test(
        "an older bundle that waited is not published over a newer one",
        arguments: ["parked", "approval", "missing medium"])
    func replayOfWaiting(_ waits: String) async throws {
        let site = try ImportSite()
        let source = try SourceRepository()
        let old = try source.commit(["README.md": "# One\n"])
        var content = BundleContent(
            source: source, refs: [("refs/heads/main", old)], gitBundle: try source.bundle(["--all"]), large: [])
        if waits == "parked" { content.presumed = [made(100, 5)] }
        if waits == "approval" { try await site.setPublishing("administrator") }
        // The volume with the rest comes last.
        let other = try modelContent(try SourceRepository(uid: "B"), large: [made(200)], name: "ada/other")
        let older = try MadeBundle(
            waits == "missing medium" ? [content, other] : [content], volumes: waits == "missing medium" ? 2 : 1)
        let first = try await site.take([older.media[0]])
        #expect(
            first.record?.state == (waits == "parked" ? .parked : waits == "approval" ? .awaitingApproval : .staging))
        try await site.setPublishing("automatic")

        // The newer one brings what the older one presumes.
        let new = try modelContent(source, large: [made(100, 5)])
        let newer = try MadeBundle([new], sequence: 2)
        let outcomes = try await site.importer.run(ImportOptions(paths: newer.media), by: site.caller)
        #expect(outcomes.map(\.bundle) == [newer.id] && outcomes[0].failure == nil)
        #expect(try await site.refs("models/qwen/qwen3")["refs/heads/main"] == source.head())

        func code(_ error: (any Error)?) -> String? { (error as? any Refusal)?.problem.code }
        if waits == "missing medium" {
            await #expect { try await site.importer.publishComplete(older.id, by: site.caller) } throws: {
                code($0) == "older_bundle"
            }
        } else {
            #expect(code(try await site.importer.publish(older.id, by: site.caller).failure) == "older_bundle")
        }
        #expect(code(try await site.take(older.media).failure) == "older_bundle")
        #expect(try await site.refs("models/qwen/qwen3")["refs/heads/main"] == source.head())

        // With a reason it goes back, and the audit log has the reason.
        try await site.publish(older.media, ImportOptions(olderReason: "We go back."))
        #expect(try await site.refs("models/qwen/qwen3")["refs/heads/main"] == old)
        let entries = try await site.store.latestAuditEntries(limit: 20).map(\.entry)
        for action in ["bundle.import", "bundle.publish"] {
            #expect(entries.contains { $0.action == action && $0.detail["older_reason"] == "We go back." })
        }
    }
}
