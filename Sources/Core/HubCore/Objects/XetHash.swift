/// A hash of the Xet protocol: 32 bytes of keyed BLAKE3 that name a chunk, a xorb or a file.
///
/// Its text form is that of its specification: four little-endian words, each as 16 hex digits. Bytes `00 01 … 1f` are written
/// `07060504030201000f0e0d0c0b0a0908…`. In URLs and JSON it is text, in shards it is bytes.
package struct XetHash: Hashable, Sendable, Comparable, CustomStringConvertible {
    private let first: UInt64
    private let second: UInt64
    private let third: UInt64
    private let fourth: UInt64

    package static let byteCount = 32
    /// Names the empty file.
    package static let zero = XetHash(0, 0, 0, 0)

    private init(_ first: UInt64, _ second: UInt64, _ third: UInt64, _ fourth: UInt64) {
        self.first = first
        self.second = second
        self.third = third
        self.fourth = fourth
    }

    /// Reads 32 bytes; the pointer need not be aligned.
    package init(bytes: UnsafeRawPointer) {
        func word(_ index: Int) -> UInt64 {
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
        }
        self.init(word(0), word(1), word(2), word(3))
    }

    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        self = Array(bytes).withUnsafeBytes { buffer in buffer.baseAddress.map { XetHash(bytes: $0) } ?? .zero }
    }

    /// From the text form: 64 lower-case hex digits.
    package init?(hex: some StringProtocol) {
        guard hex.utf8.count == 64, let bytes = Hex.decode(hex) else { return nil }
        func word(_ index: Int) -> UInt64 { bytes[(index * 8)..<(index * 8 + 8)].reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(word(0), word(1), word(2), word(3))
    }

    package var bytes: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        bytes.withUnsafeMutableBytes { write(to: $0) }
        return bytes
    }

    /// Stores the 32 bytes at the start of `buffer`.
    package func write(to buffer: UnsafeMutableRawBufferPointer) {
        buffer.storeBytes(of: first.littleEndian, as: UInt64.self)
        buffer.storeBytes(of: second.littleEndian, toByteOffset: 8, as: UInt64.self)
        buffer.storeBytes(of: third.littleEndian, toByteOffset: 16, as: UInt64.self)
        buffer.storeBytes(of: fourth.littleEndian, toByteOffset: 24, as: UInt64.self)
    }

    /// The last eight bytes as a number; the protocol cuts trees and chooses chunks by its remainder.
    package var lastWord: UInt64 { fourth }
    /// The first eight bytes as a number, for tables that are keyed by it.
    package var firstWord: UInt64 { first }

    package var hex: String {
        var text: [UInt8] = []
        text.reserveCapacity(64)
        appendHex(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends the text form as ASCII.
    package func appendHex(to text: inout [UInt8]) {
        for word in [first, second, third, fourth] {
            for shift in stride(from: 60, through: 0, by: -4) {
                let digit = UInt8(truncatingIfNeeded: word >> UInt64(shift)) & 15
                text.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
            }
        }
    }

    package var description: String { hex }

    package func hash(into hasher: inout Hasher) { hasher.combine(first) }

    /// Byte order, as the database sorts them.
    package static func < (left: Self, right: Self) -> Bool {
        if left.first != right.first { return left.first.byteSwapped < right.first.byteSwapped }
        if left.second != right.second { return left.second.byteSwapped < right.second.byteSwapped }
        if left.third != right.third { return left.third.byteSwapped < right.third.byteSwapped }
        return left.fourth.byteSwapped < right.fourth.byteSwapped
    }
}
