import HubCore

/// A signature of a model's files by the OpenSSF Model Signing specification v1.0: a Sigstore bundle v0.3 with the method `key`, which
/// `model_signing verify key` of PyPI's model-signing accepts.
///
/// Files `.git`, `.github`, `.gitignore` and `.gitattributes` at the top are left out, as the specification has it (§6.2): the manifest
/// of the bundle binds those by the commit.
package enum ModelSignature {
    package static let predicateType = "https://model_signing/signature/v1.0"
    package static let mediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"
    /// About 500,000 files.
    package static let maximumBytes = 256 << 20
    /// What the specification leaves out at the top of a model's folder.
    package static let ignoredPaths = [".git", ".gitattributes", ".github", ".gitignore"]

    /// A file, or a part of one, with its hash.
    package struct Resource: Hashable, Sendable {
        /// The path below the model's folder.
        package var path: String
        /// Which bytes of the file, `nil` for all.
        package var range: Range<Int64>?
        package var sha256: ObjectID

        package init(path: String, range: Range<Int64>? = nil, sha256: ObjectID) {
            self.path = path
            self.range = range
            self.sha256 = sha256
        }

        /// As the specification writes it: `config.json`, or `model.safetensors:0:1000000000` for a part.
        var name: String { range.map { "\(path):\($0.lowerBound):\($0.upperBound)" } ?? path }
    }

    /// What a signature vouches for.
    package struct Content: Hashable, Sendable {
        package var modelName: String
        /// Over the hashes of all resources; names the model as a whole.
        package var rootDigest: ObjectID
        package var resources: [Resource]
        /// Paths that are not covered, nor what lies below them.
        package var ignoredPaths: [String]
        /// The size of a part, `nil` when whole files are hashed.
        package var shardBytes: Int64?
    }

    /// Signs a model.
    /// - Parameters:
    ///   - name: of the model's folder, for people.
    ///   - files: every file with its SHA-256; those that the specification leaves out are left out here.
    ///   - key: P-256 or P-384; others are not in the specification.
    ///   - ignored: what else is left out, as the signature itself; written down in it.
    package static func make(
        name: String, files: [(path: String, sha256: ObjectID)], key: SigningKey,
        ignoring ignored: [String] = ignoredPaths
    ) throws(SigningError) -> [UInt8] {
        guard key.algorithm != .ed25519 else {
            throw .unsuitableKey(algorithm: key.algorithm, use: "models by the OpenSSF specification")
        }
        let covered = files.filter { !isIgnored($0.path, by: ignored) }.sorted { $0.path < $1.path }
        let serialization: JSONNode = .object([
            JSONMember("method", "files"), JSONMember("hash_type", "sha256"),
            JSONMember("allow_symlinks", .bool(false)),
            JSONMember("ignore_paths", .array(ignored.map(JSONNode.string))),
        ])
        let resources: [JSONNode] = covered.map { file in
            .object([
                JSONMember("name", .string(file.path)), JSONMember("algorithm", "sha256"),
                JSONMember("digest", .string(file.sha256.hex)),
            ])
        }
        let statement = InTotoStatement(
            subject: name, sha256: rootDigest(covered.map(\.sha256)), predicateType: predicateType,
            predicate: .object([JSONMember("serialization", serialization), JSONMember("resources", .array(resources))])
        )
        var envelope = DSSEEnvelope(payloadType: DSSEEnvelope.inToto, payload: statement.canonicalBytes)
        envelope.signatures = [.init(keyID: "", bytes: try key.sign(envelope.signedBytes))]
        let hint: JSONNode = .object([JSONMember("hint", .string(hints(of: key.publicKey)[0]))])
        let material: JSONNode = .object([JSONMember("publicKey", hint), JSONMember("tlogEntries", .array([]))])
        return CanonicalJSON.encode(
            .object([
                JSONMember("mediaType", .string(mediaType)), JSONMember("verificationMaterial", material),
                JSONMember("dsseEnvelope", envelope.node),
            ]))
    }

    /// Checks the signature of a file that `make` or another tool wrote; the files themselves are compared with what it returns.
    /// - Parameter file: its name, for messages.
    package static func verify(_ bytes: [UInt8], key: SignerKey, file: String = "model.sig") throws(SigningError)
        -> Content
    {
        func invalid(_ reason: String) -> SigningError { .invalidSignatureFile(file: file, reason: reason) }
        let node = try sigstoreBundle(bytes, file: file)
        guard let publicKey = node["verificationMaterial"]?["publicKey"] else {
            throw invalid("was not made with the method “key”")
        }
        if let hint = publicKey["hint"]?.string, !hint.isEmpty, !hints(of: key).contains(hint) {
            throw invalid("names another key than the one given")
        }
        return try content(of: node, key: key, file: file)
    }

    /// Checks a signature of the method `certificate`.
    ///
    /// - Parameter authorities: certificates in PEM that alone are trusted.
    /// - Returns: also the key of the certificate that signed.
    package static func verify(
        _ bytes: [UInt8], authorities: String, file: String = "model.sig"
    ) throws(SigningError) -> (content: Content, key: SignerKey) {
        func invalid(_ reason: String) -> SigningError { .invalidSignatureFile(file: file, reason: reason) }
        let node = try sigstoreBundle(bytes, file: file)
        let material = node["verificationMaterial"]
        let certificates = material?["x509CertificateChain"]?["certificates"]?.elements ?? material?["certificate"].map { [$0] }
        guard let certificates else { throw invalid("was not made with the method “certificate”") }
        let chain = certificates.compactMap { $0["rawBytes"]?.string.flatMap(Base64Text.decode) }
        guard chain.count == certificates.count else { throw invalid("has a certificate that is not base 64") }
        let key = try SigningCertificate.key(of: chain, authorities: authorities, file: file)
        return (try content(of: node, key: key, file: file), key)
    }

    private static func sigstoreBundle(_ bytes: [UInt8], file: String) throws(SigningError) -> JSONNode {
        func invalid(_ reason: String) -> SigningError { .invalidSignatureFile(file: file, reason: reason) }
        guard bytes.count <= maximumBytes else { throw invalid("is too long") }
        let node: JSONNode
        do throws(JSONError) { node = try JSONParser.parse(bytes, limits: .init(depth: 8, values: 1_000)) } catch {
            throw invalid("is not JSON of the expected shape")
        }
        guard node["mediaType"]?.string == mediaType else { throw invalid("is no Sigstore bundle of version 0.3") }
        return node
    }

    private static func content(of node: JSONNode, key: SignerKey, file: String) throws(SigningError) -> Content {
        func invalid(_ reason: String) -> SigningError { .invalidSignatureFile(file: file, reason: reason) }
        guard key.algorithm != .ed25519 else {
            throw .unsuitableKey(algorithm: key.algorithm, use: "models by the OpenSSF specification")
        }
        guard let envelopeNode = node["dsseEnvelope"] else { throw invalid("has no envelope") }
        let envelope = try DSSEEnvelope(envelopeNode, file: file)
        guard envelope.signatures.count == 1 else { throw invalid("does not have exactly one signature") }
        guard key.verifies(envelope.signatures[0].bytes, of: envelope.signedBytes) else {
            throw invalid("was not signed with this key, or was changed")
        }
        return try content(of: envelope, file: file)
    }

    private static func content(of envelope: DSSEEnvelope, file: String) throws(SigningError) -> Content {
        func invalid(_ reason: String) -> SigningError { .invalidSignatureFile(file: file, reason: reason) }
        let statement = try InTotoStatement(parsing: envelope, file: file, limits: .init(depth: 10, values: 4_000_000))
        guard statement.predicateType == predicateType else {
            throw invalid("states something else than a model's files")
        }
        guard let serialization = statement.predicate["serialization"], let method = serialization["method"]?.string,
            serialization["hash_type"]?.string == "sha256"
        else { throw invalid("hashes files in a way that is not read here") }
        var shardBytes: Int64?
        switch method {
        case "files": break
        case "shards":
            guard let size = serialization["shard_size"]?.integer, size > 0 else {
                throw invalid("does not tell the size of its parts")
            }
            shardBytes = size
        default: throw invalid("hashes files in a way that is not read here")
        }
        var resources: [Resource] = []
        for element in statement.predicate["resources"]?.elements ?? [] {
            guard let resource = Resource(element, shardBytes: shardBytes) else {
                throw invalid("has an entry that cannot be read")
            }
            resources.append(resource)
        }
        guard rootDigest(resources.map(\.sha256)) == statement.sha256 else {
            throw invalid("contradicts itself: its root is not that of its files")
        }
        guard Set(resources.map(\.name)).count == resources.count else { throw invalid("names a file twice") }
        return Content(
            modelName: statement.subject, rootDigest: statement.sha256, resources: resources,
            ignoredPaths: serialization["ignore_paths"]?.strings ?? [], shardBytes: shardBytes)
    }

    /// The hash of the concatenated hashes.
    private static func rootDigest(_ digests: [ObjectID]) -> ObjectID {
        DocumentDigest.sha256(digests.flatMap { Hex.decode($0.hex) ?? [] })
    }

    /// How tools name a key: the hash of its PEM (model-signing), the hash of its DER in hex or in base 64 (sigstore).
    private static func hints(of key: SignerKey) -> [String] {
        [
            DocumentDigest.sha256(Array(key.publicKeyPEM.utf8)).hex, key.keyID,
            Base64Text.encode(DocumentDigest.sha256Bytes(key.publicKeyDER)),
        ]
    }

    /// Whether a path is one of `ignored` or lies below one.
    package static func isIgnored(_ path: String, by ignored: [String]) -> Bool {
        ignored.contains { path == $0 || path.hasPrefix($0 + "/") }
    }
}

extension ModelSignature.Resource {
    /// - Parameter shardBytes: the size of parts, whose hashes model-signing calls `sha256-sharded-1000000`.
    fileprivate init?(_ node: JSONNode, shardBytes: Int64?) {
        guard let name = node["name"]?.string, let algorithm = node["algorithm"]?.string,
            let sha256 = node["digest"]?.string.flatMap({ ObjectID(hex: $0) })
        else { return nil }
        guard let shardBytes else {
            guard algorithm == "sha256" else { return nil }
            self.init(path: name, sha256: sha256)
            return
        }
        guard algorithm == "sha256" || algorithm == "sha256-sharded-\(shardBytes)" else { return nil }
        let parts = name.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let start = Int64(parts[1]), let end = Int64(parts[2]), 0 <= start, start < end else {
            return nil
        }
        self.init(path: String(parts[0]), range: start..<end, sha256: sha256)
    }
}

extension ModelSignature.Content {
    /// A difference between what was signed and what is there.
    package enum Difference: Hashable, Sendable {
        case missing(path: String)
        case changed(path: String)
        /// Not covered by the signature.
        case extra(path: String)

        package var message: String {
            switch self {
            case .missing(let path): "\(path) is missing"
            case .changed(let path): "\(path) has other bytes"
            case .extra(let path): "\(path) was not signed"
            }
        }
    }

    /// Compares with the whole files that are there.
    package func differences(from files: [(path: String, sha256: ObjectID)]) -> [Difference] {
        differences(from: files.map { ModelSignature.Resource(path: $0.path, sha256: $0.sha256) })
    }

    /// Compares with files, or parts of them, that are there.
    package func differences(from present: [ModelSignature.Resource]) -> [Difference] {
        let here = Dictionary(present.map { ($0.name, $0.sha256) }) { first, _ in first }
        let signed = Dictionary(resources.map { ($0.name, $0.sha256) }) { first, _ in first }
        var found: [Difference] = []
        for (name, sha256) in signed.sorted(by: { $0.key < $1.key }) {
            switch here[name] {
            case nil: found.append(.missing(path: name))
            case sha256?: break
            default: found.append(.changed(path: name))
            }
        }
        for resource in present.sorted(by: { $0.name < $1.name }) where signed[resource.name] == nil {
            if !ModelSignature.isIgnored(resource.path, by: ignoredPaths) { found.append(.extra(path: resource.name)) }
        }
        return found
    }
}
