import HubCore
import Testing

@testable import HuggingFaceAPI

@Suite("Lines of a commit")
struct CommitLineParserTests {
    /// All events, with contents that follow one another joined.
    private func parse(_ text: String, pieceBytes: Int = .max) throws -> [CommitEvent] {
        var parser = CommitLineParser()
        var events: [CommitEvent] = []
        func add(_ event: CommitEvent) {
            if case .content(let more) = event, case .content(let before) = events.last {
                events[events.count - 1] = .content(before + more)
            } else {
                events.append(event)
            }
        }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(pieceBytes))
            rest = rest.dropFirst(piece.count)
            var index = 0
            repeat {
                let (consumed, event) = try Array(piece[index...]).withUnsafeBytes { try parser.parse($0) }
                index += consumed
                if let event { add(event) } else if index == piece.count { break }
            } while true
        }
        if let event = try parser.finish() { add(event) }
        return events
    }

    private static let body = """
        {"key":"header","value":{"summary":"A \\u00e9 \\ud83d\\ude00","description":"","parentCommit":"abc"}}
        {"key":"file","value":{"content":"aGVsbG8gd29ybGQ=","path":"a \\"b\\".txt","encoding":"base64"}}

        {"value":{"path":"w.bin","algo":"sha256","oid":"\(String(repeating: "a", count: 64))","size":123,"more":[1,{"x":null}]},"key":"lfsFile"}
        {"key":"lfsFile","value":{"path":"c","oid":"\(String(repeating: "b", count: 64))"}}
        {"key":"deletedFile","value":{"path":"old"}}
        {"key":"deletedFolder","value":{"path":"dir/"}}
        """

    @Test("are read whatever pieces they come in", arguments: [1, 2, 3, 7, 64, Int.max])
    func lines(pieceBytes: Int) throws {
        let a = try #require(ObjectID(hex: String(repeating: "a", count: 64)))
        let b = try #require(ObjectID(hex: String(repeating: "b", count: 64)))
        #expect(
            try parse(Self.body, pieceBytes: pieceBytes) == [
                .line(.header(.init(summary: "A é 😀", description: "", parentCommit: "abc"))),
                .content(Array("hello world".utf8)), .line(.file(path: "a \"b\".txt")),
                .line(.largeFile(path: "w.bin", oid: a, sizeBytes: 123)), .line(.largeFile(path: "c", oid: b, sizeBytes: nil)),
                .line(.deletion(path: "old", isFolder: false)), .line(.deletion(path: "dir/", isFolder: true)),
            ])
    }

    @Test("give long content away in pieces, and take text that is said to be text")
    func content() throws {
        let long = String(repeating: "AAAA", count: 300_000)
        var parser = CommitLineParser()
        let line = Array("{\"key\":\"file\",\"value\":{\"content\":\"\(long)".utf8)
        var index = 0
        while index < line.count {
            let (consumed, event) = try line[index...].withUnsafeBytes { try parser.parse($0) }
            index += consumed
            guard case .content(let bytes) = event else { continue }
            #expect(bytes.count < 512 << 10)
        }
        #expect(
            try parse(#"{"key":"file","value":{"encoding":"utf-8","content":"a\nb","path":"t"}}"#) == [
                .content(Array("a\nb".utf8)), .line(.file(path: "t")),
            ])
        #expect(try parse(#"{"key":"file","value":{"content":"","path":"e"}}"#) == [.line(.file(path: "e"))])
        #expect(
            try parse(#"{"key":"file","value":{"content":"\/\/8=","path":"e"}}"#) == [
                .content([0xff, 0xff]), .line(.file(path: "e")),
            ])
    }

    @Test(
        "that are hostile are refused",
        arguments: [
            "[]", "x", "{", "{}", "null", #"{"key":"file"}"#, #"{"key":"file","value":{"path":"a"}}"#,
            #"{"key":"file","value":{"content":"a","path":"a"}}"#, #"{"key":"file","value":{"content":"====","path":"a"}}"#,
            #"{"key":"file","value":{"content":"QQ==QQ==","path":"a"}}"#, #"{"key":"file","value":{"content":"Q Q=","path":"a"}}"#,
            #"{"key":"file","value":{"content":"QQ=A","path":"a"}}"#, #"{"key":"file","value":{"content":"QQ==","encoding":"utf-8"}}"#,
            #"{"key":"file","value":{"content":"QQ==","content":"QQ==","path":"a"}}"#, #"{"key":"rename","value":{"path":"a"}}"#,
            #"{"key":"lfsFile","value":{"path":"a","oid":"../../x"}}"#, #"{"key":"lfsFile","value":{"path":"a","oid":""#,
            #"{"key":"deletedFile","value":{"path":"\ud800"}}"#, #"{"key":"deletedFile","value":{"path":"\udc00x"}}"#,
            #"{"key":"deletedFile","value":{"path":"\x"}}"#, "{\"key\":\"deletedFile\",\"value\":{\"path\":\"a\nb\"}}",
            #"{"key":"deletedFile","value":{"path":"a"}"#, #"{"key":"deletedFile","value":{"path":"a"}}]"#,
            #"{"key":"deletedFile","value":{"path":"a"],"#, #"{"key" "deletedFile"}"#, #"{"key":tru}"#,
            #"{"key":"lfsFile","value":{"path":"a","oid":"\#(String(repeating: "a", count: 64))","size":-1}}"#,
            #"{"key":"lfsFile","value":{"path":"a","oid":"\#(String(repeating: "a", count: 64))","size":1.5}}"#,
            #"{"key":"lfsFile","value":{"path":"a","oid":"\#(String(repeating: "a", count: 64))","size":99999999999999999999}}"#,
            #"{"key":"deletedFile","value":{"path":"\#(String(repeating: "a", count: 20_000))"}}"#,
            #"{"key":"\#(String(repeating: "k", count: 100))"}"#, String(repeating: #"{"a":"#, count: 100),
            String(repeating: "{\"key\":[", count: 100), #"{"key":"header","value":{"summary":"\#(String(repeating: "s", count: 5000))"}}"#,
        ])
    func hostile(_ text: String) {
        #expect(throws: CommitBodyError.self) { try parse(text) }
        #expect(throws: CommitBodyError.self) { try parse(text, pieceBytes: 3) }
    }

    @Test("never trap on random changes of a good body")
    func mutated() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            var bytes = Array(Self.body.utf8)
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[place] = UInt8.random(in: 0...255, using: &generator)
            }
            var parser = CommitLineParser()
            var index = 0
            // Whether it is refused does not matter here.
            while index < bytes.count, let step = try? bytes[index...].withUnsafeBytes({ try parser.parse($0) }) {
                index += step.consumed
            }
            _ = try? parser.finish()
        }
    }
}
