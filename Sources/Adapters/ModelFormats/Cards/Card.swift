import HubCore

/// A README.md: its front matter as JSON, and the text below.
///
///     ---
///     license: mit
///     ---
///     # Title
///
/// Source: `REGEX_YAML_BLOCK` in huggingface_hub `repocard.py`. A block of more than 256 KiB, or one that is no mapping, is not read.
package struct Card: Sendable {
    package static let maximumBytes: Int64 = 4 << 20

    /// An object; `nil` without a front matter that can be read.
    package let data: JSONNode?
    /// All below the front matter.
    package let body: String
    /// Why the front matter was not read.
    package let problem: FormatError?

    package init(parsing readme: [UInt8]) {
        guard let split = Self.split(readme) else {
            (data, problem) = (nil, nil)
            body = String(decoding: readme, as: UTF8.self)
            return
        }
        body = String(decoding: readme[split.body...], as: UTF8.self)
        do throws(FormatError) {
            let node = try YAMLReader.read(Array(readme[split.yaml]))
            switch node {
            case .object:
                data = node
                problem = nil
            case .null: (data, problem) = (nil, nil)
            default: (data, problem) = (nil, FormatError("The front matter of README.md is no mapping of keys to values."))
            }
        } catch {
            (data, problem) = (nil, error)
        }
    }

    /// The range of the YAML and where the text below begins.
    private static func split(_ bytes: [UInt8]) -> (yaml: Range<Int>, body: Int)? {
        var start = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
        while start < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[start]) { start += 1 }
        guard let first = lineEnd(bytes, from: start), isRule(bytes[start..<first.end]) else { return nil }
        var line = first.next
        while let end = lineEnd(bytes, from: line) {
            if isRule(bytes[line..<end.end]) { return (first.next..<line, end.next) }
            line = end.next
        }
        return nil
    }

    private static func lineEnd(_ bytes: [UInt8], from start: Int) -> (end: Int, next: Int)? {
        guard start < bytes.count else { return nil }
        let feed = bytes[start...].firstIndex(of: 0x0a) ?? bytes.endIndex
        return (feed, min(feed + 1, bytes.count))
    }

    private static func isRule(_ line: ArraySlice<UInt8>) -> Bool {
        var line = line
        while let last = line.last, last == 0x0d || last == 0x20 { line.removeLast() }
        return line.elementsEqual("---".utf8)
    }
}
