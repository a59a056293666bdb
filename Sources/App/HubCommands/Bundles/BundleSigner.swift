import BundleFormat
import Bundles
import HTTPTypes
import HubAPI
import HubCore
import NIOCore
import Synchronization

/// Who signs a bundle, and how.
struct BundleSigner: Sendable {
    /// The name that the manifest gives the publisher.
    let publisher: String
    /// Of the key, for README.txt.
    let fingerprint: String?
    /// The files that go beside a manifest, by their paths in the bundle's folder.
    let sign: @Sendable (_ manifest: [UInt8]) async throws -> [(path: String, bytes: [UInt8])]
    /// Files as long as those of `sign`, for a manifest that is not to be signed. Signatures of ECDSA keys may differ by some bytes.
    let draftFiles: @Sendable (_ draft: BundleManifest) throws -> [(path: String, bytes: [UInt8])]
    /// The signature of a model's files by the specification of the OpenSSF; `nil` without a key that can make one.
    let signModel: @Sendable (_ name: String, _ files: [(path: String, sha256: ObjectID)]) async throws -> [UInt8]?
}

extension BundleSigner {
    /// Who signs: the key that was named, else the hub's own publisher key, else the user's. Keys that are not there yet are made, and their
    /// fingerprint is told.
    static func find(key: String?, location: HubLocation?, session: CommandSession) async throws -> BundleSigner {
        if let key { return try await named(key, location, session) }
        if let location { return try await ofHub(location, session) }
        guard let user = UserTrust(environment: session.environment) else {
            throw CommandFailure(.unavailable, "There is no hub and no home folder for a key; set HOME or XDG_CONFIG_HOME, or name one with --sign.")
        }
        let isNew = try user.roots().isEmpty
        let identity = try user.identity()
        if isNew { tell(identity.publisher, identity.fingerprint ?? "", session.console) }
        return BundleSigner(identity)
    }

    private init(_ identity: PublisherIdentity) {
        self.init(publisher: identity.publisher, fingerprint: identity.fingerprint) { bytes in
            try identity.sign(BundleManifest(parsing: bytes), bytes: bytes).files.map { (path: $0.name, bytes: $0.bytes) }
        } draftFiles: { draft in
            try Self.draftFiles(draft, publisher: identity.publisher, keys: identity.keys.map(\.algorithm), roots: identity.roots)
        } signModel: { name, files in
            try identity.signModel(name: name, files: files)
        }
    }

    /// Signed by keys that are thrown away.
    private static func draftFiles(
        _ draft: BundleManifest, publisher: String, keys: [KeyAlgorithm], roots: [TrustRoot]
    ) throws -> [(path: String, bytes: [UInt8])] {
        let stranger = PublisherIdentity(publisher: publisher, keys: try keys.map { try .make($0) }, modelKey: nil, roots: roots)
        return try stranger.sign(draft, bytes: draft.canonicalBytes).files.map { (path: $0.name, bytes: $0.bytes) }
    }

    /// A key in a file: of the hub's or the user's list of keys where it is named there, and else a publisher of its own.
    private static func named(_ path: String, _ location: HubLocation?, _ session: CommandSession) async throws -> BundleSigner {
        let key = try PassphraseOptions.key(in: path, session.console)
        var lists: [[TrustRoot]] = []
        if let location {
            let own: PublisherModel? = try await withClient(of: location, session) { client in
                do { return try await client.get(["publisher"]) } catch let failure as CommandFailure where failure.code == "no_publisher" { return nil }
            }
            if let own { lists.append(try own.documents.map { try TrustRoot(parsing: Array($0.utf8), file: "a list of keys") }) }
        }
        if let user = UserTrust(environment: session.environment) { lists.append(try user.roots()) }
        let id = key.publicKey.keyID
        for roots in lists {
            guard let newest = roots.last, newest.content.signers[.bundles]?.keyIDs.contains(id) == true else { continue }
            return BundleSigner(PublisherIdentity(publisher: newest.publisher, keys: [key], modelKey: nil, roots: roots))
        }
        return BundleSigner(try .make(publisher: "key-\(id.prefix(8))", key: key, modelKey: key.algorithm == .ed25519 ? nil : key))
    }

    private static func ofHub(_ location: HubLocation, _ session: CommandSession) async throws -> BundleSigner {
        let own: PublisherModel = try await withClient(of: location, session) { client in
            do {
                return try await client.get(["publisher"])
            } catch let failure as CommandFailure where failure.code == "no_publisher" {
                let made: PublisherModel = try await client.send(.post, ["publisher"], KeyChangeModel())
                tell(made.name, made.fingerprint, session.console)
                return made
            }
        }
        return BundleSigner(publisher: own.name, fingerprint: own.fingerprint) { bytes in
            try await withClient(of: location, session) { client in
                let signed: SignedFilesModel = try await client.post(["publisher", "signature"], bytes: bytes)
                return signed.files.map { (path: $0.name, bytes: $0.bytes ?? []) }
            }
        } draftFiles: { draft in
            let roots = try own.documents.map { try TrustRoot(parsing: Array($0.utf8), file: "a list of keys") }
            // The hub signs with one key; others sign by “bundle sign”.
            return try Self.draftFiles(
                draft, publisher: own.name, keys: own.keys.prefix(1).compactMap { KeyAlgorithm(rawValue: $0.algorithm) }, roots: roots)
        } signModel: { name, files in
            let model = ModelFilesModel(name: name, files: files.map { .init(path: $0.path, sha256: $0.sha256.hex) })
            let body = Mutex<[UInt8]>([])
            try await withClient(of: location, session) { client in
                try await client.download(posting: model, to: ["publisher", "model-signature"]) { piece in
                    body.withLock { $0 += Array(piece.readableBytesView) }
                }
            }
            return body.withLock { $0 }
        }
    }

    private static func withClient<Value: Sendable>(
        of location: HubLocation, _ session: CommandSession, _ work: (HubClient) async throws -> Value
    ) async throws -> Value {
        let transport = try await session.connect(location, session)
        do {
            let value = try await work(HubClient(transport: transport))
            try await transport.close()
            return value
        } catch {
            // The work's own error says more than one of closing.
            try? await transport.close()
            throw error
        }
    }

    private static func tell(_ publisher: String, _ fingerprint: String, _ console: Console) {
        console.note(
            DisplayText.safe(
                "The keys of the publisher \(publisher) were made. Carry its fingerprint to the other sites on paper, or by telephone: "
                    + "they compare it before they trust this bundle."))
        console.note("    \(fingerprint)")
    }
}
