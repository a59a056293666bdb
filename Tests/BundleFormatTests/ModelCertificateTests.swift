import Foundation
import HubCore
import HubTestSupport
import Testing

@testable import BundleFormat

@Suite("Models signed with certificates")
struct ModelCertificateTests {
    private static let files = [(path: "a", sha256: BundleDigest.hash([1]))]
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder("certificates") }

    private func openssl(_ words: [String]) throws {
        let output = try CommandOutput.of(
            ["openssl"] + words, in: folder.path, environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"])
        try #require(output.succeeded, "\(output)")
    }

    private func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: folder.file(name))), as: UTF8.self)
    }

    /// A key and a certificate by an authority of the name `authority`.
    private func certificate(_ name: String, authority: String, usage: String) throws -> SigningKey {
        if !FileManager.default.fileExists(atPath: folder.file("\(authority).pem")) {
            try openssl([
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "\(authority).key", "-out",
                "\(authority).pem", "-subj", "/CN=\(authority)", "-days", "30",
            ])
        }
        try openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes", "-keyout", "\(name).key", "-out",
            "\(name).pem", "-subj", "/CN=\(name)", "-CA", "\(authority).pem", "-CAkey", "\(authority).key", "-days", "1", "-addext", "keyUsage=critical,\(usage)", "-addext",
            "basicConstraints=critical,CA:FALSE",
        ])
        try openssl(["x509", "-in", "\(name).pem", "-outform", "DER", "-out", "\(name).der"])
        return try SigningKey(pem: text("\(name).key"))
    }

    /// The signature as the method “certificate” has it.
    private func signature(_ name: String, key: SigningKey) throws -> [UInt8] {
        let made = String(decoding: try ModelSignature.make(name: "m", files: Self.files, key: key), as: UTF8.self)
        let hint = DocumentDigest.sha256(Array(key.publicKey.publicKeyPEM.utf8)).hex
        let der = Base64Text.encode(Array(try Data(contentsOf: URL(filePath: folder.file("\(name).der")))))
        let other = made.replacing(
            "\"publicKey\":{\"hint\":\"\(hint)\"}", with: "\"x509CertificateChain\":{\"certificates\":[{\"rawBytes\":\"\(der)\"}]}")
        try #require(other != made)
        return Array(other.utf8)
    }

    @Test("count when one of the given authorities vouches for the signer")
    func vouched() throws {
        let key = try certificate("ada", authority: "root", usage: "digitalSignature")
        let bytes = try signature("ada", key: key)
        let found = try ModelSignature.verify(bytes, authorities: text("root.pem"))
        #expect(found.key == key.publicKey && found.content.differences(from: Self.files).isEmpty)
        // By the key alone it is another method, and the other way round.
        #expect(throws: SigningError.self) { try ModelSignature.verify(bytes, key: key.publicKey) }
        let plain = try ModelSignature.make(name: "m", files: Self.files, key: key)
        #expect(throws: SigningError.self) { try ModelSignature.verify(plain, authorities: text("root.pem")) }
    }

    @Test("do not count by another authority, another key or a certificate that is not for signatures")
    func refused() throws {
        let key = try certificate("ada", authority: "root", usage: "digitalSignature")
        _ = try certificate("eve", authority: "other", usage: "digitalSignature")
        let bytes = try signature("ada", key: key)
        #expect(throws: SigningError.self) { try ModelSignature.verify(bytes, authorities: text("other.pem")) }
        #expect(throws: SigningError.self) { try ModelSignature.verify(bytes, authorities: "") }
        #expect(throws: SigningError.self) { try ModelSignature.verify(signature("ada", key: .make(.p384)), authorities: text("root.pem")) }
        let sealing = try certificate("sealing", authority: "root", usage: "keyEncipherment")
        #expect(throws: SigningError.self) { try ModelSignature.verify(signature("sealing", key: sealing), authorities: text("root.pem")) }
        // The certificate of the authority itself, in the place of one that it signed.
        #expect(throws: SigningError.self) { try ModelSignature.verify(signature("eve", key: key), authorities: text("other.pem")) }
    }
}
