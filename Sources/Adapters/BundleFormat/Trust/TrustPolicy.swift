import HubCore

/// A publisher that is trusted here.
package struct TrustedPublisher: Hashable, Sendable {
    package enum Origin: String, Hashable, Sendable {
        /// This hub, or this user.
        case own
        /// An administrator said so.
        case administrator
        /// A file in the settings folder's `trust/`.
        case file
    }

    /// The newest list of keys that was accepted.
    package var root: TrustRoot
    package var origin: Origin
    /// Why the trust has ended, `nil` while it lasts.
    package var withdrawn: String?

    package init(root: TrustRoot, origin: Origin, withdrawn: String? = nil) {
        self.root = root
        self.origin = origin
        self.withdrawn = withdrawn
    }

    package var name: String { root.publisher }
}

/// Who signed a bundle that is trusted.
package struct TrustedSigners: Hashable, Sendable {
    package let publisher: String
    /// By key id.
    package let keys: [SignerKey]
    /// How many of them are needed.
    package let threshold: Int
    /// The list of keys that decided.
    package let root: TrustRoot
    /// Later lists of keys than the one known here, in their order; to be kept when the import goes on.
    package let newRoots: [TrustRoot]

    package init(publisher: String, keys: [SignerKey], threshold: Int, root: TrustRoot, newRoots: [TrustRoot]) {
        self.publisher = publisher
        self.keys = keys
        self.threshold = threshold
        self.root = root
        self.newRoots = newRoots
    }

    /// The highest sequence among `known` when a bundle of `sequence` is an older one, `nil` otherwise.
    ///
    /// A key counts when it has not signed a later bundle here; as many as the threshold must count. So a stolen key that signed the sequence
    /// 9,000,000 cannot lock the publisher out: once it is replaced, its number goes with it (the fast-forward attack of TUF).
    package func laterSequence(than sequence: Int64, known: [String: Int64]) -> Int64? {
        let counting = keys.filter { (known[$0.keyID] ?? .min) <= sequence }
        guard counting.count < threshold else { return nil }
        return keys.compactMap { known[$0.keyID] }.max()
    }
}

package enum TrustVerdict: Sendable {
    case trusted(TrustedSigners)
    /// The bundle is whole, and its publisher is one that nobody here has trusted.
    case untrusted(UnknownPublisher)
    case invalid(TrustError)
}

/// Decides whether a bundle is trusted. It asks no clock, no network and nothing on the medium but signatures.
package struct TrustPolicy: Sendable {
    package let publishers: [String: TrustedPublisher]
    /// Keys that an administrator revoked here, with the reason, whatever publishers say of them.
    package let revoked: [String: String]

    package init(publishers: [TrustedPublisher] = [], revoked: [String: String] = [:]) {
        self.publishers = Dictionary(publishers.map { ($0.name, $0) }) { first, _ in first }
        self.revoked = revoked
    }

    /// Whose keys are known here, by key id; those of publishers that are trusted no more, and revoked ones, are not among them.
    package var keyNames: [String: String] {
        var names: [String: String] = [:]
        for publisher in publishers.values where publisher.withdrawn == nil {
            let content = publisher.root.content
            for id in content.keys.keys where content.revoked[id] == nil && revoked[id] == nil { names[id] = publisher.name }
        }
        return names
    }

    /// Judges a bundle by its signature alone; the manifest need not be parsed before.
    ///
    /// Whoever parses it then checks that it names the publisher of the verdict.
    package func judge(manifestBytes: [UInt8], signature: BundleSignature) -> TrustVerdict {
        do throws(TrustError) {
            let name = try signature.checkSubject(manifestBytes)
            let onMedium = try chain(of: name, signature.roots)
            guard let publisher = publishers[name] else {
                return .untrusted(try unknown(name, signature, chain: onMedium))
            }
            if let reason = publisher.withdrawn { throw .withdrawn(publisher: name, reason: reason) }
            let newRoots = try newer(than: publisher.root, in: onMedium)
            return .trusted(try signers(signature, root: newRoots.last ?? publisher.root, newRoots: newRoots))
        } catch {
            return .invalid(error)
        }
    }

    /// The keys of a publisher that is trusted here by which another document of it than a bundle is signed; one suffices.
    /// - Returns: `nil` where the publisher is not known here.
    package func signers(of envelope: DSSEEnvelope, publisher name: String) throws(TrustError) -> [SignerKey]? {
        guard let publisher = publishers[name] else { return nil }
        if let reason = publisher.withdrawn { throw .withdrawn(publisher: name, reason: reason) }
        let content = publisher.root.content
        return try TrustRoot.valid(envelope, by: content, role: .bundles)
            .filter { revoked[$0.keyID] == nil && content.revoked[$0.keyID] == nil }.sorted { $0.keyID < $1.keyID }
    }

    /// The lists of keys on the medium: of this publisher, from version 1 on, without gaps.
    private func chain(of publisher: String, _ roots: [TrustRoot]) throws(TrustError) -> [TrustRoot] {
        for (index, root) in roots.enumerated() {
            guard root.publisher == publisher else {
                throw .invalidRoot(
                    file: "trust/\(TrustRoot.fileName(root.version))",
                    reason: "it is of another publisher than the bundle")
            }
            guard root.version >= index + 1 else { throw .forkedRoot(publisher: publisher, version: root.version) }
            guard root.version == index + 1 else { throw .missingRoot(publisher: publisher, version: index + 1) }
        }
        return roots
    }

    private func newer(than known: TrustRoot, in chain: [TrustRoot]) throws(TrustError) -> [TrustRoot] {
        if let same = chain.first(where: { $0.version == known.version }),
            same.envelope.payload != known.envelope.payload
        {
            throw .forkedRoot(publisher: known.publisher, version: known.version)
        }
        var former = known
        var newer: [TrustRoot] = []
        for root in chain where root.version > known.version {
            try root.checkFollows(former, locallyRevoked: Set(revoked.keys))
            newer.append(root)
            former = root
        }
        return newer
    }

    private func signers(_ signature: BundleSignature, root: TrustRoot, newRoots: [TrustRoot]) throws(TrustError)
        -> TrustedSigners
    {
        let content = root.content
        // A revoked key counts no more; the others may still be enough.
        let valid = try TrustRoot.valid(signature.envelope, by: content, role: .bundles).filter {
            revoked[$0.keyID] == nil
        }
        let threshold = content.signers[.bundles]?.threshold ?? 1
        guard valid.count >= threshold else {
            for one in signature.envelope.signatures {
                guard let reason = revoked[one.keyID] ?? content.revoked[one.keyID] else { continue }
                throw .revokedKey(publisher: root.publisher, fingerprint: Fingerprint.text(one.keyID), reason: reason)
            }
            guard !valid.isEmpty else { throw .foreignKey(publisher: root.publisher) }
            throw .tooFewSignatures(publisher: root.publisher, have: valid.count, need: threshold)
        }
        return TrustedSigners(
            publisher: root.publisher, keys: valid.sorted { $0.keyID < $1.keyID }, threshold: threshold, root: root,
            newRoots: newRoots)
    }

    /// A bundle of an unknown publisher must at least agree with itself, so that a damaged one is not offered for trust.
    private func unknown(_ name: String, _ signature: BundleSignature, chain: [TrustRoot]) throws(TrustError)
        -> UnknownPublisher
    {
        guard let first = chain.first, let last = chain.last else {
            throw .missingRoot(publisher: name, version: 1)
        }
        try first.checkOwnSignatures()
        for (former, root) in zip(chain, chain.dropFirst()) { try root.checkFollows(former) }
        _ = try signers(signature, root: last, newRoots: [])
        return UnknownPublisher(publisher: name, fingerprint: first.fingerprint, rootFile: signature.rootFile)
    }
}
