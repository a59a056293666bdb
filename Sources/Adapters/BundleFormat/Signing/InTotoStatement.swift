import HubCore

/// An in-toto Statement v1 (in-toto/attestation, `spec/v1/statement.md`) about one file.
package struct InTotoStatement: Hashable, Sendable {
    package static let type = "https://in-toto.io/Statement/v1"

    package var subject: String
    package var sha256: ObjectID
    package var predicateType: String
    package var predicate: JSONNode

    package init(subject: String, sha256: ObjectID, predicateType: String, predicate: JSONNode) {
        self.subject = subject
        self.sha256 = sha256
        self.predicateType = predicateType
        self.predicate = predicate
    }

    package var canonicalBytes: [UInt8] {
        let digest: JSONNode = .object([JSONMember("sha256", .string(sha256.hex))])
        let file: JSONNode = .object([JSONMember("name", .string(subject)), JSONMember("digest", digest)])
        return CanonicalJSON.encode(
            .object([
                JSONMember("_type", .string(Self.type)), JSONMember("predicate", predicate),
                JSONMember("predicateType", .string(predicateType)),
                JSONMember("subject", .array([file])),
            ]))
    }

    /// Reads the payload of an envelope whose signatures are checked elsewhere.
    package init(
        parsing envelope: DSSEEnvelope, file: String, limits: JSONParser.Limits = .init(depth: 8, values: 10_000)
    ) throws(SigningError) {
        func invalid(_ reason: String) -> SigningError { .invalidSignatureFile(file: file, reason: reason) }
        guard envelope.payloadType == DSSEEnvelope.inToto else { throw invalid("holds a payload of another type") }
        let node: JSONNode
        do throws(JSONError) {
            node = try JSONParser.parse(envelope.payload, limits: limits)
        } catch {
            throw invalid("holds a statement that is not JSON of the expected shape")
        }
        guard node["_type"]?.string == Self.type else { throw invalid("holds no in-toto statement of version 1") }
        guard let subjects = node["subject"]?.elements, subjects.count == 1, let name = subjects[0]["name"]?.string,
            let digest = subjects[0]["digest"]?["sha256"]?.string.flatMap({ ObjectID(hex: $0) })
        else { throw invalid("does not speak of exactly one file by its SHA-256") }
        guard let predicateType = node["predicateType"]?.string else { throw invalid("does not say what it states") }
        self.init(subject: name, sha256: digest, predicateType: predicateType, predicate: node["predicate"] ?? .null)
    }
}
