import Glibc

extension UnsafeRawBufferPointer {
    /// Whether both hold the same bytes.
    @inline(__always)
    func isEqual(to other: UnsafeRawBufferPointer) -> Bool {
        count == other.count && compare(other, upTo: count) == 0
    }

    /// Compares the first `length` bytes, which both must have: below zero when these come first, zero when they are
    /// the same.
    @inline(__always)
    func compare(_ other: UnsafeRawBufferPointer, upTo length: Int) -> Int32 {
        guard length > 0, let left = baseAddress, let right = other.baseAddress else { return 0 }
        return memcmp(left, right, length)
    }
}
