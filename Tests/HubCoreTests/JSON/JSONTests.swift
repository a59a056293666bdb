import Testing

@testable import HubCore

@Suite("JSON")
struct JSONTests {
    @Test(
        "what is read is written as it was",
        arguments: [
            "null", "true", "[]", "{}", "[1,-2,3.5,\"x\"]", #"{"b":1,"a":[{"c":null}]}"#, #""é\n\"\\ 中 😀""#, "9223372036854775807", #""\u0001""#,
        ])
    func roundTrip(text: String) throws {
        #expect(try JSONParser.parse(text).text == text)
    }

    @Test(
        "escapes and spaces are read",
        arguments: [(#" [ "\u00e9\ud83d\ude00\/" , 1 ] "#, #"["é😀/",1]"#), (#""\ud800x""#, "\"\u{FFFD}x\""), ("1E2", "100.0")])
    func reading(text: String, expected: String) throws {
        #expect(try JSONParser.parse(text).text == expected)
    }

    @Test(
        "refuses what is no JSON",
        arguments: ["", "[", "[1,]", "{1:2}", #"{"a"}"#, "nul", "01x", "+1", "\"a", "\"\u{1}\"", "[1] 2", #""\x""#, "1e999", "--1", "."])
    func refusals(text: String) {
        #expect(throws: JSONError.self) { try JSONParser.parse(text) }
    }

    @Test("nesting and values are bounded")
    func bounds() {
        #expect(throws: JSONError.tooDeep) { try JSONParser.parse(String(repeating: "[", count: 100_000)) }
        #expect(throws: JSONError.tooManyValues) { try JSONParser.parse("[1,2,3]", limits: .init(values: 3)) }
    }

    @Test("members are found by name, the last of two")
    func members() throws {
        let node = try JSONParser.parse(#"{"a":1,"b":"x","a":2,"c":["p",5,"q"]}"#)
        #expect(node["a"]?.integer == 2)
        #expect(node["b"]?.strings == ["x"])
        #expect(node["c"]?.strings == ["p", "q"])
        #expect(node["d"] == nil)
        #expect(JSONNode.object([JSONMember("r", .raw(JSONText(["k": 1])))]).text == #"{"r":{"k":1}}"#)
    }
}
