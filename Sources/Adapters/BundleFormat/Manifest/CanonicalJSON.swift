import HubCore

/// Canonical JSON as RFC 8785 (JCS) has it, for documents that are hashed and signed: members sorted by the UTF-16 of their names, no
/// white space, the shortest escapes, whole numbers only.
///
/// The bundle format uses no fractions, so numbers are integers within ±(2⁵³ − 1), which every reader keeps exactly.
package enum CanonicalJSON {
    package static let maximumInteger: Int64 = 9_007_199_254_740_991

    package static func encode(_ node: JSONNode) -> [UInt8] { sorted(node).utf8 }

    /// The value of a document that must be canonical: other spellings of the same value are refused, so that one value has one hash.
    /// - Throws: `BundleError.invalidDocument`, `.tooLarge`.
    package static func parse(_ bytes: [UInt8], file: String, maximumBytes: Int) throws(BundleError) -> JSONNode {
        guard bytes.count <= maximumBytes else { throw .tooLarge(what: file, limit: "\(maximumBytes >> 20) MiB") }
        let node: JSONNode
        do throws(JSONError) {
            node = try JSONParser.parse(bytes, limits: JSONParser.Limits(depth: 16, values: 4_000_000))
        } catch {
            // A sentence that becomes a part of one.
            let reason = error.problem.message.hasSuffix(".") ? String(error.problem.message.dropLast()) : error.problem.message
            throw .invalidDocument(file: file, place: "the text", reason: "cannot be read: \(reason)")
        }
        guard hasOnlyIntegers(node), encode(node) == bytes else {
            throw .invalidDocument(file: file, place: "the text", reason: "is not canonical JSON (RFC 8785)")
        }
        return node
    }

    private static func sorted(_ node: JSONNode) -> JSONNode {
        switch node {
        case .array(let values): .array(values.map(sorted))
        case .object(let members):
            .object(
                members.sorted { $0.name.utf16.lexicographicallyPrecedes($1.name.utf16) }
                    .map { JSONMember($0.name, sorted($0.value)) })
        case .null, .bool, .integer, .number, .string, .raw: node
        }
    }

    private static func hasOnlyIntegers(_ node: JSONNode) -> Bool {
        switch node {
        case .null, .bool, .string: true
        case .integer(let value): value.magnitude <= UInt64(maximumInteger)
        case .number, .raw: false
        case .array(let values): values.allSatisfy(hasOnlyIntegers)
        // A name that comes twice would make two readers see two documents.
        case .object(let members):
            Set(members.map(\.name)).count == members.count && members.allSatisfy { hasOnlyIntegers($0.value) }
        }
    }
}
