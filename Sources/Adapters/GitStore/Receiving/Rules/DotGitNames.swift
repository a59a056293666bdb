/// Names that some file system takes for one of git's own files.
///
/// HFS+ ignores a set of code points and case; NTFS ignores case, trailing dots and spaces and what follows a colon,
/// and gives files short names like `GIT~1`. Source: git `utf8.c`, `path.c` and `t/t0060-path-utils.sh`, which list
/// the spellings.
enum DotGitNames {
    /// A file that git reads from a checkout.
    enum SpecialFile: Hashable, Sendable {
        case gitmodules
        case gitattributes

        /// Without the dot.
        var name: StaticString {
            switch self {
            case .gitmodules: "gitmodules"
            case .gitattributes: "gitattributes"
            }
        }

        /// How its NTFS short name begins when the plain one is taken.
        var shortPrefix: StaticString {
            switch self {
            case .gitmodules: "gi7eba"
            case .gitattributes: "gi7d29"
            }
        }
    }

    /// `.git` in any spelling.
    static func isDotGit(_ name: UnsafeRawBufferPointer) -> Bool {
        if isOnHFS(name, "git") || isDotGitOnNTFS(name[...]) { return true }
        // On Windows a backslash divides folders, so what follows each is a name too.
        var rest = name[...]
        while let backslash = rest.firstIndex(of: UInt8(ascii: "\\")) {
            rest = rest[(backslash + 1)...]
            if isDotGitOnNTFS(rest) { return true }
        }
        return false
    }

    /// One of the special files in any spelling.
    static func matches(_ name: UnsafeRawBufferPointer, _ file: SpecialFile) -> Bool {
        if isOnHFS(name, file.name) || isOnNTFS(name[...], file) { return true }
        var rest = name[...]
        while let backslash = rest.firstIndex(of: UInt8(ascii: "\\")) {
            rest = rest[(backslash + 1)...]
            if isOnNTFS(rest, file) { return true }
        }
        return false
    }

    // MARK: HFS+

    private static func isOnHFS(_ name: UnsafeRawBufferPointer, _ wanted: StaticString) -> Bool {
        var decoder = HFSNameDecoder(name)
        guard decoder.next() == UInt32(UInt8(ascii: ".")) else { return false }
        for index in 0..<wanted.utf8CodeUnitCount {
            guard let character = decoder.next(), character < 128,
                lowercased(UInt8(character)) == wanted.utf8Start[index]
            else { return false }
        }
        return decoder.next() == nil
    }

    // MARK: NTFS

    private typealias Name = Slice<UnsafeRawBufferPointer>

    private static func isDotGitOnNTFS(_ name: Name) -> Bool {
        for spelling: StaticString in [".git", "git~1"] {
            if let rest = suffix(of: name, after: spelling, count: spelling.utf8CodeUnitCount) {
                let end = rest.firstIndex { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: ":") } ?? rest.endIndex
                if rest[..<end].allSatisfy({ $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: " ") }) { return true }
            }
        }
        return false
    }

    private static func isOnNTFS(_ name: Name, _ file: SpecialFile) -> Bool {
        if name.first == UInt8(ascii: "."),
            let rest = suffix(of: name.dropFirst(), after: file.name, count: file.name.utf8CodeUnitCount)
        {
            return isIgnoredEnding(rest)
        }
        // The plain short name: six characters and ~1 to ~4.
        if let rest = suffix(of: name, after: file.name, count: 6), rest.first == UInt8(ascii: "~"),
            let digit = rest.dropFirst().first, (UInt8(ascii: "1")...UInt8(ascii: "4")).contains(digit)
        {
            return isIgnoredEnding(rest.dropFirst(2))
        }
        return isFallbackShortName(name, file.shortPrefix)
    }

    /// `gi7eba~1`: up to six characters of a hash, a tilde, a digit from 1, further digits, eight characters in all.
    private static func isFallbackShortName(_ name: Name, _ prefix: StaticString) -> Bool {
        guard name.count >= 8 else { return false }
        var sawTilde = false
        var index = 0
        while index < 8 {
            let byte = name[name.startIndex + index]
            if sawTilde {
                guard isDigit(byte) else { return false }
            } else if byte == UInt8(ascii: "~") {
                index += 1
                guard index < name.count else { return false }
                let digit = name[name.startIndex + index]
                guard isDigit(digit), digit != UInt8(ascii: "0") else { return false }
                sawTilde = true
            } else {
                guard index < 6, byte < 128, lowercased(byte) == prefix.utf8Start[index] else { return false }
            }
            index += 1
        }
        return isIgnoredEnding(name.dropFirst(index))
    }

    /// Spaces and dots, up to the end or to a colon.
    private static func isIgnoredEnding(_ rest: Name) -> Bool {
        let end = rest.firstIndex(of: UInt8(ascii: ":")) ?? rest.endIndex
        return rest[..<end].allSatisfy { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: " ") }
    }

    /// What follows the first `count` characters of `wanted`, if the name begins with them in any case.
    private static func suffix(of name: Name, after wanted: StaticString, count: Int) -> Name? {
        guard name.count >= count else { return nil }
        for index in 0..<count where lowercased(name[name.startIndex + index]) != wanted.utf8Start[index] { return nil }
        return name.dropFirst(count)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}

/// The characters of a name as HFS+ compares them: without those it ignores.
///
/// What is no UTF-8 ends the name.
private struct HFSNameDecoder {
    private var rest: Slice<UnsafeRawBufferPointer>

    init(_ name: UnsafeRawBufferPointer) { rest = name[...] }

    mutating func next() -> UInt32? {
        while let character = decode() {
            if !Self.isIgnored(character) { return character }
        }
        return nil
    }

    private mutating func decode() -> UInt32? {
        guard let first = rest.first else { return nil }
        let length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
        guard first < 0x80 || (0xc2...0xf4).contains(first), rest.count >= length else { return nil }
        var value = first < 0x80 ? UInt32(first) : UInt32(first) & (0x7f >> UInt32(length))
        for byte in rest.dropFirst().prefix(length - 1) {
            guard byte & 0xc0 == 0x80 else { return nil }
            value = value << 6 | UInt32(byte & 0x3f)
        }
        rest = rest.dropFirst(length)
        return value
    }

    private static func isIgnored(_ character: UInt32) -> Bool {
        switch character {
        case 0x200c...0x200f, 0x202a...0x202e, 0x206a...0x206f, 0xfeff: true
        default: false
        }
    }
}
