import HubCore
import ObjectStore

/// A content as a Xet client sends it: one xorb of chunks that are not compressed.
package struct SentFile: Sendable {
    package let content: [UInt8]
    package let chunks: [XetChunk]
    /// The xorb as it is sent, and as clients get it back.
    package let serialized: [UInt8]
    package let xorb: XetHash
    package let file: XetHash

    package init(_ content: [UInt8]) {
        self.content = content
        chunks = XetHashing.chunks(of: content)
        serialized = XorbBuilder.xorb(of: content, chunks: chunks)
        xorb = XetHashing.xorb(of: chunks)
        file = XetHashing.file(of: chunks)
    }

    /// A term of some of its chunks, with its proof.
    package func term(_ range: Range<Int>) -> ShardTerm {
        let part = chunks[range]
        return ShardTerm(
            xorb: xorb, rawBytes: part.reduce(0) { $0 + $1.length }, chunks: range,
            check: XetHashing.termCheck(of: part))
    }

    package func content(_ range: Range<Int>) -> [UInt8] {
        let start = chunks[..<range.lowerBound].reduce(0) { $0 + $1.length }
        return Array(content[start..<(start + chunks[range].reduce(0) { $0 + $1.length })])
    }

    /// The shard that makes a file of the whole content.
    package func shard(sha256: ObjectID? = nil) -> [UInt8] {
        XorbBuilder.shard(file: file, terms: [term(0..<chunks.count)], sha256: sha256)
    }
}

/// Xorbs and shards byte by byte.
package enum XorbBuilder {
    package static func chunk(_ raw: [UInt8]) -> [UInt8] {
        let length = [0, 8, 16].map { UInt8(truncatingIfNeeded: raw.count >> $0) }
        return [0] + length + [0] + length + raw
    }

    package static func xorb(of content: [UInt8], chunks: [XetChunk]) -> [UInt8] {
        var bytes: [UInt8] = []
        var offset = 0
        for part in chunks {
            bytes += chunk(Array(content[offset..<(offset + part.length)]))
            offset += part.length
        }
        return bytes
    }

    /// A shard of one file.
    package static func shard(file: XetHash, terms: [ShardTerm], sha256: ObjectID?) -> [UInt8] {
        var bytes = ShardReader.tag + word(2) + word(0)
        bytes += file.bytes + number(0x8000_0000 | (sha256 == nil ? 0 : 0x4000_0000)) + number(terms.count) + word(0)
        for term in terms {
            bytes += term.xorb.bytes + number(0) + number(term.rawBytes)
            bytes += number(term.chunks.lowerBound) + number(term.chunks.upperBound)
        }
        for term in terms { bytes += (term.check ?? .zero).bytes + word(0) + word(0) }
        if let sha256 { bytes += (XetHash(hex: sha256.hex) ?? .zero).bytes + word(0) + word(0) }
        let end = [UInt8](repeating: 0xff, count: 32) + word(0) + word(0)
        return bytes + end + end
    }

    private static func word(_ value: UInt64) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    private static func number(_ value: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt32(value).littleEndian) { Array($0) }
    }
}
