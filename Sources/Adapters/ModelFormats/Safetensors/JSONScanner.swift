import HubCore

/// Walks over JSON without building it, for headers of many megabytes. Names of keys longer than 64 bytes are not kept.
struct JSONScanner {
    private static let maximumDepth = 64

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    /// For each open collection, whether its first item is still to come.
    private var isFirst: [Bool] = []

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    mutating func beginObject() throws(FormatError) { try open(UInt8(ascii: "{")) }

    mutating func beginArray() throws(FormatError) { try open(UInt8(ascii: "[")) }

    /// The next key, its value to be read by the caller; `nil` at the end of the object. A long key is given as an empty text.
    mutating func nextKey() throws(FormatError) -> String? {
        guard try next(closing: UInt8(ascii: "}")) else { return nil }
        let key = try string(keeping: 64)
        skipSpace()
        try expect(UInt8(ascii: ":"))
        return key
    }

    /// False at the end of the array.
    mutating func hasElement() throws(FormatError) -> Bool { try next(closing: UInt8(ascii: "]")) }

    mutating func shortString(maximumBytes: Int) throws(FormatError) -> String {
        skipSpace()
        let text = try string(keeping: maximumBytes)
        guard !text.isEmpty else { throw broken }
        return text
    }

    /// A whole number from 0 on.
    mutating func natural() throws(FormatError) -> Int64 {
        skipSpace()
        var value: Int64 = 0
        let start = position
        while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
            let (product, hasOverflown) = value.multipliedReportingOverflow(by: 10)
            let (sum, isTooLarge) = product.addingReportingOverflow(Int64(bytes[position] & 15))
            guard !hasOverflown, !isTooLarge else { throw broken }
            value = sum
            position += 1
        }
        guard position > start else { throw broken }
        return value
    }

    /// Steps over any value; braces and brackets are counted, not matched.
    mutating func skipValue() throws(FormatError) {
        skipSpace()
        var depth = 0
        repeat {
            guard position < bytes.count else { throw broken }
            switch bytes[position] {
            case UInt8(ascii: "\""): _ = try string(keeping: 0)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                position += 1
                guard depth <= Self.maximumDepth else { throw broken }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                position += 1
                guard depth >= 0 else { throw broken }
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                guard depth > 0 else { throw broken }
                position += 1
            default: try skipWord()
            }
            skipSpace()
        } while depth > 0
    }

    /// Nothing but white space may follow, with which writers pad headers.
    mutating func end() throws(FormatError) {
        skipSpace()
        guard position == bytes.count else { throw broken }
    }

    private var broken: FormatError { FormatError("The safetensors header is broken at byte \(position).") }

    private mutating func open(_ byte: UInt8) throws(FormatError) {
        skipSpace()
        try expect(byte)
        isFirst.append(true)
    }

    private mutating func next(closing: UInt8) throws(FormatError) -> Bool {
        skipSpace()
        if position < bytes.count, bytes[position] == closing {
            position += 1
            isFirst.removeLast()
            return false
        }
        if isFirst[isFirst.count - 1] { isFirst[isFirst.count - 1] = false } else { try expect(UInt8(ascii: ",")) }
        skipSpace()
        return true
    }

    private mutating func expect(_ byte: UInt8) throws(FormatError) {
        guard position < bytes.count, bytes[position] == byte else { throw broken }
        position += 1
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x0a, 0x0d, 0x09].contains(bytes[position]) { position += 1 }
    }

    private mutating func skipWord() throws(FormatError) {
        let start = position
        while position < bytes.count, isWordByte(bytes[position]) { position += 1 }
        guard position > start else { throw broken }
    }

    private func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."): true
        default: false
        }
    }

    /// The text as it stands, escapes unread, if it has at most `limit` bytes; else an empty one.
    private mutating func string(keeping limit: Int) throws(FormatError) -> String {
        try expect(UInt8(ascii: "\""))
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard position < bytes.count else { throw broken }
        defer { position += 1 }
        return position - start <= limit ? String(decoding: bytes[start..<position], as: UTF8.self) : ""
    }
}
