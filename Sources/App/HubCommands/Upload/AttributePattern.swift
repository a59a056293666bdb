/// A pattern of `.gitattributes`, matched as git does: gitattributes(5), gitignore(5), git `wildmatch.c`.
///
/// `*` and `?` do not match `/`, `**/`, `/**` and `/**/` span folders, `[a-z]`, `[!a]` and `\` as in a shell. A pattern without `/`
/// is matched with the last part of a path, else with the whole below the folder of its file.
struct AttributePattern: Hashable, Sendable {
    private let pattern: [UInt8]
    private let matchesName: Bool

    /// Longer patterns match nothing.
    private static let maximumBytes = 1024

    init(_ text: String) {
        var bytes = Array(text.utf8)
        matchesName = !bytes.contains(UInt8(ascii: "/"))
        if bytes.first == UInt8(ascii: "/") { bytes.removeFirst() }
        pattern = bytes
    }

    /// - Parameter path: below the folder of the file that has the pattern, without a leading `/`.
    func matches(_ path: String) -> Bool {
        guard pattern.count <= Self.maximumBytes else { return false }
        let bytes = Array(path.utf8)
        let text = matchesName ? bytes.split(separator: UInt8(ascii: "/")).last.map(Array.init) ?? [] : bytes
        var failed: Set<Position> = []
        return matches(Position(pattern: 0, text: 0), text, &failed)
    }

    private struct Position: Hashable {
        let pattern: Int
        let text: Int
    }

    /// Each pair of positions is tried once, so the time is bounded by their product.
    private func matches(_ start: Position, _ text: [UInt8], _ failed: inout Set<Position>) -> Bool {
        var (p, t) = (start.pattern, start.text)
        while p < pattern.count {
            switch pattern[p] {
            case UInt8(ascii: "*"): return matchesStar(at: p, text, from: t, &failed)
            case UInt8(ascii: "?"):
                guard t < text.count, text[t] != UInt8(ascii: "/") else { return false }
                (p, t) = (p + 1, t + 1)
            case UInt8(ascii: "["):
                guard t < text.count, text[t] != UInt8(ascii: "/"), let end = matchesClass(at: p, text[t]) else {
                    return false
                }
                (p, t) = (end, t + 1)
            case UInt8(ascii: "\\") where p + 1 < pattern.count:
                guard t < text.count, text[t] == pattern[p + 1] else { return false }
                (p, t) = (p + 2, t + 1)
            case let byte:
                guard t < text.count, text[t] == byte else { return false }
                (p, t) = (p + 1, t + 1)
            }
        }
        return t == text.count
    }

    private func matchesStar(at p: Int, _ text: [UInt8], from t: Int, _ failed: inout Set<Position>) -> Bool {
        let key = Position(pattern: p, text: t)
        if failed.contains(key) { return false }
        var next = p
        while next < pattern.count, pattern[next] == UInt8(ascii: "*") { next += 1 }
        let slash = UInt8(ascii: "/")
        let startsPart = p == 0 || pattern[p - 1] == slash
        let endsPart = next == pattern.count || pattern[next] == slash
        let spansFolders = next - p >= 2 && startsPart && endsPart
        // `**/` may also stand for nothing.
        if spansFolders, next < pattern.count, matches(Position(pattern: next + 1, text: t), text, &failed) {
            return true
        }
        var end = t
        while true {
            if matches(Position(pattern: next, text: end), text, &failed) { return true }
            guard end < text.count, spansFolders || text[end] != slash else { break }
            end += 1
        }
        failed.insert(key)
        return false
    }

    /// Where the class that starts at `p` ends, if `byte` is in it.
    private func matchesClass(at p: Int, _ byte: UInt8) -> Int? {
        var index = p + 1
        let isNegated =
            index < pattern.count && (pattern[index] == UInt8(ascii: "!") || pattern[index] == UInt8(ascii: "^"))
        if isNegated { index += 1 }
        var isMember = false
        var isFirst = true
        while index < pattern.count, isFirst || pattern[index] != UInt8(ascii: "]") {
            isFirst = false
            if let (end, contains) = matchesNamedClass(at: index, byte) {
                isMember = isMember || contains
                index = end
                continue
            }
            if pattern[index] == UInt8(ascii: "\\"), index + 1 < pattern.count { index += 1 }
            let low = pattern[index]
            if index + 2 < pattern.count, pattern[index + 1] == UInt8(ascii: "-"),
                pattern[index + 2] != UInt8(ascii: "]")
            {
                isMember = isMember || (low <= byte && byte <= pattern[index + 2])
                index += 3
            } else {
                isMember = isMember || low == byte
                index += 1
            }
        }
        guard index < pattern.count, isMember != isNegated else { return nil }
        return index + 1
    }

    /// `[:space:]` and the like; git-lfs writes `[[:space:]]` for a blank.
    private func matchesNamedClass(at p: Int, _ byte: UInt8) -> (end: Int, contains: Bool)? {
        guard pattern[p...].starts(with: Array("[:".utf8)) else { return nil }
        let rest = pattern[(p + 2)...]
        guard let colon = rest.firstIndex(of: UInt8(ascii: ":")), colon + 1 < pattern.count,
            pattern[colon + 1] == UInt8(ascii: "]")
        else { return nil }
        let character = Character(Unicode.Scalar(byte))
        let contains: Bool
        switch String(decoding: rest[..<colon], as: UTF8.self) {
        case "space": contains = character.isWhitespace
        case "digit": contains = character.isASCII && character.isNumber
        case "alpha": contains = character.isASCII && character.isLetter
        case "alnum": contains = character.isASCII && (character.isLetter || character.isNumber)
        case "lower": contains = character.isASCII && character.isLowercase
        case "upper": contains = character.isASCII && character.isUppercase
        case "punct": contains = (0x21...0x7e).contains(byte) && !character.isLetter && !character.isNumber
        default: contains = false
        }
        return (colon + 2, contains)
    }
}
