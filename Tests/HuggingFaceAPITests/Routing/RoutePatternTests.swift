import HubCore
import Testing

@testable import HuggingFaceAPI

@Suite("Route patterns")
struct RoutePatternTests {
    private func match(_ pattern: String, _ path: String, parts: Int = 2) -> RouteMatch? {
        RoutePattern(pattern).match(HubPath(path), repositoryParts: parts)
    }

    @Test("keep an encoded slash within its part, and take rests with either kind of slash")
    func encodedSlashes() throws {
        let pattern = "/api/{kinds}/{repo}/tree/{rev}/{path...?}"
        let found = try #require(match(pattern, "/api/datasets/ada/poems/tree/feat%2Fx/sub%2Fdeep"))
        #expect(found.kind == .dataset)
        #expect(found.repository?.text == "ada/poems")
        #expect(found.values == ["rev": "feat/x", "path": "sub/deep"])
        #expect(match(pattern, "/api/models/ada/m/tree/main/sub/deep")?.values["path"] == "sub/deep")
        #expect(match(pattern, "/api/models/ada/m/tree/main")?.values == ["rev": "main"])
        #expect(match(pattern, "/api/models/ada/m/tree/refs/pr/3/a.txt")?.values == ["rev": "refs/pr/3", "path": "a.txt"])
    }

    @Test("take the kind of an address of files from its first part, or models")
    func kinds() throws {
        let pattern = "/{kinds?}/{repo}/resolve/{rev}/{path...}"
        #expect(match(pattern, "/ada/m/resolve/main/a/b.txt")?.kind == .model)
        #expect(match(pattern, "/spaces/ada/m/resolve/main/a.txt")?.kind == .space)
        #expect(match(pattern, "/gpt2/resolve/main/a.txt") == nil)
        #expect(match(pattern, "/gpt2/resolve/main/a.txt", parts: 1)?.repository?.text == "gpt2")
    }

    @Test("find nothing in paths that are cut off, too long or badly encoded", arguments: [
        "/api/models/ada", "/api/models/ada/m/refs", "/api/models/ada/%ZZ/revision/main", "/api/models//m/revision/main",
        "/api/models/ada/m/revision/main/more", "/api/things/ada/m/revision/main", "/api/models/ada/m/revision/%ff%fe",
    ])
    func others(_ path: String) {
        #expect(match("/api/{kinds}/{repo}/revision/{rev}", path) == nil)
    }

    @Test("answer below the prefixes that CSGHub's clients use", arguments: ["", "/hf", "/csg", "/ms"])
    func prefixes(_ prefix: String) {
        let path = HubPath(prefix + "/api/models/ada/m/")
        #expect(path.prefix == prefix)
        #expect(path.parts == ["api", "models", "ada", "m"])
    }
}

extension RouteMatch: Equatable {
    public static func == (left: RouteMatch, right: RouteMatch) -> Bool {
        left.kind == right.kind && left.repository?.text == right.repository?.text && left.values == right.values
    }
}
