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
        var index = 0
        while index < text.count {
            if count == 0, paddings == 0 {
                index += Self.decodeGroups(UnsafeRawBufferPointer(rebasing: text[index...]), to: &bytes)
                if index == text.count { return true }
            }
            guard take(Self.values[Int(text[index])], to: &bytes) else { return false }
            index += 1
        }
        return true
    }

    /// Decodes whole groups without padding from the start of `text` on.
    ///
    /// - Returns: how many bytes of it that were.
    private static func decodeGroups(_ text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) -> Int {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: text.count / 4 * 3))
        var groups = 0
        values.withUnsafeBufferPointer { values in
            bytes.withUnsafeMutableBufferPointer { bytes in
                var output = start
                for first in stride(from: 0, to: text.count - 3, by: 4) {
                    let (a, b) = (values[Int(text[first])], values[Int(text[first + 1])])
                    let (c, d) = (values[Int(text[first + 2])], values[Int(text[first + 3])])
                    guard (a | b | c | d) < padding else { return }
                    bytes[output] = a << 2 | b >> 4
                    bytes[output + 1] = b << 4 | c >> 2
                    bytes[output + 2] = c << 6 | d
                    output += 3
                    groups += 1
                }
            }
        }
        bytes.removeLast(bytes.count - start - groups * 3)
        return groups * 4
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
