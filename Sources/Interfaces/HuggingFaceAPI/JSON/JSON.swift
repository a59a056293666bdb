import FoundationEssentials
import HubCore

/// A JSON document to be sent; objects keep the order of their members.
package typealias JSON = JSONNode

extension JSONNode {
    package init(_ number: Int) { self = .integer(Int64(number)) }
    package init(_ texts: [String]) { self = .array(texts.map(JSONNode.string)) }
    package init(_ date: Date) { self = .string(HubTime.text(date)) }
    /// `null` for nothing.
    package init(_ text: JSONText?) { self = text.map(JSONNode.raw) ?? .null }

    /// The object with another member at its end; anything else stays as it is.
    package func adding(_ name: String, _ value: JSONNode) -> JSONNode {
        guard case .object(let members) = self else { return self }
        return .object(members + [JSONMember(name, value)])
    }
}
