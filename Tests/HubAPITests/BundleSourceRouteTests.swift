import Foundation
import HTTPTypes
import HubCore
import NIOCore
import Testing

@testable import HubAPI

@Suite("The routes that bundles are made from")
struct BundleSourceRouteTests {
    private static let oid = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    private static let path = "/repositories/model/ada/m"

    let test: TestAPI
    /// The commits of `main`, the newest first.
    let commits: [String]
    let owner: String

    init() async throws {
        test = try TestAPI()
        owner = try await test.account("ada")
        try await test.expect(201, .post, "/repositories", ["kind": "model", "namespace": "ada", "name": "m"], of: "createRepository")
        var commits: [String] = []
        #expect(try await test.send(.put, "\(Self.path)/objects/\(Self.oid)", bytes: ByteBuffer(string: "hello")).status == 200)
        for (message, line) in [
            ("First", ["lfs_file": ["path": "a/model.bin", "oid": .string(Self.oid), "size_bytes": 5]] as JSONValue),
            ("Second", ["file": ["path": "README.md", "content": .string(Data("# Hi\n".utf8).base64EncodedString())]]),
        ] {
            let header: JSONValue = ["header": ["message": .string(message)]]
            let body = ByteBuffer(string: try [header, line].map { try JSONForm.text($0) + "\n" }.joined())
            let made = try await test.send(.post, Self.path + "/commits", bytes: body)
            commits.insert(try #require(try made.json()["commit"]?.string, "\(made.text)"), at: 0)
        }
        self.commits = commits
    }

    private func body(_ oid: String? = nil, name: String = "refs/heads/main", haves: [String] = []) -> JSONValue {
        [
            "references": [["name": .string(name), "oid": .string(oid ?? commits[0])]],
            "haves": .array(haves.map { .string($0) }),
        ]
    }

    @Test("a git bundle has the header of its refs and then a pack; what the target has becomes a prerequisite")
    func bundle() async throws {
        let whole = try await test.send(.post, Self.path + "/export/bundle", body())
        #expect(whole.status == 200)
        let bytes = Array(whole.bytes.readableBytesView)
        let header = Array("# v2 git bundle\n\(commits[0]) HEAD\n\(commits[0]) refs/heads/main\n\nPACK".utf8)
        #expect(Array(bytes.prefix(header.count)) == header)
        let delta = try await test.send(.post, Self.path + "/export/bundle", body(haves: [commits[1], String(repeating: "1", count: 40)]))
        let rest = Array(delta.bytes.readableBytesView)
        let start = Array("# v2 git bundle\n-\(commits[1])\n\(commits[0]) HEAD\n\(commits[0]) refs/heads/main\n\nPACK".utf8)
        #expect(Array(rest.prefix(start.count)) == start && rest.count < bytes.count)
    }

    @Test("the large objects that the files name are listed, without those of what the target has")
    func objects() async throws {
        let all = try await test.expect(200, .post, Self.path + "/export/objects", body(), of: "listBundleObjects").elements ?? []
        #expect(all.count == 1 && all.first?["oid"]?.string == Self.oid && all.first?["is_stored"] == true)
        #expect(all.first?["file"] == "a/model.bin" && all.first?["size_bytes"] == 5)
        let none = try await test.expect(200, .post, Self.path + "/export/objects", body(haves: [commits[1]]), of: "listBundleObjects")
        #expect(none == [])
    }

    @Test("a ref of another form is refused, and one whose object is not here asks to begin again")
    func wrongNames() async throws {
        for route in ["/export/bundle", "/export/objects"] {
            let gone = try await test.send(.post, Self.path + route, body(String(repeating: "1", count: 40)))
            #expect(gone.status == 409 && gone.code == "object_gone", "\(gone.text)")
            for (oid, name) in [("x", "refs/heads/main"), (commits[0], "refs/../x"), (commits[0], ""), (String(repeating: "A", count: 40), "refs/heads/main")] {
                let wrong = try await test.send(.post, Self.path + route, body(oid, name: name))
                #expect((400..<423).contains(wrong.status) && wrong.status != 409, "\(oid) \(name): \(wrong.text)")
            }
            #expect(try await test.send(.post, Self.path + route, bytes: ByteBuffer(string: "nonsense")).status == 400)
            #expect(try await test.send(.post, Self.path + route, ["references": []]).status >= 400)
        }
    }

    @Test("who may not read the repository is told that there is none, and a token for others does not open it")
    func rights() async throws {
        let bob = try await test.account("bob")
        for route in ["/export/bundle", "/export/objects"] {
            #expect(try await test.send(.post, Self.path + route, body(), token: owner).status == 200)
            #expect(try await test.send(.post, Self.path + route, body(), token: bob).status == 404)
            #expect(try await test.send(.post, Self.path + route, body(), anonymously: true).status == 401)
            #expect(try await test.send(.post, "/repositories/model/ada/none" + route, body(), token: owner).status == 404)
        }
        try await test.expect(200, .put, Self.path + "/collaborators/bob", ["role": "read"], of: "setCollaborator")
        #expect(try await test.send(.post, Self.path + "/export/bundle", body(), token: bob).status == 200)
        try await test.expect(201, .post, "/repositories", ["kind": "model", "namespace": "ada", "name": "other"], of: "createRepository")
        let made = try await test.expect(
            201, .post, "/tokens", ["account": "ada", "name": "ci", "scope": "read", "repositories": ["models/ada/other"]], of: "createToken")
        let limited = try #require(made["text"]?.string)
        #expect(try await test.send(.post, Self.path + "/export/bundle", body(), token: limited).status == 404)
    }

    @Test("imports are for those who may approve them, by every route")
    func imports() async throws {
        let bob = try await test.account("bob")
        let routes = test.api.routes.filter { $0.path.hasPrefix("/imports") }
        #expect(routes.count >= 18)
        for route in routes {
            let path = route.path.replacing("{bundle}", with: "0123456789abcdef").replacing("{number}", with: "1")
                .replacing("{document}", with: "BUNDLE.json")
            let body: JSONValue = path.hasSuffix("/reject") ? ["reason": "x"] : [:]
            let answer = try await test.send(route.method, path, body, token: bob)
            let isRefused =
                answer.status == 403 || (answer.status == 200 && answer.text.contains("\"kind\":\"forbidden\""))
            #expect(isRefused, "\(route.method) \(path): \(answer.status) \(answer.text)")
            #expect(try await test.send(route.method, path, body, anonymously: true).status == 401 || route.answer.isLines, "\(path)")
        }
    }
}

extension APIContent {
    /// Refusals of a run under way come as a line.
    fileprivate var isLines: Bool { if case .lines = self { true } else { false } }
}
