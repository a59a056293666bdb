import BundleFormat
import Foundation
import HubCore
import MetadataStore
import NIOCore
import ObjectStore
import Testing

@testable import Bundles

@Suite("Bundles that come by network")
struct SentBundleTests {
    @Test(
        "a name that is no bundle's id is not found",
        arguments: ["x", "../../..", "0123456789ABCDEF", "0123456789abcde"])
    func foreignNames(_ bundle: String) async throws {
        let site = try ImportSite()
        await #expect(throws: MetadataError.importNotFound) {
            try await site.importer.received(volume: 1, of: bundle, by: site.caller)
        }
        await #expect(throws: MetadataError.importNotFound) {
            let (body, end) = AsyncStream.makeStream(of: ByteBuffer.self)
            end.finish()
            _ = try await site.importer.receive(volume: 1, from: 0, body, of: bundle, by: site.caller)
        }
        await #expect(throws: MetadataError.importNotFound) {
            try await site.importer.receive(document: "BUNDLE.json", [], of: bundle, by: site.caller)
        }
        #expect(site.stagedFolders.isEmpty)
    }

    @Test("a volume leaves free what the hub keeps for itself")
    func reserve() async throws {
        let site = try ImportSite(reserveBytes: 1 << 60)
        let source = try SourceRepository()
        let commit = try source.commit(["README.md": "# Model\n"])
        let bundle = try MadeBundle([
            BundleContent(source: source, refs: [("refs/heads/main", commit)], gitBundle: try source.bundle(["--all"]))
        ])
        for name in ["BUNDLE.json", "BUNDLE.dsse.json"] {
            let bytes = Array(try Data(contentsOf: URL(filePath: bundle.bundleFolder(0) + "/" + name)))
            try await site.importer.receive(document: name, bytes, of: bundle.id, by: site.caller)
        }
        let (body, end) = AsyncStream.makeStream(of: ByteBuffer.self)
        end.yield(ByteBuffer(repeating: 1, count: 1000))
        end.finish()
        await #expect(throws: ObjectStoreError.outOfSpace) {
            _ = try await site.importer.receive(volume: 1, from: 0, body, of: bundle.id, by: site.caller)
        }
        #expect(try await site.importer.received(volume: 1, of: bundle.id, by: site.caller) == 0)
    }
}
