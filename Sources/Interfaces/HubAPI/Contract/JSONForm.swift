import FoundationEssentials
import HubCore
import NIOCore

/// A body of the API: a struct beside its route with the shape that the OpenAPI document shows.
package protocol APIModel: Codable, Sendable {
    static var schema: Schema { get }
}

/// How the API writes JSON: `snake_case`, RFC 3339 UTC times, sorted members, so that equal values have equal text.
package enum JSONForm {
    package static func encode(_ value: some Encodable, isPretty: Bool = false) throws -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting =
            isPretty ? [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted] : [.sortedKeys, .withoutEscapingSlashes]
        return ByteBuffer(bytes: try encoder.encode(value))
    }

    package static func text(_ value: some Encodable) throws -> String { String(buffer: try encode(value)) }

    package static func decode<Value: Decodable>(_ type: Value.Type, from bytes: ByteBuffer) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        decoder.dateDecodingStrategy = .iso8601
        return try decoder.decode(type, from: Data(bytes.readableBytesView))
    }

    /// Reads a request's body: JSON of the model's schema, or a refusal that names the member at fault.
    static func decodeChecked<Model: APIModel>(_ type: Model.Type, from bytes: ByteBuffer) throws -> Model {
        let value: JSONValue
        do {
            value = try JSONDecoder().decode(JSONValue.self, from: Data(bytes.readableBytesView))
        } catch {
            throw ProblemError(.invalid, code: "invalid_json", "The body is not JSON.")
        }
        if let complaint = Model.schema.complaint(about: value) {
            throw ProblemError(.invalid, code: "invalid_body", complaint)
        }
        do {
            return try decode(type, from: bytes)
        } catch {
            throw ProblemError(.invalid, code: "invalid_body", "The body does not have the documented form.")
        }
    }

    /// An RFC 3339 UTC time, whole seconds: `2026-01-31T12:00:00Z`.
    package static func time(_ text: String) -> Date? {
        do { return try Date(text, strategy: .iso8601) } catch { return nil }
    }

    package static func text(of time: Date) -> String { time.formatted(.iso8601) }
}

/// An optional member that is written as `null` when absent, as the API's rules say.
@propertyWrapper
package struct OrNull<Value: Codable & Sendable>: Codable, Sendable {
    package var wrappedValue: Value?

    package init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        wrappedValue = container.decodeNil() ? nil : try container.decode(Value.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
    }
}

extension OrNull: Equatable where Value: Equatable {}

/// A member of a `PATCH`: left out, set to `null`, or set to a value.
package enum PatchField<Value: Codable & Sendable>: Codable, Sendable {
    case keep
    case clear
    case set(Value)

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        self = container.decodeNil() ? .clear : .set(try container.decode(Value.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .keep, .clear: try container.encodeNil()
        case .set(let value): try container.encode(value)
        }
    }

    /// `keep` for `nil`.
    package init(_ value: Value?) { self = value.map { .set($0) } ?? .keep }
}

extension KeyedDecodingContainer {
    package func decode<Value>(_ type: OrNull<Value>.Type, forKey key: Key) throws -> OrNull<Value> {
        try decodeIfPresent(type, forKey: key) ?? OrNull(wrappedValue: nil)
    }

    package func decode<Value>(_ type: PatchField<Value>.Type, forKey key: Key) throws -> PatchField<Value> {
        guard contains(key) else { return .keep }
        return try decodeNil(forKey: key) ? .clear : .set(decode(Value.self, forKey: key))
    }
}

extension KeyedEncodingContainer {
    package mutating func encode<Value>(_ field: PatchField<Value>, forKey key: Key) throws {
        switch field {
        case .keep: break
        case .clear: try encodeNil(forKey: key)
        case .set(let value): try encode(value, forKey: key)
        }
    }
}

/// A page of a list: `{"items": […], "next": "…"}`.
package struct ListPage<Item: APIModel>: APIModel {
    package let items: [Item]
    /// Pass it as `cursor` for the next page; `null` on the last.
    @OrNull package var next: String? = nil

    package init(items: [Item], next: String?) {
        self.items = items
        _next = OrNull(wrappedValue: next)
    }

    package static var schema: Schema {
        let itemName = Item.schema.namedObjects.first?.name ?? "Item"
        return .object(
            "\(itemName)Page", "A page of a list.",
            [
                .required("items", .list(of: Item.schema), ""),
                .required("next", .nullable(.text), "Pass it as `cursor` for the next page; null on the last."),
            ])
    }
}
