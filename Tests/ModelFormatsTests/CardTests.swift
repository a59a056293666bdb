import HubCore
import Testing

@testable import ModelFormats

@Suite("Cards")
struct CardTests {
    private func json(_ yaml: String) throws -> String { try YAMLReader.read(Array(yaml.utf8)).text }

    @Test(
        "YAML becomes JSON",
        arguments: [
            ("a: 1", #"{"a":1}"#), ("a: no\nb: yes\nc: true\nd: Null", #"{"a":"no","b":"yes","c":true,"d":null}"#),
            ("v: 1.10\nw: '1.10'\nx: 1e3\ny: 0x1F\nz: 0o17", #"{"v":1.1,"w":"1.10","x":1000.0,"y":31,"z":15}"#),
            ("d: 2024-01-01", #"{"d":"2024-01-01"}"#), ("v: 1.2.3", #"{"v":"1.2.3"}"#), ("i: .inf\nn: nan", #"{"i":".inf","n":"nan"}"#),
            ("- a\n- [b, {c: d}]", #"["a",["b",{"c":"d"}]]"#), ("t: |\n  x\n  y\n", #"{"t":"x\ny\n"}"#),
            ("x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3", #"{"x":{"a":1,"b":2},"y":{"b":3,"a":1}}"#),
            ("a: &a [1]\nb: [*a, *a]", #"{"a":[1],"b":[[1],[1]]}"#), ("1: a\ntrue: b", #"{"1":"a","true":"b"}"#),
            ("a: !!str 5\nb: !own 6", #"{"a":"5","b":"6"}"#), ("", "null"), ("语言: 中文 😀", #"{"语言":"中文 😀"}"#), ("a:", #"{"a":null}"#),
        ])
    func values(yaml: String, expected: String) throws {
        #expect(try json(yaml) == expected)
    }

    @Test(
        "refuses what is broken or unfolds",
        arguments: ["a: [", "a: *b", "a: &a [*a]", "a: 1\na: 2", "? [x]\n: y", "a: 1\n b: 2", String(repeating: "[", count: 40)])
    func refusals(yaml: String) {
        #expect(throws: FormatError.self) { try json(yaml) }
    }

    @Test("aliases weigh what they stand for")
    func bombs() {
        var bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
        for level in 1..<10 {
            bomb += "a\(level): &a\(level) [\((0..<10).map { _ in "*a\(level - 1)" }.joined(separator: ","))]\n"
        }
        #expect(throws: FormatError.self) { try json(bomb) }
        let large = "a: &a \"\(String(repeating: "x", count: 50_000))\"\nb: [\((0..<100).map { _ in "*a" }.joined(separator: ","))]"
        #expect(throws: FormatError.self) { try json(large) }
    }

    @Test(
        "the front matter lies between two rules",
        arguments: [
            ("---\na: 1\n---\nbody", #"{"a":1}"#, "body"), ("\u{FEFF}\n---\r\na: 1\r\n---\r\nbody", #"{"a":1}"#, "body"),
            ("---\na: 1\n---", #"{"a":1}"#, ""), ("# no\n---\na: 1\n---\n", nil, "# no\n---\na: 1\n---\n"),
            ("---\na: 1\n", nil, "---\na: 1\n"), ("---\n---\nbody", nil, "body"), ("", nil, ""),
        ])
    func frontMatter(readme: String, data: String?, body: String) {
        let card = Card(parsing: Array(readme.utf8))
        #expect(card.data?.text == data)
        #expect(card.body == body)
        #expect(card.problem == nil)
    }

    @Test("a card that cannot be read says why and keeps its text")
    func problems() {
        let card = Card(parsing: Array("---\na: [\n---\nbody".utf8))
        #expect(card.data == nil && card.body == "body" && card.problem != nil)
        #expect(Card(parsing: Array("---\n- a\n---\n".utf8)).problem != nil)
    }

    @Test("the words of a text, its title and its first paragraph")
    func words() {
        let text = CardText(
            markdown: """
                <p align="center"><img src="x"></p>
                [![badge](https://x)](https://y)

                # The *Model*

                | a | b |
                This is the **first** paragraph, with a [link](https://x) and `code`,
                over two lines.

                ```python
                secret = 1
                ```
                <!-- hidden
                still hidden --> shown
                """)
        #expect(text.title == "The Model")
        #expect(text.summary == "This is the first paragraph, with a link and code , over two lines.")
        #expect(text.text.contains("shown") && !text.text.contains("secret") && !text.text.contains("hidden"))
        #expect(!text.text.contains("https://x"))
    }
}
