import HubCore

/// Whom a publisher lets sign: `trust/root.<N>.json` on a medium, a DSSE envelope around canonical JSON.
///
/// Version 1 is pinned by a person who compares its fingerprint. Each later one is signed by as many keys as the version before wants and by
/// as many as it wants itself (the idea of TUF's root role; nothing here depends on a clock). A key that one version revokes stays revoked.
package struct TrustRoot: Hashable, Sendable {
    package static let schema = "hubbundle-root/1"
    package static let payloadType = "application/vnd.csghub.trust-root+json"
    package static let maximumBytes = 256 << 10
    package static let maximumVersion = 256
    static let maximumKeys = 32

    package enum Role: String, Hashable, Sendable, CaseIterable {
        /// Signs the next version of this list.
        case root
        /// Signs bundles.
        case bundles
        /// Signs models by the OpenSSF's specification.
        case models
    }

    /// Which keys act in a role, and how many of them must.
    package struct Signers: Hashable, Sendable {
        package var keyIDs: Set<String>
        package var threshold: Int

        package init(_ keys: [SignerKey], threshold: Int = 1) {
            keyIDs = Set(keys.map(\.keyID))
            self.threshold = threshold
        }

        init(keyIDs: Set<String>, threshold: Int) {
            self.keyIDs = keyIDs
            self.threshold = threshold
        }
    }

    /// What is signed.
    package struct Content: Hashable, Sendable {
        /// As `BUNDLE.json` names it.
        package var publisher: String
        package var version: Int
        package var keys: [String: SignerKey]
        package var signers: [Role: Signers]
        /// Key ids that never count again, with the reason.
        package var revoked: [String: String]

        package init(
            publisher: String, version: Int, keys: [SignerKey], signers: [Role: Signers],
            revoked: [String: String] = [:]
        ) {
            self.publisher = publisher
            self.version = version
            self.keys = Dictionary(keys.map { ($0.keyID, $0) }) { first, _ in first }
            self.signers = signers
            self.revoked = revoked
        }

        /// The first list of a publisher who has one key for bundles and perhaps one for models.
        package static func first(publisher: String, key: SignerKey, models: SignerKey? = nil) -> Content {
            var content = Content(
                publisher: publisher, version: 1, keys: [key],
                signers: [.root: Signers([key]), .bundles: Signers([key])])
            if let models {
                content.keys[models.keyID] = models
                content.signers[.models] = Signers([models])
            }
            return content
        }

        package func keys(of role: Role) -> [SignerKey] {
            (signers[role]?.keyIDs ?? []).sorted().compactMap { keys[$0] }
        }
    }

    package let content: Content
    package let envelope: DSSEEnvelope

    /// Signs a list; more signatures can be added to `envelope` elsewhere.
    package init(_ content: Content, signedBy keys: [SigningKey]) throws {
        var envelope = DSSEEnvelope(payloadType: Self.payloadType, payload: content.canonicalBytes)
        for key in keys { try envelope.sign(with: key) }
        // What we write we must be able to read.
        try self.init(envelope, file: Self.fileName(content.version))
    }

    package var publisher: String { content.publisher }
    package var version: Int { content.version }
    package var bytes: [UInt8] { envelope.bytes }

    package static func fileName(_ version: Int) -> String { "root.\(version).json" }

    /// What people compare, 64 hex digits: the id of the root's only key, or the hash of the whole list where several keys share the role.
    ///
    /// A list that a stranger made with that one key in it does not have the signature that `checkOwnSignatures` wants.
    package var fingerprintHex: String {
        if let signers = content.signers[.root], signers.keyIDs.count == 1, let only = signers.keyIDs.first {
            return only
        }
        return DocumentDigest.sha256(envelope.payload).hex
    }

    package var fingerprint: String { Fingerprint.text(fingerprintHex) }

    /// Whether as many of its own root keys signed it as it wants.
    package func checkOwnSignatures() throws(TrustError) { try check(by: content, which: "its own keys") }

    /// Checks that this list follows `former`.
    package func checkFollows(_ former: TrustRoot, locallyRevoked: Set<String> = []) throws(TrustError) {
        guard version == former.version + 1 else {
            throw .missingRoot(publisher: publisher, version: former.version + 1)
        }
        guard publisher == former.publisher else { throw unsigned("it is of another publisher") }
        try check(by: former.content, which: "the keys of version \(former.version)", except: locallyRevoked)
        try checkOwnSignatures()
        guard former.content.revoked.keys.allSatisfy({ content.revoked[$0] != nil }) else {
            throw unsigned("it takes back a revocation of version \(former.version)")
        }
    }

    /// How many more signatures it needs, by its own keys or those of `former`, whichever lack more.
    package func missingSignatures(after former: TrustRoot?) throws(TrustError) -> Int {
        var missing = 0
        for content in [content] + (former.map { [$0.content] } ?? []) {
            guard let signers = content.signers[.root] else { continue }
            missing = max(missing, signers.threshold - (try Self.valid(envelope, by: content, role: .root).count))
        }
        return missing
    }

    private func check(by content: Content, which: String, except revoked: Set<String> = []) throws(TrustError) {
        guard let signers = content.signers[.root] else { throw unsigned("nobody may sign it") }
        let valid = try Self.valid(envelope, by: content, role: .root).filter { !revoked.contains($0.keyID) }
        guard valid.count >= signers.threshold else {
            throw unsigned("of \(which) \(signers.threshold) must sign it and \(valid.count) did")
        }
    }

    private func unsigned(_ reason: String) -> TrustError {
        .unsignedRoot(publisher: publisher, version: version, reason: reason)
    }

    /// The keys of a role that signed an envelope, each once.
    /// - Throws: `.wrongSignature` where a signature names such a key and is not by it.
    static func valid(_ envelope: DSSEEnvelope, by content: Content, role: Role) throws(TrustError) -> Set<SignerKey> {
        var valid: Set<SignerKey> = []
        let message = envelope.signedBytes
        for signature in envelope.signatures {
            guard content.signers[role]?.keyIDs.contains(signature.keyID) == true,
                let key = content.keys[signature.keyID]
            else { continue }
            guard key.verifies(signature.bytes, of: message) else { throw .wrongSignature(keyID: signature.keyID) }
            valid.insert(key)
        }
        return valid
    }
}
