import BundleFormat
import HubCore
import Identity
import MetadataStore

/// Whose bundles the hub trusts: what administrators said, and read-only files of the settings folder's `trust/`.
package struct TrustStore: Sendable {
    /// A publisher as it is shown.
    package struct Entry: Sendable {
        package let publisher: TrustedPublisher
        package let roots: [TrustRoot]
    }

    private let store: MetadataStore
    private let identity: Identity
    private let files: TrustFolder?

    /// - Parameter folder: the settings folder's `trust/`; it need not exist.
    package init(store: MetadataStore, identity: Identity, folder: String?) {
        self.store = store
        self.identity = identity
        files = folder.map { TrustFolder($0) }
    }

    /// What decides about bundles now.
    package func policy() async throws -> TrustPolicy {
        TrustPolicy(publishers: try await all().map(\.publisher), revoked: try await revokedKeys())
    }

    /// Everybody who is or was trusted, by name.
    package func entries(by principal: Principal) async throws -> [Entry] {
        try await identity.requireSite(.readSettings, by: principal)
        return try await all()
    }

    package func revocations(by principal: Principal) async throws -> [StoredRevocation] {
        try await identity.requireSite(.readSettings, by: principal)
        return try await store.revokedKeys()
    }

    /// The last bundle of each stream and key.
    package func sequences(by principal: Principal) async throws -> [StoredSequence] {
        try await identity.requireSite(.readSettings, by: principal)
        return try await store.sequences()
    }

    /// Trusts a publisher from now on.
    ///
    /// - Parameters:
    ///   - documents: its list of keys with version 1, and any that follow; or those that follow what is trusted already.
    ///   - fingerprint: what the person compared; `nil` only where the lists follow from one that is trusted.
    package func add(_ documents: [[UInt8]], fingerprint: String?, by caller: Caller) async throws -> Entry {
        try await identity.requireSite(.changeSettings, by: caller.principal)
        let roots = try documents.map { try TrustRoot(parsing: $0, file: "the list of keys") }.sorted {
            $0.version < $1.version
        }
        guard let first = roots.first else {
            throw TrustError.invalidRoot(file: "the list of keys", reason: "it is empty")
        }
        for (former, root) in zip(roots, roots.dropFirst()) { try root.checkFollows(former) }
        let known = try await all().first { $0.publisher.name == first.publisher }
        if let known, known.publisher.origin == .file { throw TrustError.readOnly(publisher: first.publisher) }
        let chain: [TrustRoot]
        if let known, known.publisher.withdrawn == nil {
            chain = try following(known, roots)
        } else {
            try first.checkOwnSignatures()
            guard let fingerprint, Fingerprint.parse(fingerprint) == first.fingerprintHex else {
                throw TrustError.otherFingerprint(publisher: first.publisher, found: first.fingerprint)
            }
            chain = roots
        }
        try await store.trustPublisher(
            first.publisher, roots: chain.map { ($0.version, $0.bytes) },
            audit: caller.entry(
                "trust.add", on: first.publisher,
                ["fingerprint": first.fingerprint, "versions": chain.map { "\($0.version)" }.joined(separator: ",")]))
        return try await entry(first.publisher)
    }

    /// Ends the trust in a publisher.
    package func withdraw(_ publisher: String, reason: String, by caller: Caller) async throws -> Entry {
        try await identity.requireSite(.changeSettings, by: caller.principal)
        let known = try await entry(publisher)
        guard known.publisher.origin != .file else { throw TrustError.readOnly(publisher: publisher) }
        guard known.publisher.origin != .own else { throw PublisherError.exists(name: publisher) }
        _ = try await store.withdrawPublisher(
            publisher, reason: String(reason.prefix(400)),
            audit: caller.entry("trust.withdraw", on: publisher, ["reason": reason]))
        return try await entry(publisher)
    }

    /// Never counts a key again, whatever a list says of it.
    package func revoke(_ keyID: String, reason: String, by caller: Caller) async throws {
        try await identity.requireSite(.changeSettings, by: caller.principal)
        guard let id = Fingerprint.parse(keyID).flatMap({ ObjectID(hex: $0) }) else {
            throw TrustError.unknownKey(keyID)
        }
        try await store.revokeKey(
            id, reason: String(reason.prefix(400)),
            audit: caller.entry("trust.revoke", on: Fingerprint.text(id.hex), ["reason": reason]))
    }

    /// Keeps the later lists of keys that a trusted bundle brought, so that an older medium cannot take them back.
    package func keep(_ signers: TrustedSigners) async throws {
        guard !signers.newRoots.isEmpty else { return }
        try await store.addRoots(
            of: signers.publisher, signers.newRoots.map { ($0.version, $0.bytes) },
            audit: AuditEntry(actor: "hub", action: "trust.follow", target: signers.publisher, detail: ["version": "\(signers.root.version)"]))
    }

    /// Checks that the signers have not published a later bundle of this stream here.
    /// - Throws: `TrustError.olderSequence`
    package func checkSequence(of manifest: BundleManifest, by signers: TrustedSigners) async throws {
        let known = try await sequences(of: manifest)
        if let later = signers.laterSequence(than: manifest.sequence, known: known) {
            throw TrustError.olderSequence(
                publisher: manifest.publisher, stream: manifest.stream, sequence: manifest.sequence, known: later)
        }
    }

    /// The highest sequence of the manifest's stream that each key has published here, by key id.
    package func sequences(of manifest: BundleManifest) async throws -> [String: Int64] {
        try await store.sequences(of: manifest.publisher, stream: manifest.stream).mapValues(\.sequence)
    }

    /// What the transaction that publishes a bundle writes down.
    package static func mark(_ manifest: BundleManifest, id: BundleID, signers: TrustedSigners) -> SequenceMark {
        SequenceMark(
            publisher: manifest.publisher, stream: manifest.stream,
            keyIDs: signers.keys.compactMap { ObjectID(hex: $0.keyID) },
            sequence: manifest.sequence, bundle: id.text)
    }

    private func entry(_ publisher: String) async throws -> Entry {
        guard let entry = try await all().first(where: { $0.publisher.name == publisher }) else {
            throw TrustError.unknownKey(publisher)
        }
        return entry
    }

    /// Lists that continue what is trusted, without those that are known.
    private func following(_ known: Entry, _ roots: [TrustRoot]) throws(TrustError) -> [TrustRoot] {
        guard var newest = known.roots.last else { throw .otherFirstRoot(publisher: known.publisher.name) }
        var chain: [TrustRoot] = []
        for root in roots {
            if let same = known.roots.first(where: { $0.version == root.version }) {
                guard same.envelope.payload == root.envelope.payload else {
                    throw .otherFirstRoot(publisher: root.publisher)
                }
                continue
            }
            try root.checkFollows(newest)
            newest = root
            chain.append(root)
        }
        return chain
    }

    private func revokedKeys() async throws -> [String: String] {
        let rows = try await store.revokedKeys()
        return Dictionary(rows.map { ($0.keyID.hex, $0.reason) }) { first, _ in first }
    }

    /// A publisher with a file is decided by its files, and by later lists that follow from them.
    private func all() async throws -> [Entry] {
        let chains = try files?.chains() ?? [:]
        var entries: [String: Entry] = [:]
        for (name, roots) in chains {
            guard let newest = roots.last else { continue }
            entries[name] = Entry(publisher: TrustedPublisher(root: newest, origin: .file), roots: roots)
        }
        for stored in try await store.publishers() {
            let roots = PublisherKeys.roots(stored)
            guard let newest = roots.last else { continue }
            if let file = entries[stored.name] {
                entries[stored.name] = Self.joined(file, roots)
            } else {
                entries[stored.name] = Entry(
                    publisher: TrustedPublisher(
                        root: newest, origin: stored.isOwn ? .own : .administrator, withdrawn: stored.withdrawal?.reason
                    ),
                    roots: roots)
            }
        }
        return entries.values.sorted { $0.publisher.name < $1.publisher.name }
    }

    private static func joined(_ file: Entry, _ roots: [TrustRoot]) -> Entry {
        var chain = file.roots
        for root in roots {
            guard let newest = chain.last, root.version > newest.version else { continue }
            // What does not follow from the file is of another time; the file decides.
            guard (try? root.checkFollows(newest)) != nil else { break }
            chain.append(root)
        }
        return Entry(publisher: TrustedPublisher(root: chain.last ?? file.publisher.root, origin: .file), roots: chain)
    }
}
