import Foundation
import HubTestSupport
import Testing

@testable import BundleFormat

@Suite("LZ4 frames")
struct LZ4FrameTests {
    private static let text = Array(String(repeating: "abcdefgh ", count: 200_000).utf8)

    /// Hands out the content in pieces of at most 64 KiB.
    private func decompress(_ frame: [UInt8], length: Int, _ body: (UnsafeRawBufferPointer) -> Void) throws {
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { piece.deallocate() }
        try frame.withUnsafeBytes { try LZ4Frame.decompress($0, length: Int64(length), into: { piece }, body) }
    }

    private func decompress(_ frame: [UInt8], length: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try decompress(frame, length: length) { bytes.append(contentsOf: $0) }
        return bytes
    }

    @Test("a frame gives back its content")
    func roundTrip() throws {
        let frame = try #require(Self.text.withUnsafeBytes { LZ4Frame.compress($0) })
        #expect(frame.count < Self.text.count / 50)
        #expect(try decompress(frame, length: Self.text.count) == Self.text)
    }

    @Test("what does not shrink has no frame")
    func random() {
        #expect(Content.bytes(100_000, seed: 1).withUnsafeBytes { LZ4Frame.compress($0) } == nil)
        #expect([UInt8]().withUnsafeBytes { LZ4Frame.compress($0) } == nil)
    }

    @Test("another length than the signed one is refused", arguments: [0, 1, 1_799_999, 1_800_001, 1 << 40])
    func lengths(length: Int) throws {
        let frame = try #require(Self.text.withUnsafeBytes { LZ4Frame.compress($0) })
        #expect(throws: LZ4Fault.wrongLength) { try decompress(frame, length: length) }
    }

    @Test("a frame whose own length lies yields no more than is signed")
    func bomb() throws {
        // The content size in the header and its checksum byte are those of a short text; the blocks are those of a long one.
        let short = Array(Self.text.prefix(9_000))
        let honest = try #require(short.withUnsafeBytes { LZ4Frame.compress($0) })
        let long = try #require(Self.text.withUnsafeBytes { LZ4Frame.compress($0) })
        let bomb = Array(honest.prefix(15)) + Array(long.dropFirst(15))
        var produced = 0
        #expect(throws: LZ4Fault.self) {
            try decompress(bomb, length: 9_000) { produced += $0.count }
        }
        #expect(produced <= 9_000)
    }

    @Test("cut, extended, damaged and foreign frames are refused")
    func damaged() throws {
        let frame = try #require(Self.text.withUnsafeBytes { LZ4Frame.compress($0) })
        for cut in [0, 1, 6, 7, 15, 20, frame.count / 2, frame.count - 4, frame.count - 1] {
            #expect(throws: LZ4Fault.self) { try decompress(Array(frame.prefix(cut)), length: Self.text.count) }
        }
        #expect(throws: LZ4Fault.self) { try decompress(frame + frame, length: Self.text.count) }
        #expect(throws: LZ4Fault.self) { try decompress(frame + [0], length: Self.text.count) }
        // A skippable frame before the real one.
        #expect(throws: LZ4Fault.self) { try decompress([0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 0] + frame, length: Self.text.count) }
    }

    @Test("samples span a segment from its first byte to its last")
    func sampling() {
        #expect(SegmentSampling.ranges(length: 0).isEmpty)
        #expect(SegmentSampling.ranges(length: 1000) == [0..<1000])
        let ranges = SegmentSampling.ranges(length: 64 << 20)
        #expect(ranges.count == 4 && ranges.first?.lowerBound == 0 && ranges.last?.upperBound == 64 << 20)
        #expect(SegmentSampling.isWorthwhile(originalBytes: 100, compressedBytes: 90))
        #expect(!SegmentSampling.isWorthwhile(originalBytes: 100, compressedBytes: 91))
    }
}
