import HubCore

/// A DSSE envelope (secure-systems-lab/dsse, `envelope.md`): a payload with its type and signatures over both.
///
/// Signatures cover the pre-authentication encoding `DSSEv1 <length> <type> <length> <payload>`, so `openssl pkeyutl -verify -rawin`
/// checks them once that text is written to a file.
package struct DSSEEnvelope: Hashable, Sendable {
    package struct Signature: Hashable, Sendable {
        /// `SignerKey.keyID`; no more than a hint of which key to try, empty where others left it out.
        package var keyID: String
        package var bytes: [UInt8]

        package init(keyID: String, bytes: [UInt8]) {
            self.keyID = keyID
            self.bytes = bytes
        }
    }

    package static let inToto = "application/vnd.in-toto+json"
    package static let maximumBytes = 1 << 20
    package static let maximumSignatures = 16

    package var payloadType: String
    package var payload: [UInt8]
    package var signatures: [Signature]

    package init(payloadType: String, payload: [UInt8], signatures: [Signature] = []) {
        self.payloadType = payloadType
        self.payload = payload
        self.signatures = signatures
    }

    /// What is signed.
    package var signedBytes: [UInt8] {
        Array("DSSEv1 \(payloadType.utf8.count) \(payloadType) \(payload.count) ".utf8) + payload
    }

    /// Adds a signature, or puts it in the place of an earlier one of the same key.
    package mutating func sign(with key: SigningKey) throws(SigningError) {
        let signature = Signature(keyID: key.publicKey.keyID, bytes: try key.sign(signedBytes))
        signatures.removeAll { $0.keyID == signature.keyID }
        signatures.append(signature)
    }

    package func signed(with key: SigningKey) throws(SigningError) -> DSSEEnvelope {
        var copy = self
        try copy.sign(with: key)
        return copy
    }
}

extension DSSEEnvelope {
    package var node: JSONNode {
        let members: [JSONNode] = signatures.map { signature in
            .object([
                JSONMember("keyid", .string(signature.keyID)),
                JSONMember("sig", .string(Base64Text.encode(signature.bytes))),
            ])
        }
        return .object([
            JSONMember("payload", .string(Base64Text.encode(payload))), JSONMember("payloadType", .string(payloadType)),
            JSONMember("signatures", .array(members)),
        ])
    }

    package var bytes: [UInt8] { CanonicalJSON.encode(node) }

    /// Reads an envelope of strangers, within bounds.
    package init(parsing bytes: [UInt8], file: String, maximumBytes: Int = Self.maximumBytes) throws(SigningError) {
        guard bytes.count <= maximumBytes else {
            throw .invalidSignatureFile(file: file, reason: "is longer than \(maximumBytes) bytes")
        }
        let node: JSONNode
        do throws(JSONError) {
            node = try JSONParser.parse(bytes, limits: JSONParser.Limits(depth: 8, values: 200))
        } catch {
            throw .invalidSignatureFile(file: file, reason: "is not JSON of the expected shape")
        }
        try self.init(node, file: file)
    }

    init(_ node: JSONNode, file: String) throws(SigningError) {
        func invalid(_ reason: String) -> SigningError { .invalidSignatureFile(file: file, reason: reason) }
        guard let type = node["payloadType"]?.string, type.utf8.count <= 200 else {
            throw invalid("has no payload type")
        }
        guard let payload = node["payload"]?.string.flatMap(Base64Text.decode) else {
            throw invalid("has no payload in base 64")
        }
        guard let elements = node["signatures"]?.elements else { throw invalid("has no list of signatures") }
        guard elements.count <= Self.maximumSignatures else {
            throw invalid("has more than \(Self.maximumSignatures) signatures")
        }
        var signatures: [Signature] = []
        for element in elements {
            guard let bytes = element["sig"]?.string.flatMap(Base64Text.decode), bytes.count <= 512 else {
                throw invalid("has a signature that is not base 64")
            }
            let keyID = element["keyid"]?.string ?? ""
            guard keyID.utf8.count <= 200 else { throw invalid("has a key id that is too long") }
            signatures.append(Signature(keyID: keyID, bytes: bytes))
        }
        self.init(payloadType: type, payload: payload, signatures: signatures)
    }
}
