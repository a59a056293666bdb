import HubCore

/// What a card's front matter says, each field in the one form that facts use. Wrong types are ignored.
struct CardFields {
    private let data: JSONNode?

    init(_ data: JSONNode?) { self.data = data }

    private static let maximumItems = 300
    private static let maximumItemBytes = 256

    /// The texts of a field that is a text or a list.
    func texts(_ name: String) -> [String] {
        (data?[name]?.strings ?? []).prefix(Self.maximumItems).compactMap(Self.clean)
    }

    func text(_ name: String) -> String? {
        if let text = data?[name]?.string { return Self.clean(text) }
        // Versions are written as numbers.
        return data?[name]?.integer.map(String.init)
    }

    /// One line, neither empty nor long.
    static func clean(_ text: String) -> String? {
        let line = text.trimmingSpaces
        guard !line.isEmpty, line.utf8.count <= maximumItemBytes, line.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else { return nil }
        return line
    }

    var licenses: [String] { texts("license").map { $0.lowercased() } }

    var languages: [String] { texts("language").isEmpty ? texts("languages") : texts("language") }

    var baseModels: [String] { texts("base_model") }

    var title: String? { text("title") ?? text("pretty_name") ?? text("model_name") }

    var configs: JSONNode? {
        guard case .array(let items)? = data?["configs"], !items.isEmpty else { return nil }
        return .array(items)
    }
}

extension String {
    fileprivate var trimmingSpaces: String {
        String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
