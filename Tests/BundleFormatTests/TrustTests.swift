import HubCore
import Testing

@testable import BundleFormat

/// A publisher of tests, and its bundles.
struct TestPublisher {
    let name: String
    let key: SigningKey
    let roots: [TrustRoot]

    init(_ name: String = "acme", key: SigningKey? = nil, roots: [TrustRoot]? = nil) throws {
        self.name = name
        self.key = try key ?? .make(.ed25519)
        self.roots = try roots ?? PublisherIdentity.make(publisher: name, key: self.key, modelKey: nil).roots
    }

    func manifest(sequence: Int64 = 1, nonce: Character = "0") -> BundleManifest {
        BundleManifest(
            nonce: String(repeating: nonce, count: 32), publisher: name, stream: "models", sequence: sequence,
            created: "2026-11-20T10:00:00Z",
            kind: .full, repositories: [], volumes: [], media: [], objects: .init(count: 0, bytes: 0))
    }

    func signature(of manifest: BundleManifest, keys: [SigningKey]? = nil, roots: [TrustRoot]? = nil) throws
        -> BundleSignature
    {
        BundleSignature(
            envelope: try BundleSignature.envelope(for: manifest, bytes: manifest.canonicalBytes, keys: keys ?? [key]),
            roots: roots ?? self.roots, rootFile: "/media/a b/trust/root.1.json")
    }

    func trusted(_ root: TrustRoot? = nil) throws -> TrustedPublisher {
        TrustedPublisher(root: try root ?? #require(roots.last), origin: .administrator)
    }
}

extension TrustVerdict {
    var error: TrustError? {
        if case .invalid(let error) = self { error } else { nil }
    }
    var signers: TrustedSigners? {
        if case .trusted(let signers) = self { signers } else { nil }
    }
    var unknown: UnknownPublisher? {
        if case .untrusted(let unknown) = self { unknown } else { nil }
    }
}

extension TrustPolicy {
    func judge(_ manifest: BundleManifest, _ signature: BundleSignature) -> TrustVerdict {
        judge(manifestBytes: manifest.canonicalBytes, signature: signature)
    }
}

@Suite("Trust")
struct TrustTests {
    @Test("a bundle of a trusted publisher is trusted, one of an unknown publisher names the command")
    func verdicts() throws {
        let acme = try TestPublisher()
        let manifest = acme.manifest()
        let signature = try acme.signature(of: manifest)
        let signers = try #require(TrustPolicy(publishers: [acme.trusted()]).judge(manifest, signature).signers)
        #expect(signers.keys == [acme.key.publicKey])
        #expect(signers.newRoots.isEmpty)
        let unknown = try #require(TrustPolicy().judge(manifest, signature).unknown)
        #expect(unknown.fingerprint == acme.key.publicKey.fingerprint)
        #expect(unknown.command == "csghub trust add '/media/a b/trust/root.1.json'")
        let problem = TrustError.unknownPublisher(unknown).problem
        #expect(
            problem.kind == .forbidden && problem.message.contains(unknown.command)
                && problem.message.contains(unknown.fingerprint))
    }

    @Test("a changed manifest or signature, and a stripped one, are refused")
    func tampering() throws {
        let acme = try TestPublisher()
        let policy = TrustPolicy(publishers: [try acme.trusted()])
        let manifest = acme.manifest()
        let signature = try acme.signature(of: manifest)
        for policy in [policy, TrustPolicy()] {
            #expect(policy.judge(acme.manifest(nonce: "1"), signature).error == .otherContent)
            var stripped = signature
            stripped.envelope.signatures = []
            #expect(policy.judge(manifest, stripped).error == .unsigned)
            var flipped = signature
            flipped.envelope.signatures[0].bytes[5] ^= 1
            #expect(policy.judge(manifest, flipped).error == .wrongSignature(keyID: acme.key.publicKey.keyID))
            var other = signature
            other.envelope.payloadType = "text/plain"
            #expect(policy.judge(manifest, other).error == .otherContent)
        }
        // A statement of another kind by the same key, as a receipt is, is no signature of a bundle.
        var receipt = signature
        receipt.envelope = DSSEEnvelope(
            payloadType: DSSEEnvelope.inToto,
            payload: InTotoStatement(
                subject: "BUNDLE.json", sha256: DocumentDigest.sha256(manifest.canonicalBytes),
                predicateType: "urn:csghub:receipt:v1", predicate: [:]
            ).canonicalBytes)
        try receipt.envelope.sign(with: acme.key)
        #expect(policy.judge(manifest, receipt).error == .otherContent)
    }

    @Test("a swapped key does not pass, whatever it calls itself")
    func swappedKey() throws {
        let acme = try TestPublisher()
        let thief = try TestPublisher()
        let policy = TrustPolicy(publishers: [try acme.trusted()])
        let manifest = acme.manifest()
        // The thief's own list of keys, of the same name.
        #expect(
            policy.judge(manifest, try thief.signature(of: manifest)).error
                == .forkedRoot(publisher: "acme", version: 1))
        // Without it.
        #expect(
            policy.judge(manifest, try thief.signature(of: manifest, roots: [])).error == .foreignKey(publisher: "acme")
        )
        // With the key id of the real key: the hint does not match the key that signed.
        var hint = try thief.signature(of: manifest, roots: acme.roots)
        hint.envelope.signatures[0].keyID = acme.key.publicKey.keyID
        #expect(policy.judge(manifest, hint).error == .wrongSignature(keyID: acme.key.publicKey.keyID))
        // The real signature under the key id of another.
        var moved = try acme.signature(of: manifest)
        moved.envelope.signatures[0].keyID = thief.key.publicKey.keyID
        #expect(policy.judge(manifest, moved).error == .foreignKey(publisher: "acme"))
        moved.envelope.signatures[0].keyID = ""
        #expect(policy.judge(manifest, moved).error == .foreignKey(publisher: "acme"))
        // Signed by both: the foreign signature is of no interest.
        #expect(
            policy.judge(manifest, try acme.signature(of: manifest, keys: [thief.key, acme.key])).signers?.keys == [
                acme.key.publicKey
            ])
    }

    @Test("a threshold counts keys, each once")
    func thresholds() throws {
        let (one, two, three) = (try SigningKey.make(.ed25519), try SigningKey.make(.p384), try SigningKey.make(.p256))
        let keys = [one.publicKey, two.publicKey, three.publicKey]
        let root = try TrustRoot(
            .init(
                publisher: "acme", version: 1, keys: keys,
                signers: [.root: .init(keys, threshold: 2), .bundles: .init(keys, threshold: 2)]),
            signedBy: [one, two])
        try root.checkOwnSignatures()
        let acme = try TestPublisher(key: one, roots: [root])
        let policy = TrustPolicy(publishers: [try acme.trusted()])
        let manifest = acme.manifest()
        #expect(
            policy.judge(manifest, try acme.signature(of: manifest)).error
                == .tooFewSignatures(publisher: "acme", have: 1, need: 2))
        var twice = try acme.signature(of: manifest)
        twice.envelope.signatures.append(twice.envelope.signatures[0])
        #expect(policy.judge(manifest, twice).error == .tooFewSignatures(publisher: "acme", have: 1, need: 2))
        #expect(policy.judge(manifest, try acme.signature(of: manifest, keys: [one, three])).signers?.keys.count == 2)
        // A revoked key does not count, and the others may be enough.
        let revoking = TrustPolicy(publishers: [try acme.trusted()], revoked: [two.publicKey.keyID: "lost"])
        #expect(
            revoking.judge(manifest, try acme.signature(of: manifest, keys: [one, two])).error
                == .revokedKey(publisher: "acme", fingerprint: two.publicKey.fingerprint, reason: "lost"))
        #expect(
            revoking.judge(manifest, try acme.signature(of: manifest, keys: [one, two, three])).signers?.keys.count == 2
        )
        // Fewer signatures on the list itself than it wants.
        let alone = try TrustRoot(root.content, signedBy: [one])
        #expect(throws: TrustError.self) { try alone.checkOwnSignatures() }
        #expect(try alone.missingSignatures(after: nil) == 1)
        #expect(
            TrustPolicy().judge(manifest, try acme.signature(of: manifest, keys: [one, two], roots: [alone])).error
                != nil)
        // Several keys: the fingerprint is of the whole list, so that none of them alone can stand for it.
        #expect(!keys.map(\.keyID).contains(root.fingerprintHex))
    }

    @Test(
        "a list of keys that plays games is refused",
        arguments: [
            ("\"threshold\":1", "\"threshold\":0"), ("\"threshold\":1", "\"threshold\":2"),
            ("\"threshold\":1", "\"threshold\":-1"),
            ("\"version\":1", "\"version\":0"), ("\"version\":1", "\"version\":1.0"), ("root-", "rood-"),
            ("hubbundle-root/1", "hubbundle-root/2"),
            ("\"publisher\":\"acme\"", "\"publisher\":\"../x\""), ("\"bundles\":", "\"bundless\":"),
            ("\"ed25519\"", "\"p256\""), ("KEYID", "OTHER"),
            ("[\"KEYID\"]", "[\"KEYID\",\"KEYID\"]"), ("\"revoked\":{}", "\"revoked\":{\"KEYID\":\"x\"}"),
            ("\"revoked\":{}", "\"revoked\":{\"x\":\"y\"}"),
        ])
    func games(from: String, to: String) throws {
        let key = try SigningKey.make(.ed25519)
        let root = try #require(try PublisherIdentity.make(publisher: "acme", key: key, modelKey: nil).roots.first)
        let text = String(decoding: root.envelope.payload, as: UTF8.self)
        let other = String(repeating: "0", count: 64)
        func fill(_ text: String) -> String {
            text.replacing("KEYID", with: key.publicKey.keyID).replacing("OTHER", with: other)
        }
        // Of a name that comes thrice, the first is that of `keys`.
        let changed = text.replacing(fill(from), with: fill(to), maxReplacements: 1)
        guard changed != text || from == "root-" else {
            Issue.record("nothing was changed")
            return
        }
        var envelope = DSSEEnvelope(
            payloadType: from == "root-" ? "text/plain" : TrustRoot.payloadType, payload: Array(changed.utf8))
        try envelope.sign(with: key)
        #expect(throws: TrustError.self) { try TrustRoot(parsing: envelope.bytes, file: "root.1.json") }
    }

    @Test("deeply nested or endless lists are refused")
    func deep() throws {
        for text in [String(repeating: "[", count: 200_000), String(repeating: "{\"a\":", count: 40_000), ""] {
            var envelope = DSSEEnvelope(payloadType: TrustRoot.payloadType, payload: Array(text.utf8.prefix(150_000)))
            try envelope.sign(with: .make(.ed25519))
            #expect(throws: TrustError.self) { try TrustRoot(parsing: envelope.bytes, file: "f") }
            #expect(throws: TrustError.self) { try TrustRoot(parsing: Array(text.utf8), file: "f") }
        }
    }
}

@Suite("Lists of keys that follow one another")
struct TrustChainTests {
    private let first: SigningKey
    private let second: SigningKey
    private let acme: TestPublisher
    private let rotated: TrustRoot

    init() throws {
        first = try .make(.ed25519)
        second = try .make(.p384)
        acme = try TestPublisher(key: first)
        rotated = try Self.next(
            2, key: second.publicKey, signedBy: [first, second], revoked: [first.publicKey.keyID: "stolen"])
    }

    private static func next(
        _ version: Int, key: SignerKey, signedBy keys: [SigningKey], revoked: [String: String] = [:]
    ) throws -> TrustRoot {
        try TrustRoot(
            .init(
                publisher: "acme", version: version, keys: [key],
                signers: [.root: .init([key]), .bundles: .init([key])], revoked: revoked),
            signedBy: keys)
    }

    @Test("a rotation is followed, and the old key is of no use afterwards")
    func rotation() throws {
        let policy = TrustPolicy(publishers: [try acme.trusted()])
        let manifest = acme.manifest()
        let signature = try acme.signature(of: manifest, keys: [second], roots: acme.roots + [rotated])
        let signers = try #require(policy.judge(manifest, signature).signers)
        #expect(signers.newRoots == [rotated] && signers.root == rotated)
        let later = TrustPolicy(publishers: [try acme.trusted(rotated)])
        #expect(later.judge(manifest, signature).signers?.newRoots == [])
        // An old medium, signed by the key that was revoked since.
        #expect(
            later.judge(manifest, try acme.signature(of: manifest)).error
                == .revokedKey(publisher: "acme", fingerprint: first.publicKey.fingerprint, reason: "stolen"))
        // The old key on a medium that brings the rotation itself.
        #expect(policy.judge(manifest, try acme.signature(of: manifest, roots: acme.roots + [rotated])).error != nil)
        // Somebody who never knew the publisher sees the fingerprint of version 1.
        #expect(TrustPolicy().judge(manifest, signature).unknown?.fingerprint == first.publicKey.fingerprint)
    }

    @Test("a chain with a gap, doubles or a wrong start proves nothing")
    func gaps() throws {
        let third = try SigningKey.make(.ed25519)
        let last = try Self.next(
            3, key: third.publicKey, signedBy: [second, third], revoked: [first.publicKey.keyID: "stolen"])
        let policy = TrustPolicy(publishers: [try acme.trusted()])
        let manifest = acme.manifest()
        func verdict(_ roots: [TrustRoot], _ key: SigningKey) throws -> TrustVerdict {
            policy.judge(manifest, try acme.signature(of: manifest, keys: [key], roots: roots))
        }
        #expect(try verdict(acme.roots + [rotated, last], third).signers?.newRoots.count == 2)
        #expect(try verdict(acme.roots + [last], third).error == .missingRoot(publisher: "acme", version: 2))
        #expect(try verdict([rotated, last], third).error == .missingRoot(publisher: "acme", version: 1))
        #expect(try verdict(acme.roots + acme.roots, first).error == .forkedRoot(publisher: "acme", version: 1))
        #expect(
            try verdict(acme.roots + [rotated, rotated], second).error == .forkedRoot(publisher: "acme", version: 2))
        #expect(
            TrustPolicy().judge(manifest, try acme.signature(of: manifest, keys: [third], roots: [])).error
                == .missingRoot(publisher: "acme", version: 1))
    }

    @Test("a next version needs the keys of both")
    func signers() throws {
        let root = try #require(acme.roots.first)
        for keys in [[first], [second], []] {
            let bad = try Self.next(2, key: second.publicKey, signedBy: keys)
            #expect(throws: TrustError.self) { try bad.checkFollows(root) }
        }
        let good = try Self.next(2, key: second.publicKey, signedBy: [first, second])
        try good.checkFollows(root)
        // A revocation stays: version 3 forgets what version 2 said.
        let forgetting = try Self.next(3, key: second.publicKey, signedBy: [second])
        #expect(throws: TrustError.self) { try forgetting.checkFollows(rotated) }
        // A key that is revoked here cannot appoint its successor.
        #expect(throws: TrustError.self) { try good.checkFollows(root, locallyRevoked: [first.publicKey.keyID]) }
        // A next version of another publisher.
        let other = try TrustRoot(
            .init(
                publisher: "other", version: 2, keys: [second.publicKey],
                signers: [.root: .init([second.publicKey]), .bundles: .init([second.publicKey])]),
            signedBy: [first, second])
        #expect(throws: TrustError.self) { try other.checkFollows(root) }
    }

    @Test("an older bundle is told from a newer one by each key for itself")
    func ratchet() throws {
        let (one, two, three) = (first.publicKey, second.publicKey, try SigningKey.make(.ed25519).publicKey)
        func signers(_ keys: [SignerKey], threshold: Int) throws -> TrustedSigners {
            TrustedSigners(publisher: "acme", keys: keys, threshold: threshold, root: rotated, newRoots: [])
        }
        let single = try signers([one], threshold: 1)
        #expect(single.laterSequence(than: 42, known: [:]) == nil)
        #expect(single.laterSequence(than: 42, known: [one.keyID: 42]) == nil)
        #expect(single.laterSequence(than: 41, known: [one.keyID: 42]) == 42)
        // Fast-forward: a stolen key signed nine million; its successor begins for itself.
        let stolen = [one.keyID: Int64(9_000_000)]
        #expect(single.laterSequence(than: 43, known: stolen) == 9_000_000)
        #expect(try signers([two], threshold: 1).laterSequence(than: 43, known: stolen) == nil)
        // Of two signers the stolen one does not lock out the other where one is enough; where two are wanted a third must step in.
        #expect(try signers([one, two], threshold: 1).laterSequence(than: 43, known: stolen) == nil)
        #expect(try signers([one, two], threshold: 2).laterSequence(than: 43, known: stolen) == 9_000_000)
        #expect(try signers([one, two, three], threshold: 2).laterSequence(than: 43, known: stolen) == nil)
    }

    @Test("trust that ended stays ended")
    func withdrawn() throws {
        var publisher = try acme.trusted()
        publisher.withdrawn = "contract over"
        let manifest = acme.manifest()
        #expect(
            TrustPolicy(publishers: [publisher]).judge(manifest, try acme.signature(of: manifest)).error
                == .withdrawn(publisher: "acme", reason: "contract over"))
    }

    @Test("every refusal ends with exit status 77")
    func kinds() {
        let refusals: [TrustError] = [
            .unsigned, .otherContent, .wrongSignature(keyID: "k"), .foreignKey(publisher: "p"),
            .tooFewSignatures(publisher: "p", have: 1, need: 2),
            .revokedKey(publisher: "p", fingerprint: "f", reason: "r"), .withdrawn(publisher: "p", reason: "r"),
            .invalidRoot(file: "f", reason: "r"),
            .missingRoot(publisher: "p", version: 1), .unsignedRoot(publisher: "p", version: 1, reason: "r"),
            .forkedRoot(publisher: "p", version: 1),
            .olderSequence(publisher: "p", stream: "s", sequence: 1, known: 2),
            .unknownPublisher(UnknownPublisher(publisher: "p", fingerprint: "f", rootFile: nil)),
        ]
        for refusal in refusals { #expect(refusal.problem.kind == .forbidden) }
    }
}
