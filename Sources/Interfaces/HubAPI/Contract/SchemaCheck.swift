import HubCore

extension Schema {
    /// The first reason why `value` does not have this shape, in words that name the member; `nil` when it has.
    package func complaint(about value: JSONValue, at place: String = "") -> String? {
        switch (self, value) {
        case (.any, _), (.boolean, .bool), (.nullable, .null): return nil
        case (.nullable(let schema), _): return schema.complaint(about: value, at: place)
        case (.string(let format, let maximumLength), .string(let text)):
            return Self.complaint(about: text, format: format, maximumLength: maximumLength, at: place)
        case (.word(let words), .string(let text)):
            if words.contains(text) { return nil }
            return "\(Self.subject(place)) is one of \(words.joined(separator: ", ")), not “\(text.shortened)”."
        case (.integer(let minimum, let maximum), .integer(let number)):
            if let minimum, number < minimum { return "\(Self.subject(place)) is at least \(minimum)." }
            if let maximum, number > maximum { return "\(Self.subject(place)) is at most \(maximum)." }
            return nil
        case (.array(let element, let maximumCount), .array(let values)):
            if let maximumCount, values.count > maximumCount {
                return "\(Self.subject(place)) has at most \(maximumCount) elements."
            }
            for (index, value) in values.enumerated() {
                if let complaint = element.complaint(about: value, at: "\(place)[\(index)]") { return complaint }
            }
            return nil
        case (.map(let schema), .object(let members)):
            for (key, value) in members {
                if let complaint = schema.complaint(about: value, at: Self.join(place, key)) { return complaint }
            }
            return nil
        case (.object(let object), .object(let members)): return object.complaint(about: members, at: place)
        case (.oneOf(let schemas), .object):
            let complaints = schemas.map { $0.complaint(about: value, at: place) }
            let matches = complaints.filter { $0 == nil }.count
            return matches == 1
                ? nil : "\(Self.subject(place)) matches \(matches) of the possible forms; it must match one."
        case (.string, _), (.word, _), (.integer, _), (.boolean, _), (.array, _), (.map, _), (.object, _), (.oneOf, _):
            return "\(Self.subject(place)) is \(expectedName), not \(value.typeName)."
        }
    }

    private static func complaint(about text: String, format: String?, maximumLength: Int?, at place: String) -> String?
    {
        if let maximumLength, text.utf8.count > maximumLength {
            return "\(subject(place)) has at most \(maximumLength) bytes."
        }
        switch format {
        case "id":
            return Int64(text).map { $0 > 0 } ?? false ? nil : "\(subject(place)) is an id: a number above 0, as text."
        case "date-time":
            return JSONForm.time(text) != nil ? nil : "\(subject(place)) is a time such as 2026-01-31T12:00:00Z."
        default: return nil
        }
    }

    private var expectedName: String {
        switch self {
        case .string, .word: "a string"
        case .integer: "an integer"
        case .boolean: "a boolean"
        case .array: "an array"
        case .map, .object, .oneOf: "an object"
        case .nullable(let schema): schema.expectedName + " or null"
        case .any: "anything"
        }
    }

    fileprivate static func join(_ place: String, _ key: String) -> String {
        place.isEmpty ? key.shortened : "\(place).\(key.shortened)"
    }
    fileprivate static func subject(_ place: String) -> String { place.isEmpty ? "The body" : "“\(place)”" }
}

extension ObjectSchema {
    fileprivate func complaint(about members: [String: JSONValue], at place: String) -> String? {
        var unknown = Set(members.keys)
        for field in fields {
            unknown.remove(field.name)
            guard let value = members[field.name] else {
                if field.isRequired { return "“\(Schema.join(place, field.name))” is missing." }
                continue
            }
            if let complaint = field.schema.complaint(about: value, at: Schema.join(place, field.name)) {
                return complaint
            }
        }
        guard let extra = unknown.min() else { return nil }
        return "“\(Schema.join(place, extra))” is not known here. Known: \(fields.map(\.name).joined(separator: ", "))."
    }
}
