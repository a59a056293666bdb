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

    @Test("accounts are made, changed, disabled and deleted")
    func accounts() async throws {
        let made = try await test.expect(
            201, .post, "/accounts",
            ["name": "ada", "email": "ada@example.org", "password": "correct horse", "roles": ["auditor"]],
            of: "createAccount")
        #expect(made["name"] == "ada" && made["roles"] == ["auditor"] && made["full_name"] == .null)
        #expect(try await test.expect(200, .get, "/accounts/ADA", of: "getAccount")["id"] == made["id"])
        let changed = try await test.expect(
            200, .patch, "/accounts/ada", ["full_name": "Ada L.", "email": .null, "is_disabled": true],
            of: "changeAccount")
        #expect(changed["full_name"] == "Ada L." && changed["email"] == .null && changed["is_disabled"] == true)
        #expect(changed["roles"] == ["auditor"])
        try await test.expect(200, .put, "/accounts/ada/password", ["password": "battery staple"], of: "setPassword")
        try await test.expect(204, .delete, "/accounts/ada", of: "deleteAccount")
        try await test.expect(404, .get, "/accounts/ada", of: "getAccount")
    }

    @Test("lists come in pages that a cursor joins")
    func paging() async throws {
        for name in ["ada", "bob", "cy", "dan", "eve"] {
            try await test.expect(201, .post, "/accounts", ["name": .string(name)], of: "createAccount")
        }
        var names: [String] = []
        var cursor: String?
        repeat {
            let page = try await test.expect(
                200, .get, "/accounts?limit=2" + (cursor.map { "&cursor=\($0)" } ?? ""), of: "listAccounts")
            names += page["items"]?.elements?.compactMap { $0["name"]?.string } ?? []
            cursor = page["next"]?.string
        } while cursor != nil
        #expect(names == ["ada", "bob", "cy", "dan", "eve"])
    }

    @Test("organizations have members with roles")
    func organizations() async throws {
        _ = try await test.account("ada")
        try await test.expect(
            201, .post, "/organizations", ["name": "lab", "full_name": "The Lab"], of: "createOrganization")
        let member = try await test.expect(
            200, .put, "/organizations/lab/members/ada", ["role": "contribute"], of: "setMember")
        #expect(member["account"] == "ada" && member["role"] == "contribute")
        #expect(
            try await test.expect(200, .get, "/organizations/lab/members", of: "listMembers")["items"]?.elements?.count
                == 1)
        try await test.expect(200, .patch, "/organizations/lab", ["full_name": .null], of: "changeOrganization")
        try await test.expect(204, .delete, "/organizations/lab/members/ada", of: "removeMember")
        try await test.expect(204, .delete, "/organizations/lab", of: "deleteOrganization")
        #expect(try await test.expect(200, .get, "/organizations", of: "listOrganizations")["items"] == [])
    }

    @Test("a token's text is shown once, works, and stops working when revoked")
    func tokens() async throws {
        let text = try await test.account("ada", scope: .read)
        let me = try await test.expect(200, .get, "/me", token: text, of: "getCaller")
        #expect(me["kind"] == "token" && me["scope"] == "read" && me["account"]?["name"] == "ada")
        let list = try await test.expect(200, .get, "/tokens?account=ada", of: "listTokens")
        let id = try #require(list["items"]?.elements?.first?["id"]?.string)
        #expect(try await !test.send(.get, "/tokens").text.contains(text))
        #expect(try await test.expect(200, .get, "/tokens/\(id)", of: "getToken")["account"] == "ada")
        #expect(try await test.expect(200, .delete, "/tokens/\(id)", of: "revokeToken")["revoked_at"] != .null)
        let refused = try await test.send(.get, "/me", token: text)
        #expect(refused.status == 401 && refused.headers[.wwwAuthenticate] != nil)
    }

    @Test("a token can be limited to repositories and a time")
    func limitedTokens() async throws {
        _ = try await test.account("ada")
        try await test.expect(
            201, .post, "/repositories", ["kind": "model", "namespace": "ada", "name": "bert"], of: "createRepository")
        let made = try await test.expect(
            201, .post, "/tokens",
            [
                "account": "ada", "name": "ci", "scope": "write", "repositories": ["models/ada/bert"],
                "expires_at": "2126-01-01T00:00:00Z",
            ],
            of: "createToken")
        #expect(made["token"]?["repositories"] == ["models/ada/bert"])
        #expect(made["token"]?["expires_at"] == "2126-01-01T00:00:00Z")
        try await test.expect(
            404, .post, "/tokens",
            ["account": "ada", "name": "ci", "scope": "read", "repositories": ["models/ada/none"]],
            of: "createToken")
    }

    @Test("settings are listed, changed and taken back")
    func settings() async throws {
        let all = try await test.expect(200, .get, "/settings", of: "listSettings")["items"]?.elements ?? []
        #expect(all.contains { $0["key"] == "anonymous-read" })
        #expect(
            try await test.expect(200, .put, "/settings/anonymous-read", ["value": "true"], of: "setSetting")["value"]
                == "true")
        #expect(try await test.expect(200, .get, "/settings/anonymous-read", of: "getSetting")["value"] == "true")
        #expect(try await test.expect(200, .delete, "/settings/anonymous-read", of: "resetSetting")["value"] == "false")
        try await test.expect(404, .get, "/settings/no-such", of: "getSetting")
    }

    @Test("every change leaves an audit row that names the caller, and the log can be exported and checked")
    func audit() async throws {
        let token = try await test.account("ada")
        try await test.expect(
            201, .post, "/repositories", ["kind": "model", "namespace": "ada", "name": "m"], token: token,
            of: "createRepository")
        let rows = try await test.expect(200, .get, "/audit?limit=2", of: "listAudit")
        let newest = try #require(rows["items"]?.elements?.first)
        #expect(newest["action"] == "repository.create" && newest["target"] == "models/ada/m")
        #expect(newest["actor"]?.string?.hasPrefix("ada") == true && newest["address"] == "192.0.2.7")
        let older = try await test.expect(
            200, .get, "/audit?cursor=\(try #require(rows["next"]?.string))", of: "listAudit")
        #expect(older["items"]?.elements?.last?["actor"] == "local uid 1000 (sudo by uid 1001)")
        #expect(older["items"]?.elements?.last?["address"] == .null && older["next"] == .null)
        let exported = try await test.expect(200, .get, "/audit/export", of: "exportAudit").elements ?? []
        #expect(exported.count == 3)
        #expect(try await test.expect(200, .get, "/audit/export?after=2", of: "exportAudit").elements?.count == 1)
        let check = try await test.expect(200, .get, "/audit/verification", of: "verifyAudit").elements?.last
        #expect(
            check?["is_intact"] == true && check?["checked_rows"] == 3 && check?["last_hash"] == exported.last?["hash"])
    }

    @Test("version is for everybody, status and health are not")
    func site() async throws {
        #expect(try await test.send(.get, "/version", anonymously: true).status == 200)
        try await test.expect(200, .get, "/status", of: "getStatus")
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
        try await test.expect(
            201, .post, "/repositories", ["kind": "model", "namespace": "ada", "name": "m"], of: "createRepository")
        #expect(try await test.expect(200, .get, "/repositories", token: bob, of: "listRepositories")["items"] == [])
        try await test.expect(404, .get, path, token: bob, of: "getRepository")
        try await test.expect(404, .get, path + "/export", token: bob, of: "exportRepository")
        try await test.expect(404, .delete, path, token: bob, of: "deleteRepository")
        try await test.expect(200, .patch, path, ["visibility": "internal"], of: "changeRepository")
        try await test.expect(200, .get, path, token: bob, of: "getRepository")
        try await test.expect(403, .delete, path, token: bob, of: "deleteRepository")
        try await test.expect(403, .patch, path, ["visibility": "public"], token: bob, of: "changeRepository")
        try await test.expect(
            403, .post, "/repositories", ["kind": "model", "namespace": "ada", "name": "n"], token: bob,
            of: "createRepository")
        try await test.expect(403, .post, "/accounts", ["name": "eve"], token: bob, of: "createAccount")
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
