import Testing

@testable import HubCommands

@Suite("Verbs")
struct VerbTests {
    private static let account = """
        {"created_at":"2026-01-31T12:00:00Z","email":null,"full_name":null,"id":"1","is_disabled":false,"name":"ada","roles":["administrator"]}
        """

    @Test("account create prints a random password alone, and sends it")
    func accountCreate() async {
        let hub = ScriptedHub { _ in (201, Self.account) }
        let console = TestConsole()
        #expect(await hub.run("account", "create", "ada", "--admin", "--role", "auditor", on: console) == 0)
        #expect(console.lines.count == 1)
        #expect(hub.requests.first?.line == "POST /api/hub/v1/accounts")
        #expect(hub.requests.first?.body.contains("\"password\":\"\(console.lines.first ?? "?")\"") == true)
        #expect(hub.requests.first?.body.contains("\"roles\":[\"administrator\",\"auditor\"]") == true)
        #expect(console.errors.isEmpty)
    }

    @Test("account create prints the name when the password was given")
    func accountCreateWithPassword() async {
        let hub = ScriptedHub { _ in (201, Self.account) }
        let console = TestConsole(answers: ["correct horse"])
        #expect(await hub.run("account", "create", "ada", "--password-file", "-", on: console) == 0)
        #expect(console.output == "ada\n")
        #expect(hub.requests.first?.body.contains("\"password\":\"correct horse\"") == true)
    }

    @Test("a list follows its cursor and prints one object a line")
    func list() async {
        let hub = ScriptedHub { request in
            let isSecond = request.query.contains { $0.name == "cursor" && $0.value == "a b" }
            return (200, "{\"items\":[\(Self.account)],\"next\":\(isSecond ? "null" : "\"a b\"")}")
        }
        let console = TestConsole()
        #expect(await hub.run("account", "list", "--json", on: console) == 0)
        #expect(console.lines == [Self.account, Self.account])
        #expect(hub.requests.last?.line == "GET /api/hub/v1/accounts?limit=500&cursor=a%20b")
    }

    @Test("a list shows a table with headings on a terminal")
    func table() async {
        let hub = ScriptedHub { _ in (200, "{\"items\":[\(Self.account)],\"next\":null}") }
        let console = TestConsole()
        #expect(await hub.run("account", "list", on: console, width: 80) == 0)
        #expect(
            console.lines == [
                "NAME  ROLES          STATE    CREATED           E-MAIL",
                "ada   administrator  enabled  2026-01-31 12:00",
            ])
    }

    @Test(
        "refusals of the hub become a sentence on stderr and an exit status",
        arguments: [
            (400, 65), (401, 77), (403, 77), (404, 1), (409, 1), (413, 65), (422, 65), (429, 75), (500, 1), (501, 69),
            (503, 75),
        ])
    func refusals(_ status: Int, _ exitStatus: Int32) async {
        let hub = ScriptedHub { _ in
            (status, "{\"error\":{\"code\":\"x\",\"message\":\"There is no such account.\",\"request_id\":\"1\"}}")
        }
        let console = TestConsole()
        #expect(await hub.run("account", "enable", "ada", on: console) == exitStatus)
        #expect(console.output.isEmpty)
        #expect(console.errors == "There is no such account.\n")
    }

    @Test("access verbs send one decision, and print whom it is about")
    func access() async {
        let hub = ScriptedHub { _ in
            (
                200,
                """
                {"account":"bob","answers":{"Why":"research"},"decided_at":null,"email":null,"full_name":null,"reason":null,\
                "requested_at":"2026-01-31T12:00:00Z","status":"accepted"}
                """
            )
        }
        let console = TestConsole()
        for (verb, body) in [
            ("grant", #""status":"accepted""#), ("reject", #""status":"rejected""#), ("cancel", #""status":"pending""#),
        ] {
            #expect(await hub.run("access", verb, "model", "ada/bert", "bob", on: console) == 0)
            #expect(hub.requests.last?.line == "PUT /api/hub/v1/repositories/model/ada/bert/access-requests/bob")
            #expect(hub.requests.last?.body.contains(body) == true)
        }
        #expect(console.output == "bob\nbob\nbob\n")
    }

    @Test("a destructive verb does nothing where nobody can be asked")
    func confirmation() async {
        let hub = ScriptedHub { _ in (200, Self.account) }
        let console = TestConsole()
        #expect(await hub.run("account", "delete", "ada", on: console) == 64)
        #expect(!hub.requests.contains { $0.line.hasPrefix("DELETE") })
        #expect(await hub.run("account", "delete", "ada", "--yes", on: console) == 0)
        #expect(hub.requests.last?.line == "DELETE /api/hub/v1/accounts/ada")
    }

    @Test("names are percent-encoded on their way")
    func encoding() async {
        let hub = ScriptedHub { _ in (200, Self.account) }
        _ = await hub.run("account", "enable", "../x y/ü?")
        #expect(hub.requests.first?.line == "PATCH /api/hub/v1/accounts/..%2Fx%20y%2F%C3%BC%3F")
    }

    @Test("audit verify fails when the chain is broken, and prints the last hash when it is not")
    func auditVerify() async {
        let broken = ScriptedHub { _ in
            (
                200,
                """
                {"broken_at":null,"checked_rows":1,"event":"progress","is_intact":null,"last_hash":null,"message":null,"total_rows":9}
                {"broken_at":7,"checked_rows":7,"event":"summary","is_intact":false,"last_hash":null,"message":"Its hash is wrong.","total_rows":null}

                """
            )
        }
        let console = TestConsole()
        #expect(await broken.run("audit", "verify", on: console) == 1)
        #expect(console.errors.contains("row 7: Its hash is wrong."))
        let intact = ScriptedHub { _ in
            (
                200,
                "{\"checked_rows\":9,\"event\":\"summary\",\"is_intact\":true,\"last_hash\":\"ab12\",\"total_rows\":9}"
            )
        }
        let well = TestConsole()
        #expect(await intact.run("audit", "verify", on: well) == 0)
        #expect(well.output == "ab12\n")
    }

    @Test("a stream that ends with an error fails with its sentence")
    func streamError() async {
        let hub = ScriptedHub { _ in
            (200, "{\"error\":{\"code\":\"x\",\"message\":\"The disk failed.\",\"request_id\":null}}\n")
        }
        let console = TestConsole()
        #expect(await hub.run("audit", "export", on: console) == 1)
        #expect(console.errors == "The disk failed.\n")
    }
}
