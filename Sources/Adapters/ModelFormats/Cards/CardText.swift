import HubCore

/// The words of a Markdown text, without its marks, for search and for cards in lists.
///
/// Code blocks, HTML tags, images and addresses are left out. It is no Markdown reader: what it gets wrong shows as a stray mark.
package struct CardText: Sendable {
    /// What is kept for search.
    package static let maximumBytes = 16 << 10
    /// What is looked at.
    static let maximumSource = 512 << 10
    static let maximumSummary = 300

    /// The first heading.
    package let title: String?
    /// The first paragraph that says something, at most 300 characters.
    package let summary: String?
    /// Everything, lines joined by spaces.
    package let text: String

    package init(markdown: String) {
        var builder = Builder()
        let source = markdown.utf8.count > Self.maximumSource
            ? String(decoding: markdown.utf8.prefix(Self.maximumSource), as: UTF8.self) : markdown
        for line in source.split(separator: "\n", omittingEmptySubsequences: false) {
            guard builder.take(line) else { break }
        }
        builder.endParagraph()
        title = builder.title
        summary = builder.summary
        text = builder.text
    }

    private struct Builder {
        var title: String?
        var summary: String?
        var text = ""
        private var paragraph = ""
        private var isInCode = false
        private var isInComment = false

        /// False when enough was taken.
        mutating func take(_ raw: Substring) -> Bool {
            let line = raw.drop { $0 == " " || $0 == "\t" || $0 == ">" }
            if line.hasPrefix("```") || line.hasPrefix("~~~") {
                isInCode.toggle()
                endParagraph()
                return true
            }
            guard !isInCode else { return true }
            let isHeading = line.hasPrefix("#")
            let words = plain(String(line))
            if words.isEmpty || isHeading { endParagraph() }
            if isHeading, title == nil, !words.isEmpty { title = String(words.prefix(200)) }
            let isFurniture = isHeading || line.hasPrefix("|") || line.hasPrefix("<") || line.hasPrefix("-") || line.hasPrefix("*")
            if !words.isEmpty, !isFurniture, summary == nil { paragraph += (paragraph.isEmpty ? "" : " ") + words }
            if !words.isEmpty { text += (text.isEmpty ? "" : " ") + words }
            guard text.utf8.count >= CardText.maximumBytes else { return true }
            text = String(decoding: text.utf8.prefix(CardText.maximumBytes), as: UTF8.self)
            return false
        }

        mutating func endParagraph() {
            // A shorter one is a badge or a label.
            if summary == nil, paragraph.count >= 20 {
                summary = paragraph.count > CardText.maximumSummary
                    ? String(paragraph.prefix(CardText.maximumSummary - 1)) + "…" : paragraph
            }
            paragraph = ""
        }

        /// A line without tags, images, addresses and marks.
        private mutating func plain(_ line: String) -> String {
            var out: [UInt8] = []
            let bytes = Array(line.utf8)
            var index = 0
            while index < bytes.count {
                if isInComment {
                    guard let end = Self.find("-->", in: bytes, from: index) else { return Self.tidy(out) }
                    isInComment = false
                    index = end + 3
                    continue
                }
                switch bytes[index] {
                case UInt8(ascii: "<"):
                    if bytes[index...].starts(with: "<!--".utf8) {
                        isInComment = true
                        index += 4
                    } else if let end = bytes[index...].firstIndex(of: UInt8(ascii: ">")) {
                        out.append(0x20)
                        index = end + 1
                    } else {
                        index = bytes.count
                    }
                case UInt8(ascii: "!") where index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "["): index += 2
                case UInt8(ascii: "]") where index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "("):
                    index = (bytes[index...].firstIndex(of: UInt8(ascii: ")")) ?? bytes.count - 1) + 1
                case UInt8(ascii: "*"), UInt8(ascii: "`"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "#"), UInt8(ascii: "|"):
                    out.append(0x20)
                    index += 1
                default:
                    out.append(bytes[index])
                    index += 1
                }
            }
            return Self.tidy(out)
        }

        private static func find(_ text: StaticString, in bytes: [UInt8], from start: Int) -> Int? {
            let count = text.utf8CodeUnitCount
            guard bytes.count - start >= count else { return nil }
            return (start...bytes.count - count).first { position in
                (0..<count).allSatisfy { bytes[position + $0] == text.utf8Start[$0] }
            }
        }

        private static func tidy(_ bytes: [UInt8]) -> String {
            String(decoding: bytes, as: UTF8.self).split { $0.isWhitespace }.joined(separator: " ")
        }
    }
}
