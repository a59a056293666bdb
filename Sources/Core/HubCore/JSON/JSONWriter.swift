extension JSONNode {
    /// The value as compact JSON text.
    package var text: String { String(decoding: utf8, as: UTF8.self) }

    package var utf8: [UInt8] {
        var writer = JSONWriter()
        writer.write(self)
        return writer.bytes
    }
}

/// Writes compact JSON: no spaces, slashes as they are, control characters escaped, `null` for numbers that are none.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []

    mutating func write(_ node: JSONNode) {
        switch node {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .integer(let value): append(String(value))
        case .number(let value): append(value.isFinite ? String(value) : "null")
        case .string(let text): write(string: text)
        case .array(let values): write(list: values, open: "[", close: "]") { $0.write($1) }
        case .object(let members):
            write(list: members, open: "{", close: "}") { writer, member in
                writer.write(string: member.name)
                writer.append(":")
                writer.write(member.value)
            }
        case .raw(let text): append(text.text)
        }
    }

    private mutating func write<Item>(
        list: [Item], open: StaticString, close: StaticString, _ body: (inout JSONWriter, Item) -> Void
    ) {
        append(open)
        for (index, item) in list.enumerated() {
            if index > 0 { append(",") }
            body(&self, item)
        }
        append(close)
    }

    /// Most strings need no escape and are copied at once.
    private mutating func write(string: String) {
        bytes.append(UInt8(ascii: "\""))
        var string = string
        string.withUTF8 { text in
            var start = 0
            for (index, byte) in text.enumerated() where byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                bytes.append(contentsOf: text[start..<index])
                write(escaped: byte)
                start = index + 1
            }
            bytes.append(contentsOf: text[start...])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func write(escaped byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            bytes.append(UInt8(ascii: "\\"))
            bytes.append(byte)
        case UInt8(ascii: "\n"): append("\\n")
        case UInt8(ascii: "\r"): append("\\r")
        case UInt8(ascii: "\t"): append("\\t")
        case 0x08: append("\\b")
        case 0x0c: append("\\f")
        default:
            append("\\u00")
            append(Hex.encode([byte]))
        }
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func append(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
