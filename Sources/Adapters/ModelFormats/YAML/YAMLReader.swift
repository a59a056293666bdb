internal import CYaml
import HubCore

/// Reads the YAML of strangers as JSON, within bounds.
///
/// Taken are the first document, of at most `Limits.bytes` bytes, nested at most `Limits.depth` deep, and as JSON no heavier than
/// `Limits.weight` (16 for each value and the bytes of its text). An alias weighs what it stands for, so that a few lines cannot
/// unfold to gigabytes; it may not stand inside what it names. Keys are scalars, each once in a mapping; `<<` merges.
/// Scalars mean what YAML 1.2's core schema says (`no` is a text, as a language must be), as the Hub's own reader has it.
package enum YAMLReader {
    package struct Limits: Sendable {
        package var bytes = 256 << 10
        package var depth = 32
        package var weight = 1 << 20

        package init() {}
    }

    package static func read(_ bytes: [UInt8], limits: Limits = Limits()) throws(FormatError) -> JSONNode {
        guard bytes.count <= limits.bytes else { throw FormatError("The YAML has more than \(limits.bytes) bytes.") }
        let events = YAMLEvents(bytes)
        var builder = YAMLBuilder(limits)
        while let event = try events.next() {
            if let node = try builder.take(event) { return node }
        }
        return .null
    }
}

/// What libyaml tells of a document.
enum YAMLEvent {
    case scalar(String, isPlain: Bool, tag: String?, anchor: String?)
    case alias(String)
    case sequenceStart(anchor: String?)
    case mappingStart(anchor: String?)
    case end
    case documentEnd
    case other
}

/// libyaml's parser over bytes in memory. It refuses broken UTF-8 and bounds its own nesting.
private final class YAMLEvents {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutablePointer<UInt8>
    private var isAtEnd = false

    init(_ bytes: [UInt8]) {
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        input = .allocate(capacity: max(bytes.count, 1))
        input.initialize(from: bytes, count: bytes.count)
        // Without memory for its buffers it fails at the first event.
        isAtEnd = yaml_parser_initialize(parser) == 0
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, input, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        input.deallocate()
    }

    func next() throws(FormatError) -> YAMLEvent? {
        guard !isAtEnd else { return nil }
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else {
            isAtEnd = true
            let problem = parser.pointee.problem.map { String(cString: $0) } ?? "it cannot be read"
            throw FormatError("The YAML is broken at line \(parser.pointee.problem_mark.line + 1): \(problem).")
        }
        defer { yaml_event_delete(&event) }
        switch event.type {
        case YAML_STREAM_END_EVENT:
            isAtEnd = true
            return nil
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let text = scalar.value.map { String(decoding: UnsafeBufferPointer(start: $0, count: scalar.length), as: UTF8.self) }
            return .scalar(
                text ?? "", isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE, tag: Self.text(scalar.tag),
                anchor: Self.text(scalar.anchor))
        case YAML_ALIAS_EVENT: return .alias(Self.text(event.data.alias.anchor) ?? "")
        case YAML_SEQUENCE_START_EVENT: return .sequenceStart(anchor: Self.text(event.data.sequence_start.anchor))
        case YAML_MAPPING_START_EVENT: return .mappingStart(anchor: Self.text(event.data.mapping_start.anchor))
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: return .end
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        default: return .other
        }
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        pointer.map { String(cString: $0) }
    }
}
