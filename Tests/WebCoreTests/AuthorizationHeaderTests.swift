import Testing
import WebCore

@Suite("Authorization header")
struct AuthorizationHeaderTests {
    @Test(
        "reads Bearer, token and Basic",
        arguments: [
            (nil, .absent), ("", .absent), ("Bearer hub_abc", .bearer("hub_abc")), ("bearer  x", .bearer("x")),
            ("token hub_abc", .bearer("hub_abc")), ("Basic YWRhOnB3", .basic(user: "ada", password: "pw")),
            ("Basic YWRhOmE6Yg==", .basic(user: "ada", password: "a:b")), ("Basic Og==", .basic(user: "", password: "")),
            ("Basic YWRh", .malformed), ("Basic !!!", .malformed), ("Basic //4=", .malformed), ("Bearer", .malformed),
            ("Bearer ", .malformed), ("Digest x", .malformed),
        ] as [(String?, AuthorizationHeader)])
    func reads(value: String?, expected: AuthorizationHeader) {
        #expect(AuthorizationHeader(value: value) == expected)
    }

    @Test("refuses headers that no token needs")
    func refusesLong() {
        #expect(AuthorizationHeader(value: "Bearer " + String(repeating: "x", count: 9000)) == .malformed)
    }
}
