import HTTPTypes
import HubCore
import MetadataStore
import NIOCore
import Testing
import WebCore

@testable import HuggingFaceAPI

@Suite("Hub API")
struct HubAPITests {
    @Test("tells apart who may not know, who must sign in, and who shows a bad token")
    func errors() async throws {
        let hub = try TestHub()
        let ada = try await hub.account("ada")
        let bob = try await hub.account("bob")
        #expect(
            try await hub.send(.post, "/api/repos/create", #"{"name":"m","visibility":"private"}"#, token: ada).status == 200)
        let hidden = try await hub.send(.get, "/api/models/ada/m", token: bob)
        let missing = try await hub.send(.get, "/api/models/ada/none", token: bob)
        for answer in [hidden, missing] {
            #expect(answer.status == 404 && answer.code == "RepoNotFound")
            #expect(answer.headers[.errorMessage]?.contains("has no model") == true)
        }
        let anonymous = try await hub.send(.get, "/api/models/ada/m")
        #expect(anonymous.status == 401 && anonymous.code == "RepoNotFound")
        #expect(anonymous.headers[.errorMessage]?.contains("/settings/tokens") == true)
        let bad = try await hub.send(.get, "/api/models/ada/m", token: "hub_nonsense")
        #expect(bad.status == 401 && bad.code == nil)
        #expect(bad.headers[.errorMessage] == "Invalid credentials in Authorization header")
        #expect(try await hub.send(.get, "/gpt2/resolve/main/config.json", token: ada).code == "RepoNotFound")
        #expect(try await hub.send(.get, "/api/models/ada/m/revision/nope", token: ada).code == "RevisionNotFound")
        let entry = try await hub.send(.head, "/ada/m/resolve/main/nope", token: ada)
        #expect(entry.status == 404 && entry.code == "EntryNotFound" && entry.bytes.readableBytes == 0)
        #expect(entry.headers[.repositoryCommit]?.utf8.count == 40)
        #expect(try await hub.send(.get, "/api/whoami-v2").status == 401)
        #expect(try await hub.send(.patch, "/api/models/ada/m", token: ada).status == 405)
    }

    @Test("a list that is answered again is of this caller and of this moment")
    func lists() async throws {
        let hub = try TestHub()
        let (ada, bob) = (try await hub.account("ada", scope: .admin), try await hub.account("bob"))
        func list(_ token: String, _ query: String = "") async throws -> [String] {
            let first = try await hub.send(.get, "/api/models\(query)", token: token)
            let again = try await hub.send(.get, "/api/models\(query)", token: token)
            #expect(first.bytes == again.bytes && again.status == 200)
            return (again.json?.elements ?? []).compactMap { $0["id"]?.string }
        }
        #expect(try await list(ada).isEmpty)
        #expect(try await hub.send(.post, "/api/repos/create", #"{"name":"m","visibility":"private"}"#, token: ada).status == 200)
        #expect(try await list(ada) == ["ada/m"])
        #expect(try await list(bob).isEmpty)
        #expect(try await hub.send(.put, "/api/models/ada/m/settings", #"{"visibility":"public"}"#, token: ada).status == 200)
        #expect(try await list(bob) == ["ada/m"])
        #expect(try await list(bob, "?search=x").isEmpty)
        let moved = try await hub.send(.post, "/api/repos/move", #"{"fromRepo":"ada/m","toRepo":"ada/x"}"#, token: ada)
        #expect(moved.status == 200)
        #expect(try await list(bob, "?search=x") == ["ada/x"])
        #expect(try await hub.send(.delete, "/api/repos/delete", #"{"name":"x","organization":"ada"}"#, token: ada).status == 200)
        #expect(try await list(bob, "?search=x").isEmpty)
    }

    @Test("echoes the id that a client gives its request, if it can be a header")
    func requestID() async throws {
        let hub = try TestHub()
        let answer = try await hub.send(.get, "/api/whoami-v2", headers: [.traceID: "abc-1"])
        #expect(answer.headers[.requestID] == "abc-1")
        let odd = try await hub.send(.get, "/api/whoami-v2", headers: [.traceID: "a b"])
        #expect(odd.headers[.requestID] != "a b")
    }

    @Test("stores nothing of a commit that is hostile", arguments: [
        #"{"key":"file","value":{"content":"***","path":"x"}}"#, #"{"key":"file","value":{"content":"QQ==","path":"../x"}}"#,
        #"{"key":"file","value":{"content":"QQ==","path":".git/config"}}"#, #"{"key":"file","value":{"content":"QQ==","path":""}}"#,
        #"{"key":"lfsFile","value":{"path":"w","oid":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","size":3}}"#,
        #"{"key":"lfsFile","value":{"path":"w","oid":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}"#,
        #"{"key":"header","value":{"summary":"again"}}"#, #"{"key":"what","value":{}}"#, "{", "[]",
        // A pointer's text as a file: knowing a hash must not read what it stands for.
        #"{"key":"file","value":{"path":"p","content":"dmVyc2lvbiBodHRwczovL2dpdC1sZnMuZ2l0aHViLmNvbS9zcGVjL3YxCm9pZCBzaGEyNTY6YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYQpzaXplIDMK"}}"#,
    ])
    func hostileCommits(_ line: String) async throws {
        let hub = try TestHub()
        let ada = try await hub.account("ada")
        _ = try await hub.send(.post, "/api/repos/create", #"{"name":"m"}"#, token: ada)
        let before = try await hub.send(.get, "/api/models/ada/m/refs", token: ada).text
        let answer = try await hub.commit([("good.txt", "good")], to: "ada/m", token: ada, more: [line])
        #expect((400..<500).contains(answer.status))
        #expect(try await hub.send(.get, "/api/models/ada/m/refs", token: ada).text == before)
    }

    @Test("makes commits, and shows their files in pages, ranges and with their last changes")
    func files() async throws {
        let hub = try TestHub()
        let ada = try await hub.account("ada")
        _ = try await hub.send(.post, "/api/repos/create", #"{"name":"m"}"#, token: ada)
        let files = (0..<250).map { (path: "d\($0 % 3)/f\($0).txt", text: "content \($0)") }
        let first = try await hub.commit(files, to: "ada/m", token: ada)
        let second = try await hub.commit([("d0/f0.txt", "changed")], to: "ada/m", token: ada)
        #expect(first.status == 200 && second.status == 200)
        let firstOID = first.json?["commitOid"]?.string
        let secondOID = second.json?["commitOid"]?.string
        #expect(second.json?["commitUrl"]?.string == "http://localhost/ada/m/commit/\(secondOID ?? "")")

        var paths: [String] = []
        var lastCommits: [String: String] = [:]
        var next: String? = "/hf/api/models/ada/m/tree/main?recursive=true&expand=true"
        while let address = next {
            let page = try await hub.send(.get, address, token: ada)
            for item in page.json?.elements ?? [] {
                let path = item["path"]?.string ?? ""
                paths.append(path)
                lastCommits[path] = item["lastCommit"]?["id"]?.string
            }
            next = page.headers[.link].map { link in
                String(link.dropFirst("<http://localhost".count).prefix { $0 != ">" })
            }
            #expect(next?.hasPrefix("/hf/api/") ?? true)
        }
        #expect(paths.count == 250 + 3 + 1 && Set(paths).count == paths.count)
        #expect(lastCommits["d0/f0.txt"] == secondOID && lastCommits["d0"] == secondOID)
        #expect(lastCommits["d1"] == firstOID && lastCommits["d0/f3.txt"] == firstOID)

        let part = try await hub.send(.get, "/ada/m/resolve/main/d0/f0.txt", token: ada, headers: [.range: "bytes=2-4"])
        #expect(part.status == 206 && part.text == "ang" && part.headers[.contentRange] == "bytes 2-4/7")
        let past = try await hub.send(.get, "/ada/m/resolve/main/d0/f0.txt", token: ada, headers: [.range: "bytes=9-"])
        #expect(past.status == 416)
        let short = String((secondOID ?? "").prefix(7))
        #expect(try await hub.send(.get, "/ada/m/resolve/\(short)/d0/f0.txt", token: ada).text == "changed")
        let paths2 = try await hub.send(
            .post, "/api/models/ada/m/paths-info/main", "paths=d0&paths=nope&paths=d1%2Ff1.txt", token: ada,
            type: "application/x-www-form-urlencoded")
        #expect(paths2.json?.elements?.compactMap { $0["path"]?.string } == ["d0", "d1/f1.txt"])
    }

    @Test("sends a reader of a moved repository on, and follows aliases of one part")
    func names() async throws {
        let hub = try TestHub()
        let ada = try await hub.account("ada", scope: .admin)
        _ = try await hub.send(.post, "/api/repos/create", #"{"name":"m"}"#, token: ada)
        let moved = try await hub.send(
            .post, "/api/repos/move", #"{"fromRepo":"ada/m","toRepo":"ada/n","type":"model"}"#, token: ada)
        #expect(moved.status == 200)
        let answer = try await hub.send(.get, "/csg/api/models/ada/m/tree/main?recursive=true", token: ada)
        #expect(answer.status == 307)
        #expect(answer.headers[.location] == "/csg/api/models/ada/n/tree/main?recursive=true")
        try await hub.store.setSetting(
            "repository-aliases", to: "gpt2=ada/n", audit: AuditEntry(actor: "test", action: "test", target: "test"))
        #expect(try await hub.send(.get, "/api/models/gpt2", token: ada).json?["id"]?.string == "ada/n")
        #expect(try await hub.send(.get, "/api/models/gpt2/refs", token: ada).json?["branches"] != nil)
        #expect(try await hub.send(.get, "/gpt2/resolve/main/.gitattributes", token: ada).status == 200)
    }

    @Test("tells which files are large and which are left out")
    func preupload() async throws {
        let hub = try TestHub()
        let ada = try await hub.account("ada")
        _ = try await hub.send(.post, "/api/repos/create", #"{"name":"m"}"#, token: ada)
        _ = try await hub.commit([(".gitignore", "*.tmp\n/build/\n!keep.tmp\n"), ("a.txt", "a")], to: "ada/m", token: ada)
        let body = """
            {"files":[{"path":"a.txt","sample":"YQ==","size":1},{"path":"w.safetensors","sample":"YQ==","size":1},
            {"path":"b.dat","sample":"AAEC","size":3},{"path":"big.txt","sample":"YQ==","size":20000000},{"path":"x.tmp","size":1},
            {"path":"keep.tmp","size":1},{"path":"build/o.txt","size":1},{"path":"empty.bin","size":0}]}
            """
        let answer = try await hub.send(.post, "/api/models/ada/m/preupload/main", body, token: ada)
        let files = answer.json?["files"]?.elements ?? []
        #expect(
            files.map { $0["uploadMode"]?.string } == [
                "regular", "lfs", "lfs", "lfs", "regular", "regular", "regular", "regular",
            ])
        #expect(
            files.map { $0["shouldIgnore"]?.bool } == [false, false, false, false, true, false, true, false])
        #expect(files.first?["oid"]?.string == "2e65efe2a145dda7ee51d1741299f848e5bf752e")
    }
}
