/// What a person types into a search field, as a query that FTS5 understands and cannot misread.
///
/// All terms must occur. A term is a piece between spaces; its words must follow each other. The last term may be unfinished from its
/// second letter on (half of all words begin with the first), and one that is a single ideograph stands for all words that begin
/// with it.
struct SearchPattern {
    static let maximumTerms = 12
    static let maximumBytes = 400

    /// `"llama 3" "inst" *`
    let match: String

    /// `nil` when the text has no word.
    init?(_ text: String) {
        let pieces = String(decoding: text.utf8.prefix(Self.maximumBytes), as: UTF8.self)
            .split(whereSeparator: { $0.isWhitespace || $0 == "\0" })
            .map(String.init).filter { !Self.words($0).isEmpty }.prefix(Self.maximumTerms)
        guard !pieces.isEmpty else { return nil }
        match = pieces.enumerated().map { index, piece in
            let words = Self.words(piece)
            let last = words.last ?? []
            let isUnfinished = index == pieces.count - 1 && last.count > 1 && !last.contains { $0 >= 0xe0 }
            let isSingleIdeograph = words.count == 1 && words[0].count >= 3 && String(decoding: words[0], as: UTF8.self).count == 1
            let quoted = "\"" + piece.filter { $0 != "\"" } + "\""
            return quoted + (isUnfinished || isSingleIdeograph ? " *" : "")
        }.joined(separator: " ")
    }

    private static func words(_ text: String) -> [[UInt8]] {
        var found: [[UInt8]] = []
        Array(text.utf8).withUnsafeBufferPointer { bytes in
            var words = SearchWords(bytes, for: .query)
            words.forEach { word, _, _ in
                found.append(word)
                return true
            }
        }
        return found
    }
}
