/// Splits text into the words that search knows.
///
/// * Letters and digits form words, in lower case and without accents. A word has at most `maximumWordBytes`; the rest of a longer
///   one is dropped. In a document, letters and digits with a hyphen, a dot or an underscore between them are also one word, in the
///   place of the second: `Llama-3` is found by `llama 3` and by `llama3`.
/// * Chinese, Japanese and Korean have no spaces: a run of such characters gives each pair of neighbours, 机器学习 → 机器 器学
///   学习. In a document its last character follows alone, so that a query of one character finds it as a prefix.
///
/// Everything else separates words. Broken UTF-8 separates as well.
struct SearchWords {
    enum Purpose {
        case document, query
    }

    static let maximumWordBytes = 64

    private enum Class {
        case letter, ideograph, mark, separator
    }

    private let text: UnsafeBufferPointer<UInt8>
    private let purpose: Purpose
    private var word: [UInt8] = []
    private var wordStart = 0
    /// The word before, if it has letters only, and where it ends.
    private var lastLetters: (bytes: [UInt8], start: Int, end: Int)?
    /// The ideograph before, with its place, and whether a pair that ends in it was given.
    private var previous: (bytes: [UInt8], start: Int, isPaired: Bool)?

    init(_ text: UnsafeBufferPointer<UInt8>, for purpose: Purpose) {
        self.text = text
        self.purpose = purpose
        word.reserveCapacity(Self.maximumWordBytes + 8)
    }

    /// A word, the bytes that it comes from, and whether it stands in the place of the word before.
    typealias Body = (_ word: [UInt8], _ range: Range<Int>, _ isColocated: Bool) -> Bool

    /// Gives each word; ends early when `body` returns false.
    mutating func forEach(_ body: Body) {
        var position = 0
        while position < text.count {
            let start = position
            let scalar = nextScalar(&position)
            guard take(scalar, at: start..<position, body) else { return }
        }
        _ = endWord(at: position, body) && endRun(at: position, body)
    }

    private mutating func take(_ scalar: UInt32, at range: Range<Int>, _ body: Body) -> Bool {
        let kind = Self.classify(scalar)
        switch kind {
        case .letter:
            guard endRun(at: range.lowerBound, body) else { return false }
            if word.isEmpty { wordStart = range.lowerBound }
            if word.count < Self.maximumWordBytes { append(scalar) }
            return true
        case .mark: return true
        case .ideograph:
            guard endWord(at: range.lowerBound, body) else { return false }
            return takeIdeograph(scalar, at: range, body)
        case .separator:
            return endWord(at: range.lowerBound, body) && endRun(at: range.lowerBound, body)
        }
    }

    private mutating func takeIdeograph(
        _ scalar: UInt32, at range: Range<Int>, _ body: Body
    ) -> Bool {
        let bytes = Unicode.Scalar(scalar).map { Array(String($0).utf8) } ?? []
        defer { previous = (bytes, range.lowerBound, previous != nil) }
        guard let previous else { return true }
        return body(previous.bytes + bytes, previous.start..<range.upperBound, false)
    }

    private mutating func endRun(at end: Int, _ body: Body) -> Bool {
        guard let last = previous else { return true }
        previous = nil
        if purpose == .query, last.isPaired { return true }
        return body(last.bytes, last.start..<end, false)
    }

    private mutating func endWord(at end: Int, _ body: Body) -> Bool {
        guard !word.isEmpty else { return true }
        defer { word.removeAll(keepingCapacity: true) }
        guard body(word, wordStart..<end, false) else { return false }
        return purpose == .query || giveJoined(end: end, body)
    }

    /// The word together with the one before, where both make one name: `Llama-3`.
    private mutating func giveJoined(end: Int, _ body: Body) -> Bool {
        let before = lastLetters
        lastLetters = word.count <= 32 && word.allSatisfy { (0x61...0x7a).contains($0) } ? (word, wordStart, end) : nil
        guard let before, before.end + 1 == wordStart, let first = word.first, (0x30...0x39).contains(first), word.count <= 32,
            [UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_")].contains(text[before.end])
        else { return true }
        return body(before.bytes + word, before.start..<end, true)
    }

    private mutating func append(_ scalar: UInt32) {
        switch scalar {
        case 0x41...0x5a: word.append(UInt8(scalar) | 0x20)
        case 0..<0x80: word.append(UInt8(scalar))
        case 0xc0..<0x180:
            let base = Self.unaccented[Int(scalar - 0xc0)]
            if base != UInt8(ascii: ".") { word.append(base) } else { appendLowercase(scalar) }
        // Full-width Latin letters and digits, as Chinese and Japanese texts have them.
        case 0xff21...0xff3a: word.append(UInt8(scalar - 0xff21) + UInt8(ascii: "a"))
        case 0xff41...0xff5a: word.append(UInt8(scalar - 0xff41) + UInt8(ascii: "a"))
        case 0xff10...0xff19: word.append(UInt8(scalar - 0xff10) + UInt8(ascii: "0"))
        default: appendLowercase(scalar)
        }
    }

    private mutating func appendLowercase(_ scalar: UInt32) {
        guard let scalar = Unicode.Scalar(scalar) else { return }
        word.append(contentsOf: scalar.properties.lowercaseMapping.utf8)
    }

    /// The base letters of U+00C0 to U+017F; `.` for what has none.
    private static let unaccented = Array(
        ("aaaaaa.ceeeeiiii.nooooo.ouuuuy..aaaaaa.ceeeeiiii.nooooo.ouuuuy.y"
            + "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii..jjkk.llllll."
            + ".llnnnnnn...oooooo..rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzz.")
            .utf8)

    private static func classify(_ scalar: UInt32) -> Class {
        switch scalar {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0xff10...0xff19, 0xff21...0xff3a, 0xff41...0xff5a: .letter
        case 0..<0x80: .separator
        case 0x3041...0x3096, 0x3099...0x309a, 0x309d...0x309f, 0x30a1...0x30fa, 0x30fc...0x30ff, 0x3105...0x312f,
            0x3131...0x318e, 0x31a0...0x31bf, 0x31f0...0x31ff, 0x3400...0x4dbf, 0x4e00...0x9fff, 0x1100...0x11ff,
            0xa960...0xa97f, 0xac00...0xd7ff, 0xf900...0xfaff, 0xff66...0xff9f, 0x3005...0x3007,
            0x20000...0x3ffff:
            .ideograph
        default: classifyOther(scalar)
        }
    }

    private static func classifyOther(_ scalar: UInt32) -> Class {
        guard let category = Unicode.Scalar(scalar)?.properties.generalCategory else { return .separator }
        switch category {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .letterNumber, .decimalNumber: return .letter
        case .nonspacingMark, .spacingMark, .enclosingMark: return .mark
        default: return .separator
        }
    }

    /// The scalar at `position`; 0, which separates, for broken UTF-8.
    private func nextScalar(_ position: inout Int) -> UInt32 {
        let lead = text[position]
        position += 1
        let (count, bits): (Int, UInt32) =
            switch lead {
            case 0..<0x80: (0, UInt32(lead))
            case 0xc2..<0xe0: (1, UInt32(lead & 0x1f))
            case 0xe0..<0xf0: (2, UInt32(lead & 0x0f))
            case 0xf0..<0xf5: (3, UInt32(lead & 0x07))
            default: (0, 0)
            }
        guard position + count <= text.count else { return 0 }
        var value = bits
        for index in 0..<count {
            let byte = text[position + index]
            guard byte & 0xc0 == 0x80 else { return 0 }
            value = value << 6 | UInt32(byte & 0x3f)
        }
        position += count
        return value
    }
}
