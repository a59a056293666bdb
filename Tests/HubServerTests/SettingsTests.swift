import HubCore
import Logging
import Testing
import WebCore

@testable import HubServer

@Suite("Settings")
struct SettingsTests {
    private func read(
        flags: [String: [String]] = [:], environment: [String: String] = [:], file: String? = nil
    ) throws -> HubSettings {
        try HubSettings(SettingsSource(flags: flags, environment: environment, file: file))
    }

    @Test("has safe defaults")
    func defaults() throws {
        let settings = try read()
        #expect(settings.listen == [.network(host: "127.0.0.1", port: 8443)])
        #expect(settings.tls == .auto && settings.allowsAnonymousRead == nil && settings.trustedProxies.isEmpty)
        #expect(try read(flags: ["tls": ["off"]]).listen == [.network(host: "127.0.0.1", port: 8080)])
    }

    @Test("a flag wins over a variable, a variable over the file")
    func precedence() throws {
        let file = "listen: 10.0.0.1:1\nlog-level: debug\nexternal-url: [\"https://a\", \"https://b:8443\"]\n"
        #expect(try read(file: file).listen == [.network(host: "10.0.0.1", port: 1)])
        #expect(try read(file: file).externalURLs.map(\.description) == ["https://a", "https://b:8443"])
        let environment = [
            "CSGHUB_LISTEN": "10.0.0.2:2, [::1]:3", "CSGHUB_EXTERNAL_URL": "https://c", "CSGHUB_TLS": "/c.pem,/k.pem",
        ]
        let settings = try read(environment: environment, file: file)
        #expect(settings.listen == [.network(host: "10.0.0.2", port: 2), .network(host: "::1", port: 3)])
        #expect(settings.externalURLs.map(\.description) == ["https://c"])
        #expect(settings.tls == .files(certificates: "/c.pem", key: "/k.pem"))
        #expect(settings.logLevel == .debug)
        #expect(
            try read(flags: ["listen": ["1.2.3.4:5"]], environment: environment).listen == [
                .network(host: "1.2.3.4", port: 5)
            ])
    }

    @Test(
        "a bad value stops the start with the key as the user wrote it",
        arguments: [
            (["listen": ["8443"]], [:], nil, "--listen"), ([:], ["CSGHUB_LISTEN": "x:y"], nil, "CSGHUB_LISTEN"),
            ([:], [:], "listen: nowhere", "listen in config.yaml"),
            ([:], [:], "lisen: 1.2.3.4:5", "lisen in config.yaml"),
            (["tls": ["maybe"]], [:], nil, "--tls"), (["tls": ["a.pem,"]], [:], nil, "--tls"),
            (["external-url": ["https://a/b"]], [:], nil, "--external-url"), ([:], [:], "- a", "config.yaml"),
            ([:], [:], "a: [", "config.yaml"),
            ([:], ["CSGHUB_ANONYMOUS_READ": "perhaps"], nil, "CSGHUB_ANONYMOUS_READ"),
            (["trusted-proxy": ["10.0.0.0/33"]], [:], nil, "--trusted-proxy"),
            (["data": ["a", "b"]], [:], nil, "--data"),
            ([:], [:], "maximum-connections: 3", "maximum-connections in config.yaml"),
            ([:], [:], "log-format: xml", "log-format in config.yaml"),
            ([:], [:], "listen: {a: b}", "listen in config.yaml"),
        ] as [([String: [String]], [String: String], String?, String)])
    func refuses(flags: [String: [String]], environment: [String: String], file: String?, key: String) {
        #expect {
            _ = try read(flags: flags, environment: environment, file: file)
        } throws: { error in
            if case .badSetting(key: key, reason: _) = error as? StartError { true } else { false }
        }
    }

    @Test(
        "tells which addresses a block has",
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.128/25", "192.0.2.127", false), ("fd00::/8", "fdab::1", true), ("::1", "::1", true),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true), ("0.0.0.0/0", "8.8.8.8", true), ("0.0.0.0/0", "::1", false),
            ("10.0.0.0/8", "x", false),
        ])
    func blocks(block: String, address: String, isInside: Bool) throws {
        #expect(try #require(AddressBlock(parsing: block)).contains(address) == isInside)
    }
}
