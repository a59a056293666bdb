import HubCore

/// What a publisher signs bundles with: its keys and its lists of keys.
package struct PublisherIdentity: Sendable {
    package let publisher: String
    /// Those that sign bundles here; more may sign later where a threshold wants it.
    package let keys: [SigningKey]
    /// Signs models by the OpenSSF's specification; P-256 or P-384.
    package let modelKey: SigningKey?
    /// Version 1 to the newest.
    package let roots: [TrustRoot]

    package init(publisher: String, keys: [SigningKey], modelKey: SigningKey?, roots: [TrustRoot]) {
        self.publisher = publisher
        self.keys = keys
        self.modelKey = modelKey
        self.roots = roots
    }

    /// A publisher with one key and the first list that follows from it: made twice, it has the same fingerprint.
    package static func make(publisher: String, key: SigningKey, modelKey: SigningKey?) throws -> PublisherIdentity {
        let content = TrustRoot.Content.first(publisher: publisher, key: key.publicKey, models: modelKey?.publicKey)
        return PublisherIdentity(
            publisher: publisher, keys: [key], modelKey: modelKey, roots: [try TrustRoot(content, signedBy: [key])])
    }

    /// What people compare before they trust this publisher; `nil` only without a list of keys.
    package var fingerprint: String? { roots.first?.fingerprint }

    /// Signs a manifest that names this publisher.
    /// - Throws: `SigningError`, `TrustError.foreignKey` for the manifest of another.
    package func sign(_ manifest: BundleManifest, bytes: [UInt8]) throws -> SignedDocuments {
        guard manifest.publisher == publisher else { throw TrustError.foreignKey(publisher: manifest.publisher) }
        let id = BundleID(manifest: DocumentDigest.sha256(bytes))
        let comment = "bundle \(id) of \(publisher), \(manifest.stream) \(manifest.sequence)"
        let envelope = try BundleSignature.envelope(for: manifest, bytes: bytes, keys: keys)
        let minisign = try keys.first { $0.algorithm == .ed25519 }.map {
            try MinisignSignature.make(of: bytes, key: $0, comment: comment)
        }
        return SignedDocuments(
            envelope: envelope, minisign: minisign, roots: roots, custody: try firstStatement(manifest, DocumentDigest.sha256(bytes)))
    }

    /// The statement of who made the bundle, as the manifest says it.
    private func firstStatement(_ manifest: BundleManifest, _ digest: ObjectID) throws(SigningError) -> CustodyStatement? {
        guard let key = keys.first, let step = manifest.custody.first, CustodyStatement.isStep(step.step) else { return nil }
        let facts = CustodyStatement.Facts(
            step: step.step, host: step.host, operator: step.operator, tool: "csghub \(HubVersion.text)", time: manifest.created)
        return try CustodyStatement.make(facts, after: nil, manifest: digest, key: key)
    }

    /// Signs the statement of a further step.
    package func sign(
        _ facts: CustodyStatement.Facts, after former: CustodyStatement?, manifest: ObjectID
    ) throws(SigningError) -> CustodyStatement? {
        guard let key = keys.first else { return nil }
        return try CustodyStatement.make(facts, after: former, manifest: manifest, key: key)
    }

    /// Signs another document of this publisher: a receipt, an inventory.
    package func sign(_ payload: [UInt8], type: String) throws(SigningError) -> DSSEEnvelope {
        var envelope = DSSEEnvelope(payloadType: type, payload: payload)
        for key in keys { try envelope.sign(with: key) }
        return envelope
    }

    /// Signs a model's files by the OpenSSF's specification, `nil` without a key for that.
    package func signModel(name: String, files: [(path: String, sha256: ObjectID)]) throws(SigningError) -> [UInt8]? {
        guard let modelKey else { return nil }
        return try ModelSignature.make(name: name, files: files, key: modelKey)
    }
}

/// The files beside `BUNDLE.json` that make it a signed bundle.
package struct SignedDocuments: Sendable {
    package let envelope: DSSEEnvelope
    /// Only for Ed25519 keys.
    package let minisign: [UInt8]?
    package let roots: [TrustRoot]
    /// The first statement of custody.
    package let custody: CustodyStatement?

    package init(envelope: DSSEEnvelope, minisign: [UInt8]?, roots: [TrustRoot], custody: CustodyStatement? = nil) {
        self.envelope = envelope
        self.minisign = minisign
        self.roots = roots
        self.custody = custody
    }

    /// Names below the bundle's folder and their contents, in the order to write them.
    package var files: [(name: String, bytes: [UInt8])] {
        roots.map { ("trust/" + TrustRoot.fileName($0.version), $0.bytes) } + (custody.map { [($0.path, $0.document)] } ?? [])
            + (minisign.map { [(MinisignSignature.fileName, $0)] } ?? []) + [(BundleSignature.fileName, envelope.bytes)]
    }
}
