import Testing
import WebCore

@Suite("External addresses")
struct RequestOriginTests {
    @Test(
        "reads and normalizes a URL without a path",
        arguments: [
            ("https://Hub.example", "https://hub.example"), ("https://hub.example:443/", "https://hub.example"),
            ("http://192.0.2.1:8080", "http://192.0.2.1:8080"), ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
            ("http://hub.example:80", "http://hub.example"),
        ])
    func parses(text: String, expected: String) {
        #expect(RequestOrigin(parsing: text)?.description == expected)
    }

    @Test(
        "refuses everything else",
        arguments: [
            "", "hub.example", "ftp://hub.example", "https://", "https://a/b", "https://a?b", "https://u@a", "https://a:0",
            "https://a:65536", "https://a:x", "https://a b", "https://[::1", "https://a:08443", "https://ä",
        ])
    func refuses(text: String) {
        #expect(RequestOrigin(parsing: text) == nil)
    }

    @Test("a link repeats the address that the client came by, any other Host gets the first")
    func repeats() throws {
        let addresses = ExternalAddresses(
            try ["https://hub.example", "https://10.0.0.5:8443", "http://hub.example:8080"].map { try #require(RequestOrigin(parsing: $0)) })
        #expect(addresses.origin(scheme: "https", host: "10.0.0.5:8443").description == "https://10.0.0.5:8443")
        #expect(addresses.origin(scheme: "https", host: "HUB.example").description == "https://hub.example")
        #expect(addresses.origin(scheme: "http", host: "hub.example:8080").description == "http://hub.example:8080")
        #expect(addresses.origin(scheme: "https", host: "evil.example").description == "https://hub.example")
        #expect(addresses.origin(scheme: "https", host: "hub.example:1").description == "https://hub.example")
        #expect(addresses.origin(scheme: "https", host: nil).description == "https://hub.example")
        #expect(addresses.origin(scheme: "https", host: "a/b@c").description == "https://hub.example")
    }

    @Test("gives the host without port and brackets")
    func host() {
        #expect(RequestOrigin(parsing: "https://[::1]:8443")?.host == "::1")
        #expect(RequestOrigin(parsing: "https://hub.example:8443")?.host == "hub.example")
    }
}
