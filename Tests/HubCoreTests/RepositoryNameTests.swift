import Testing

@testable import HubCore

@Suite("Repository names")
struct RepositoryNameTests {
    @Test(
        "refuses anything but owner/name",
        arguments: [
            "", "ada", "ada/", "/x", "a/b/c", "a/..", "-a/b", "a/b-", "a/b.", "a--b/c", "a/b..c", "a/b.git", "a/b c",
            "models/x",
            "a/" + String(repeating: "b", count: 97),
        ])
    func refuses(_ text: String) {
        #expect(throws: NameError.self) { try RepositoryName(parsing: text) }
    }

    @Test("accepts what huggingface_hub accepts", arguments: ["ada/bert", "a/b", "A_1/x.y-z_0", "_a/_b"])
    func accepts(_ text: String) throws {
        #expect(try RepositoryName(parsing: text).description == text)
    }

    @Test(
        "reads references as addresses and as words",
        arguments: ["models/ada/bert", "model ada/bert", "/models/ada/bert.git"])
    func references(_ text: String) throws {
        #expect(try RepositoryReference(parsing: text).description == "models/ada/bert")
    }
}

@Suite("Ref names")
struct ReferenceNameTests {
    @Test(
        "refuses what git check-ref-format refuses",
        arguments: [
            "", "main", "refs/", "refs/heads", "refs/heads/", "refs/heads/.a", "refs/heads/a.lock", "refs/heads/a..b",
            "refs/heads/a b",
            "refs/heads/a~1", "refs/heads//a", "refs/heads/a.", "refs/heads/@{x", "refs/heads/a\u{7f}",
            "refs/heads/a\\b",
        ])
    func refuses(_ text: String) { #expect(ReferenceName(text) == nil) }

    @Test("sorts by bytes")
    func sorts() throws {
        let names = try ["refs/heads/b", "refs/heads/B", "refs/heads/a/c", "refs/heads/é"].map {
            try #require(ReferenceName($0))
        }
        #expect(names.sorted().map(\.text) == ["refs/heads/B", "refs/heads/a/c", "refs/heads/b", "refs/heads/é"])
    }
}

@Suite("Object names and pointers")
struct ObjectNameTests {
    @Test("a git oid keeps its bytes and their order")
    func oid() throws {
        let low = try #require(GitOID(hex: "00ff" + String(repeating: "0", count: 36)))
        let high = try #require(GitOID(hex: "ff00" + String(repeating: "1", count: 36)))
        #expect(low < high && low.hex.hasPrefix("00ff") && GitOID(bytes: high.bytes) == high)
        #expect(GitOID(hex: String(repeating: "A", count: 40)) == nil)
    }

    @Test("a pointer reads back as it was written")
    func pointer() throws {
        let oid = try #require(ObjectID(hex: String(repeating: "a", count: 64)))
        let pointer = LFSPointer(oid: oid, sizeBytes: 12)
        #expect(LFSPointer(parsing: Array(pointer.text.utf8)) == pointer)
        #expect(LFSPointer(parsing: Array("version https://git-lfs.github.com/spec/v1\nsize 1\n".utf8)) == nil)
        #expect(LFSPointer(parsing: Array("hello".utf8)) == nil)
    }
}
