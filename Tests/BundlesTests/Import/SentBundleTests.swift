import BundleFormat
import HubCore
import MetadataStore
import NIOCore
import Testing

@testable import Bundles

@Suite("Bundles that come by network")
struct SentBundleTests {
    @Test("a name that is no bundle's id is not found", arguments: ["x", "../../..", "0123456789ABCDEF", "0123456789abcde"])
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
}
