/// Reads the settings of a file in git's configuration syntax, as far as `.gitmodules` needs it (git `git-config(1)`,
/// *Syntax*).
///
/// It stops at the first line that is not valid; git's `fsck` too looks only at what comes before.
struct GitConfigReader {
    struct Setting: Hashable {
        /// Lower case.
        var section: String
        /// As written; `nil` for a section without one.
        var subsection: [UInt8]?
        /// Lower case.
        var key: String
        /// `nil` for a key without `=`.
        var value: [UInt8]?
    }

    private let bytes: UnsafeRawBufferPointer
    private var index = 0
    private var section: String?
    private var subsection: [UInt8]?

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        // Some editors put a byte order mark first; git skips it.
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { index = 3 }
    }

    mutating func next() -> Setting? {
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): index += 1
            case UInt8(ascii: "#"), UInt8(ascii: ";"): skipLine()
            case UInt8(ascii: "["):
                index += 1
                guard readSection() else { return stop() }
            default:
                guard Self.isLetter(byte), let section, let setting = readSetting(in: section) else { return stop() }
                return setting
            }
        }
        return nil
    }

    private mutating func stop() -> Setting? {
        index = bytes.count
        return nil
    }

    private func peek() -> UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipLine() {
        while let byte = peek(), byte != UInt8(ascii: "\n") { index += 1 }
    }

    /// `[name]`, `[name.sub]` or `[name "sub"]`, after the bracket.
    private mutating func readSection() -> Bool {
        var name: [UInt8] = []
        while let byte = peek() {
            index += 1
            if byte == UInt8(ascii: "]") {
                let parts = name.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
                section = String(decoding: parts[0], as: UTF8.self)
                subsection = parts.count > 1 ? Array(parts[1]) : nil
                return true
            }
            if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") {
                section = String(decoding: name, as: UTF8.self)
                return readSubsection()
            }
            guard Self.isKeyCharacter(byte) || byte == UInt8(ascii: ".") else { return false }
            name.append(Self.lowercased(byte))
        }
        return false
    }

    private mutating func readSubsection() -> Bool {
        while let byte = peek(), byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { index += 1 }
        guard peek() == UInt8(ascii: "\"") else { return false }
        index += 1
        var name: [UInt8] = []
        while let byte = peek() {
            index += 1
            switch byte {
            case UInt8(ascii: "\n"): return false
            case UInt8(ascii: "\""):
                guard peek() == UInt8(ascii: "]") else { return false }
                index += 1
                subsection = name
                return true
            case UInt8(ascii: "\\"):
                guard let escaped = peek(), escaped != UInt8(ascii: "\n") else { return false }
                index += 1
                name.append(escaped)
            default: name.append(byte)
            }
        }
        return false
    }

    private mutating func readSetting(in section: String) -> Setting? {
        var key: [UInt8] = []
        while let byte = peek(), Self.isKeyCharacter(byte) {
            key.append(Self.lowercased(byte))
            index += 1
        }
        while let byte = peek(), byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { index += 1 }
        var setting = Setting(section: section, subsection: subsection, key: String(decoding: key, as: UTF8.self))
        guard let byte = peek(), byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") else { return setting }
        guard byte == UInt8(ascii: "=") else { return nil }
        index += 1
        guard let value = readValue() else { return nil }
        setting.value = value
        return setting
    }

    /// The value up to the end of the line: quotes, escapes, comments and continued lines are undone.
    private mutating func readValue() -> [UInt8]? {
        var value: [UInt8] = []
        var trimmedCount = 0
        var isQuoted = false
        while let byte = peek() {
            index += 1
            switch byte {
            case UInt8(ascii: "\n"):
                return isQuoted ? nil : Array(value.prefix(trimmedCount))
            case UInt8(ascii: " ") where !isQuoted, UInt8(ascii: "\t") where !isQuoted,
                UInt8(ascii: "\r") where !isQuoted:
                // Leading blanks go; those in between count only when something follows.
                if trimmedCount > 0 { value.append(byte) }
                continue
            case UInt8(ascii: "#") where !isQuoted, UInt8(ascii: ";") where !isQuoted:
                skipLine()
                return Array(value.prefix(trimmedCount))
            case UInt8(ascii: "\""):
                isQuoted.toggle()
            case UInt8(ascii: "\\"):
                guard let escaped = peek() else { return nil }
                index += 1
                switch escaped {
                case UInt8(ascii: "\n"): continue
                case UInt8(ascii: "n"): value.append(UInt8(ascii: "\n"))
                case UInt8(ascii: "t"): value.append(UInt8(ascii: "\t"))
                case UInt8(ascii: "b"): value.append(8)
                case UInt8(ascii: "\\"), UInt8(ascii: "\""): value.append(escaped)
                default: return nil
                }
            default: value.append(byte)
            }
            trimmedCount = value.count
        }
        return isQuoted ? nil : Array(value.prefix(trimmedCount))
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func isKeyCharacter(_ byte: UInt8) -> Bool {
        isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
