/// What a `.gitignore` says of which files to leave out. gitignore(5).
package struct IgnoreRules: Sendable {
    package static let fileName = ".gitignore"
    /// Rules beyond these are not read.
    private static let maximumRules = 2_000

    private struct Rule: Sendable {
        let pattern: AttributePattern
        let isFolderOnly: Bool
        let isException: Bool
    }

    private let rules: [Rule]

    package init(_ text: String) {
        rules = text.split(whereSeparator: \.isNewline).prefix(Self.maximumRules).compactMap(Self.rule)
    }

    package var isEmpty: Bool { rules.isEmpty }

    /// Whether the file is left out: it, or a folder above it, is the last that a rule matches. What lies in a folder that is left
    /// out cannot be taken back.
    package func ignores(_ path: String) -> Bool {
        let parts = path.split(separator: "/")
        for depth in 1...max(1, parts.count) {
            let part = parts.prefix(depth).joined(separator: "/")
            let isFolder = depth < parts.count
            let last = rules.last { ($0.isFolderOnly ? isFolder : true) && $0.pattern.matches(part) }
            if let last, !last.isException { return true }
        }
        return false
    }

    private static func rule(_ line: Substring) -> Rule? {
        var text = line
        // Blanks at the end count only after a backslash.
        while text.last == " ", !text.hasSuffix("\\ ") { text.removeLast() }
        guard !text.isEmpty, !text.hasPrefix("#") else { return nil }
        let isException = text.hasPrefix("!")
        if isException { text.removeFirst() }
        let isFolderOnly = text.hasSuffix("/")
        if isFolderOnly { text.removeLast() }
        guard !text.isEmpty else { return nil }
        return Rule(pattern: AttributePattern(String(text)), isFolderOnly: isFolderOnly, isException: isException)
    }
}
