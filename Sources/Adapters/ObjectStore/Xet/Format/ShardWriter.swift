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
    /// Those outside `visible` belong to others: they are given made-up hashes, and lengths of which only the sums are true.
    package mutating func append(_ xorb: XetHash, chunks: [XetChunk], visible: [Range<Int>]) {
        let raw = chunks.reduce(0) { $0 + $1.length }
        let stored = raw + chunks.count * XorbChunkHeader.byteCount
        rawBytes += UInt64(raw)
        storedBytes += UInt64(stored)
        append(xorb, 0, UInt32(chunks.count), UInt32(raw), UInt32(stored))
        let isVisible = Self.marks(visible, count: chunks.count)
        var offset = 0
        var index = 0
        while index < chunks.count {
            if isVisible[index] {
                hasher.update(chunks[index].hash)
                append(hasher.finish(), UInt32(offset), UInt32(chunks[index].length), 0, 0)
                offset += chunks[index].length
                index += 1
            } else {
                let end = isVisible[index...].firstIndex(of: true) ?? chunks.count
                appendHidden(chunks[index..<end], at: &offset)
                index = end
            }
        }
    }

    /// Chunks of others: together as long as they are, each as long as the others.
    private mutating func appendHidden(_ chunks: ArraySlice<XetChunk>, at offset: inout Int) {
        let (length, rest) = chunks.reduce(0) { $0 + $1.length }.quotientAndRemainder(dividingBy: chunks.count)
        for number in 0..<chunks.count {
            let own = length + (number < rest ? 1 : 0)
            hasher.update(Self.madeUpHash())
            append(hasher.finish(), UInt32(offset), UInt32(own), 0, 0)
            offset += own
        }
    }

    /// Which of so many places are in one of the ranges, of which there may be very many.
    private static func marks(_ ranges: [Range<Int>], count: Int) -> [Bool] {
        var changes = [Int](repeating: 0, count: count + 1)
        for range in ranges {
            changes[min(range.lowerBound, count)] += 1
            changes[min(range.upperBound, count)] -= 1
        }
        var depth = 0
        return changes.dropLast().map { change in
            depth += change
            return depth > 0
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
        let words = (0..<XetHash.byteCount / 8).map { _ in UInt64.random(in: .min ... .max) }
        return words.withUnsafeBytes { XetHash(bytes: $0) } ?? .zero
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
