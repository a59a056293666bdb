import BundleFormat
import Glibc
import HubCore

/// A user's own keys and whom the user trusts, in the user's settings folder; for machines where there is no hub.
///
///     ~/.config/csghub/publisher/root.<N>.json, publisher-<id>.key
///     ~/.config/csghub/trust/<publisher>.root.<N>.json, revoked/<key id>
package struct UserTrust: Sendable {
    package let folder: String
    private let defaultName: String

    /// - Parameters:
    ///   - folder: `~/.config/csghub`.
    ///   - defaultName: the publisher's name unless it is told: `ada-laptop`.
    package init(folder: String, defaultName: String) {
        self.folder = folder
        self.defaultName = defaultName
    }

    /// By the XDG Base Directory Specification; `nil` without a home.
    package init?(environment: [String: String]) {
        if let base = environment["XDG_CONFIG_HOME"], base.hasPrefix("/") {
            folder = base + "/csghub"
        } else {
            guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
            folder = home + "/.config/csghub"
        }
        var host = utsname()
        let machine =
            uname(&host) == 0
            ? withUnsafeBytes(of: host.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) } : "host"
        let name = "\(environment["USER"] ?? environment["LOGNAME"] ?? "user")-\(machine)"
        let allowed = name.utf8.map { byte in
            BundleManifest.isName("a" + String(UnicodeScalar(byte))) ? byte : UInt8(ascii: "-")
        }
        let cut = String(decoding: allowed.prefix(64), as: UTF8.self)
        defaultName = BundleManifest.isName(cut) ? cut : "user"
    }

    private var publisherFolder: String { folder + "/publisher" }
    private var keys: KeyFolder { KeyFolder(publisherFolder) }
    package var trusted: TrustFolder { TrustFolder(folder + "/trust") }
    private var revokedFolder: String { folder + "/trust/revoked" }

    /// The lists of keys of the user as a publisher, empty before the first use.
    package func roots() throws -> [TrustRoot] {
        var roots: [TrustRoot] = []
        while roots.count < TrustRoot.maximumVersion,
            let root = try TrustRoot.read(folder: publisherFolder, version: roots.count + 1)
        {
            roots.append(root)
        }
        return roots
    }

    /// The user as a publisher; keys are made when there are none.
    package func identity() throws -> PublisherIdentity {
        let roots = try roots()
        guard let newest = roots.last else {
            _ = try create(name: nil, RootChange())
            return try identity()
        }
        let signers = try newest.content.keys(of: .bundles).compactMap { try keys.key($0.keyID) }
        guard !signers.isEmpty else { throw PublisherError.keyMissing(publisher: newest.publisher) }
        let models = try newest.content.keys(of: .models).lazy.compactMap { try keys.key($0.keyID) }.first
        return PublisherIdentity(publisher: newest.publisher, keys: signers, modelKey: models, roots: roots)
    }

    /// - Parameters:
    ///   - cosigners: private keys of others who sign the list now.
    ///   - replacesLost: begin anew in the place of a publisher whose private keys are not here any more; its lists are kept aside.
    package func create(
        name: String?, _ change: RootChange, cosigners: [SigningKey] = [], replacesLost: Bool = false
    ) throws -> TrustRoot {
        var publisher = name ?? defaultName
        if let known = try roots().last {
            guard try known.content.keys(of: .bundles).allSatisfy({ try keys.key($0.keyID) == nil }) else {
                throw PublisherError.exists(name: known.publisher)
            }
            guard replacesLost else { throw PublisherError.keyMissing(publisher: known.publisher) }
            let id = known.envelope.signatures.first?.keyID.prefix(8) ?? "keys"
            if publisher == known.publisher {
                guard name == nil else { throw PublisherError.nameUsed(publisher) }
                publisher = "\(publisher.prefix(50))-after-\(id)"
            }
            guard rename(publisherFolder, "\(publisherFolder).lost-\(id)") == 0 else {
                throw BundleError.inaccessible(path: publisherFolder, code: errno)
            }
        }
        guard BundleManifest.isName(publisher) else { throw PublisherError.invalidName(publisher) }
        let (key, models) = (try SigningKey.make(change.algorithm), try SigningKey.make(.p256))
        let root = try change.first(publisher: publisher, own: key, models: models).signed(by: cosigners)
        try root.checkOwnSignatures()
        for key in [key, models] { try keys.add(key) }
        try store(root)
        return root
    }

    package func rotate(_ change: RootChange, cosigners: [SigningKey] = []) throws -> TrustRoot {
        guard let former = try roots().last else { throw PublisherError.missing }
        let present = try identity()
        let key = try SigningKey.make(change.algorithm)
        let root = try change.next(after: former, old: present.keys, own: key, models: present.modelKey).signed(
            by: cosigners)
        try root.checkFollows(former)
        try keys.add(key)
        try store(root)
        return root
    }

    private func store(_ root: TrustRoot) throws {
        try DurableFile.write("\(publisherFolder)/\(TrustRoot.fileName(root.version))", root.bytes, mode: 0o644)
    }

    /// What decides about bundles for this user.
    /// - Parameter others: folders of the machine that everybody trusts, as `/etc/csghub/trust`.
    package func policy(others: [TrustFolder] = []) throws -> TrustPolicy {
        var publishers: [TrustedPublisher] = []
        if let own = try roots().last { publishers.append(TrustedPublisher(root: own, origin: .own)) }
        for (folder, origin) in [(trusted, TrustedPublisher.Origin.administrator)] + others.map({ ($0, .file) }) {
            for roots in try folder.chains().values {
                if let newest = roots.last { publishers.append(TrustedPublisher(root: newest, origin: origin)) }
            }
        }
        return TrustPolicy(publishers: publishers, revoked: try revocations())
    }

    /// Keys that the user revoked, with the reason.
    package func revocations() throws -> [String: String] {
        guard let stream = opendir(revokedFolder) else { return [:] }
        defer { closedir(stream) }
        var revoked: [String: String] = [:]
        while let entry = readdir(stream), revoked.count < 1000 {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard ObjectID(hex: name) != nil else { continue }
            let reason = try Media.contents(of: "\(revokedFolder)/\(name)", name: name, limit: 4096)
            revoked[name] = String(decoding: reason.prefix { $0 >= 0x20 }, as: UTF8.self)
        }
        return revoked
    }

    package func revoke(_ keyID: String, reason: String) throws {
        guard let hex = Fingerprint.parse(keyID) else { throw TrustError.unknownKey(keyID) }
        try DurableFile.makeFolder(revokedFolder, mode: 0o755)
        try DurableFile.write("\(revokedFolder)/\(hex)", Array((reason.prefix(400) + "\n").utf8), mode: 0o644)
    }

    /// Trusts a publisher whose fingerprint a person compared, or takes later lists of one that is trusted.
    package func add(_ roots: [TrustRoot], fingerprint: String?) throws -> [TrustRoot] {
        let roots = roots.sorted { $0.version < $1.version }
        guard let first = roots.first else {
            throw TrustError.invalidRoot(file: "the list of keys", reason: "it is empty")
        }
        for (former, root) in zip(roots, roots.dropFirst()) { try root.checkFollows(former) }
        let known = try trusted.chains()[first.publisher] ?? []
        guard let newest = known.last else {
            try first.checkOwnSignatures()
            guard let fingerprint, Fingerprint.parse(fingerprint) == first.fingerprintHex else {
                throw TrustError.otherFingerprint(publisher: first.publisher, found: first.fingerprint)
            }
            try trusted.add(roots)
            return roots
        }
        for root in roots {
            guard let same = known.first(where: { $0.version == root.version }) else { continue }
            guard same.envelope.payload == root.envelope.payload else {
                throw TrustError.otherFirstRoot(publisher: root.publisher)
            }
        }
        let later = roots.filter { $0.version > newest.version }
        for (former, root) in zip([newest] + later, later) { try root.checkFollows(former) }
        try trusted.add(later)
        return known + later
    }
}

extension TrustRoot {
    /// The list with the signatures of others.
    package func signed(by keys: [SigningKey]) throws -> TrustRoot {
        guard !keys.isEmpty else { return self }
        var envelope = envelope
        for key in keys { try envelope.sign(with: key) }
        return try TrustRoot(parsing: envelope.bytes, file: Self.fileName(version))
    }
}
