import HubCore

/// Walks the header lines of a commit or tag, up to the blank line. The buffer must outlive it.
struct HeaderLines {
    private(set) var rest: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) {
        rest = bytes
    }

    /// At the blank line, or where the buffer ends without one.
    var isAtEnd: Bool { rest.isEmpty || rest[0] == UInt8(ascii: "\n") }

    /// What follows the blank line. Meaningful at the end of the header.
    var body: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: rest.dropFirst(1)) }

    /// The line's object name, if it is `<prefix><40 hex digits>\n`; the walk then moves on.
    mutating func oid(after prefix: StaticString) -> GitOID? {
        let length = prefix.utf8CodeUnitCount
        guard rest.count > length + 40, rest[length + 40] == UInt8(ascii: "\n"), starts(with: prefix),
            let oid = Self.parseHex(rest, at: length)
        else { return nil }
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(length + 41))
        return oid
    }

    /// The rest of the line, if it begins with `prefix`; the walk then moves on.
    mutating func text(after prefix: StaticString) -> UnsafeRawBufferPointer? {
        guard starts(with: prefix), let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let text = UnsafeRawBufferPointer(rebasing: rest[prefix.utf8CodeUnitCount..<end])
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(end + 1))
        return text
    }

    mutating func skipLine() {
        let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.count - 1
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(end + 1))
    }

    @inline(__always)
    func starts(with prefix: StaticString) -> Bool {
        let length = prefix.utf8CodeUnitCount
        guard rest.count >= length else { return false }
        for index in 0..<length where rest[index] != prefix.utf8Start[index] { return false }
        return true
    }

    /// 40 lower-case hex digits; `nil` when they are anything else.
    @inline(__always)
    private static func parseHex(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> GitOID? {
        withUnsafeTemporaryAllocation(byteCount: GitOID.byteCount, alignment: 8) { name -> GitOID? in
            for index in 0..<GitOID.byteCount {
                let high = value(ofDigit: bytes[offset + 2 * index])
                let low = value(ofDigit: bytes[offset + 2 * index + 1])
                guard high | low < 16 else { return nil }
                name[index] = high << 4 | low
            }
            return name.baseAddress.map { GitOID(bytes: $0) }
        }
    }

    /// 255 for what is no digit. `Hex` knows too, but calls into other modules are not inlined and walks read millions of digits.
    @inline(__always)
    private static func value(ofDigit character: UInt8) -> UInt8 {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        default: 255
        }
    }
}
