import Foundation
import HTTPTypes
import HubCore
import NIOCore
import Testing

@testable import HubAPI

@Suite("The routes of the hub's own API")
struct RouteTests {
    let test: TestAPI

    init() throws { test = try TestAPI() }

    /// Sends, and checks that what came has the status and the shape that the document says.
    @discardableResult
    private func expect(
        _ status: Int, _ method: HTTPRequest.Method, _ path: String, _ body: JSONValue? = nil, token: String? = nil,
        of operation: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> JSONValue {
        let answer = try await test.send(method, path, body, token: token)
        #expect(answer.status == status, "\(answer.text)", sourceLocation: sourceLocation)
        let route = try #require(test.api.routes.first { $0.operation == operation }, sourceLocation: sourceLocation)
        if answer.status < 300 { #expect(route.status.code == status, sourceLocation: sourceLocation) }
        switch answer.status < 300 ? route.answer : .json(APIErrorBody.schema) {
        case .json(let schema):
            let value = try answer.json()
            #expect(schema.complaint(about: value) == nil, "\(answer.text)", sourceLocation: sourceLocation)
            return value
        case .lines(let schema):
            let lines = try answer.lines
            for line in lines {
                #expect(schema.complaint(about: line) == nil, "\(line)", sourceLocation: sourceLocation)
            }
            return .array(lines)
        case .nothing:
            #expect(answer.bytes.readableBytes == 0, sourceLocation: sourceLocation)
            return .null
        case .bytes: return .string(answer.text)
        }
    }

    @Test("accounts are made, changed, disabled and deleted")
    func accounts() async throws {
        let made = try await expect(
            201, .post, "/accounts",
            ["name": "ada", "email": "ada@example.org", "password": "correct horse", "roles": ["auditor"]],
            of: "createAccount")
        #expect(made["name"] == "ada" && made["roles"] == ["auditor"] && made["full_name"] == .null)
        #expect(try await expect(200, .get, "/accounts/ADA", of: "getAccount")["id"] == made["id"])
        let changed = try await expect(
            200, .patch, "/accounts/ada", ["full_name": "Ada L.", "email": .null, "is_disabled": true],
            of: "changeAccount")
        #expect(changed["full_name"] == "Ada L." && changed["email"] == .null && changed["is_disabled"] == true)
        #expect(changed["roles"] == ["auditor"])
        try await expect(200, .put, "/accounts/ada/password", ["password": "battery staple"], of: "setPassword")
        try await expect(204, .delete, "/accounts/ada", of: "deleteAccount")
        try await expect(404, .get, "/accounts/ada", of: "getAccount")
    }

    @Test("lists come in pages that a cursor joins")
    func paging() async throws {
        for name in ["ada", "bob", "cy", "dan", "eve"] {
            try await expect(201, .post, "/accounts", ["name": .string(name)], of: "createAccount")
        }
        var names: [String] = []
        var cursor: String?
        repeat {
            let page = try await expect(
                200, .get, "/accounts?limit=2" + (cursor.map { "&cursor=\($0)" } ?? ""), of: "listAccounts")
            names += page["items"]?.elements?.compactMap { $0["name"]?.string } ?? []
            cursor = page["next"]?.string
        } while cursor != nil
        #expect(names == ["ada", "bob", "cy", "dan", "eve"])
    }

    @Test("organizations have members with roles")
    func organizations() async throws {
        _ = try await test.account("ada")
        try await expect(
            201, .post, "/organizations", ["name": "lab", "full_name": "The Lab"], of: "createOrganization")
        let member = try await expect(
            200, .put, "/organizations/lab/members/ada", ["role": "contribute"], of: "setMember")
        #expect(member["account"] == "ada" && member["role"] == "contribute")
        #expect(
            try await expect(200, .get, "/organizations/lab/members", of: "listMembers")["items"]?.elements?.count == 1)
        try await expect(200, .patch, "/organizations/lab", ["full_name": .null], of: "changeOrganization")
        try await expect(204, .delete, "/organizations/lab/members/ada", of: "removeMember")
        try await expect(204, .delete, "/organizations/lab", of: "deleteOrganization")
        #expect(try await expect(200, .get, "/organizations", of: "listOrganizations")["items"] == [])
    }

    @Test("a token's text is shown once, works, and stops working when revoked")
    func tokens() async throws {
        let text = try await test.account("ada", scope: .read)
        let me = try await expect(200, .get, "/me", token: text, of: "getCaller")
        #expect(me["kind"] == "token" && me["scope"] == "read" && me["account"]?["name"] == "ada")
        let list = try await expect(200, .get, "/tokens?account=ada", of: "listTokens")
        let id = try #require(list["items"]?.elements?.first?["id"]?.string)
        #expect(try await !test.send(.get, "/tokens").text.contains(text))
        #expect(try await expect(200, .get, "/tokens/\(id)", of: "getToken")["account"] == "ada")
        #expect(try await expect(200, .delete, "/tokens/\(id)", of: "revokeToken")["revoked_at"] != .null)
        let refused = try await test.send(.get, "/me", token: text)
        #expect(refused.status == 401 && refused.headers[.wwwAuthenticate] != nil)
    }

    @Test("a token can be limited to repositories and a time")
    func limitedTokens() async throws {
        _ = try await test.account("ada")
        try await expect(
            201, .post, "/repositories", ["kind": "model", "namespace": "ada", "name": "bert"], of: "createRepository")
        let made = try await expect(
            201, .post, "/tokens",
            [
                "account": "ada", "name": "ci", "scope": "write", "repositories": ["models/ada/bert"],
                "expires_at": "2126-01-01T00:00:00Z",
            ],
            of: "createToken")
        #expect(made["token"]?["repositories"] == ["models/ada/bert"])
        #expect(made["token"]?["expires_at"] == "2126-01-01T00:00:00Z")
        try await expect(
            404, .post, "/tokens",
            ["account": "ada", "name": "ci", "scope": "read", "repositories": ["models/ada/none"]],
            of: "createToken")
    }

    @Test("repositories are made private, changed, renamed, deleted and restored")
    func repositories() async throws {
        _ = try await test.account("ada")
        let path = "/repositories/model/ada/bert"
        let made = try await expect(
            201, .post, "/repositories", ["kind": "model", "namespace": "ada", "name": "bert"], of: "createRepository")
        #expect(made["visibility"] == "private" && made["default_branch"] == "main" && made["description"] == .null)
        try await expect(
            409, .post, "/repositories", ["kind": "model", "namespace": "ada", "name": "BERT"], of: "createRepository")
        let changed = try await expect(
            200, .patch, path, ["visibility": "public", "description": "A model", "default_branch": "dev"],
            of: "changeRepository")
        #expect(
            changed["visibility"] == "public" && changed["description"] == "A model"
                && changed["default_branch"] == "dev")
        #expect(
            try await expect(200, .patch, path, ["description": .null], of: "changeRepository")["description"] == .null)
        try await expect(200, .post, path + "/rename", ["name": "roberta"], of: "renameRepository")
        #expect(try await expect(200, .get, path, of: "getRepository")["name"] == "roberta")
        try await expect(204, .delete, "/repositories/model/ada/roberta", of: "deleteRepository")
        try await expect(404, .get, "/repositories/model/ada/roberta", of: "getRepository")
        let deleted = try await expect(200, .get, "/repositories?deleted=true", of: "listRepositories")
        #expect(deleted["items"]?.elements?.first?["deleted_at"] != .null)
        #expect(
            try await expect(200, .get, "/repositories?owner=ada&kind=model", of: "listRepositories")["items"] == [])
        try await expect(200, .post, "/repositories/model/ada/roberta/undelete", of: "undeleteRepository")
        #expect(
            try await expect(200, .get, "/repositories?owner=ada", of: "listRepositories")["items"]?.elements?.count
                == 1)
    }

    @Test("collaborators come and go")
    func collaborators() async throws {
        _ = try await test.account("ada")
        _ = try await test.account("bob")
        try await expect(
            201, .post, "/repositories", ["kind": "code", "namespace": "ada", "name": "x"], of: "createRepository")
        let path = "/repositories/code/ada/x/collaborators"
        try await expect(200, .put, path + "/bob", ["role": "write"], of: "setCollaborator")
        #expect(
            try await expect(200, .get, path, of: "listCollaborators")["items"] == [
                ["account": "bob", "role": "write"]
            ])
        try await expect(204, .delete, path + "/bob", of: "removeCollaborator")
        #expect(try await expect(200, .get, path, of: "listCollaborators")["items"] == [])
    }

    @Test("settings are listed, changed and taken back")
    func settings() async throws {
        let all = try await expect(200, .get, "/settings", of: "listSettings")["items"]?.elements ?? []
        #expect(all.contains { $0["key"] == "anonymous-read" })
        #expect(
            try await expect(200, .put, "/settings/anonymous-read", ["value": "true"], of: "setSetting")["value"]
                == "true")
        #expect(try await expect(200, .get, "/settings/anonymous-read", of: "getSetting")["value"] == "true")
        #expect(try await expect(200, .delete, "/settings/anonymous-read", of: "resetSetting")["value"] == "false")
        try await expect(404, .get, "/settings/no-such", of: "getSetting")
    }

    @Test("every change leaves an audit row that names the caller, and the log can be exported and checked")
    func audit() async throws {
        let token = try await test.account("ada")
        try await expect(
            201, .post, "/repositories", ["kind": "model", "namespace": "ada", "name": "m"], token: token,
            of: "createRepository")
        let rows = try await expect(200, .get, "/audit?limit=2", of: "listAudit")
        let newest = try #require(rows["items"]?.elements?.first)
        #expect(newest["action"] == "repository.create" && newest["target"] == "models/ada/m")
        #expect(newest["actor"]?.string?.hasPrefix("ada") == true && newest["address"] == "192.0.2.7")
        let older = try await expect(200, .get, "/audit?cursor=\(try #require(rows["next"]?.string))", of: "listAudit")
        #expect(older["items"]?.elements?.last?["actor"] == "local uid 1000 (sudo by uid 1001)")
        #expect(older["items"]?.elements?.last?["address"] == .null && older["next"] == .null)
        let exported = try await expect(200, .get, "/audit/export", of: "exportAudit").elements ?? []
        #expect(exported.count == 3)
        #expect(try await expect(200, .get, "/audit/export?after=2", of: "exportAudit").elements?.count == 1)
        let check = try await expect(200, .get, "/audit/verification", of: "verifyAudit").elements?.last
        #expect(
            check?["is_intact"] == true && check?["checked_rows"] == 3 && check?["last_hash"] == exported.last?["hash"])
    }

    @Test("large objects are uploaded, found missing, downloaded and verified")
    func objects() async throws {
        _ = try await test.account("ada")
        for name in ["a", "b"] {
            try await expect(
                201, .post, "/repositories", ["kind": "model", "namespace": "ada", "name": .string(name)],
                of: "createRepository")
        }
        // echo -n hello | sha256sum
        let oid = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
        let asked: JSONValue = ["objects": [["oid": .string(oid), "size_bytes": 5]]]
        let path = "/repositories/model/ada/a/objects"
        #expect(try await expect(200, .post, path + "/missing", asked, of: "findMissingObjects") == asked)
        let wrong = try await test.send(.put, "\(path)/\(oid)", bytes: ByteBuffer(string: "hellO"))
        #expect(wrong.status == 422, "\(wrong.text)")
        let stored = try await test.send(.put, "\(path)/\(oid)", bytes: ByteBuffer(string: "hello"))
        #expect(stored.status == 200, "\(stored.text)")
        #expect(try await expect(200, .post, path + "/missing", asked, of: "findMissingObjects") == ["objects": []])
        #expect(try await test.send(.get, "\(path)/\(oid)").text == "hello")
        // Another repository does not have it until its bytes were sent there.
        #expect(
            try await expect(200, .post, "/repositories/model/ada/b/objects/missing", asked, of: "findMissingObjects")
                == asked)
        #expect(try await test.send(.get, "/repositories/model/ada/b/objects/\(oid)").status == 404)
        try await expect(
            400, .post, path + "/missing", ["objects": [["oid": "xyz", "size_bytes": 5]]], of: "findMissingObjects")

        let sound = try await expect(200, .get, "/objects/verification?all=1", of: "verifyObjects").elements?.last
        #expect(sound?["event"] == "summary" && sound?["checked_objects"] == 1 && sound?["problem_objects"] == 0)
        let file = "\(test.folder)/objects/2c/f2/\(oid)"
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        try Data("hellO".utf8).write(to: URL(filePath: file))
        #expect(
            try await expect(200, .get, "/objects/verification", of: "verifyObjects").elements?.last?["problem_objects"]
                == 0)
        let damaged = try await expect(200, .get, "/objects/verification?all=1", of: "verifyObjects").elements?.first
        #expect(damaged?["defect"] == "damaged" && damaged?["oid"]?.string == oid)
        try FileManager.default.removeItem(atPath: file)
        let gone = try await expect(200, .get, "/objects/verification", of: "verifyObjects").elements?.first
        #expect(gone?["defect"] == "missing")
        let health = try await expect(200, .get, "/health", of: "getHealth")
        #expect(health["checks"]?.elements?.contains { $0["name"] == "objects" && $0["result"] == "problem" } == true)
    }

    private static func lines(_ values: [JSONValue]) throws -> ByteBuffer {
        ByteBuffer(string: try values.map { try JSONForm.text($0) + "\n" }.joined())
    }

    @Test("a stream of files becomes a commit that can be read back and exported")
    func commits() async throws {
        _ = try await test.account("ada")
        let path = "/repositories/model/ada/m"
        try await expect(
            201, .post, "/repositories", ["kind": "model", "namespace": "ada", "name": "m"], of: "createRepository")
        try await expect(404, .get, path + "/file?path=README.md", of: "downloadFile")
        let oid = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
        let body = try Self.lines([
            ["header": ["message": "First"]],
            ["file": ["path": "README.md", "content": .string(Data("# Hi\n".utf8).base64EncodedString())]],
            ["file": ["path": "bin/run", "content": "", "is_executable": true]],
            ["lfs_file": ["path": "a/model.bin", "oid": .string(oid), "size_bytes": 5]],
        ])
        let early = try await test.send(.post, path + "/commits", bytes: body)
        #expect(early.status == 422 && early.text.contains("model.bin"), "\(early.text)")
        #expect(try await test.send(.put, "\(path)/objects/\(oid)", bytes: ByteBuffer(string: "hello")).status == 200)
        let made = try await test.send(.post, path + "/commits", bytes: body)
        #expect(made.status == 201, "\(made.text)")
        let commit = try #require(try made.json()["commit"]?.string)
        #expect(try made.json()["branch"] == "main" && CommitModel.schema.complaint(about: made.json()) == nil)

        #expect(try await test.send(.get, path + "/file?path=README.md").text == "# Hi\n")
        #expect(
            try await test.send(.get, path + "/file?path=a/model.bin&revision=\(commit)").text.contains(
                "oid sha256:\(oid)"))
        for wrong in ["path=none", "path=a", "path=README.md/x", "path=README.md&revision=dev", "path="] {
            #expect(try await test.send(.get, path + "/file?\(wrong)").status == 404, "\(wrong)")
        }
        let manifest = try await expect(200, .get, path + "/export", of: "exportRepository").elements ?? []
        #expect(manifest.contains { $0["reference"]?["oid"]?.string == commit })
        #expect(manifest.contains { $0["object"]?["oid"]?.string == oid })
        let packs = manifest.compactMap { $0["pack"]?["id"]?.string }
        let pack = try #require(packs.first)
        #expect(try await test.send(.get, path + "/export/packs/\(pack).pack").text.hasPrefix("PACK"))
        #expect(try await test.send(.get, path + "/export/packs/\(pack).idx").status == 200)

        let again = try await test.send(.post, path + "/commits", bytes: body)
        #expect(again.code == "nothing_to_commit")
        let stale = try Self.lines([
            ["header": ["message": "Second", "parent": .string(String(repeating: "0", count: 39) + "1")]],
            ["delete": ["path": "bin"]],
        ])
        #expect(try await test.send(.post, path + "/commits", bytes: stale).code == "head_moved")
        let second = try Self.lines([
            ["header": ["message": "Second", "parent": .string(commit)]], ["delete": ["path": "bin"]],
        ])
        #expect(try await test.send(.post, path + "/commits", bytes: second).status == 201)
        #expect(try await test.send(.get, path + "/file?path=bin/run").status == 404)
    }

    @Test(
        "commits of any other form are refused and leave nothing",
        arguments: [
            "", "{}", "{\"file\":{\"path\":\"a\",\"content\":\"\"}}",
            "{\"header\":{\"message\":\"\"}}\n{\"delete\":{\"path\":\"a\"}}",
            "{\"header\":{\"message\":\"m\"}}\n{\"file\":{\"path\":\"../a\",\"content\":\"\"}}",
            "{\"header\":{\"message\":\"m\"}}\n{\"file\":{\"path\":\".git/config\",\"content\":\"\"}}",
            "{\"header\":{\"message\":\"m\"}}\n{\"file\":{\"path\":\"a\",\"content\":\"%%%\"}}",
            "{\"header\":{\"message\":\"m\"}}\n{\"file\":{\"path\":\"/a\",\"content\":\"\"}}",
            "{\"header\":{\"message\":\"m\"}}\n{\"lfs_file\":{\"path\":\"a\",\"oid\":\"x\",\"size_bytes\":1}}",
            "{\"header\":{\"message\":\"m\"}}\nnonsense", "{\"header\":{\"message\":\"m\"}}\n{}",
        ])
    func badCommits(_ text: String) async throws {
        _ = try await test.account("ada")
        let path = "/repositories/model/ada/m"
        try await expect(
            201, .post, "/repositories", ["kind": "model", "namespace": "ada", "name": "m"], of: "createRepository")
        let answer = try await test.send(.post, path + "/commits", bytes: ByteBuffer(string: text))
        #expect(answer.status == 400 && answer.code != nil, "\(answer.text)")
        #expect(try await expect(200, .get, path + "/export", of: "exportRepository").elements?.count == 1)
        #expect(
            try await test.send(.post, path + "/commits?branch=a..b", bytes: ByteBuffer(string: text)).status == 400)
    }

    @Test("an empty repository's manifest has its head and nothing else")
    func export() async throws {
        _ = try await test.account("ada")
        try await expect(
            201, .post, "/repositories", ["kind": "model", "namespace": "ada", "name": "m"], of: "createRepository")
        let lines =
            try await expect(200, .get, "/repositories/model/ada/m/export", of: "exportRepository").elements ?? []
        #expect(lines.count == 1 && lines.first?["repository"]?["head"] == "refs/heads/main")
        for file in [
            "x.pack", "../../hub.db", "0000000000000000000000000000000000000000.pack", "%2e%2e%2f%2e%2e%2fhub.db",
        ] {
            #expect(try await test.send(.get, "/repositories/model/ada/m/export/packs/\(file)").status == 404)
        }
    }

    @Test("version is for everybody, status and health are not")
    func site() async throws {
        #expect(try await test.send(.get, "/version", anonymously: true).status == 200)
        try await expect(200, .get, "/status", of: "getStatus")
        let ada = try await test.account("ada")
        for path in [
            "/status", "/health", "/audit", "/audit/export", "/audit/verification", "/settings",
            "/objects/verification",
        ] {
            #expect(try await test.send(.get, path, anonymously: true).status == 401, "\(path)")
            #expect(try await test.send(.get, path, token: ada).status == 403, "\(path)")
        }
    }

    @Test("others see nothing of a private repository, and may not change a public one")
    func rights() async throws {
        _ = try await test.account("ada")
        let bob = try await test.account("bob")
        let path = "/repositories/model/ada/m"
        try await expect(
            201, .post, "/repositories", ["kind": "model", "namespace": "ada", "name": "m"], of: "createRepository")
        #expect(try await expect(200, .get, "/repositories", token: bob, of: "listRepositories")["items"] == [])
        try await expect(404, .get, path, token: bob, of: "getRepository")
        try await expect(404, .get, path + "/export", token: bob, of: "exportRepository")
        try await expect(404, .delete, path, token: bob, of: "deleteRepository")
        try await expect(200, .patch, path, ["visibility": "internal"], of: "changeRepository")
        try await expect(200, .get, path, token: bob, of: "getRepository")
        try await expect(403, .delete, path, token: bob, of: "deleteRepository")
        try await expect(403, .patch, path, ["visibility": "public"], token: bob, of: "changeRepository")
        try await expect(
            403, .post, "/repositories", ["kind": "model", "namespace": "ada", "name": "n"], token: bob,
            of: "createRepository")
        try await expect(403, .post, "/accounts", ["name": "eve"], token: bob, of: "createAccount")
    }

    @Test(
        "bodies of any other form are refused with a sentence",
        arguments: [
            "", "{", "[]", "null", "{\"name\":1}", "{\"nome\":\"x\"}", "{\"name\":\"a b\"}", "\u{0}",
            "{\"name\":\"models\"}",
        ])
    func badBodies(_ text: String) async throws {
        let answer = try await test.send(.post, "/accounts", bytes: ByteBuffer(string: text))
        #expect(answer.status == 400, "\(answer.text)")
        let body = try answer.json()
        #expect(APIErrorBody.schema.complaint(about: body) == nil)
    }

    @Test("deep and large bodies are refused without harm")
    func hostileBodies() async throws {
        let deep = try await test.send(
            .post, "/accounts", bytes: ByteBuffer(string: String(repeating: "[", count: 200_000)))
        #expect(deep.status == 400)
        let large = try await test.send(.post, "/accounts", bytes: ByteBuffer(repeating: 0x20, count: 2 << 20))
        #expect(large.status == 413)
    }

    @Test("parameters that do not fit are refused", arguments: ["limit=0", "limit=x", "limit=1001", "lmit=1"])
    func badParameters(_ query: String) async throws {
        let answer = try await test.send(.get, "/accounts?\(query)")
        #expect(answer.status == 400, "\(answer.text)")
    }

    @Test("malformed credentials are refused")
    func badCredentials() async throws {
        #expect(try await test.send(.get, "/me", token: "hub_nonsense").status == 401)
        #expect(try await test.send(.get, "/me", anonymously: true).json()["kind"] == "anonymous")
    }
}
