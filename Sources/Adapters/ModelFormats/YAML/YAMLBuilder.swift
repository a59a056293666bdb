import HubCore

/// Puts a document together from its events, without recursion.
struct YAMLBuilder {
    /// A value with what it weighs.
    private struct Weighed {
        let node: JSONNode
        let weight: Int
        /// A plain scalar's text, which a key is.
        var key: String?
    }

    /// A collection that is still open.
    private struct Frame {
        let isMapping: Bool
        let anchor: String?
        var weight = YAMLBuilder.valueWeight
        var elements: [JSONNode] = []
        var members: [JSONMember] = []
        var names: Set<String> = []
        /// The key that waits for its value.
        var key: String?
        /// Mappings that `<<` names.
        var merged: [JSONNode] = []
    }

    private static let valueWeight = 16

    private let limits: YAMLReader.Limits
    private var frames: [Frame] = []
    private var anchors: [String: Weighed] = [:]

    init(_ limits: YAMLReader.Limits) { self.limits = limits }

    /// The document once it is whole.
    mutating func take(_ event: YAMLEvent) throws(FormatError) -> JSONNode? {
        switch event {
        case .scalar(let text, let isPlain, let tag, let anchor):
            let value = Weighed(
                node: YAMLScalar.node(text, isPlain: isPlain, tag: tag), weight: Self.valueWeight + text.utf8.count, key: text)
            return try add(value, anchor: anchor)
        case .alias(let name):
            guard let value = anchors[name] else { throw FormatError("The YAML names “\(name.shortened)”, which is not there yet.") }
            return try add(value, anchor: nil)
        case .sequenceStart(let anchor): try open(Frame(isMapping: false, anchor: anchor))
        case .mappingStart(let anchor): try open(Frame(isMapping: true, anchor: anchor))
        case .end:
            guard let frame = frames.popLast() else { return nil }
            return try add(Self.close(frame), anchor: frame.anchor)
        case .documentEnd: return .null
        case .other: break
        }
        return nil
    }

    private mutating func open(_ frame: Frame) throws(FormatError) {
        guard frames.count < limits.depth else { throw FormatError("The YAML is nested more than \(limits.depth) deep.") }
        frames.append(frame)
    }

    private static func close(_ frame: Frame) -> Weighed {
        guard frame.isMapping else { return Weighed(node: .array(frame.elements), weight: frame.weight) }
        var members = frame.members
        var names = frame.names
        for source in frame.merged {
            for member in source.members ?? [] where names.insert(member.name).inserted { members.append(member) }
        }
        return Weighed(node: .object(members), weight: frame.weight)
    }

    private mutating func add(_ value: Weighed, anchor: String?) throws(FormatError) -> JSONNode? {
        if let anchor { anchors[anchor] = value }
        guard var frame = frames.popLast() else { return value.node }
        frame.weight += value.weight
        guard frame.weight <= limits.weight else { throw FormatError("The YAML unfolds to more than \(limits.weight) bytes.") }
        if !frame.isMapping {
            frame.elements.append(value.node)
        } else if let key = frame.key {
            frame.key = nil
            if key == "<<" { frame.merged += value.node.elements ?? [value.node] } else { frame.members.append(JSONMember(key, value.node)) }
        } else {
            guard let key = value.key else { throw FormatError("The YAML has a key that is no text.") }
            guard key == "<<" || frame.names.insert(key).inserted else {
                throw FormatError("The YAML has the key “\(key.shortened)” twice.")
            }
            frame.key = key
        }
        frames.append(frame)
        return nil
    }
}

/// What a scalar means by YAML 1.2's core schema.
enum YAMLScalar {
    static func node(_ text: String, isPlain: Bool, tag: String?) -> JSONNode {
        if let tag {
            // Tags of its own make nothing but text.
            guard tag.hasPrefix("tag:yaml.org,2002:"), !tag.hasSuffix(":str"), tag != "!" else { return .string(text) }
            return plain(text)
        }
        return isPlain ? plain(text) : .string(text)
    }

    private static func plain(_ text: String) -> JSONNode {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: break
        }
        guard text.utf8.count <= 64, let first = text.utf8.first, isNumberStart(first) else { return .string(text) }
        return integer(text) ?? float(text) ?? .string(text)
    }

    private static func isNumberStart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."): true
        default: false
        }
    }

    private static func integer(_ text: String) -> JSONNode? {
        if text.hasPrefix("0x") { return Int64(text.dropFirst(2), radix: 16).map(JSONNode.integer) }
        if text.hasPrefix("0o") { return Int64(text.dropFirst(2), radix: 8).map(JSONNode.integer) }
        return Int64(text).map(JSONNode.integer)
    }

    private static func float(_ text: String) -> JSONNode? {
        // Swift would also read hexadecimal floats, `inf` and `nan`, which are words here.
        let isDecimal = text.utf8.allSatisfy { byte in
            isNumberStart(byte) || byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E")
        }
        guard isDecimal, text.utf8.contains(where: { (0x30...0x39).contains($0) }), let value = Double(text), value.isFinite else {
            return nil
        }
        return .number(value)
    }
}
