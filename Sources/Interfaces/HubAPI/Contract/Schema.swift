/// The shape of a JSON value: the part of JSON Schema 2020-12 that the API uses, as OpenAPI 3.1 embeds it.
///
/// The same value is printed into the OpenAPI document and checks every request body, so the two cannot differ.
package indirect enum Schema: Hashable, Sendable {
    /// Text of at most `maximumLength` characters. `format` is one of JSON Schema's or of ours (`id`).
    case string(format: String?, maximumLength: Int?)
    /// One of a fixed set of words.
    case word([String])
    case integer(minimum: Int64?, maximum: Int64?)
    case boolean
    case array(Schema, maximumCount: Int?)
    /// An object whose keys are data.
    case map(Schema)
    case object(ObjectSchema)
    /// The value, or `null`.
    case nullable(Schema)
    /// Exactly one of several objects, told apart by their required members.
    case oneOf([Schema])
    case any
}

/// An object with known members. One with a name is a component of the OpenAPI document.
package struct ObjectSchema: Hashable, Sendable {
    package let name: String
    package let summary: String
    package let fields: [SchemaField]
}

/// A member of an object.
package struct SchemaField: Hashable, Sendable {
    package let name: String
    package let schema: Schema
    package let summary: String
    package let isRequired: Bool

    static func required(_ name: String, _ schema: Schema, _ summary: String) -> SchemaField {
        SchemaField(name: name, schema: schema, summary: summary, isRequired: true)
    }

    static func optional(_ name: String, _ schema: Schema, _ summary: String) -> SchemaField {
        SchemaField(name: name, schema: schema, summary: summary, isRequired: false)
    }
}

extension Schema {
    static let text = Schema.string(format: nil, maximumLength: nil)
    static let id = Schema.string(format: "id", maximumLength: 20)
    static let time = Schema.string(format: "date-time", maximumLength: nil)
    static let count = Schema.integer(minimum: 0, maximum: nil)

    static func text(atMost length: Int) -> Schema { .string(format: nil, maximumLength: length) }

    static func words<Word: CaseIterable & RawRepresentable>(of type: Word.Type) -> Schema
    where Word.RawValue == String {
        .word(type.allCases.map(\.rawValue))
    }

    static func list(of schema: Schema) -> Schema { .array(schema, maximumCount: nil) }

    static func object(_ name: String, _ summary: String, _ fields: [SchemaField]) -> Schema {
        .object(ObjectSchema(name: name, summary: summary, fields: fields))
    }
}

// MARK: - As JSON

extension Schema {
    /// The schema as a document shows it: named objects by `$ref`.
    package var json: JSONValue {
        switch self {
        case .string(let format, let maximumLength):
            var members: [String: JSONValue] = ["type": "string"]
            if let format { members["format"] = .string(format) }
            if let maximumLength { members["maxLength"] = .integer(Int64(maximumLength)) }
            return .object(members)
        case .word(let words): return ["type": "string", "enum": .array(words.map { .string($0) })]
        case .integer(let minimum, let maximum):
            var members: [String: JSONValue] = ["type": "integer", "format": "int64"]
            if let minimum { members["minimum"] = .integer(minimum) }
            if let maximum { members["maximum"] = .integer(maximum) }
            return .object(members)
        case .boolean: return ["type": "boolean"]
        case .array(let element, let maximumCount):
            var members: [String: JSONValue] = ["type": "array", "items": element.json]
            if let maximumCount { members["maxItems"] = .integer(Int64(maximumCount)) }
            return .object(members)
        case .map(let value): return ["type": "object", "additionalProperties": value.json]
        case .object(let object): return ["$ref": .string("#/components/schemas/\(object.name)")]
        case .nullable(let schema): return ["anyOf": [schema.json, ["type": "null"]]]
        case .oneOf(let schemas): return ["oneOf": .array(schemas.map(\.json))]
        case .any: return [:]
        }
    }

    /// Every named object in it, itself included.
    package var namedObjects: [ObjectSchema] {
        switch self {
        case .string, .word, .integer, .boolean, .any: []
        case .array(let schema, _), .map(let schema), .nullable(let schema): schema.namedObjects
        case .oneOf(let schemas): schemas.flatMap(\.namedObjects)
        case .object(let object): [object] + object.fields.flatMap(\.schema.namedObjects)
        }
    }
}

extension ObjectSchema {
    /// The component itself.
    package var json: JSONValue {
        var properties: [String: JSONValue] = [:]
        for field in fields {
            properties[field.name] = field.schema.json.describing(field.summary)
        }
        var members: [String: JSONValue] = [
            "type": "object", "description": .string(summary), "properties": .object(properties),
            "additionalProperties": false,
        ]
        let required = fields.filter(\.isRequired).map { JSONValue.string($0.name) }
        if !required.isEmpty { members["required"] = .array(required) }
        return .object(members)
    }
}

extension JSONValue {
    fileprivate func describing(_ text: String) -> JSONValue {
        guard case .object(var members) = self, !text.isEmpty else { return self }
        members["description"] = .string(text)
        return .object(members)
    }
}
