import Foundation
import HubCore
import HubTestSupport
import Testing

@testable import BundleFormat

extension HostileBytes {
    @Suite("Limits of documents")
    struct LimitTests {
        @Test("a manifest or an index of more bytes, values or levels than the limit is refused")
        func documents() {
            let wide = !Mutator.isFull ? [] : Array(("{" + String(repeating: "\"a\":1,", count: 4_000_001) + "\"b\":1}").utf8)
            let deep = [UInt8](repeating: UInt8(ascii: "["), count: 1 << 20)
            let long = [UInt8](repeating: UInt8(ascii: " "), count: (64 << 20) + 1)
            // The last takes seconds without the optimizer.
            for bytes in [deep, long] + (Mutator.isFull ? [wide] : []) {
                #expect(throws: BundleError.self) { try BundleManifest(parsing: bytes) }
                #expect(throws: BundleError.self) { try VolumeIndex(parsing: bytes) }
            }
        }

        @Test("an index that claims to be larger than the limit or the volume is refused before memory is taken for it")
        func claimedIndex() throws {
            let folder = try TemporaryFolder("limit")
            let path = folder.file("volume")
            for (claimed, size) in [((64 << 20) + 1, 1 << 40), (1 << 33, 1 << 40), (20_000, 10_000), (Int.max >> 11, Int.max >> 11)] {
                try Data(TarHeader.bytes(name: VolumeIndex.fileName, size: Int64(claimed))).write(to: URL(filePath: path))
                #expect(truncate(path, 8 << 20) == 0)
                let volume = BundleManifest.Volume(number: 1, sizeBytes: Int64(size), sha256: BundleDigest.hash([]), indexSHA256: BundleDigest.hash([]))
                #expect(throws: BundleError.self) { try VolumeReader(path: path, volume: volume) }
            }
        }
    }
}
