import HubCore
import Testing
import WebCore

@testable import HubAPI

@Suite("How to point clients to the hub")
struct ConnectTests {
    /// In the form of a certificate: the bytes 0 to 9.
    private static let pem = """
        -----BEGIN CERTIFICATE-----
        AAECAwQFBgcICQ==
        -----END CERTIFICATE-----

        """

    private func setup(_ address: String) throws -> ClientSetup {
        let origin = try #require(RequestOrigin(parsing: address))
        return ClientSetup(origin: origin, authority: ClientSetup.Authority(pem: Self.pem))
    }

    @Test("the best language that the browser names", arguments: [
        (nil, "en"), ("", "en"), ("zh", "zh-Hans"), ("zh-TW, en;q=0.5", "zh-Hans"), ("en, zh;q=0.5", "en"), ("de, fr", "en"),
        ("en;q=0, zh;q=0", "en"), (";;q=x,,", "en"),
    ])
    func language(header: String?, expected: String) {
        #expect(ConnectTexts.best(for: header).language == expected)
    }

    @Test("the fingerprint is that of the certificate's bytes")
    func fingerprint() throws {
        let authority = try #require(ClientSetup.Authority(pem: Self.pem))
        #expect(authority.fingerprint.hasPrefix("1F:82:5A:A2:F0:02:0E:F7:CF:91:DF:A3:0D:A4:66:8D"))
        #expect(ClientSetup.Authority(pem: "no certificate") == nil)
    }

    @Test("a hub without TLS asks nobody to trust a certificate")
    func plain() throws {
        let plain = try setup("http://hub.test:8080")
        #expect(plain.authority == nil && plain.gitCommand(on: .linux) == nil)
        #expect(!plain.variables(on: .linux).contains { $0.purpose == .authority })
        #expect(!ProfileScripts.shell(plain).contains("SSL_CERT_FILE"))
        #expect(!ProfileScripts.powerShell(plain).contains("CERTIFICATE"))
    }

    @Test("every place is filled in", arguments: ["https://hub.test:8443", "http://hub.test"])
    func filled(_ address: String) throws {
        let setup = try setup(address)
        for text in [
            ProfileScripts.shell(setup), ProfileScripts.powerShell(setup), ConnectPage(setup: setup, texts: .english).html,
            ConnectPage(setup: setup, texts: .chinese).html,
        ] {
            #expect(!text.contains("{{") && text.contains(address))
        }
    }
}
