import HubCore

/// Decodes Base64 (RFC 4648 §4) that comes in pieces.
///
/// The text must be padded and hold nothing but its alphabet.
struct Base64Stream {
    private static let padding: UInt8 = 64
    private static let invalid: UInt8 = 255

    /// For each byte its value, `padding` for `=`, or `invalid`.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: invalid, count: 256)
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        for (value, byte) in alphabet.utf8.enumerated() { values[Int(byte)] = UInt8(value) }
        values[Int(UInt8(ascii: "="))] = padding
        return values
    }()

    /// Characters of a group of four that is not complete.
    private var group: UInt32 = 0
    private var count = 0
    private var paddings = 0

    /// Appends what `text` stands for to `bytes`; false when it is no Base64.
    mutating func decode(_ text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) -> Bool {
        bytes.reserveCapacity(bytes.count + text.count / 4 * 3 + 3)
        return Self.values.withUnsafeBufferPointer { values in
            var index = 0
            while index < text.count {
                // Whole groups at once.
                if count == 0, paddings == 0 {
                    while index + 4 <= text.count {
                        let (a, b) = (values[Int(text[index])], values[Int(text[index + 1])])
                        let (c, d) = (values[Int(text[index + 2])], values[Int(text[index + 3])])
                        guard (a | b | c | d) < Self.padding else { break }
                        bytes.append(a << 2 | b >> 4)
                        bytes.append(b << 4 | c >> 2)
                        bytes.append(c << 6 | d)
                        index += 4
                    }
                    if index == text.count { return true }
                }
                guard take(values[Int(text[index])], to: &bytes) else { return false }
                index += 1
            }
            return true
        }
    }

    /// Whether the text may end here.
    var isComplete: Bool { count == 0 }

    private mutating func take(_ value: UInt8, to bytes: inout [UInt8]) -> Bool {
        if value == Self.padding {
            // Only the last group has paddings, one or two at its end.
            guard count >= 2, paddings < 2 else { return false }
            paddings += 1
        } else {
            guard value != Self.invalid, paddings == 0 else { return false }
        }
        group = group << 6 | UInt32(value & 63)
        count += 1
        guard count == 4 else { return true }
        let three = [UInt8(truncatingIfNeeded: group >> 16), UInt8(truncatingIfNeeded: group >> 8), UInt8(truncatingIfNeeded: group)]
        bytes.append(contentsOf: three.prefix(3 - paddings))
        count = 0
        group = 0
        return true
    }
}
