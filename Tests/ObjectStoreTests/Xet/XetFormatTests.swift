import Foundation
import HubCore
import HubTestSupport
import Testing

@testable import ObjectStore

@Suite("Xet formats")
struct XetFormatTests {
    @Test("cuts, names and checks content as hf-xet does", arguments: XetVector.all)
    func hashes(_ vector: XetVector) {
        let chunks = Self.chunks(of: vector.content, pieceBytes: vector.content.count)
        #expect(XetHashing.xorb(of: chunks).hex == vector.xorb)
        #expect(XetHashing.file(of: chunks).hex == vector.file)
        #expect(XetHashing.termCheck(of: chunks).hex == vector.check)
    }

    @Test("cuts the same however the content arrives", arguments: [1, 63, 8191, 8192, 65_537])
    func pieces(_ pieceBytes: Int) {
        let content = Array(XetVector.noise.content.prefix(600_000)) + [UInt8](repeating: 0, count: 300_000)
        #expect(Self.chunks(of: content, pieceBytes: pieceBytes) == Self.chunks(of: content, pieceBytes: content.count))
    }

    @Test("decodes every scheme, however the xorb arrives", arguments: [1, 7, 100, 1 << 20])
    func decoding(_ pieceBytes: Int) throws {
        for (xorb, vector) in [(XetVector.floatsXorb, XetVector.floats), (XetVector.textXorb, .text)] {
            #expect(try Self.decode(xorb, pieceBytes: pieceBytes).raw == vector.content)
            #expect(try Self.decode(xorb, pieceBytes: pieceBytes).hash.hex == vector.xorb)
        }
        let chunks = Self.chunks(of: XetVector.noise.content, pieceBytes: 1 << 20)
        var xorb = XorbBuilder.xorb(of: XetVector.noise.content, chunks: chunks)
        if pieceBytes > 1 { #expect(try Self.decode(xorb, pieceBytes: pieceBytes).hash.hex == XetVector.noise.xorb) }
        xorb = XetVector.textXorb + Array("XETBLOB".utf8) + [1, 2, 3]
        #expect(try Self.decode(xorb, pieceBytes: pieceBytes).hash.hex == XetVector.text.xorb)
    }

    @Test("the order of grouped bytes is mended for every length", arguments: 0...9)
    func grouping(_ count: Int) {
        let content = (0..<UInt8(count)).map { $0 }
        let grouped = (0..<4).flatMap { group in content.filter { Int($0) % 4 == group } }
        var mended = [UInt8](repeating: 0, count: count + 4)
        grouped.withUnsafeBytes { source in mended.withUnsafeMutableBytes { ChunkDecoder.ungroup(source, into: $0) } }
        #expect(Array(mended.prefix(count)) == content)
    }

    @Test("refuses xorbs that break a bound")
    func bounds() {
        let whole = XetVector.textXorb
        var version = whole
        version[0] = 1
        var scheme = whole
        scheme[4] = 3
        var short = whole
        short[5] &-= 1
        var long = whole
        long[5] &+= 1
        let huge: [UInt8] = [0, 0xff, 0xff, 0xff, 1, 0, 0, 1]
        let twoLengths: [UInt8] = [0, 1, 0, 0, 0, 2, 0, 0, 9]
        let empty: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0]
        let cut = Array(whole.dropLast())
        for (name, bytes) in [
            ("version", version), ("scheme", scheme), ("short", short), ("long", long), ("huge", huge),
            ("lengths", twoLengths),
            ("empty chunk", empty), ("cut", cut), ("nothing", []), ("trailing", whole + [0]),
        ] {
            #expect(throws: XetFormatError.self, "\(name)") { try Self.decode(bytes, pieceBytes: 1000) }
        }
        let small = XorbBuilder.chunk([1])
        let many = [[UInt8]](repeating: small, count: XetLimits.xorbChunks + 1).flatMap { $0 }
        #expect(throws: XetFormatError.xorbTooLarge) { try Self.decode(many, pieceBytes: 1 << 20) }
        let large = XorbBuilder.chunk([UInt8](repeating: 0, count: XetLimits.chunkBytes))
        let heavy = [[UInt8]](repeating: large, count: 513).flatMap { $0 }
        #expect(throws: XetFormatError.xorbTooLarge) { try Self.decode(heavy, pieceBytes: 1 << 20) }
    }

    @Test("reads a shard of hf-xet")
    func shard() throws {
        let reader = try Self.reader(XetVector.floatsShard)
        let file = try #require(try reader.nextFile())
        #expect(file.hash.hex == XetVector.floats.file)
        #expect(file.sha256?.hex == "7c7bb10f0ad22084ceed0c5833f9732a085c4ddb77dfb1e68fd3a058bd0ba18b")
        #expect(file.termCount == 1)
        let term = try reader.term(0, of: file)
        #expect(term.xorb.hex == XetVector.floats.xorb)
        #expect(term.rawBytes == 10_003 && term.chunks == 0..<1)
        #expect(term.check?.hex == XetVector.floats.check)
        #expect(try reader.nextFile() == nil)
        try reader.checkXorbSection()
    }

    @Test("reads what it writes, and hides what it must")
    func answer() throws {
        let chunks = Self.chunks(of: XetVector.noise.content, pieceBytes: 1 << 20)
        let key = [UInt8](repeating: 7, count: 32)
        var writer = ShardWriter(
            key: key, createdAt: .init(timeIntervalSince1970: 1), keyExpiresAt: .init(timeIntervalSince1970: 2))
        let xorb = XetHashing.xorb(of: chunks)
        writer.append(xorb, chunks: chunks, visible: [3..<5])
        let bytes = writer.finish()
        let reader = try Self.reader(bytes)
        #expect(try reader.nextFile() == nil)
        try reader.checkXorbSection()
        #expect(bytes.count == 48 * (1 + 1 + 1 + chunks.count + 1) + 200)
        for (index, chunk) in chunks.enumerated() {
            let start = 48 * (3 + index)
            let isTold = Array(bytes[start..<(start + 32)]) == KeyedBlake3.hash(of: chunk.hash, key: .other(key)).bytes
            #expect(isTold == (3..<5).contains(index))
        }
    }

    @Test("text and bytes of a hash are the specification's")
    func text() throws {
        let hash = try #require(XetHash(bytes: (0..<32).map { UInt8($0) }))
        #expect(hash.hex == "07060504030201000f0e0d0c0b0a090817161514131211101f1e1d1c1b1a1918")
        #expect(XetHash(hex: hash.hex) == hash)
        #expect(hash.bytes == (0..<32).map { UInt8($0) })
        #expect(XetHash(hex: "x") == nil)
    }

    // MARK: - Helpers

    static func chunks(of content: [UInt8], pieceBytes: Int) -> [XetChunk] {
        let chunker = GearChunker()
        var chunks: [XetChunk] = []
        content.withUnsafeBytes { bytes in
            for start in stride(from: 0, to: bytes.count, by: pieceBytes) {
                let end = min(start + pieceBytes, bytes.count)
                chunker.feed(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) { chunks.append($0) }
            }
        }
        if let last = chunker.finish() { chunks.append(last) }
        return chunks
    }

    static func decode(_ xorb: [UInt8], pieceBytes: Int) throws -> (raw: [UInt8], hash: XetHash) {
        let decoder = try XorbDecoder()
        var raw: [UInt8] = []
        try xorb.withUnsafeBytes { bytes in
            for start in stride(from: 0, to: bytes.count, by: pieceBytes) {
                let end = min(start + pieceBytes, bytes.count)
                try decoder.feed(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) { raw += $0 }
            }
        }
        return (raw, try decoder.finish())
    }

    static func reader(_ shard: [UInt8]) throws -> ShardReader {
        try ShardReader(sizeBytes: shard.count) { buffer, offset in
            let count = max(0, min(buffer.count, shard.count - offset))
            buffer.copyBytes(from: shard[offset..<(offset + count)])
            return count
        }
    }
}
