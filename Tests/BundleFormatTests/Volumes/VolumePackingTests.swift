import HubCore
import Testing

@testable import BundleFormat

@Suite("Packing of volumes")
struct VolumePackingTests {
    private func entry(_ n: Int, stored: Int64) -> VolumeIndex.Entry {
        let digest = BundleDigest.hash([UInt8(truncatingIfNeeded: n), UInt8(truncatingIfNeeded: n >> 8)])
        return .init(content: .segment(of: digest, offset: 0), length: stored, storedLength: stored, encoding: .raw, sha256: digest)
    }

    @Test("no volume is larger than the limit, and none could take the next entry", arguments: [200_000, 1_000_000, 70 << 20])
    func limits(limit: Int) throws {
        let entries = (0..<500).map { entry($0, stored: Int64(($0 * 7919) % 100_000) + 1) }
        var packing = VolumePacking(limitBytes: Int64(limit))
        for entry in entries { try packing.add(entry) }
        packing.finish()
        #expect(packing.volumes.flatMap { Array($0) } == Array(entries.indices))
        for (number, range) in packing.volumes.enumerated() {
            let size = try size(of: Array(entries[range]), number: number + 1)
            #expect(size <= Int64(limit))
            guard range.upperBound < entries.count else { continue }
            let more = try self.size(of: Array(entries[range.lowerBound...range.upperBound]), number: number + 1)
            #expect(more > Int64(limit) - 1024)
        }
    }

    private func size(of entries: [VolumeIndex.Entry], number: Int) throws -> Int64 {
        try VolumeWriter(number: number, sources: entries.map { .init(entry: $0, source: .bytes([])) }).sizeBytes
    }

    @Test("what fits into no volume is refused")
    func tooLarge() throws {
        var packing = VolumePacking(limitBytes: 10_000)
        try packing.add(entry(1, stored: 5_000))
        #expect(throws: BundleError.self) { try packing.add(entry(2, stored: 9_000)) }
    }

    @Test("an index has a bounded number of entries")
    func manyEntries() throws {
        var packing = VolumePacking(limitBytes: nil)
        for n in 0..<VolumePacking.maximumEntries + 1 { try packing.add(entry(n, stored: 1)) }
        packing.finish()
        #expect(packing.volumes.map(\.count) == [VolumePacking.maximumEntries, 1])
    }

    @Test("without entries there is one volume")
    func empty() {
        var packing = VolumePacking(limitBytes: nil)
        packing.finish()
        #expect(packing.volumes == [0..<0])
    }
}
