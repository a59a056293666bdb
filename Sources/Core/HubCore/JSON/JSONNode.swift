/// A JSON value that keeps the order of its members, for what others wrote and what is made of it: cards, headers of model files,
/// answers of the Hub API.
package enum JSONNode: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONNode])
    case object([JSONMember])
    /// Text that is JSON already, written as it is.
    case raw(JSONText)
}

/// A name and its value in an object.
package struct JSONMember: Hashable, Sendable {
    package let name: String
    package let value: JSONNode

    package init(_ name: String, _ value: JSONNode) {
        self.name = name
        self.value = value
    }
}

/// A text that is known to be valid JSON, because this program wrote it.
package struct JSONText: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// Text that the database already holds.
    package init(trusted text: String) { self.text = text }

    package init(_ node: JSONNode) { text = node.text }

    /// The value; what this program wrote is within the bounds of `JSONParser`.
    package var node: JSONNode? { try? JSONParser.parse(text) }  // Not readable means: treat as absent.

    package var description: String { text }
}

extension JSONNode: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(arrayLiteral elements: JSONNode...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONNode)...) {
        self = .object(elements.map { JSONMember($0.0, $0.1) })
    }

    /// `null` for nothing.
    package init(_ text: String?) { self = text.map(JSONNode.string) ?? .null }
}

extension JSONNode {
    /// A member of an object, the last one of that name; `nil` for anything else.
    package subscript(_ name: String) -> JSONNode? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.name == name }?.value
    }

    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    package var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    package var integer: Int64? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int64(exactly: value)
        case .null, .bool, .string, .array, .object, .raw: nil
        }
    }

    package var elements: [JSONNode]? {
        guard case .array(let values) = self else { return nil }
        return values
    }

    package var members: [JSONMember]? {
        guard case .object(let values) = self else { return nil }
        return values
    }

    /// The strings of an array, or the one string; empty for anything else.
    package var strings: [String] {
        switch self {
        case .string(let text): [text]
        case .array(let values): values.compactMap(\.string)
        case .null, .bool, .integer, .number, .object, .raw: []
        }
    }
}
