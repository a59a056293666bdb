import BundleFormat
import Foundation
import HubCore
import HubTestSupport
import Identity
import MetadataStore
import Testing

@testable import Bundles

/// A store with trust in a folder of its own.
private final class TrustSite: Sendable {
    static let local = Caller(.localAdministrator(uid: 0, sudoUID: nil))
    let folder: TemporaryFolder
    let store: MetadataStore
    let trust: TrustStore
    let publisher: PublisherKeys

    init(host: String = "hub.example") throws {
        folder = try TemporaryFolder("trust")
        store = try MetadataStore(path: folder.file("hub.db"))
        let identity = Identity(store: store, settings: IdentitySettings(externalURL: "https://hub.example"))
        trust = TrustStore(store: store, identity: identity, folder: folder.file("trust"))
        publisher = PublisherKeys(store: store, identity: identity, secrets: folder.file("secrets"), host: host)
    }

    deinit {
        // What cannot be closed has told its own story.
        try? store.close()
    }

    func actions() async throws -> [String] { try await store.auditEntries().map(\.entry.action) }
}

extension PublisherIdentity {
    fileprivate static func test(_ name: String = "acme", key: SigningKey? = nil) throws -> PublisherIdentity {
        try make(publisher: name, key: key ?? .make(.ed25519), modelKey: nil)
    }

    fileprivate func manifest(sequence: Int64 = 1) -> BundleManifest {
        BundleManifest(
            nonce: String(repeating: "0", count: 32), publisher: publisher, stream: "models", sequence: sequence,
            created: "1970-01-01T00:00:00Z", kind: .full, repositories: [], volumes: [], media: [],
            objects: .init(count: 0, bytes: 0))
    }
}

@Suite("The trust of a hub")
struct TrustStoreTests {
    @Test("a publisher is trusted by its fingerprint alone")
    func add() async throws {
        let site = try TrustSite()
        let acme = try PublisherIdentity.test()
        let document = acme.roots[0].bytes
        let manifest = acme.manifest()
        let signature = BundleSignature(
            envelope: try acme.sign(manifest, bytes: manifest.canonicalBytes).envelope, roots: acme.roots)
        func verdict() async throws -> TrustVerdict {
            try await site.trust.policy().judge(
                manifestBytes: manifest.canonicalBytes, signature: signature)
        }
        guard case .untrusted = try await verdict() else { throw WaitedInVain(event: "an unknown publisher") }
        for wrong in [nil, "", String(repeating: "0", count: 64)] {
            await #expect(throws: TrustError.self) {
                try await site.trust.add([document], fingerprint: wrong, by: TrustSite.local)
            }
        }
        let entry = try await site.trust.add([document], fingerprint: acme.fingerprint, by: TrustSite.local)
        #expect(entry.publisher.origin == .administrator)
        guard case .trusted(let signers) = try await verdict() else { throw WaitedInVain(event: "a trusted publisher") }
        try await site.trust.checkSequence(of: manifest, by: signers)
        // Adding it once more changes nothing.
        _ = try await site.trust.add([document], fingerprint: acme.fingerprint, by: TrustSite.local)
        // Another publisher of the same name is not taken for it.
        let thief = try PublisherIdentity.test()
        await #expect(throws: TrustError.otherFirstRoot(publisher: "acme")) {
            try await site.trust.add([thief.roots[0].bytes], fingerprint: thief.fingerprint, by: TrustSite.local)
        }
        _ = try await site.trust.withdraw("acme", reason: "over", by: TrustSite.local)
        guard case .invalid(.withdrawn("acme", "over")) = try await verdict() else {
            throw WaitedInVain(event: "the end of trust")
        }
        // Trust begins anew with a comparison, and with the new keys.
        _ = try await site.trust.add([thief.roots[0].bytes], fingerprint: thief.fingerprint, by: TrustSite.local)
        guard case .invalid(.forkedRoot("acme", 1)) = try await verdict() else {
            throw WaitedInVain(event: "the other key")
        }
        #expect(try await site.actions() == ["trust.add", "trust.add", "trust.withdraw", "trust.add"])
    }

    @Test("a revoked key, a replayed bundle and a fast-forward are refused")
    func ratchet() async throws {
        let site = try TrustSite()
        let key = try SigningKey.make(.ed25519)
        let acme = try PublisherIdentity.test(key: key)
        _ = try await site.trust.add([acme.roots[0].bytes], fingerprint: acme.fingerprint, by: TrustSite.local)
        func signers(_ keys: [SigningKey]) -> TrustedSigners {
            TrustedSigners(
                publisher: "acme", keys: keys.map(\.publicKey), threshold: 1, root: acme.roots[0], newRoots: [])
        }
        let audit = TrustSite.local.entry("bundle.publish", on: "b")
        for sequence in [Int64(42), 41] {
            let mark = TrustStore.mark(
                acme.manifest(sequence: sequence),
                id: BundleID(manifest: .init(digest: [UInt8](repeating: 0, count: 32))), signers: signers([key]))
            try await site.store.raise(mark, audit: audit)
        }
        try await site.trust.checkSequence(of: acme.manifest(sequence: 42), by: signers([key]))
        await #expect(throws: TrustError.olderSequence(publisher: "acme", stream: "models", sequence: 41, known: 42)) {
            try await site.trust.checkSequence(of: acme.manifest(sequence: 41), by: signers([key]))
        }
        // The thief of the key signs nine million; the publisher's next key is not locked out.
        try await site.store.raise(
            TrustStore.mark(
                acme.manifest(sequence: 9_000_000),
                id: BundleID(manifest: .init(digest: [UInt8](repeating: 1, count: 32))), signers: signers([key])),
            audit: audit)
        try await site.trust.checkSequence(of: acme.manifest(sequence: 43), by: signers([.make(.ed25519)]))
        await #expect(throws: TrustError.self) {
            try await site.trust.checkSequence(of: acme.manifest(sequence: 43), by: signers([key]))
        }

        try await site.trust.revoke(key.publicKey.fingerprint, reason: "stolen", by: TrustSite.local)
        let manifest = acme.manifest()
        let signature = BundleSignature(
            envelope: try acme.sign(manifest, bytes: manifest.canonicalBytes).envelope, roots: acme.roots)
        guard
            case .invalid(.revokedKey) = try await site.trust.policy().judge(
                manifestBytes: manifest.canonicalBytes, signature: signature)
        else { throw WaitedInVain(event: "a revoked key") }
        await #expect(throws: TrustError.self) {
            try await site.trust.revoke("nonsense", reason: "", by: TrustSite.local)
        }
    }

    @Test("later lists of keys are kept, and an older medium does not take them back")
    func follow() async throws {
        let site = try TrustSite()
        let (first, second) = (try SigningKey.make(.ed25519), try SigningKey.make(.ed25519))
        let acme = try PublisherIdentity.test(key: first)
        _ = try await site.trust.add([acme.roots[0].bytes], fingerprint: acme.fingerprint, by: TrustSite.local)
        let next = try TrustRoot(
            .init(
                publisher: "acme", version: 2, keys: [second.publicKey],
                signers: [.root: .init([second.publicKey]), .bundles: .init([second.publicKey])]),
            signedBy: [first, second])
        let rotated = PublisherIdentity(publisher: "acme", keys: [second], modelKey: nil, roots: acme.roots + [next])
        let manifest = rotated.manifest()
        func judge(_ identity: PublisherIdentity) async throws -> TrustVerdict {
            let signature = BundleSignature(
                envelope: try identity.sign(manifest, bytes: manifest.canonicalBytes).envelope, roots: identity.roots)
            return try await site.trust.policy().judge(
                manifestBytes: manifest.canonicalBytes, signature: signature)
        }
        guard case .trusted(let signers) = try await judge(rotated) else { throw WaitedInVain(event: "a rotation") }
        try await site.trust.keep(signers)
        guard case .invalid(.foreignKey("acme")) = try await judge(acme) else {
            throw WaitedInVain(event: "the old key")
        }
        #expect(try await site.trust.entries(by: TrustSite.local.principal).first?.publisher.root == next)
        // Lists may also be added by hand, without a fingerprint, as they follow.
        _ = try await site.trust.add([next.bytes], fingerprint: nil, by: TrustSite.local)
    }

    @Test("files in the settings folder are trusted and not changed")
    func files() async throws {
        let site = try TrustSite()
        let acme = try PublisherIdentity.test()
        try TrustFolder(site.folder.file("trust")).add(acme.roots)
        #expect(try await site.trust.policy().publishers["acme"]?.origin == .file)
        await #expect(throws: TrustError.readOnly(publisher: "acme")) {
            try await site.trust.withdraw("acme", reason: "x", by: TrustSite.local)
        }
        await #expect(throws: TrustError.readOnly(publisher: "acme")) {
            try await site.trust.add([acme.roots[0].bytes], fingerprint: acme.fingerprint, by: TrustSite.local)
        }
        try Data("{}".utf8).write(to: URL(filePath: site.folder.file("trust/broken.json")))
        await #expect(throws: TrustError.self) { try await site.trust.policy() }
    }

    @Test("who is no administrator changes nothing")
    func rights() async throws {
        let site = try TrustSite()
        let visitor = Caller(.anonymous)
        let acme = try PublisherIdentity.test()
        await #expect(throws: (any Error).self) {
            try await site.trust.add([acme.roots[0].bytes], fingerprint: acme.fingerprint, by: visitor)
        }
        await #expect(throws: (any Error).self) {
            try await site.trust.revoke(String(repeating: "0", count: 64), reason: "x", by: visitor)
        }
        await #expect(throws: (any Error).self) { try await site.publisher.identity(for: visitor) }
        await #expect(throws: (any Error).self) { try await site.publisher.rotate(RootChange(), by: visitor) }
    }
}

@Suite("A hub as a publisher")
struct PublisherKeysTests {
    @Test("its keys are made at first use, once, and only its user can read them")
    func firstUse() async throws {
        let site = try TrustSite()
        async let one = site.publisher.identity(for: TrustSite.local)
        async let other = site.publisher.identity(for: TrustSite.local)
        let (first, second) = (try await one, try await other)
        #expect(first.publisher == "hub.example")
        #expect(first.roots == second.roots && first.keys.map(\.publicKey) == second.keys.map(\.publicKey))
        #expect(first.modelKey?.algorithm == .p256)
        for name in try FileManager.default.contentsOfDirectory(atPath: site.folder.file("secrets")) {
            let mode =
                try FileManager.default.attributesOfItem(atPath: site.folder.file("secrets/\(name)"))[.posixPermissions]
                as? Int
            #expect(mode == 0o600)
        }
        // It trusts itself.
        #expect(try await site.trust.policy().publishers["hub.example"]?.origin == .own)
        await #expect(throws: PublisherError.exists(name: "hub.example")) {
            try await site.publisher.create(name: "x", RootChange(), by: TrustSite.local)
        }
        let signed = try first.sign(first.manifest(), bytes: first.manifest().canonicalBytes)
        #expect(signed.files.map(\.name) == ["trust/root.1.json", "BUNDLE.json.minisig", "BUNDLE.dsse.json"])
        #expect(throws: TrustError.self) { try first.sign(PublisherIdentity.test().manifest(), bytes: []) }
    }

    @Test("hosts that say nothing are no names", arguments: ["localhost", "127.0.0.1", "10.0.0.7", "::1", "[::1]", ""])
    func hosts(_ host: String) {
        #expect(PublisherKeys.name(ofHost: host) == nil)
    }

    @Test("a rotation is followed by sites that trust the publisher")
    func rotate() async throws {
        let (here, there) = (try TrustSite(), try TrustSite())
        let before = try await here.publisher.identity(for: TrustSite.local)
        _ = try await there.trust.add(before.roots.map(\.bytes), fingerprint: before.fingerprint, by: TrustSite.local)
        let root = try await here.publisher.rotate(
            RootChange(algorithm: .p384, revocation: "stolen"), by: TrustSite.local)
        #expect(root.version == 2)
        let after = try await here.publisher.identity(for: TrustSite.local)
        #expect(after.keys.map(\.algorithm) == [.p384] && after.fingerprint == before.fingerprint)
        let manifest = after.manifest()
        let documents = try after.sign(manifest, bytes: manifest.canonicalBytes)
        #expect(documents.minisign == nil)
        let policy = try await there.trust.policy()
        func judge(_ identity: PublisherIdentity) throws -> TrustVerdict {
            policy.judge(
                manifestBytes: manifest.canonicalBytes,
                signature: BundleSignature(
                    envelope: try identity.sign(manifest, bytes: manifest.canonicalBytes).envelope, roots: after.roots))
        }
        guard case .trusted(let signers) = try judge(after) else { throw WaitedInVain(event: "the new key") }
        #expect(signers.newRoots.map(\.version) == [2])
        guard case .invalid(.revokedKey) = try judge(before) else { throw WaitedInVain(event: "the old key") }
        #expect(try await here.actions() == ["trust.init", "trust.rotate"])
    }

    @Test("with a threshold of two nothing counts before the second signature")
    func cosigners() async throws {
        let site = try TrustSite()
        let officer = try SigningKey.make(.ed25519)
        let change = RootChange(cosigners: [officer.publicKey], threshold: 2)
        let draft = try await site.publisher.create(name: "acme", change, by: TrustSite.local)
        #expect(try draft.missingSignatures(after: nil) == 1)
        await #expect(throws: PublisherError.draftWaits(missing: 1)) {
            try await site.publisher.identity(for: TrustSite.local)
        }
        // Signed by somebody else: still waiting.
        let foreign = try draft.signed(by: [.make(.ed25519)])
        _ = try await site.publisher.sign(draft: foreign.bytes, by: TrustSite.local)
        await #expect(throws: PublisherError.draftWaits(missing: 1)) {
            try await site.publisher.identity(for: TrustSite.local)
        }
        // A list of the officer's own making is not the one that waits.
        let other = try PublisherIdentity.test(key: officer)
        await #expect(throws: PublisherError.self) {
            try await site.publisher.sign(draft: other.roots[0].bytes, by: TrustSite.local)
        }
        let done = try await site.publisher.sign(draft: draft.signed(by: [officer]).bytes, by: TrustSite.local)
        try done.checkOwnSignatures()
        let identity = try await site.publisher.identity(for: TrustSite.local)
        let manifest = identity.manifest()
        var signature = BundleSignature(
            envelope: try identity.sign(manifest, bytes: manifest.canonicalBytes).envelope, roots: identity.roots)
        let policy = try await site.trust.policy()
        guard
            case .invalid(.tooFewSignatures("acme", 1, 2)) = policy.judge(
                manifestBytes: manifest.canonicalBytes, signature: signature)
        else { throw WaitedInVain(event: "a missing signature") }
        try signature.envelope.sign(with: officer)
        guard
            case .trusted = policy.judge(
                manifestBytes: manifest.canonicalBytes, signature: signature)
        else { throw WaitedInVain(event: "two signatures") }
        await #expect(throws: PublisherError.self) {
            try await site.publisher.rotate(RootChange(threshold: 3), by: TrustSite.local)
        }
    }

    @Test("a lost key is said, not replaced")
    func lost() async throws {
        let site = try TrustSite()
        _ = try await site.publisher.identity(for: TrustSite.local)
        try FileManager.default.removeItem(atPath: site.folder.file("secrets"))
        await #expect(throws: PublisherError.keyMissing(publisher: "hub.example")) {
            try await site.publisher.identity(for: TrustSite.local)
        }
    }

    @Test("where keys are lost a new publisher begins under another name, and the old one ends")
    func replaceLost() async throws {
        let site = try TrustSite()
        let old = try await site.publisher.identity(for: TrustSite.local)
        // As long as the keys are here nothing is replaced.
        await #expect(throws: PublisherError.exists(name: "hub.example")) {
            try await site.publisher.create(name: "new", RootChange(), replacesLost: true, by: TrustSite.local)
        }
        try FileManager.default.removeItem(atPath: site.folder.file("secrets"))
        await #expect(throws: PublisherError.keyMissing(publisher: "hub.example")) {
            try await site.publisher.create(name: "new", RootChange(), by: TrustSite.local)
        }
        await #expect(throws: PublisherError.nameUsed("hub.example")) {
            try await site.publisher.create(name: "hub.example", RootChange(), replacesLost: true, by: TrustSite.local)
        }
        let root = try await site.publisher.create(name: nil, RootChange(), replacesLost: true, by: TrustSite.local)
        #expect(root.publisher.hasPrefix("hub.example-") && root.fingerprint != old.fingerprint)
        let new = try await site.publisher.identity(for: TrustSite.local)
        #expect(new.publisher == root.publisher)
        let known = try await site.trust.policy().publishers
        #expect(known["hub.example"]?.withdrawn == "its private keys were lost")
        #expect(known[root.publisher]?.origin == .own)
        #expect(try await site.actions() == ["trust.init", "trust.replace"])
        let entry = try #require(try await site.store.auditEntries().last?.entry)
        #expect(entry.detail["replaces"] == "hub.example")
    }

    @Test("a user whose keys are lost begins anew too")
    func replaceLostOfUser() throws {
        let folder = try TemporaryFolder("user")
        let user = try #require(UserTrust(environment: ["XDG_CONFIG_HOME": folder.path, "USER": "ada"]))
        let old = try user.identity()
        #expect(throws: PublisherError.exists(name: old.publisher)) {
            try user.create(name: nil, RootChange(), replacesLost: true)
        }
        let keys = folder.file("csghub/publisher")
        for name in try FileManager.default.contentsOfDirectory(atPath: keys) where name.hasSuffix(".key") {
            try FileManager.default.removeItem(atPath: "\(keys)/\(name)")
        }
        #expect(throws: PublisherError.keyMissing(publisher: old.publisher)) { try user.create(name: nil, RootChange()) }
        let root = try user.create(name: nil, RootChange(), replacesLost: true)
        #expect(root.publisher != old.publisher)
        #expect(try user.identity().publisher == root.publisher && user.roots() == [root])
    }

    @Test("a user has keys and trust without a hub")
    func user() throws {
        let folder = try TemporaryFolder("user")
        let user = try #require(UserTrust(environment: ["XDG_CONFIG_HOME": folder.path, "USER": "ada lovelace"]))
        let identity = try user.identity()
        #expect(identity.publisher.hasPrefix("ada-lovelace-"))
        #expect(try user.identity().roots == identity.roots)
        let rotated = try user.rotate(RootChange(revocation: "old"))
        #expect(try user.roots() == identity.roots + [rotated])
        let acme = try PublisherIdentity.test()
        #expect(throws: TrustError.self) { try user.add(acme.roots, fingerprint: "0000") }
        _ = try user.add(acme.roots, fingerprint: acme.fingerprint)
        #expect(try user.policy().publishers.keys.sorted() == ["acme", identity.publisher].sorted())
        try user.revoke(acme.keys[0].publicKey.fingerprint, reason: "lost")
        #expect(try user.policy().revoked == [acme.keys[0].publicKey.keyID: "lost"])
        #expect(try user.trusted.remove("acme"))
        #expect(try user.policy().publishers["acme"] == nil)
    }
}
