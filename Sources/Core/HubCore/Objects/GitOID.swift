/// The SHA-1 name of a git object: 20 bytes, compared as git sorts them.
package struct GitOID: Hashable, Sendable, Comparable, CustomStringConvertible {
    // Big-endian words, so that comparing them compares the bytes.
    private let first: UInt64
    private let second: UInt64
    private let third: UInt32

    package static let byteCount = 20
    /// Forty zeros: "no object" in the protocol.
    package static let zero = GitOID(first: 0, second: 0, third: 0)

    private init(first: UInt64, second: UInt64, third: UInt32) {
        self.first = first
        self.second = second
        self.third = third
    }

    /// Reads 20 bytes; the pointer need not be aligned.
    @inline(__always)
    package init(bytes: UnsafeRawPointer) {
        first = UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))
        second = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        third = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
    }

    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        self = Array(bytes).withUnsafeBytes { buffer in
            buffer.baseAddress.map { GitOID(bytes: $0) } ?? .zero
        }
    }

    /// From 40 lower-case hex digits.
    package init?(hex: some StringProtocol) { self.init(hexUTF8: hex.utf8) }

    package init?(hexUTF8 text: some Collection<UInt8>) {
        guard text.count == 40, let bytes = Hex.decode(utf8: text) else { return nil }
        self.init(bytes: bytes)
    }

    package var bytes: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        bytes.withUnsafeMutableBytes { write(to: $0) }
        return bytes
    }

    /// Stores the 20 bytes at the start of `buffer`.
    @inline(__always)
    package func write(to buffer: UnsafeMutableRawBufferPointer) {
        buffer.storeBytes(of: first.bigEndian, as: UInt64.self)
        buffer.storeBytes(of: second.bigEndian, toByteOffset: 8, as: UInt64.self)
        buffer.storeBytes(of: third.bigEndian, toByteOffset: 16, as: UInt32.self)
    }

    package var firstByte: UInt8 { UInt8(truncatingIfNeeded: first >> 56) }
    /// Eight bytes of the name, for tables that are keyed by it.
    package var leadingWord: UInt64 { first }
    package var isZero: Bool { self == .zero }
    package var hex: String { Hex.encode(bytes) }
    package var description: String { hex }

    package func hash(into hasher: inout Hasher) {
        // The name is a hash already; its first word is enough, and hashing is on the hot path of enumeration.
        hasher.combine(first)
    }

    @inline(__always)
    package static func < (left: Self, right: Self) -> Bool {
        if left.first != right.first { return left.first < right.first }
        if left.second != right.second { return left.second < right.second }
        return left.third < right.third
    }
}
