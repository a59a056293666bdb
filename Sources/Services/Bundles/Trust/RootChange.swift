import BundleFormat
import HubCore

/// What a publisher wants to change about its own keys.
package struct RootChange: Sendable {
    /// Of the key that this hub, or user, signs with.
    package var algorithm: KeyAlgorithm
    /// Keys of others who sign bundles and lists too; `nil` leaves them.
    package var cosigners: [SignerKey]?
    /// How many must sign; `nil` leaves it, and is 1 at first.
    package var threshold: Int?
    /// Why the former key is revoked; `nil` retires it without a word.
    package var revocation: String?

    package init(
        algorithm: KeyAlgorithm = .ed25519, cosigners: [SignerKey]? = nil, threshold: Int? = nil,
        revocation: String? = nil
    ) {
        self.algorithm = algorithm
        self.cosigners = cosigners
        self.threshold = threshold
        self.revocation = revocation
    }

    /// The first list of keys.
    func first(publisher: String, own: SigningKey, models: SigningKey) throws -> TrustRoot {
        let signers = [own.publicKey] + (cosigners ?? [])
        let threshold = try checked(threshold ?? 1, of: signers)
        let content = TrustRoot.Content(
            publisher: publisher, version: 1, keys: signers + [models.publicKey],
            signers: [
                .root: .init(signers, threshold: threshold), .bundles: .init(signers, threshold: threshold),
                .models: .init([models.publicKey]),
            ])
        return try TrustRoot(content, signedBy: [own])
    }

    /// The list after `former`, in which `own` takes the place of `old`.
    func next(after former: TrustRoot, old: [SigningKey], own: SigningKey, models: SigningKey?) throws -> TrustRoot {
        let oldIDs = Set(old.map(\.publicKey.keyID))
        let others = cosigners ?? former.content.keys(of: .bundles).filter { !oldIDs.contains($0.keyID) }
        let signers = [own.publicKey] + others
        let threshold = try checked(threshold ?? former.content.signers[.bundles]?.threshold ?? 1, of: signers)
        var revoked = former.content.revoked
        if let revocation { for id in oldIDs { revoked[id] = revocation } }
        let modelKeys = models.map { [$0.publicKey] } ?? former.content.keys(of: .models)
        var roles: [TrustRoot.Role: TrustRoot.Signers] = [
            .root: .init(signers, threshold: threshold), .bundles: .init(signers, threshold: threshold),
        ]
        if !modelKeys.isEmpty { roles[.models] = .init(modelKeys) }
        let content = TrustRoot.Content(
            publisher: former.publisher, version: former.version + 1, keys: signers + modelKeys, signers: roles,
            revoked: revoked)
        return try TrustRoot(content, signedBy: old + [own])
    }

    private func checked(_ threshold: Int, of signers: [SignerKey]) throws -> Int {
        guard Set(signers).count == signers.count else {
            throw PublisherError.invalidChange(reason: "a key is named twice")
        }
        guard (1...signers.count).contains(threshold) else {
            throw PublisherError.invalidChange(reason: "\(threshold) signatures are wanted of \(signers.count) keys")
        }
        return threshold
    }
}

/// Why a publisher's own keys cannot be used or changed.
package enum PublisherError: Error, Equatable {
    case exists(name: String)
    case invalidName(String)
    /// There is a publisher of this name, perhaps one whose keys are lost.
    case nameUsed(String)
    case invalidChange(reason: String)
    /// Nothing was made yet.
    case missing
    /// The list of keys names no key that is here.
    case keyMissing(publisher: String)
    /// A list waits for signatures of others.
    case draftWaits(missing: Int)
    case noDraft
    /// The bundle is to be signed by another publisher than this one.
    case otherPublisher(own: String, wanted: String)
}

extension PublisherError: Refusal {
    package var problem: Problem {
        switch self {
        case .exists(let name):
            Problem(
                .conflict, code: "publisher_exists",
                "The publisher is \(name) already; “csghub trust rotate” changes its keys.")
        case .invalidName(let text):
            Problem(
                .invalid, code: "invalid_publisher_name",
                "“\(text.prefix(80))” is no name of a publisher: use at most 64 letters, digits, “-”, “_” and “.”.")
        case .nameUsed(let name):
            Problem(
                .conflict, code: "publisher_name_used",
                "There is a publisher \(name) already: sites that trust it would take bundles of another by that name for forged. Choose another name.")
        case .invalidChange(let reason):
            Problem(.invalid, code: "invalid_keys", "These keys cannot be used together: \(reason).")
        case .missing:
            Problem(
                .missing, code: "no_publisher", "There is no publisher’s key yet; make one with “csghub trust init”.")
        case .keyMissing(let publisher):
            Problem(
                .conflict, code: "publisher_key_missing",
                "The private key of \(publisher) is not in the folder for secrets. Restore that folder from a backup. If there is none, begin a "
                    + "new publisher with “csghub trust init --replace-lost”; other sites must then compare its fingerprint.")
        case .draftWaits(let missing):
            Problem(
                .conflict, code: "draft_waits",
                "A list of keys waits for \(missing) more signatures; add one with “csghub trust rotate --cosigner KEY”."
            )
        case .noDraft: Problem(.missing, code: "no_draft", "No list of keys waits for signatures.")
        case .otherPublisher(let own, let wanted):
            Problem(
                .invalid, code: "other_publisher",
                "The manifest names \(wanted.prefix(64)) as its publisher; this is \(own).")
        }
    }
}
