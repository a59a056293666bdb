import HubCore

@testable import ObjectStore

/// Xorbs and shards as a client makes them, for content that is not compressed.
enum XorbBuilder {
    static func chunk(_ raw: [UInt8]) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: XorbChunkHeader.byteCount)
        header.withUnsafeMutableBytes { XorbChunkHeader(rawBytes: raw.count).write(to: $0) }
        return header + raw
    }

    static func xorb(of content: [UInt8], chunks: [XetChunk]) -> [UInt8] {
        var bytes: [UInt8] = []
        var offset = 0
        for part in chunks {
            bytes += chunk(Array(content[offset..<(offset + part.length)]))
            offset += part.length
        }
        return bytes
    }

    /// A shard of one file.
    static func shard(file: XetHash, terms: [ShardTerm], sha256: ObjectID?) -> [UInt8] {
        var bytes = ShardReader.tag + word(2) + word(0)
        bytes += file.bytes + number(0x8000_0000 | (sha256 == nil ? 0 : 0x4000_0000)) + number(terms.count) + word(0)
        for term in terms {
            bytes += term.xorb.bytes + number(0) + number(term.rawBytes) + number(term.chunks.lowerBound) + number(term.chunks.upperBound)
        }
        for term in terms { bytes += (term.check ?? .zero).bytes + word(0) + word(0) }
        if let sha256 { bytes += (XetHash(hex: sha256.hex) ?? .zero).bytes + word(0) + word(0) }
        let end = ShardRecord.endMark.bytes + word(0) + word(0)
        return bytes + end + end
    }

    static func check(of chunks: some Sequence<XetChunk>) -> XetHash {
        let hasher = KeyedBlake3(.term)
        for chunk in chunks { hasher.update(chunk.hash) }
        return hasher.finish()
    }

    private static func word(_ value: UInt64) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    private static func number(_ value: Int) -> [UInt8] { withUnsafeBytes(of: UInt32(value).littleEndian) { Array($0) } }
}
