/// An address of IPv4 or IPv6. An IPv4 address inside IPv6 (`::ffff:192.0.2.1`) counts as IPv4.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// 4 or 16, in network order.
    package let bytes: [UInt8]

    /// - Parameter bytes: 4 or 16 bytes.
    package init?(bytes: [UInt8]) {
        switch bytes.count {
        case 4: self.bytes = bytes
        case 16:
            let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
            self.bytes = isMapped ? Array(bytes.suffix(4)) : bytes
        default: return nil
        }
    }

    /// `192.0.2.1`, `2001:db8::1`, `::ffff:192.0.2.1`; nothing abbreviated in other ways.
    package init?(_ text: some StringProtocol) {
        if let four = Self.four(text) {
            self.init(bytes: four)
        } else if let sixteen = Self.sixteen(text) {
            self.init(bytes: sixteen)
        } else {
            return nil
        }
    }

    package var isIPv4: Bool { bytes.count == 4 }

    /// This machine itself, unspecified, or of this link only: what a name given by others should never lead to.
    package var isLocal: Bool {
        if isIPv4 { return bytes[0] == 127 || bytes[0] == 0 || (bytes[0] == 169 && bytes[1] == 254) }
        let isUnspecifiedOrLoopback = bytes.prefix(15).allSatisfy { $0 == 0 } && bytes[15] <= 1
        return isUnspecifiedOrLoopback || (bytes[0] == 0xfe && bytes[1] & 0xc0 == 0x80)
    }

    package var description: String {
        if isIPv4 { return bytes.map { String($0) }.joined(separator: ".") }
        return stride(from: 0, to: 16, by: 2).map {
            String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16)
        }.joined(separator: ":")
    }

    private static func four(_ text: some StringProtocol) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        let bytes = parts.compactMap { part -> UInt8? in
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                part == "0" || !part.hasPrefix("0")
            else { return nil }
            return UInt8(part)
        }
        return bytes.count == 4 ? bytes : nil
    }

    private static func sixteen(_ text: some StringProtocol) -> [UInt8]? {
        guard (2...45).contains(text.utf8.count), text.contains(":") else { return nil }
        let sides = text.split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false)
        guard sides.count <= 2, let left = groups(String(sides[0])) else { return nil }
        guard sides.count == 2 else { return left.count == 16 ? left : nil }
        guard let right = groups(String(sides[1])), left.count + right.count <= 14 else { return nil }
        return left + [UInt8](repeating: 0, count: 16 - left.count - right.count) + right
    }

    /// Groups of up to four hex digits; the last may be an IPv4 address.
    private static func groups(_ text: String) -> [UInt8]? {
        guard !text.isEmpty else { return [] }
        var bytes: [UInt8] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if index == parts.count - 1, part.contains(".") {
                guard let four = four(part) else { return nil }
                bytes += four
                continue
            }
            guard (1...4).contains(part.utf8.count), !part.hasPrefix("+"), let group = UInt16(part, radix: 16) else { return nil }
            bytes += [UInt8(group >> 8), UInt8(group & 0xff)]
        }
        return bytes
    }
}

/// The addresses that begin with the same bits: `10.1.0.0/16`, `2001:db8::/32`, or one address.
package struct AddressRange: Hashable, Sendable {
    private let address: IPAddress
    private let bitCount: Int

    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = parts.first, let address = IPAddress(first) else { return nil }
        self.address = address
        guard parts.count == 2 else {
            bitCount = address.bytes.count * 8
            return
        }
        guard let count = UInt8(parts[1]), Int(count) <= address.bytes.count * 8 else { return nil }
        bitCount = Int(count)
    }

    package func contains(_ other: IPAddress) -> Bool {
        guard other.bytes.count == address.bytes.count else { return false }
        let whole = bitCount / 8
        guard other.bytes.prefix(whole) == address.bytes.prefix(whole) else { return false }
        let rest = bitCount % 8
        return rest == 0 || (other.bytes[whole] ^ address.bytes[whole]) >> (8 - rest) == 0
    }
}
