import BundleFormat
import Glibc
import HubCore
import Identity
import MetadataStore

/// The hub as a publisher: its keys in `secrets/`, its lists of keys in the database, both made at first use.
package struct PublisherKeys: Sendable {
    private let store: MetadataStore
    private let identity: Identity
    private let keys: KeyFolder
    private let defaultName: String?

    /// - Parameters:
    ///   - secrets: the data directory's folder for secrets.
    ///   - host: the hub's main host name, by which the publisher is named unless told otherwise.
    package init(store: MetadataStore, identity: Identity, secrets: String, host: String) {
        self.store = store
        self.identity = identity
        keys = KeyFolder(secrets)
        defaultName = Self.name(ofHost: host)
    }

    /// A name for people, `nil` for hosts that say nothing: `localhost`, addresses.
    static func name(ofHost host: String) -> String? {
        let name = host.lowercased()
        let isAddress =
            name.utf8.allSatisfy { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":") || Hex.value(of: $0) != nil }
            && !name.contains { $0.isLetter && $0 > "f" }
        return BundleManifest.isName(name) && name.contains(".") && !isAddress ? name : nil
    }

    /// The keys and lists, made now when there are none.
    /// - Parameter caller: an administrator.
    package func identity(for caller: Caller) async throws -> PublisherIdentity {
        try await identity.requireSite(.changeSettings, by: caller.principal)
        return try await identityOfHub(caller)
    }

    /// The same for what the hub signs by itself: receipts.
    package func identity() async throws -> PublisherIdentity {
        try await identityOfHub(Caller(.localAdministrator(uid: getuid(), sudoUID: nil)))
    }

    private func identityOfHub(_ caller: Caller) async throws -> PublisherIdentity {
        if let own = try await store.ownPublisher() { return try loaded(own) }
        if let draft = try await draft() {
            throw PublisherError.draftWaits(missing: try draft.missingSignatures(after: nil))
        }
        _ = try await make(name: nil, RootChange(), by: caller)
        guard let own = try await store.ownPublisher() else { throw PublisherError.missing }
        return try loaded(own)
    }

    /// The lists of keys alone, `nil` before the first use. Anybody may know them who may read settings.
    package func roots(by principal: Principal) async throws -> [TrustRoot]? {
        try await identity.requireSite(.readSettings, by: principal)
        return try await store.ownPublisher().map(Self.roots)
    }

    /// A list that waits for signatures of others.
    package func draft(by principal: Principal) async throws -> TrustRoot? {
        try await identity.requireSite(.readSettings, by: principal)
        return try await draft()
    }

    /// Makes the first keys.
    ///
    /// - Parameter replacesLost: begin a new publisher in the place of one whose private keys are not here any more; that one is trusted no
    ///   more, since whoever found its keys could sign for it.
    /// - Returns: the list; it counts when nothing is missing, and else waits as the draft.
    package func create(
        name: String?, _ change: RootChange, replacesLost: Bool = false, by caller: Caller
    ) async throws -> TrustRoot {
        try await identity.requireSite(.changeSettings, by: caller.principal)
        let own = try await store.ownPublisher()
        if let own {
            guard try signers(of: own).isEmpty else { throw PublisherError.exists(name: own.name) }
            guard replacesLost else { throw PublisherError.keyMissing(publisher: own.name) }
        }
        if let name, !BundleManifest.isName(name) { throw PublisherError.invalidName(name) }
        return try await make(name: name, change, replacing: own, by: caller)
    }

    /// Makes a new key in the place of the present one.
    package func rotate(_ change: RootChange, by caller: Caller) async throws -> TrustRoot {
        try await identity.requireSite(.changeSettings, by: caller.principal)
        guard let own = try await store.ownPublisher() else { throw PublisherError.missing }
        let present = try loaded(own)
        guard let former = present.roots.last else { throw PublisherError.missing }
        let key = try SigningKey.make(change.algorithm)
        let models = try present.modelKey == nil ? SigningKey.make(.p256) : nil
        let root = try change.next(after: former, old: present.keys, own: key, models: models)
        for key in [key, models].compactMap({ $0 }) { try keys.add(key) }
        return try await accept(root, after: former, action: "trust.rotate", by: caller)
    }

    /// Adds signatures of others to the draft; with enough of them it counts.
    package func sign(draft document: [UInt8], by caller: Caller) async throws -> TrustRoot {
        try await identity.requireSite(.changeSettings, by: caller.principal)
        guard let draft = try await draft() else { throw PublisherError.noDraft }
        let signed = try TrustRoot(parsing: document, file: TrustRoot.fileName(draft.version))
        guard signed.envelope.payload == draft.envelope.payload else {
            throw PublisherError.invalidChange(reason: "the list that was signed is not the one that waits")
        }
        let own = try await store.ownPublisher()
        // One of another name begins in the place of a publisher whose keys are lost.
        let isNew = own?.name != draft.publisher
        return try await accept(
            signed, after: isNew ? nil : own.flatMap { Self.roots($0).last }, replacing: isNew ? own?.name : nil,
            action: "trust.cosign", by: caller)
    }

    /// Writes down that a bundle was signed.
    package func noteSignature(of manifest: BundleManifest, bytes: [UInt8], by caller: Caller) async throws {
        let id = BundleID(manifest: DocumentDigest.sha256(bytes))
        try await store.appendAudit(
            caller.entry(
                "bundle.sign", on: id.text,
                ["publisher": manifest.publisher, "stream": manifest.stream, "sequence": "\(manifest.sequence)"]))
    }

    private func make(
        name: String?, _ change: RootChange, replacing lost: StoredPublisher? = nil, by caller: Caller
    ) async throws -> TrustRoot {
        let key = try SigningKey.make(change.algorithm)
        let models = try SigningKey.make(.p256)
        var publisher = name ?? defaultName ?? "hub-\(key.publicKey.keyID.prefix(8))"
        if try await store.publisher(named: publisher) != nil {
            guard name == nil else { throw PublisherError.nameUsed(publisher) }
            publisher = "\(publisher.prefix(55))-\(key.publicKey.keyID.prefix(8))"
        }
        let root = try change.first(publisher: publisher, own: key, models: models)
        // Files first, then the row that makes them count.
        try keys.add(key)
        try keys.add(models)
        return try await accept(
            root, after: nil, replacing: lost?.name, action: lost == nil ? "trust.init" : "trust.replace", by: caller)
    }

    /// - Parameter lost: the publisher that ends with this.
    private func accept(
        _ root: TrustRoot, after former: TrustRoot?, replacing lost: String? = nil, action: String, by caller: Caller
    ) async throws -> TrustRoot {
        let missing = try root.missingSignatures(after: former)
        var detail = ["version": "\(root.version)", "fingerprint": root.fingerprint, "missing_signatures": "\(missing)"]
        detail["replaces"] = lost
        let audit = caller.entry(action, on: root.publisher, detail)
        if missing > 0 {
            try await store.setTrustDraft(root.bytes, audit: audit)
            return root
        }
        if let former { try root.checkFollows(former) } else { try root.checkOwnSignatures() }
        do {
            try await store.trustPublisher(
                root.publisher, isOwn: true, roots: [(root.version, root.bytes)],
                replacing: lost.map { ($0, Self.lostReason) }, audit: audit)
        } catch MetadataError.constraint(_) {
            // Two first uses at once; the other was first.
            guard let own = try await store.ownPublisher(), let newest = Self.roots(own).last else {
                throw PublisherError.missing
            }
            return newest
        }
        return root
    }

    private func draft() async throws -> TrustRoot? {
        try await store.trustDraft().map { try TrustRoot(parsing: $0, file: "the draft") }
    }

    private func loaded(_ own: StoredPublisher) throws -> PublisherIdentity {
        let roots = Self.roots(own)
        guard let newest = roots.last else { throw PublisherError.missing }
        let signers = try signers(of: own)
        guard !signers.isEmpty else { throw PublisherError.keyMissing(publisher: own.name) }
        let models = try newest.content.keys(of: .models).lazy.compactMap { try keys.key($0.keyID) }.first
        return PublisherIdentity(publisher: own.name, keys: signers, modelKey: models, roots: roots)
    }

    private static let lostReason = "its private keys were lost"

    /// Its private keys that are here.
    private func signers(of own: StoredPublisher) throws -> [SigningKey] {
        try (Self.roots(own).last?.content.keys(of: .bundles) ?? []).compactMap { try keys.key($0.keyID) }
    }

    /// What is stored was checked when it was accepted.
    static func roots(_ publisher: StoredPublisher) -> [TrustRoot] {
        publisher.roots.compactMap { try? TrustRoot(parsing: $0.document, file: TrustRoot.fileName($0.version)) }
    }
}
