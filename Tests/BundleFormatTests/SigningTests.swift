import Foundation
import HubCore
import HubTestSupport
import Testing

@testable import BundleFormat

@Suite("Keys and signatures")
struct SigningTests {
    private static let message = Array("what is signed\n".utf8)

    @Test("a key is written and read, with and without a passphrase", arguments: KeyAlgorithm.allCases)
    func roundTrip(_ algorithm: KeyAlgorithm) throws {
        let key = try SigningKey.make(algorithm)
        #expect(key.algorithm == algorithm)
        #expect(try SigningKey(pem: try key.pem()).publicKey == key.publicKey)
        let sealed = try key.pem(passphrase: "six words")
        #expect(sealed.hasPrefix("-----BEGIN ENCRYPTED PRIVATE KEY-----"))
        #expect(try SigningKey(pem: sealed, passphrase: "six words").publicKey == key.publicKey)
        #expect(throws: SigningError.passphraseNeeded) { try SigningKey(pem: sealed) }
        #expect(throws: SigningError.wrongPassphrase) { try SigningKey(pem: sealed, passphrase: "seven words") }
        #expect(try SignerKey(pem: key.publicKey.publicKeyPEM) == key.publicKey)
        #expect(try SignerKey(der: key.publicKey.publicKeyDER).keyID == key.publicKey.keyID)
    }

    @Test("a signature holds for its message and key alone", arguments: KeyAlgorithm.allCases)
    func signature(_ algorithm: KeyAlgorithm) throws {
        let key = try SigningKey.make(algorithm)
        let signature = try key.sign(Self.message)
        #expect(key.publicKey.verifies(signature, of: Self.message))
        #expect(!key.publicKey.verifies(signature, of: Self.message + [0]))
        #expect(!key.publicKey.verifies(Array(signature.dropLast()), of: Self.message))
        #expect(!key.publicKey.verifies([], of: Self.message))
        #expect(!(try SigningKey.make(algorithm)).publicKey.verifies(signature, of: Self.message))
    }

    @Test("stock OpenSSL checks our signatures and we check its", arguments: KeyAlgorithm.allCases)
    func openssl(_ algorithm: KeyAlgorithm) throws {
        let folder = try TemporaryFolder("openssl")
        let key = try SigningKey.make(algorithm)
        var envelope = DSSEEnvelope(payloadType: DSSEEnvelope.inToto, payload: Self.message)
        try envelope.sign(with: key)
        try folder.write("message", envelope.signedBytes)
        try folder.write("signature", envelope.signatures[0].bytes)
        try folder.write("key.pem", Array(key.publicKey.publicKeyPEM.utf8))
        try folder.write("secret.pem", Array(key.pem(passphrase: "p w").utf8))
        let digest =
            switch algorithm {
            case .ed25519: [String]()
            case .p256: ["-digest", "sha256"]
            case .p384: ["-digest", "sha384"]
            }
        let verified = try CommandOutput.of(
            ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin"] + digest
                + ["-in", "message", "-sigfile", "signature"], in: folder.path)
        #expect(verified.succeeded, "\(verified)")
        let signed = try CommandOutput.of(
            ["openssl", "pkeyutl", "-sign", "-inkey", "secret.pem", "-passin", "pass:p w", "-rawin"] + digest
                + ["-in", "message", "-out", "theirs"], in: folder.path)
        #expect(signed.succeeded, "\(signed)")
        let theirs = [UInt8](try Data(contentsOf: URL(filePath: folder.file("theirs"))))
        #expect(key.publicKey.verifies(theirs, of: envelope.signedBytes))
        let fingerprint = try CommandOutput.of(
            ["bash", "-c", "openssl pkey -pubin -in key.pem -outform DER | sha256sum"], in: folder.path)
        #expect(fingerprint.line.prefix(64) == key.publicKey.keyID)
        #expect(Fingerprint.parse(key.publicKey.fingerprint.uppercased()) == key.publicKey.keyID)
    }

    @Test(
        "keys of other kinds and spellings are refused",
        arguments: [
            "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048", "genpkey -algorithm X25519",
            "genpkey -algorithm ED448",
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521",
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1",
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit",
        ])
    func otherKinds(_ command: String) throws {
        let made = try CommandOutput.of(["openssl"] + command.split(separator: " ").map(String.init))
        #expect(made.stdout.contains("PRIVATE KEY"))
        #expect(throws: SigningError.self) { try SigningKey(pem: made.stdout) }
    }

    @Test("a compressed point is no second spelling of a key")
    func compressed() throws {
        let folder = try TemporaryFolder("keys")
        try folder.write("key", Array(SigningKey.make(.p256).pem().utf8))
        let made = try CommandOutput.of(
            ["openssl", "ec", "-in", "key", "-pubout", "-conv_form", "compressed"], in: folder.path)
        #expect(made.stdout.contains("PUBLIC KEY"))
        #expect(throws: SigningError.self) { try SignerKey(pem: made.stdout) }
    }

    @Test(
        "text that is no key is refused",
        arguments: ["", "-----BEGIN PUBLIC KEY-----\n", "hello", String(repeating: "A", count: 100_000)])
    func noKey(_ text: String) {
        #expect(throws: SigningError.self) { try SignerKey(pem: text) }
        #expect(throws: SigningError.self) { try SigningKey(pem: text) }
    }

    @Test("an envelope is read back as it was written")
    func envelope() throws {
        var envelope = DSSEEnvelope(payloadType: DSSEEnvelope.inToto, payload: Self.message)
        let key = try SigningKey.make(.ed25519)
        try envelope.sign(with: key)
        try envelope.sign(with: key)
        try envelope.sign(with: .make(.p384))
        #expect(envelope.signatures.count == 2)
        #expect(try DSSEEnvelope(parsing: envelope.bytes, file: "f") == envelope)
        #expect(envelope.signedBytes == Array("DSSEv1 28 application/vnd.in-toto+json 15 what is signed\n".utf8))
    }

    @Test(
        "an envelope of another shape is refused within bounds",
        arguments: [
            "", "[]", "{}", #"{"payload":"!","payloadType":"t","signatures":[]}"#,
            #"{"payload":"QQ==","signatures":[]}"#,
            #"{"payload":"QQ","payloadType":"t","signatures":[]}"#,
            #"{"payload":"QQ==","payloadType":"t","signatures":[{"sig":"?"}]}"#,
            #"{"payload":"QQ==","payloadType":"t","signatures":["#
                + Array(repeating: #"{"keyid":"k","sig":"QQ=="}"#, count: 17).joined(separator: ",") + "]}",
            String(repeating: "[", count: 100_000), String(repeating: #"{"a":"#, count: 50_000),
            String(repeating: " ", count: DSSEEnvelope.maximumBytes + 1),
        ])
    func badEnvelopes(_ text: String) {
        #expect(throws: SigningError.self) { try DSSEEnvelope(parsing: Array(text.utf8), file: "BUNDLE.dsse.json") }
    }

    @Test("a statement speaks of one file by its hash")
    func statement() throws {
        let statement = InTotoStatement(
            subject: "BUNDLE.json", sha256: DocumentDigest.sha256(Self.message), predicateType: "urn:x",
            predicate: ["a": 1])
        let envelope = DSSEEnvelope(payloadType: DSSEEnvelope.inToto, payload: statement.canonicalBytes)
        #expect(try InTotoStatement(parsing: envelope, file: "f") == statement)
        var other = envelope
        other.payloadType = "text/plain"
        #expect(throws: SigningError.self) { try InTotoStatement(parsing: other, file: "f") }
        let text = String(decoding: statement.canonicalBytes, as: UTF8.self)
        for (from, to) in [
            ("Statement/v1", "Statement/v2"), ("sha256", "sha512"), ("\"subject\":[", "\"subject\":[{},"),
        ] {
            #expect(throws: SigningError.self) {
                try InTotoStatement(
                    parsing: DSSEEnvelope(
                        payloadType: DSSEEnvelope.inToto, payload: Array(text.replacing(from, with: to).utf8)),
                    file: "f")
            }
        }
    }

    @Test(
        "Debian's minisign accepts the twin signature and nothing else",
        .enabled(
            if: FileManager.default.isExecutableFile(atPath: "/usr/bin/minisign"),
            "minisign is missing: installer/setup --tests"))
    func minisign() throws {
        let folder = try TemporaryFolder("minisign")
        let key = try SigningKey.make(.ed25519)
        try folder.write("BUNDLE.json", Self.message)
        try folder.write("publisher.pub", MinisignSignature.publicKeyFile(key.publicKey))
        let signature = try MinisignSignature.make(
            of: Self.message, key: key, comment: "bundle 0123456789abcdef of acme/models 42")
        try folder.write(MinisignSignature.fileName, signature)
        let verify = ["minisign", "-Vm", "BUNDLE.json", "-p", "publisher.pub"]
        let accepted = try CommandOutput.of(verify, in: folder.path)
        #expect(accepted.succeeded, "\(accepted)")
        #expect(accepted.stdout.contains("bundle 0123456789abcdef of acme/models 42"))
        let byText = try CommandOutput.of(
            ["minisign", "-Vm", "BUNDLE.json", "-P", MinisignSignature.publicKeyText(key.publicKey)], in: folder.path)
        #expect(byText.succeeded, "\(byText)")
        #expect(MinisignSignature.verifies(signature, of: Self.message, key: key.publicKey))
        #expect(!MinisignSignature.verifies(signature, of: Self.message + [1], key: key.publicKey))
        try folder.write("BUNDLE.json", Self.message + [1])
        #expect(!(try CommandOutput.of(verify, in: folder.path)).succeeded)
    }

    @Test("minisign's own signature is read")
    func minisignFixture() throws {
        // Made by Debian's minisign 0.11: minisign -G -W; minisign -S of a file with “hello” and a line end.
        let publicKey = try #require(Base64Text.decode("RWRj+UVxJ3cOjdRygsMC/cdvORGm5NLemidIv7rtlHsNIWVL5dcOJH9T"))
        let prefix = try #require(Hex.decode("302a300506032b6570032100"))
        let key = try SignerKey(der: prefix + publicKey.suffix(32))
        let file = """
            untrusted comment: c
            RURj+UVxJ3cOjef6uMcH8hf1Q0PjpRhzdUeYls+A29ZZkQwEOOmFhX/tDDXJi7Bx6Y80TW6o6l5Tly1DgaR1OO6hiwFIJBWumQ8=
            trusted comment: tt
            5n8k1pMnZnlRUZjsc2uw9okXV/uoAcFtQFXFceCgFOXeB1YKxY22ybvOMwFxjf56Z8Hu48TXHoZn5phwQRVLBg==

            """
        #expect(MinisignSignature.verifies(Array(file.utf8), of: Array("hello\n".utf8), key: key))
        #expect(
            !MinisignSignature.verifies(
                Array(file.replacing("tt", with: "tu").utf8), of: Array("hello\n".utf8), key: key))
    }
}

@Suite("Signatures of models")
struct ModelSignatureTests {
    private static func sha(_ text: String) -> ObjectID { DocumentDigest.sha256(Array(text.utf8)) }
    private static let files = [
        (path: "sub/b.bin", sha256: sha("yo\n")), (path: "a.txt", sha256: sha("hi\n")),
        (path: ".gitattributes", sha256: sha("x\n")),
        (path: "empty", sha256: sha("")),
    ]

    @Test("are read back, with what they leave out", arguments: [KeyAlgorithm.p256, .p384])
    func roundTrip(_ algorithm: KeyAlgorithm) throws {
        let key = try SigningKey.make(algorithm)
        let bytes = try ModelSignature.make(name: "m", files: Self.files, key: key)
        let content = try ModelSignature.verify(bytes, key: key.publicKey)
        #expect(content.resources.map(\.path) == ["a.txt", "empty", "sub/b.bin"])
        #expect(content.differences(from: Self.files).isEmpty)
        #expect(
            content.differences(from: [("a.txt", Self.sha("ho")), ("empty", Self.sha("")), ("new", Self.sha(""))]) == [
                .changed(path: "a.txt"), .missing(path: "sub/b.bin"), .extra(path: "new"),
            ])
    }

    @Test("of parts of files are read as the OpenSSF's tool writes them")
    func shards() throws {
        let key = try SigningKey.make(.p256)
        let parts = [ModelSignature.Resource(path: "a", range: 0..<10, sha256: Self.sha("1")), .init(path: "a", range: 10..<12, sha256: Self.sha("2"))]
        let entries = parts.map { part in
            #"{"algorithm":"sha256-sharded-10","digest":"\#(part.sha256.hex)","name":"\#(part.path):\#(part.range?.lowerBound ?? 0):\#(part.range?.upperBound ?? 0)"}"#
        }
        let root = DocumentDigest.sha256(parts.flatMap { Hex.decode($0.sha256.hex) ?? [] })
        let statement = #"""
            {"_type":"https://in-toto.io/Statement/v1","predicateType":"https://model_signing/signature/v1.0","subject":[{"name":"m","digest":\#
            {"sha256":"\#(root.hex)"}}],"predicate":{"serialization":{"method":"shards","shard_size":10.0,"hash_type":"sha256"},\#
            "resources":[\#(entries.joined(separator: ","))]}}
            """#
        var envelope = DSSEEnvelope(payloadType: DSSEEnvelope.inToto, payload: Array(statement.utf8))
        envelope.signatures = [.init(keyID: "", bytes: try key.sign(envelope.signedBytes))]
        let bundle: JSONNode = .object([
            JSONMember("mediaType", .string(ModelSignature.mediaType)), JSONMember("verificationMaterial", .object([JSONMember("publicKey", .object([]))])),
            JSONMember("dsseEnvelope", envelope.node),
        ])
        let content = try ModelSignature.verify(CanonicalJSON.encode(bundle), key: key.publicKey)
        #expect(content.shardBytes == 10 && content.resources == parts)
        #expect(content.differences(from: [parts[0]]) == [.missing(path: "a:10:12")])
    }

    @Test("need a key of the specification")
    func ed25519() throws {
        #expect(throws: SigningError.unsuitableKey(algorithm: .ed25519, use: "models by the OpenSSF specification")) {
            try ModelSignature.make(name: "m", files: Self.files, key: .make(.ed25519))
        }
    }

    @Test("of another key, changed or with another hint are refused")
    func refusals() throws {
        let key = try SigningKey.make(.p256)
        let bytes = try ModelSignature.make(name: "m", files: Self.files, key: key)
        #expect(throws: SigningError.self) { try ModelSignature.verify(bytes, key: SigningKey.make(.p256).publicKey) }
        let text = String(decoding: bytes, as: UTF8.self)
        let hint = DocumentDigest.sha256(Array(key.publicKey.publicKeyPEM.utf8)).hex
        for accepted in [
            key.publicKey.keyID, Base64Text.encode(DocumentDigest.sha256Bytes(key.publicKey.publicKeyDER)), "",
        ] {
            let other = text.replacing(hint, with: accepted)
            #expect(throws: Never.self) { try ModelSignature.verify(Array(other.utf8), key: key.publicKey) }
        }
        for (from, to) in [
            (hint, String(repeating: "0", count: 64)), ("bundle.v0.3", "bundle.v0.1"), ("vnd.in-toto", "vnd.in-tata"),
            ("publicKey", "certificate"),
        ] {
            let other = text.replacing(from, with: to)
            #expect(other != text)
            #expect(throws: SigningError.self) { try ModelSignature.verify(Array(other.utf8), key: key.publicKey) }
        }
    }

    @Test("that the OpenSSF's tool made are accepted", arguments: [false, true])
    func fixture(isChanged: Bool) throws {
        // Made by PyPI's model-signing 1.1.1: model_signing sign key --private_key … m, with the files above.
        let key = try SignerKey(pem: ModelSigningFixture.publicKey)
        let signature =
            isChanged
            ? ModelSigningFixture.signature.replacing("MEQCID", with: "MEQCIE") : ModelSigningFixture.signature
        guard !isChanged else {
            #expect(throws: SigningError.self) { try ModelSignature.verify(Array(signature.utf8), key: key) }
            return
        }
        let content = try ModelSignature.verify(Array(signature.utf8), key: key)
        #expect(content.modelName == "m")
        #expect(content.differences(from: Self.files).isEmpty)
    }
}

extension TemporaryFolder {
    func write(_ name: String, _ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(filePath: file(name))) }
}
