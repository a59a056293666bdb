import Glibc
import HubCore

/// Reads the lines of a commit from pieces of its body, whatever their size.
///
/// It is a JSON parser (RFC 8259) that keeps only the few texts that a line may have, each bounded, and gives the content of files
/// away as it comes: memory does not grow with a file, a line or the body. Other members are passed over.
struct CommitLineParser {
    private static let maximumDepth = 16
    private static let maximumKeyBytes = 64
    private static let maximumLiteralBytes = 32
    /// Decoded content is given away in pieces of about this size.
    private static let pieceBytes = 256 << 10

    private enum Mode {
        case value, afterValue, keyOrEnd, key, colon, string, literal
    }

    /// What becomes of the string that is being read.
    private enum Target {
        case key, base64, utf8, skipped
        case text(String, maximumBytes: Int)
    }

    private var mode = Mode.value
    /// Open `{` and `[`.
    private var containers: [UInt8] = []
    /// The names under which each open object's present member lies.
    private var names: [String] = []
    private var target = Target.skipped
    private var text: [UInt8] = []
    private var escape = StringEscape()
    private var base64 = Base64Stream()
    private var content: [UInt8] = []
    private var fields = CommitLineFields()
    private var ready: [CommitEvent] = []

    /// Reads from the start of `bytes` on, to the end or until there is an event.
    ///
    /// - Returns: how many bytes were read.
    mutating func parse(_ bytes: UnsafeRawBufferPointer) throws(CommitBodyError) -> (consumed: Int, event: CommitEvent?) {
        if let event = takeReady() { return (0, event) }
        var index = 0
        while index < bytes.count {
            if mode == .string {
                index = try readString(bytes, from: index)
            } else if try readStructure(bytes[index]) {
                index += 1
            }
            if let event = takeReady() { return (index, event) }
        }
        return (index, takeContent())
    }

    /// The body is over.
    mutating func finish() throws(CommitBodyError) -> CommitEvent? {
        if mode == .literal, containers.isEmpty { throw .notJSON }
        guard containers.isEmpty, mode == .value else { throw .notJSON }
        return takeReady()
    }

    private mutating func takeReady() -> CommitEvent? { ready.isEmpty ? nil : ready.removeFirst() }

    private mutating func takeContent() -> CommitEvent? {
        guard !content.isEmpty else { return nil }
        defer { content = [] }
        return .content(content)
    }

    // MARK: - Structure

    /// - Returns: whether the byte is used up.
    private mutating func readStructure(_ byte: UInt8) throws(CommitBodyError) -> Bool {
        let isSpace = byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d
        switch mode {
        case .literal: return try readLiteral(byte)
        case _ where isSpace: return true
        case .value: try beginValue(byte)
        case .keyOrEnd where byte == UInt8(ascii: "}"): try close(byte)
        case .keyOrEnd, .key:
            guard byte == UInt8(ascii: "\"") else { throw .notJSON }
            begin(.key)
        case .colon:
            guard byte == UInt8(ascii: ":") else { throw .notJSON }
            mode = .value
        case .afterValue:
            if byte == UInt8(ascii: ",") {
                mode = containers.last == UInt8(ascii: "{") ? .key : .value
            } else {
                try close(byte)
            }
        case .string: break
        }
        return true
    }

    private mutating func beginValue(_ byte: UInt8) throws(CommitBodyError) {
        // A line is an object.
        guard !containers.isEmpty || byte == UInt8(ascii: "{") else { throw .notJSON }
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard containers.count < Self.maximumDepth else { throw .tooDeep }
            containers.append(byte)
            names.append("")
            mode = byte == UInt8(ascii: "{") ? .keyOrEnd : .value
        case UInt8(ascii: "]"): try close(byte)
        case UInt8(ascii: "\""): begin(try stringTarget())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
            text = [byte]
            mode = .literal
        default: throw .notJSON
        }
    }

    private mutating func close(_ byte: UInt8) throws(CommitBodyError) {
        let opening = byte == UInt8(ascii: "}") ? UInt8(ascii: "{") : UInt8(ascii: "[")
        guard byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]"), containers.popLast() == opening else {
            throw .notJSON
        }
        names.removeLast()
        mode = .afterValue
        guard containers.isEmpty else { return }
        mode = .value
        if let rest = takeContent() { ready.append(rest) }
        ready.append(.line(try fields.line()))
        fields = CommitLineFields()
    }

    private mutating func readLiteral(_ byte: UInt8) throws(CommitBodyError) -> Bool {
        let isPart =
            (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x45
            || [UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: ".")].contains(byte)
        guard isPart else {
            mode = .afterValue
            try endLiteral()
            return false
        }
        guard text.count < Self.maximumLiteralBytes else { throw .notJSON }
        text.append(byte)
        return true
    }

    private mutating func endLiteral() throws(CommitBodyError) {
        let literal = String(decoding: text, as: UTF8.self)
        let isWord = ["true", "false", "null"].contains(literal)
        guard isWord || Double(literal) != nil else { throw .notJSON }
        guard isInValue, names.last == "size", literal != "null" else { return }
        fields.size = Int64(literal).flatMap { $0 >= 0 ? $0 : nil }
        fields.hasInvalidSize = fields.size == nil
    }

    // MARK: - Strings

    /// In the object that is the line's `value`.
    private var isInValue: Bool {
        containers.count == 2 && names[0] == "value" && containers[1] == UInt8(ascii: "{")
    }

    private mutating func begin(_ target: Target) {
        self.target = target
        text = []
        escape = StringEscape()
        mode = .string
    }

    private mutating func stringTarget() throws(CommitBodyError) -> Target {
        if containers.count == 1, names[0] == "key" { return .text("key", maximumBytes: Self.maximumKeyBytes) }
        guard isInValue, let name = names.last else { return .skipped }
        if name == "content" {
            guard !fields.hasContent else { throw .notJSON }
            fields.hasContent = true
            base64 = Base64Stream()
            switch fields.texts["encoding"] {
            case nil, "base64": return .base64
            case "utf-8", "utf8": return .utf8
            default: throw .unknownEncoding
            }
        }
        return CommitLineFields.texts[name].map { .text(name, maximumBytes: $0) } ?? .skipped
    }

    /// - Returns: where to go on.
    private mutating func readString(_ bytes: UnsafeRawBufferPointer, from start: Int) throws(CommitBodyError) -> Int {
        if escape.isOpen {
            guard let scalar = try escape.take(bytes[start]) else { return start + 1 }
            try append(scalar)
            return start + 1
        }
        let end = Self.plainEnd(bytes, from: start)
        // The first half of a pair stands alone.
        guard end == start || !escape.hasHalf else { throw .notJSON }
        if end > start { try append(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) }
        guard end < bytes.count else { return end }
        switch bytes[end] {
        case UInt8(ascii: "\""): try endString()
        case UInt8(ascii: "\\"): escape.open()
        default:
            guard end > start else { throw .notJSON }
        }
        return bytes[end] == UInt8(ascii: "\"") || bytes[end] == UInt8(ascii: "\\") ? end + 1 : end
    }

    // Eight of a byte each, and the bits that no control character has.
    private static let quotes: UInt64 = 0x2222_2222_2222_2222
    private static let backslashes: UInt64 = 0x5c5c_5c5c_5c5c_5c5c
    private static let controls: UInt64 = 0xe0e0_e0e0_e0e0_e0e0

    /// Whether one of the eight bytes is 0 (Hacker's Delight §6-1).
    @inline(__always)
    private static func hasZero(_ word: UInt64) -> Bool {
        (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 != 0
    }

    /// How far the string goes on without an escape, its end, or a byte that no string holds; at most one piece.
    private static func plainEnd(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        let limit = min(bytes.count, start + pieceBytes)
        var index = start
        while index + 8 <= limit {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if hasZero(word ^ quotes) || hasZero(word ^ backslashes) || hasZero(word & controls) { break }
            index += 8
        }
        while index < limit, bytes[index] != UInt8(ascii: "\""), bytes[index] != UInt8(ascii: "\\"), bytes[index] >= 0x20 {
            index += 1
        }
        return index
    }

    private mutating func append(_ bytes: UnsafeRawBufferPointer) throws(CommitBodyError) {
        switch target {
        case .skipped: return
        case .key:
            // A longer name is none that a line has.
            text.append(contentsOf: bytes.prefix(max(0, Self.maximumKeyBytes - text.count)))
        case .text(let name, let maximum):
            guard text.count + bytes.count <= maximum else { throw .textTooLong(name) }
            text.append(contentsOf: bytes)
        case .base64:
            guard base64.decode(bytes, to: &content) else { throw .notBase64 }
            giveContent()
        case .utf8:
            content.append(contentsOf: bytes)
            giveContent()
        }
    }

    private mutating func append(_ scalar: Unicode.Scalar) throws(CommitBodyError) {
        let encoded = Array(String(Character(scalar)).utf8)
        var failure: CommitBodyError?
        encoded.withUnsafeBytes { bytes in
            do throws(CommitBodyError) { try append(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private mutating func giveContent() {
        guard content.count >= Self.pieceBytes, let event = takeContent() else { return }
        ready.append(event)
    }

    private mutating func endString() throws(CommitBodyError) {
        guard !escape.hasHalf else { throw .notJSON }
        mode = .afterValue
        switch target {
        case .key:
            guard let name = String(validating: text, as: UTF8.self) else { throw .notJSON }
            names[names.count - 1] = name
            mode = .colon
        case .text(let name, _):
            guard let value = String(validating: text, as: UTF8.self) else { throw .notJSON }
            if containers.count == 1 { fields.key = value } else { try set(name, value) }
        case .base64:
            guard base64.isComplete else { throw .notBase64 }
        case .utf8, .skipped: break
        }
    }

    private mutating func set(_ name: String, _ value: String) throws(CommitBodyError) {
        if name == "encoding", fields.hasContent, value != "base64" { throw .unknownEncoding }
        fields.texts[name] = value
    }
}

/// An escape in a JSON string, read byte by byte: `\n`, `\u00e9`, two of these for scalars beyond the first 65,536.
struct StringEscape {
    private var digits: [UInt8]?
    /// The first half of a pair.
    private var half: UInt32?
    private(set) var isOpen = false

    /// A first half that waits for its second.
    var hasHalf: Bool { half != nil }

    mutating func open() {
        isOpen = true
        digits = nil
    }

    /// - Returns: the scalar, once it is whole.
    mutating func take(_ byte: UInt8) throws(CommitBodyError) -> Unicode.Scalar? {
        if digits != nil { return try takeDigit(byte) }
        if byte == UInt8(ascii: "u") {
            digits = []
            return nil
        }
        let simple: [UInt8: Unicode.Scalar] = [
            UInt8(ascii: "\""): "\"", UInt8(ascii: "\\"): "\\", UInt8(ascii: "/"): "/", UInt8(ascii: "b"): "\u{8}",
            UInt8(ascii: "f"): "\u{c}", UInt8(ascii: "n"): "\n", UInt8(ascii: "r"): "\r", UInt8(ascii: "t"): "\t",
        ]
        guard let scalar = simple[byte], half == nil else { throw .notJSON }
        isOpen = false
        return scalar
    }

    private mutating func takeDigit(_ byte: UInt8) throws(CommitBodyError) -> Unicode.Scalar? {
        guard Hex.value(of: byte | 0x20) != nil else { throw .notJSON }
        digits?.append(byte)
        guard let digits, digits.count == 4, let unit = UInt32(String(decoding: digits, as: UTF8.self), radix: 16) else {
            return nil
        }
        isOpen = false
        if let first = half {
            guard (0xdc00...0xdfff).contains(unit) else { throw .notJSON }
            half = nil
            return Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (unit - 0xdc00))
        }
        if (0xd800...0xdbff).contains(unit) {
            half = unit
            return nil
        }
        guard let scalar = Unicode.Scalar(unit) else { throw .notJSON }
        return scalar
    }
}
