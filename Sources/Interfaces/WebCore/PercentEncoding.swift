import HubCore

extension String {
    /// The text with `%xx` taken as bytes (RFC 3986 §2.1); `nil` when an escape is cut off or no hex, or the bytes are not UTF-8.
    package var percentDecoded: String? {
        guard utf8.contains(UInt8(ascii: "%")) else { return self }
        var bytes: [UInt8] = []
        var rest = Substring(self).utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap({ Hex.value(of: $0 | 0x20) }),
                let low = rest.popFirst().flatMap({ Hex.value(of: $0 | 0x20) })
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
