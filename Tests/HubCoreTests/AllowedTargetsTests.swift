import Testing

@testable import HubCore

@Suite("Allowed targets")
struct AllowedTargetsTests {
    @Test(
        "addresses are read as inet_pton reads them",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("::", "0:0:0:0:0:0:0:0"), ("::1", "0:0:0:0:0:0:0:1"),
            ("2001:db8::5", "2001:db8:0:0:0:0:0:5"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("::ffff:192.0.2.1", "192.0.2.1"),
            ("fe80::", "fe80:0:0:0:0:0:0:0"), ("64:ff9b::192.0.2.33", "64:ff9b:0:0:0:0:c000:221"),
        ])
    func reads(_ item: (String, String)) { #expect(IPAddress(item.0)?.description == item.1) }

    @Test(
        "other texts are no addresses",
        arguments: [
            "", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "0x7f.0.0.1", ":", ":::", "1::2::3", "12345::", "g::",
            "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::1%eth0", "::1.2.3", "+1::2",
        ])
    func refuses(_ text: String) { #expect(IPAddress(text) == nil) }

    @Test("ranges hold what begins with their bits")
    func ranges() throws {
        let range = try #require(AddressRange("10.1.128.0/17"))
        for (text, expected) in [("10.1.128.0", true), ("10.1.255.255", true), ("10.1.127.255", false), ("::a01:8000", false)] {
            #expect(range.contains(try #require(IPAddress(text))) == expected, "\(text)")
        }
        #expect(try #require(AddressRange("0.0.0.0/0")).contains(try #require(IPAddress("8.8.8.8"))))
        for text in ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10/8", "::/129"] { #expect(AddressRange(text) == nil) }
    }

    @Test("hosts allow their addresses, but none of this machine; ranges allow what is in them")
    func allows() throws {
        let targets = try #require(AllowedTargets("Hooks.Example, *.ci.example\n127.0.0.0/30"))
        let rules: [(String, String, Bool)] = [
            ("hooks.example", "192.0.2.1", true), ("HOOKS.example", "192.0.2.1", true), ("a.hooks.example", "192.0.2.1", false),
            ("a.ci.example", "192.0.2.1", true), ("ci.example", "192.0.2.1", false), ("evilci.example", "192.0.2.1", false),
            ("hooks.example", "127.0.0.9", false), ("hooks.example", "127.0.0.1", true), ("x", "127.0.0.2", true),
            ("hooks.example", "::1", false), ("hooks.example", "fe80::1", false),
        ]
        for (host, address, expected) in rules {
            #expect(targets.allow(host, at: try #require(IPAddress(address))) == expected, "\(host) \(address)")
        }
        for text in ["http://x", "-a", "a..b", "*.", "*", "10.0.0.0/99", "a b:8", "1.2.3"] { #expect(AllowedTargets(text) == nil, "\(text)") }
        #expect(AllowedTargets("")?.mayAllow("hooks.example") == false)
    }
}
