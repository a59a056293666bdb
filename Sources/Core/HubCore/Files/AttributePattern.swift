/// A pattern of `.gitattributes`, matched as git does: gitattributes(5), gitignore(5), git `wildmatch.c`.
///
/// `*` and `?` do not match `/`, `**/`, `/**` and `/**/` span folders, `[a-z]`, `[!a]` and `\` as in a shell. A pattern without `/`
/// is matched with the last part of a path, else with the whole below the folder of its file.
package struct AttributePattern: Hashable, Sendable {
    private enum Step: Hashable, Sendable {
        case byte(UInt8)
        /// Any byte of the set, which is given by 256 bits.
        case oneOf(ByteSet)
        /// `*`: any bytes but `/`.
        case part
        /// `**/`: any number of whole folders, also none.
        case folders
        /// `**` at the end: all that follows.
        case rest
    }

    private let steps: [Step]
    private let matchesName: Bool
    /// Longer patterns and those with a broken class match nothing.
    private let isUsable: Bool

    private static let maximumBytes = 1024

    package init(_ text: String) {
        var bytes = Array(text.utf8)
        matchesName = !bytes.contains(UInt8(ascii: "/"))
        if bytes.first == UInt8(ascii: "/") { bytes.removeFirst() }
        let parsed = bytes.count <= Self.maximumBytes ? Self.steps(of: bytes) : nil
        steps = parsed ?? []
        isUsable = parsed != nil
    }

    /// - Parameter path: below the folder of the file that has the pattern, without a leading `/`.
    package func matches(_ path: String) -> Bool {
        guard isUsable else { return false }
        let bytes = Array(path.utf8)
        let text = matchesName ? bytes.split(separator: Self.slash).last.map(Array.init) ?? [] : bytes
        // All places in the pattern that the text so far can have led to, so the time is the product of the two lengths.
        var places: Set<Int> = []
        enter(0, atPartStart: true, &places)
        for byte in text {
            var next: Set<Int> = []
            for place in places where place < steps.count {
                switch steps[place] {
                case .byte(let wanted): if byte == wanted { enter(place + 1, atPartStart: byte == Self.slash, &next) }
                case .oneOf(let set): if set.contains(byte) { enter(place + 1, atPartStart: false, &next) }
                case .part: if byte != Self.slash { enter(place, atPartStart: false, &next) }
                case .folders: enter(place, atPartStart: byte == Self.slash, &next)
                case .rest: enter(place, atPartStart: false, &next)
                }
            }
            if next.isEmpty { return false }
            places = next
        }
        return places.contains(steps.count)
    }

    /// Adds a place, and those after it that need no byte to get to.
    private func enter(_ place: Int, atPartStart: Bool, _ places: inout Set<Int>) {
        var place = place
        // A place that is there already has been gone on from, or could not be; at the start of a part more may be possible.
        while places.insert(place).inserted || atPartStart, place < steps.count {
            switch steps[place] {
            case .byte, .oneOf: return
            case .part, .rest: place += 1
            case .folders:
                guard atPartStart else { return }
                place += 1
            }
        }
    }

    // MARK: - Parsing

    private static let slash = UInt8(ascii: "/")
    private static let star = UInt8(ascii: "*")

    private static func steps(of pattern: [UInt8]) -> [Step]? {
        var steps: [Step] = []
        var index = 0
        while index < pattern.count {
            switch pattern[index] {
            case star: steps.append(starStep(pattern, &index))
            case UInt8(ascii: "?"):
                steps.append(.oneOf(ByteSet.everything.removing(slash)))
                index += 1
            case UInt8(ascii: "["):
                guard let (set, end) = byteClass(pattern, at: index) else { return nil }
                steps.append(.oneOf(set.removing(slash)))
                index = end
            case UInt8(ascii: "\\") where index + 1 < pattern.count:
                steps.append(.byte(pattern[index + 1]))
                index += 2
            case let byte:
                steps.append(.byte(byte))
                index += 1
            }
        }
        return steps
    }

    /// Two stars span folders only when they are a whole part of the pattern.
    private static func starStep(_ pattern: [UInt8], _ index: inout Int) -> Step {
        let start = index
        while index < pattern.count, pattern[index] == star { index += 1 }
        guard index - start >= 2, start == 0 || pattern[start - 1] == slash else { return .part }
        if index == pattern.count { return .rest }
        guard pattern[index] == slash else { return .part }
        index += 1
        return .folders
    }

    /// The class that starts at `[` and where it ends; `nil` when it does not.
    private static func byteClass(_ pattern: [UInt8], at start: Int) -> (ByteSet, end: Int)? {
        var index = start + 1
        let isNegated =
            index < pattern.count && (pattern[index] == UInt8(ascii: "!") || pattern[index] == UInt8(ascii: "^"))
        if isNegated { index += 1 }
        var set = ByteSet()
        var isFirst = true
        while index < pattern.count, isFirst || pattern[index] != UInt8(ascii: "]") {
            isFirst = false
            if let (named, end) = namedClass(pattern, at: index) {
                set.formUnion(named)
                index = end
                continue
            }
            if pattern[index] == UInt8(ascii: "\\"), index + 1 < pattern.count { index += 1 }
            let low = pattern[index]
            if index + 2 < pattern.count, pattern[index + 1] == UInt8(ascii: "-"),
                pattern[index + 2] != UInt8(ascii: "]")
            {
                if low <= pattern[index + 2] { for byte in low...pattern[index + 2] { set.insert(byte) } }
                index += 3
            } else {
                set.insert(low)
                index += 1
            }
        }
        guard index < pattern.count else { return nil }
        return (isNegated ? set.inverted : set, index + 1)
    }

    /// `[:space:]` and the like; git-lfs writes `[[:space:]]` for a blank.
    private static func namedClass(_ pattern: [UInt8], at start: Int) -> (ByteSet, end: Int)? {
        guard pattern[start...].starts(with: Array("[:".utf8)) else { return nil }
        let rest = pattern[(start + 2)...]
        guard let colon = rest.firstIndex(of: UInt8(ascii: ":")), colon + 1 < pattern.count,
            pattern[colon + 1] == UInt8(ascii: "]")
        else { return nil }
        let name = String(decoding: rest[..<colon], as: UTF8.self)
        var set = ByteSet()
        for byte in UInt8(0)...127 where isMember(Character(Unicode.Scalar(byte)), of: name) { set.insert(byte) }
        return (set, colon + 2)
    }

    private static func isMember(_ character: Character, of name: String) -> Bool {
        switch name {
        case "space": character.isWhitespace
        case "digit": character.isNumber
        case "alpha": character.isLetter
        case "alnum": character.isLetter || character.isNumber
        case "lower": character.isLowercase
        case "upper": character.isUppercase
        case "punct": character.isPunctuation || character.isSymbol
        default: false
        }
    }
}

/// A set of bytes, as 256 bits.
private struct ByteSet: Hashable, Sendable {
    private var words: SIMD4<UInt64> = .zero

    static var everything: ByteSet { ByteSet().inverted }

    func contains(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] & (1 << UInt64(byte & 63)) != 0 }
    mutating func insert(_ byte: UInt8) { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }
    mutating func formUnion(_ other: ByteSet) { words |= other.words }

    func removing(_ byte: UInt8) -> ByteSet {
        var copy = self
        copy.words[Int(byte >> 6)] &= ~(1 << UInt64(byte & 63))
        return copy
    }

    var inverted: ByteSet {
        var copy = self
        copy.words = ~words
        return copy
    }
}
