import HubCore

/// An object's name in registers: what `GitOID` is, in a form that this module's optimizer sees into.
///
/// Swift does not inline `package` code of other modules, and walks compare millions of names.
struct NameWords {
    // Big-endian words, so that comparing them compares the bytes.
    let first: UInt64
    let second: UInt64
    let third: UInt32

    /// Reads 20 bytes; the pointer need not be aligned.
    @inline(__always)
    init(at bytes: UnsafeRawPointer) {
        first = UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))
        second = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        third = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
    }

    init(_ oid: GitOID) {
        self = withUnsafeTemporaryAllocation(byteCount: GitOID.byteCount, alignment: 8) { bytes in
            oid.write(to: bytes)
            return NameWords(at: UnsafeRawPointer(bytes.baseAddress.unsafelyUnwrapped))
        }
    }

    @inline(__always)
    var firstByte: Int { Int(first >> 56) }

    /// Where a name lies among those with the same first byte, of 65,536.
    @inline(__always)
    var secondAndThirdByte: Int { Int((first >> 40) & 0xffff) }

    @inline(__always)
    static func == (left: Self, right: Self) -> Bool {
        left.first == right.first && left.second == right.second && left.third == right.third
    }

    @inline(__always)
    static func < (left: Self, right: Self) -> Bool {
        if left.first != right.first { return left.first < right.first }
        if left.second != right.second { return left.second < right.second }
        return left.third < right.third
    }
}
