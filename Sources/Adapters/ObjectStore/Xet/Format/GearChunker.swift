import HubCore

/// Cuts a stream of bytes into chunks as Xet clients do, so that equal content has equal chunks wherever it came from.
///
/// A chunk ends where the top 16 bits of the Gear hash are zero, from 8 KiB on, and at 128 KiB at the latest; what is left at the end
/// is a chunk. Source: *Xet specification, "Chunking"*. Used by one thread at a time.
package final class GearChunker {
    static let smallestChunk = 8 << 10
    static let largestChunk = XetLimits.chunkBytes
    private static let mask: UInt64 = 0xffff_0000_0000_0000
    /// Only the last 64 bytes count for the hash, so those before them need not be looked at below the smallest size.
    private static let firstHashed = smallestChunk - 64

    private let hasher = KeyedBlake3(.chunk)
    private var length = 0
    private var hash: UInt64 = 0

    package init() {}

    /// Takes the next bytes and calls `take` with each chunk that ends within them.
    package func feed(_ bytes: UnsafeRawBufferPointer, _ take: (XetChunk) throws -> Void) rethrows {
        var rest = bytes
        while !rest.isEmpty {
            let (count, isCut) = nextCut(in: rest)
            hasher.update(UnsafeRawBufferPointer(rebasing: rest[..<count]))
            length += count
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            if isCut { try take(endChunk()) }
        }
    }

    /// The last chunk, if bytes are left.
    package func finish() -> XetChunk? { length > 0 ? endChunk() : nil }

    private func endChunk() -> XetChunk {
        defer {
            length = 0
            hash = 0
        }
        return XetChunk(hash: hasher.finish(), length: length)
    }

    /// How many of `bytes` belong to the chunk that is open, and whether it ends after them.
    private func nextCut(in bytes: UnsafeRawBufferPointer) -> (count: Int, isCut: Bool) {
        guard let base = bytes.baseAddress else { return (0, false) }
        let end = min(bytes.count, Self.largestChunk - length)
        var index = min(end, max(0, Self.firstHashed - length))
        var hash = hash
        let firstCut = min(end, max(0, Self.smallestChunk - 1 - length))
        return GearTable.values.withUnsafeBufferPointer { table in
            while index < firstCut {
                hash = (hash << 1) &+ table[Int(base.load(fromByteOffset: index, as: UInt8.self))]
                index += 1
            }
            while index < end {
                hash = (hash << 1) &+ table[Int(base.load(fromByteOffset: index, as: UInt8.self))]
                index += 1
                if hash & Self.mask == 0 { return (index, true) }
            }
            self.hash = hash
            return (end, length + end == Self.largestChunk)
        }
    }
}
