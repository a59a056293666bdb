import HubCore

extension TrustRoot {
    /// Reads a list of keys of strangers; its signatures are checked by `checkOwnSignatures` and `checkFollows`.
    package init(parsing bytes: [UInt8], file: String) throws(TrustError) {
        let envelope: DSSEEnvelope
        do throws(SigningError) {
            envelope = try DSSEEnvelope(parsing: bytes, file: file, maximumBytes: Self.maximumBytes)
        } catch {
            throw .invalidRoot(file: file, reason: "it is no envelope with signatures")
        }
        try self.init(envelope, file: file)
    }

    init(_ envelope: DSSEEnvelope, file: String) throws(TrustError) {
        guard envelope.payloadType == Self.payloadType else {
            throw .invalidRoot(file: file, reason: "it holds something else")
        }
        let content: Content
        do throws(BundleError) { content = try Content(parsing: envelope.payload, file: file) } catch {
            throw .invalidRoot(file: file, reason: Self.reason(of: error))
        }
        self.content = content
        self.envelope = envelope
    }

    private static func reason(of error: BundleError) -> String {
        switch error {
        case .invalidDocument(_, let place, let reason): "\(place) \(reason)"
        case .unknownFormat(let schema): "its format is \(schema), which this version does not read"
        default: "it cannot be read"
        }
    }
}

extension TrustRoot.Content {
    package var canonicalBytes: [UInt8] {
        CanonicalJSON.encode(
            .object([
                JSONMember("schema", .string(TrustRoot.schema)), JSONMember("publisher", .string(publisher)),
                JSONMember("version", .integer(Int64(version))), JSONMember("keys", .object(keyMembers)),
                JSONMember("roles", .object(roleMembers)),
                JSONMember("revoked", .object(revokedMembers)),
            ]))
    }

    private var keyMembers: [JSONMember] {
        keys.sorted { $0.key < $1.key }.map { id, key in
            JSONMember(
                id,
                .object([
                    JSONMember("algorithm", .string(key.algorithm.rawValue)),
                    JSONMember("public_key", .string(key.publicKeyPEM)),
                ]))
        }
    }

    private var roleMembers: [JSONMember] {
        TrustRoot.Role.allCases.compactMap { role in
            guard let signers = signers[role] else { return nil }
            let ids: JSONNode = .array(signers.keyIDs.sorted().map(JSONNode.string))
            return JSONMember(
                role.rawValue,
                .object([JSONMember("keys", ids), JSONMember("threshold", .integer(Int64(signers.threshold)))]))
        }
    }

    private var revokedMembers: [JSONMember] {
        revoked.sorted { $0.key < $1.key }.map { JSONMember($0.key, .string($0.value)) }
    }

    init(parsing bytes: [UInt8], file: String) throws(BundleError) {
        let fields = try DocumentFields(
            try CanonicalJSON.parse(bytes, file: file, maximumBytes: TrustRoot.maximumBytes), file: file, place: "")
        let schema = try fields.text("schema", maximumBytes: 64)
        guard schema == TrustRoot.schema else { throw .unknownFormat(schema) }
        publisher = try fields.text("publisher", maximumBytes: 64)
        guard BundleManifest.isName(publisher) else { throw fields.fault("publisher", "is no name of a publisher") }
        version = Int(try fields.number("version", in: 1...Int64(TrustRoot.maximumVersion)))
        keys = try Self.keys(fields)
        revoked = try Self.revoked(fields)
        signers = try Self.signers(fields, keys: keys, revoked: revoked)
    }

    private static func keys(_ fields: DocumentFields) throws(BundleError) -> [String: SignerKey] {
        let members = fields.node("keys")?.members ?? []
        guard members.count <= TrustRoot.maximumKeys else {
            throw .tooLarge(what: "keys", limit: "\(TrustRoot.maximumKeys) keys")
        }
        var keys: [String: SignerKey] = [:]
        for member in members {
            guard let pem = member.value["public_key"]?.string else {
                throw fields.fault("keys", "has an entry without a key")
            }
            let key: SignerKey
            do throws(SigningError) { key = try SignerKey(pem: pem) } catch {
                throw fields.fault("keys", "has a key that cannot be used")
            }
            // The name of a key is computed, never believed; so no key has two.
            guard key.keyID == member.name, key.publicKeyPEM == pem,
                member.value["algorithm"]?.string == key.algorithm.rawValue
            else {
                throw fields.fault("keys", "names a key by something else than its hash")
            }
            keys[key.keyID] = key
        }
        return keys
    }

    private static func revoked(_ fields: DocumentFields) throws(BundleError) -> [String: String] {
        let members = fields.node("revoked")?.members ?? []
        guard members.count <= 1000 else { throw .tooLarge(what: "revoked", limit: "1000 keys") }
        var revoked: [String: String] = [:]
        for member in members {
            // It stands in messages even where nobody trusts the list, so it is one line.
            guard ObjectID(hex: member.name) != nil, let reason = member.value.string, reason.utf8.count <= 400,
                reason.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
            else {
                throw fields.fault("revoked", "has an entry that is no key with a reason")
            }
            revoked[member.name] = reason
        }
        return revoked
    }

    private static func signers(
        _ fields: DocumentFields, keys: [String: SignerKey], revoked: [String: String]
    ) throws(BundleError) -> [TrustRoot.Role: TrustRoot.Signers] {
        guard let roles = try fields.fields("roles") else { throw fields.fault("roles", "is missing") }
        var signers: [TrustRoot.Role: TrustRoot.Signers] = [:]
        for role in TrustRoot.Role.allCases {
            guard let entry = try roles.fields(role.rawValue) else { continue }
            let ids = try entry.texts("keys", maximumCount: TrustRoot.maximumKeys)
            let threshold = Int(try entry.number("threshold", in: 1...Int64(TrustRoot.maximumKeys)))
            guard Set(ids).count == ids.count, ids.allSatisfy({ keys[$0] != nil }) else {
                throw entry.fault("keys", "names a key twice or one that is not listed")
            }
            guard ids.allSatisfy({ revoked[$0] == nil }) else {
                throw entry.fault("keys", "names a key that is revoked")
            }
            guard threshold <= ids.count else { throw entry.fault("threshold", "wants more keys than there are") }
            signers[role] = TrustRoot.Signers(keyIDs: Set(ids), threshold: threshold)
        }
        guard signers[.root] != nil, signers[.bundles] != nil else {
            throw fields.fault("roles", "lacks “root” or “bundles”")
        }
        return signers
    }
}
