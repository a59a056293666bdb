
/// The text of an access token: `hub_`, 32 characters that hold 160 random bits, 7 that hold a CRC-32 of what is before
/// them.
///
/// Characters are `a-z` and `2-9` without `l` and `o`, five bits each. The checksum tells a mistyped token from one
/// that was revoked or never existed, before anything is asked of the database; it is no secret. Only the SHA-256 of
/// the text is stored.
package struct TokenText: Hashable, Sendable {
    package static let prefix = "hub_"
    static let length = 4 + 32 + 7
    private static let alphabet = Array("abcdefghijkmnpqrstuvwxyz23456789".utf8)

    package let text: String

    /// A new one, from the system's random source.
    package init() {
        var generator = SystemRandomNumberGenerator()
        var bytes = Array(Self.prefix.utf8)
        for _ in 0..<32 { bytes.append(Self.alphabet[Int.random(in: 0..<32, using: &generator)]) }
        bytes += Self.checksum(of: bytes)
        text = String(decoding: bytes, as: UTF8.self)
    }

    /// `nil` when a character is wrong or missing.
    package init?(parsing text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == Self.length, bytes.starts(with: Self.prefix.utf8) else { return nil }
        guard bytes.dropFirst(4).allSatisfy(Self.alphabet.contains) else { return nil }
        guard Array(bytes.suffix(7)) == Self.checksum(of: bytes.dropLast(7)) else { return nil }
        self.text = text
    }

    /// True of what was meant as a token, however mistyped.
    package static func looksLikeOne(_ text: String) -> Bool { text.hasPrefix(prefix) }

    /// What the database knows it by.
    package var hash: [UInt8] { Digest.sha256(Array(text.utf8)) }

    private static func checksum(of bytes: some Sequence<UInt8>) -> [UInt8] {
        let crc = crc32(bytes)
        // 35 bits for 32: the first character holds two.
        return (0..<7).reversed().map { alphabet[Int(crc >> ($0 * 5)) & 31] }
    }

    /// The CRC-32 of zlib and Ethernet, bit by bit; a token is short.
    private static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var crc = UInt32.max
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
        }
        return ~crc
    }
}
