import Foundation
import HubTestSupport
import Hummingbird
import NIOSSL
import Testing
import WebCore

@testable import HubServer

@Suite("Site certificates")
struct SiteCertificateTests {
    private func site(_ folder: TemporaryFolder) throws -> SiteCertificates {
        SiteCertificates(data: folder.path, secrets: try SecretFiles(folder: folder.file("secrets")))
    }

    @Test("makes an authority and a certificate for the names once, with keys for the owner only")
    func makesOnce() throws {
        let folder = try TemporaryFolder("tls")
        let hosts = ["hub.example", "192.0.2.7", "2001:db8::0:7"]
        let first = try site(folder).current(hosts: hosts)
        #expect(try site(folder).current(hosts: hosts) == first)
        for name in ["ca.key", "ca.pem", "server.key", "server.pem"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: folder.file("secrets/\(name)"))
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
        let authority = try String(contentsOfFile: folder.file("tls/ca.pem"), encoding: .utf8)
        #expect(try site(folder).authorityCertificate() == authority)
        #expect(first.certificates.hasSuffix(authority))
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.file("tls/ca.pem"))
        #expect(attributes[.posixPermissions] as? Int == 0o644)
    }

    @Test("makes the server's certificate anew when the names change; the authority stays")
    func followsNames() throws {
        let folder = try TemporaryFolder("tls")
        let first = try site(folder).current(hosts: ["hub.example"])
        let authority = try site(folder).authorityCertificate()
        let second = try site(folder).current(hosts: ["other.example"])
        #expect(first != second)
        #expect(try site(folder).authorityCertificate() == authority)
    }

    @Test("openssl accepts the certificate for each of its names")
    func verifies() throws {
        let folder = try TemporaryFolder("tls")
        let pair = try site(folder).current(hosts: ["hub.example", "192.0.2.7"])
        try pair.certificates.write(toFile: folder.file("chain.pem"), atomically: true, encoding: .utf8)
        for check in [
            ["-verify_hostname", "hub.example"], ["-verify_ip", "192.0.2.7"], ["-verify_hostname", "localhost"],
        ] {
            let output = try CommandOutput.of(
                ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", folder.file("tls/ca.pem")]
                    + check
                    + [folder.file("chain.pem")])
            #expect(output.line.hasSuffix(": OK"))
        }
    }

    @Test("TLS clients that trust the authority are served, and get a new certificate without a restart")
    func serves() async throws {
        let folder = try TemporaryFolder("tls")
        let site = try site(folder)
        let pair = try site.current(hosts: ["hub.example"])
        let contexts = try TLSContexts(certificates: pair.certificates, key: pair.key)
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(
            try NIOSSLCertificate.fromPEMBytes(Array(try site.authorityCertificate().utf8)))
        configuration.applicationProtocols = ["h2", "http/1.1"]
        let client = try NIOSSLContext(configuration: configuration)
        try await TestServer.run(tls: contexts) { _, context in
            .plain("\(context.isEncrypted)")
        } _: { server in
            for hosts in [["hub.example"], ["other.example"]] {
                let pair = try site.current(hosts: hosts)
                #expect(try contexts.replace(with: pair) == (hosts != ["hub.example"]))
                try await WireClient.connect(port: server.port, tls: client) { wire in
                    try await wire.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    #expect(try await wire.rest().hasSuffix("true"))
                }
            }
        }
    }

    @Test("refuses a key that does not belong to the certificate")
    func refusesForeignKey() throws {
        let folders = try [TemporaryFolder("tls"), TemporaryFolder("tls")]
        let one = try site(folders[0]).current(hosts: ["a.example"])
        let other = try site(folders[1]).current(hosts: ["a.example"])
        #expect(throws: StartError.self) { _ = try TLSContexts(certificates: one.certificates, key: other.key) }
        #expect(throws: StartError.self) { _ = try TLSContexts(certificates: "", key: other.key) }
    }
}
