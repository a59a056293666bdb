/// Makes deltas: finds blocks of the base again in the target.
///
/// The base is indexed at every 16th byte. At each place of the target the 16 bytes there are looked up; the longest
/// of the candidates, extended both ways, becomes a copy, and what no copy covers is inserted. An index serves any
/// number of targets. The base must outlive it.
struct DeltaEncoder {
    private static let blockSize = 16
    /// How many places with the same block are tried; a base of one repeated block would otherwise cost quadratic time.
    private static let maximumCandidates = 16

    private let base: UnsafeRawBufferPointer
    /// The newest block of each bucket, plus one; zero is none.
    private var buckets: [Int32]
    /// For each block, the block before it in its bucket, plus one.
    private var chain: [Int32]
    private let shift: UInt64

    /// `nil` for a base too small or too large to be worth a delta (from 1 GiB).
    init?(base: UnsafeRawBufferPointer) {
        let blocks = base.count / Self.blockSize
        guard blocks > 0, base.count < 1 << 30 else { return nil }
        self.base = base
        var bits: UInt64 = 4
        while 1 << bits < blocks { bits += 1 }
        shift = 64 - bits
        buckets = [Int32](repeating: 0, count: 1 << Int(bits))
        chain = [Int32](repeating: 0, count: blocks)
        // From the end, so that a bucket offers its first blocks first.
        for block in stride(from: blocks - 1, through: 0, by: -1) {
            let bucket = Self.hash(base, at: block * Self.blockSize) >> shift
            chain[block] = buckets[Int(bucket)]
            buckets[Int(bucket)] = Int32(block + 1)
        }
    }

    @inline(__always)
    private static func hash(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> UInt64 {
        let low = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        let high = bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)
        let mixed = (low &* 0x9e37_79b9_7f4a_7c15) ^ (high &* 0xc2b2_ae3d_27d4_eb4f)
        return (mixed ^ mixed >> 32) &* 0x9e37_79b9_7f4a_7c15
    }

    /// The delta to `target`, or `nil` when it would be longer than `maximumBytes`.
    func delta(to target: UnsafeRawBufferPointer, maximumBytes: Int) -> [UInt8]? {
        var output = DeltaOutput(baseSize: base.count, target: target)
        var position = 0
        var pending = 0
        while position + Self.blockSize <= target.count {
            guard output.bytes.count + (position - pending) <= maximumBytes else { return nil }
            guard let match = longestMatch(target, at: position, pendingFrom: pending) else {
                position += 1
                continue
            }
            output.insert(pending..<match.target)
            output.copy(offset: match.base, size: match.size)
            position = match.target + match.size
            pending = position
        }
        output.insert(pending..<target.count)
        return output.bytes.count <= maximumBytes ? output.bytes : nil
    }

    private struct Match {
        var base: Int
        var target: Int
        var size: Int
    }

    @inline(__always)
    private func longestMatch(_ target: UnsafeRawBufferPointer, at position: Int, pendingFrom pending: Int) -> Match? {
        var block = buckets[Int(Self.hash(target, at: position) >> shift)]
        var best: Match?
        var tries = Self.maximumCandidates
        while block != 0, tries > 0 {
            tries -= 1
            let start = Int(block - 1) * Self.blockSize
            let limit = min(base.count - start, target.count - position)
            var length = 0
            while length < limit, base[start + length] == target[position + length] { length += 1 }
            if length >= Self.blockSize, length > best?.size ?? 0 {
                best = Match(base: start, target: position, size: length)
                if length >= 4096 { break }
            }
            block = chain[Int(block - 1)]
        }
        guard var match = best else { return nil }
        while match.base > 0, match.target > pending, base[match.base - 1] == target[match.target - 1] {
            match.base -= 1
            match.target -= 1
            match.size += 1
        }
        return match
    }
}

/// The instructions of a delta as they are written.
private struct DeltaOutput {
    var bytes: [UInt8] = []
    private let target: UnsafeRawBufferPointer

    init(baseSize: Int, target: UnsafeRawBufferPointer) {
        self.target = target
        appendSize(baseSize)
        appendSize(target.count)
    }

    private mutating func appendSize(_ size: Int) {
        var rest = UInt64(size)
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func insert(_ range: Range<Int>) {
        var start = range.lowerBound
        while start < range.upperBound {
            let count = min(127, range.upperBound - start)
            bytes.append(UInt8(count))
            bytes.append(contentsOf: target[start..<start + count])
            start += count
        }
    }

    /// Copies go in pieces of 64 KiB, the most that pack version 2 readers of old take.
    mutating func copy(offset: Int, size: Int) {
        var offset = offset
        var rest = size
        while rest > 0 {
            let count = min(rest, 0x10000)
            appendCopy(offset: UInt32(offset), size: count == 0x10000 ? 0 : UInt32(count))
            offset += count
            rest -= count
        }
    }

    private mutating func appendCopy(offset: UInt32, size: UInt32) {
        let place = bytes.count
        var code: UInt8 = 0x80
        bytes.append(code)
        for index in 0..<4 {
            let byte = UInt8(truncatingIfNeeded: offset >> UInt32(8 * index))
            guard byte != 0 else { continue }
            code |= 1 << UInt8(index)
            bytes.append(byte)
        }
        for index in 0..<2 {
            let byte = UInt8(truncatingIfNeeded: size >> UInt32(8 * index))
            guard byte != 0 else { continue }
            code |= 0x10 << UInt8(index)
            bytes.append(byte)
        }
        bytes[place] = code
    }
}

extension Delta {
    /// The delta from `base` to `target`, or `nil` when there is none of at most `maximumBytes`.
    static func make(
        from base: UnsafeRawBufferPointer, to target: UnsafeRawBufferPointer, maximumBytes: Int
    ) -> [UInt8]? {
        DeltaEncoder(base: base)?.delta(to: target, maximumBytes: maximumBytes)
    }
}
