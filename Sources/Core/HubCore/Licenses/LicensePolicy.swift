/// What an administrator says about the licenses that imported repositories declare: `AGPL-*=deny, LicenseRef-*=ask, unknown=ask`.
///
/// The first rule that fits a license decides, and one that no rule fits is allowed. A pattern is an SPDX identifier in which `*` stands
/// for any characters; capitals do not matter. A repository that declares none has the license `unknown`. Of an expression of several
/// licenses (`MIT AND Apache-2.0`) the strictest answer counts.
package struct LicensePolicy: Hashable, Sendable {
    package enum Answer: String, Hashable, Sendable, CaseIterable, Codable, Comparable {
        case allow
        /// Somebody must accept the license for this import.
        case ask
        case deny

        private var strictness: Int { Self.allCases.firstIndex(of: self) ?? 0 }
        package static func < (left: Answer, right: Answer) -> Bool { left.strictness < right.strictness }
    }

    /// The name of no license.
    package static let unknown = "unknown"
    package static let maximumCount = 200

    private struct Rule: Hashable, Sendable {
        let pattern: String
        let answer: Answer
    }

    private let rules: [Rule]

    /// Reads `PATTERN=ANSWER, …`; `nil` when a part is something else.
    package init?(_ text: String) {
        var rules: [Rule] = []
        for part in text.split(whereSeparator: { $0 == "," || $0.isNewline }) {
            let words = part.filter { $0 != " " && $0 != "\t" }
            guard !words.isEmpty else { continue }
            let sides = words.split(separator: "=", omittingEmptySubsequences: false)
            guard sides.count == 2, Self.isPattern(sides[0]), let answer = Answer(rawValue: sides[1].lowercased()) else { return nil }
            rules.append(Rule(pattern: String(sides[0]), answer: answer))
        }
        guard rules.count <= Self.maximumCount else { return nil }
        self.rules = rules
    }

    package var text: String { rules.map { "\($0.pattern)=\($0.answer.rawValue)" }.joined(separator: ",") }

    /// - Parameter license: an SPDX expression, `nil` where none is declared.
    package func answer(for license: String?) -> Answer {
        Self.identifiers(of: license).map { name in
            rules.first { Self.matches(Array($0.pattern.lowercased().utf8)[...], Array(name.lowercased().utf8)[...]) }?.answer ?? .allow
        }.max() ?? .allow
    }

    /// The licenses of an expression, without the exceptions that follow `WITH`.
    private static func identifiers(of license: String?) -> [String] {
        var names: [String] = []
        var isException = false
        for word in (license ?? "").split(whereSeparator: { " ()\t\n".contains($0) }) {
            switch word.uppercased() {
            case "AND", "OR": break
            case "WITH": isException = true
            default:
                if !isException { names.append(word == "LicenseRef-unknown" ? unknown : String(word)) }
                isException = false
            }
        }
        return names.isEmpty ? [unknown] : names
    }

    private static func isPattern(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.count <= 100
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || ".-+*:".contains($0)) }
    }

    private static func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        let parts = pattern.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false)
        guard parts.count > 1, let first = parts.first, let last = parts.last else { return pattern.elementsEqual(text) }
        guard text.count >= first.count + last.count, text.starts(with: first), text.suffix(last.count).elementsEqual(last) else {
            return false
        }
        // Each part in the middle at its first place: no other choice can fit better.
        var rest = text.dropFirst(first.count).dropLast(last.count)
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let start = rest.indices.first(where: { rest[$0...].starts(with: part) }) else { return false }
            rest = rest[(start + part.count)...]
        }
        return true
    }
}
