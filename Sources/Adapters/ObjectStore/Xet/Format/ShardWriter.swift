import FoundationEssentials
import HubCore

/// Writes the shard that answers a question for a chunk: which chunks some xorbs have, so that a client need not send them again.
///
/// The hashes are given under a key that is made for the answer: a client recognizes chunks that it has, and learns nothing about
/// others. Source: *Xet specification, "Shard format"* and "Global deduplication".
package struct ShardWriter {
    private static let footerBytes: UInt64 = 200

    private let key: [UInt8]
    private let hasher: KeyedBlake3
    private let createdAt: Date
    private let keyExpiresAt: Date
    private var bytes: [UInt8] = []
    private var rawBytes: UInt64 = 0
    private var storedBytes: UInt64 = 0

    /// - Parameter key: 32 random bytes, not all zero.
    package init(key: [UInt8], createdAt: Date, keyExpiresAt: Date) {
        self.key = key
        self.createdAt = createdAt
        self.keyExpiresAt = keyExpiresAt
        hasher = KeyedBlake3(.other(key))
        bytes += ShardReader.tag
        append(ShardReader.version)
        append(Self.footerBytes)
        // There are no files in it.
        append(ShardRecord.endMark, 0, 0, 0, 0)
    }

    /// Adds a xorb with its chunks in order.
    ///
    /// Those outside `visible` belong to others: they are given made-up hashes.
    package mutating func append(_ xorb: XetHash, chunks: [XetChunk], visible: [Range<Int>]) {
        let raw = chunks.reduce(0) { $0 + $1.length }
        let stored = raw + chunks.count * XorbChunkHeader.byteCount
        rawBytes += UInt64(raw)
        storedBytes += UInt64(stored)
        append(xorb, 0, UInt32(chunks.count), UInt32(raw), UInt32(stored))
        var offset: UInt32 = 0
        for (index, chunk) in chunks.enumerated() {
            let isVisible = visible.contains { $0.contains(index) }
            hasher.update(isVisible ? chunk.hash : Self.madeUpHash())
            append(hasher.finish(), offset, UInt32(chunk.length), 0, 0)
            offset += UInt32(chunk.length)
        }
    }

    /// The whole shard.
    package consuming func finish() -> [UInt8] {
        append(ShardRecord.endMark, 0, 0, 0, 0)
        let footer = UInt64(bytes.count)
        append(1)
        append(UInt64(ShardRecord.byteCount))
        append(UInt64(ShardRecord.byteCount * 2))
        // Three empty tables for looking things up. Clients reckon the size of what is before the tables by where these begin.
        for _ in 0..<3 {
            append(footer)
            append(0)
        }
        bytes += key
        append(UInt64(max(0, createdAt.timeIntervalSince1970)))
        append(UInt64(max(0, keyExpiresAt.timeIntervalSince1970)))
        bytes += [UInt8](repeating: 0, count: 48)
        append(storedBytes)
        append(0)
        append(rawBytes)
        append(footer)
        return bytes
    }

    private static func madeUpHash() -> XetHash {
        XetHash(bytes: (0..<XetHash.byteCount).map { _ in UInt8.random(in: .min ... .max) }) ?? .zero
    }

    private mutating func append(_ number: UInt64) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private mutating func append(_ hash: XetHash, _ first: UInt32, _ second: UInt32, _ third: UInt32, _ fourth: UInt32)
    {
        bytes += hash.bytes
        for number in [first, second, third, fourth] {
            withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
        }
    }
}
