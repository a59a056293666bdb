import HubCore
import Testing

@Suite("What is said about licenses")
struct LicensePolicyTests {
    private let rules = "MIT=allow, agpl-3.0*=deny, CC-BY-NC-*=ask, *-ND-*=deny, LicenseRef-*=ask, unknown=ask"

    @Test(
        "the first rule that fits decides, and nothing is allowed by chance",
        arguments: [
            ("MIT", "allow"), ("AGPL-3.0-only", "deny"), ("AGPL-3.0", "deny"), ("AGPL-2.0", "allow"), ("CC-BY-NC-4.0", "ask"),
            // The rule for NC stands before that for ND.
            ("CC-BY-NC-ND-4.0", "ask"), ("CC-BY-ND-4.0", "deny"), ("LicenseRef-llama3.1", "ask"), ("LicenseRef-unknown", "ask"),
            ("", "ask"), ("MIT AND AGPL-3.0-only", "deny"), ("(MIT OR LicenseRef-x)", "ask"),
            ("Apache-2.0 WITH LLVM-exception", "allow"), ("Apache-2.0 WITH AGPL-3.0", "allow"), ("MIT AND (MIT)", "allow"),
        ])
    func decides(_ license: String, _ answer: String) throws {
        #expect(try #require(LicensePolicy(rules)).answer(for: license).rawValue == answer)
    }

    @Test("none declared is “unknown”, which a star fits too")
    func none() throws {
        #expect(try #require(LicensePolicy("unknown=ask,*=deny")).answer(for: nil) == .ask)
        #expect(try #require(LicensePolicy("MIT=allow,*=deny")).answer(for: nil) == .deny)
        #expect(try #require(LicensePolicy("")).answer(for: nil) == .allow)
    }

    @Test("a star stands for any characters, none too", arguments: ["a*b*c", "a*c", "*abc*", "abc*", "*b*", "a**c"])
    func star(_ pattern: String) throws {
        let policy = try #require(LicensePolicy("\(pattern)=deny"))
        #expect(policy.answer(for: "abc") == .deny && policy.answer(for: "xd") == .allow && policy.answer(for: "ac-b-d") == (pattern == "*b*" ? .deny : .allow))
    }

    @Test("a rule of another form is refused", arguments: ["MIT", "MIT=no", "=deny", "MIT=deny=ask", "a b/c=deny", "MIT==ask"])
    func form(_ text: String) { #expect(LicensePolicy(text) == nil) }

    @Test("is written as it was read, without spaces")
    func text() { #expect(LicensePolicy(" MIT = Allow ,, X-*=DENY\n")?.text == "MIT=allow,X-*=deny") }
}
