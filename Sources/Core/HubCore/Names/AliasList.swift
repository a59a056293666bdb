/// Ids of one part and the repositories that they stand for: `gpt2=openai-community/gpt2, datasets/squad=rajpurkar/squad`.
///
/// Entries are separated by commas, spaces or lines. A kind and a slash before the alias say that it is one of datasets, spaces or
/// code; without, it is one of models. At most `maximumCount`.
package struct AliasList: Sendable, Hashable {
    package struct Entry: Sendable, Hashable {
        package let kind: RepositoryKind
        package let name: String
        package let target: RepositoryName

        var text: String {
            "\(kind == .model ? "" : kind.gitPathPart + "/")\(name)=\(target)"
        }
    }

    package static let maximumCount = 5_000

    package let entries: [Entry]

    /// `nil` when an entry has another form, or there are too many.
    package init?(_ text: String) {
        let words = text.split { $0 == "," || $0.isWhitespace }
        guard words.count <= Self.maximumCount else { return nil }
        var entries: [Entry] = []
        for word in words {
            guard let entry = Self.entry(word) else { return nil }
            entries.append(entry)
        }
        self.entries = entries
    }

    /// The list as it is stored.
    package var text: String { entries.map(\.text).joined(separator: ",") }

    private static func entry(_ word: Substring) -> Entry? {
        let sides = word.split(separator: "=", omittingEmptySubsequences: false)
        guard sides.count == 2, let target = try? RepositoryName(parsing: String(sides[1])) else {
            return nil  // The caller says which form is right.
        }
        var alias = sides[0].split(separator: "/", omittingEmptySubsequences: false)
        var kind = RepositoryKind.model
        if alias.count == 2, let named = RepositoryKind(parsing: alias.removeFirst()) { kind = named }
        guard alias.count == 1, NameRules.isValidPart(alias[0]) else { return nil }
        return Entry(kind: kind, name: String(alias[0]), target: target)
    }
}
