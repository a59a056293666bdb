/// Why a text is not JSON that the hub reads.
package enum JSONError: Error, Equatable {
    /// Broken at this byte.
    case malformed(offset: Int)
    /// More nested than the limit.
    case tooDeep
    /// More values than the limit.
    case tooManyValues
}

extension JSONError: Refusal {
    package var problem: Problem {
        switch self {
        case .malformed(let offset): Problem(.invalid, code: "invalid_json", "The text is not JSON; see byte \(offset).")
        case .tooDeep: Problem(.invalid, code: "json_too_deep", "The JSON is nested too deeply.")
        case .tooManyValues: Problem(.invalid, code: "json_too_large", "The JSON holds too many values.")
        }
    }
}

/// Reads JSON (RFC 8259) of strangers, within bounds.
///
/// Nesting is limited, so that the stack is; values are limited, so that memory is a small multiple of the text. Text after the
/// value must be white space. Broken UTF-8 and lone surrogates become U+FFFD; integers beyond 64 bits become doubles.
package struct JSONParser {
    package struct Limits: Sendable {
        package var depth = 64
        package var values = 200_000

        package init(depth: Int = 64, values: Int = 200_000) {
            self.depth = depth
            self.values = values
        }
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private let limits: Limits
    private var position = 0
    private var values = 0

    package static func parse(_ text: String, limits: Limits = Limits()) throws(JSONError) -> JSONNode {
        try parse(Array(text.utf8), limits: limits)
    }

    package static func parse(_ bytes: [UInt8], limits: Limits = Limits()) throws(JSONError) -> JSONNode {
        let result: Result<JSONNode, JSONError> = bytes.withUnsafeBufferPointer { buffer in
            var parser = JSONParser(bytes: buffer, limits: limits)
            do throws(JSONError) { return .success(try parser.document()) } catch { return .failure(error) }
        }
        return try result.get()
    }

    private init(bytes: UnsafeBufferPointer<UInt8>, limits: Limits) {
        self.bytes = bytes
        self.limits = limits
    }

    private mutating func document() throws(JSONError) -> JSONNode {
        let node = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw malformed }
        return node
    }

    private var malformed: JSONError { .malformed(offset: position) }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONNode {
        guard depth <= limits.depth else { throw .tooDeep }
        values += 1
        guard values <= limits.values else { throw .tooManyValues }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ text: StaticString, _ node: JSONNode) throws(JSONError) -> JSONNode {
        let count = text.utf8CodeUnitCount
        guard position + count <= bytes.count else { throw malformed }
        for index in 0..<count where bytes[position + index] != text.utf8Start[index] { throw malformed }
        position += count
        return node
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONNode {
        position += 1
        var members: [JSONMember] = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw malformed }
            let name = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw malformed }
            members.append(JSONMember(name, try value(depth: depth + 1)))
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw malformed }
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONNode {
        position += 1
        var elements: [JSONNode] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(elements) }
            guard take(UInt8(ascii: ",")) else { throw malformed }
        }
    }

    private mutating func number() throws(JSONError) -> JSONNode {
        let start = position
        var isWhole = true
        while let byte = next {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"): break
            case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): isWhole = false
            default:
                return try number(bytes[start..<position], isWhole: isWhole)
            }
            position += 1
            // No number that means something is longer.
            guard position - start <= 400 else { throw malformed }
        }
        return try number(bytes[start..<position], isWhole: isWhole)
    }

    private func number(_ digits: Slice<UnsafeBufferPointer<UInt8>>, isWhole: Bool) throws(JSONError) -> JSONNode {
        guard let first = digits.first, first != UInt8(ascii: "+"), first != UInt8(ascii: ".") else { throw malformed }
        let text = String(decoding: digits, as: UTF8.self)
        if isWhole, let value = Int64(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw malformed }
        return .number(value)
    }

    private mutating func string() throws(JSONError) -> String {
        position += 1
        let start = position
        // Most strings have no escape and are copied at once.
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        guard next != UInt8(ascii: "\"") else {
            defer { position += 1 }
            return String(decoding: bytes[start..<position], as: UTF8.self)
        }
        var text = Array(bytes[start..<position])
        while let byte = next, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw malformed }
            position += 1
            if byte == UInt8(ascii: "\\") { try escape(into: &text) } else { text.append(byte) }
        }
        guard take(UInt8(ascii: "\"")) else { throw malformed }
        return String(decoding: text, as: UTF8.self)
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        guard let byte = next else { throw malformed }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "u"): text.append(contentsOf: Array(String(try escapedScalar()).utf8))
        default: throw malformed
        }
    }

    private mutating func escapedScalar() throws(JSONError) -> Unicode.Scalar {
        let replacement: Unicode.Scalar = "\u{FFFD}"
        let high = try hexDigits()
        guard (0xD800..<0xDC00).contains(high) else { return Unicode.Scalar(high) ?? replacement }
        let mark = position
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
            position = mark
            return replacement
        }
        let low = try hexDigits()
        guard (0xDC00..<0xE000).contains(low) else {
            position = mark
            return replacement
        }
        return Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)) ?? replacement
    }

    private mutating func hexDigits() throws(JSONError) -> UInt32 {
        guard position + 4 <= bytes.count else { throw malformed }
        var value: UInt32 = 0
        for _ in 0..<4 {
            let byte = bytes[position]
            let lower = (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte) ? byte | 0x20 : byte
            guard let digit = Hex.value(of: lower) else { throw malformed }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
