import Foundation
import HTTPTypes
import HubCore
import MetadataStore
import NIOCore
import ObjectStore
import Testing

@testable import HubAPI

@Suite("The routes of repositories and their content")
struct RepositoryRouteTests {
    let test: TestAPI

    init() throws { test = try TestAPI() }

    @Test("repositories are made private, changed, renamed, deleted and restored")
    func repositories() async throws {
        _ = try await test.account("ada")
        let path = "/repositories/model/ada/bert"
        let made = try await test.expect(
            201, .post, "/repositories", ["kind": "model", "namespace": "ada", "name": "bert"], of: "createRepository")
        #expect(made["visibility"] == "private" && made["default_branch"] == "main" && made["description"] == .null)
        try await test.expect(
            409, .post, "/repositories", ["kind": "model", "namespace": "ada", "name": "BERT"], of: "createRepository")
        let changed = try await test.expect(
            200, .patch, path, ["visibility": "public", "description": "A model", "default_branch": "dev"],
            of: "changeRepository")
        #expect(
            changed["visibility"] == "public" && changed["description"] == "A model"
                && changed["default_branch"] == "dev")
        #expect(
            try await test.expect(200, .patch, path, ["description": .null], of: "changeRepository")["description"]
                == .null)
        try await test.expect(200, .post, path + "/rename", ["name": "roberta"], of: "renameRepository")
        #expect(try await test.expect(200, .get, path, of: "getRepository")["name"] == "roberta")
        try await test.expect(204, .delete, "/repositories/model/ada/roberta", of: "deleteRepository")
        try await test.expect(404, .get, "/repositories/model/ada/roberta", of: "getRepository")
        let deleted = try await test.expect(200, .get, "/repositories?deleted=true", of: "listRepositories")
        #expect(deleted["items"]?.elements?.first?["deleted_at"] != .null)
        #expect(
            try await test.expect(200, .get, "/repositories?owner=ada&kind=model", of: "listRepositories")["items"]
                == [])
        try await test.expect(200, .post, "/repositories/model/ada/roberta/undelete", of: "undeleteRepository")
        #expect(
            try await test.expect(200, .get, "/repositories?owner=ada", of: "listRepositories")["items"]?.elements?
                .count
                == 1)
    }

    @Test("collaborators come and go")
    func collaborators() async throws {
        _ = try await test.account("ada")
        _ = try await test.account("bob")
        try await test.expect(
            201, .post, "/repositories", ["kind": "code", "namespace": "ada", "name": "x"], of: "createRepository")
        let path = "/repositories/code/ada/x/collaborators"
        try await test.expect(200, .put, path + "/bob", ["role": "write"], of: "setCollaborator")
        #expect(
            try await test.expect(200, .get, path, of: "listCollaborators")["items"] == [
                ["account": "bob", "role": "write"]
            ])
        try await test.expect(204, .delete, path + "/bob", of: "removeCollaborator")
        #expect(try await test.expect(200, .get, path, of: "listCollaborators")["items"] == [])
    }

    @Test("large objects are uploaded, found missing, downloaded and verified")
    func objects() async throws {
        _ = try await test.account("ada")
        for name in ["a", "b"] {
            try await test.expect(
                201, .post, "/repositories", ["kind": "model", "namespace": "ada", "name": .string(name)],
                of: "createRepository")
        }
        // echo -n hello | sha256sum
        let oid = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
        let asked: JSONValue = ["objects": [["oid": .string(oid), "size_bytes": 5]]]
        let path = "/repositories/model/ada/a/objects"
        #expect(try await test.expect(200, .post, path + "/missing", asked, of: "findMissingObjects") == asked)
        let wrong = try await test.send(.put, "\(path)/\(oid)", bytes: ByteBuffer(string: "hellO"))
        #expect(wrong.status == 422, "\(wrong.text)")
        for (length, status) in [(6 << 40, 413), (Int64.max, 413), (4 << 40, 507)] as [(Int64, Int)] {
            let large = try await test.send(.put, "\(path)/\(oid)", bytes: ByteBuffer(string: "hello"), length: length)
            #expect(large.status == status, "\(length): \(large.text)")
        }
        let stored = try await test.send(.put, "\(path)/\(oid)", bytes: ByteBuffer(string: "hello"))
        #expect(stored.status == 200, "\(stored.text)")
        #expect(
            try await test.expect(200, .post, path + "/missing", asked, of: "findMissingObjects") == ["objects": []])
        #expect(try await test.send(.get, "\(path)/\(oid)").text == "hello")
        // Another repository does not have it until its bytes were sent there.
        #expect(
            try await test.expect(
                200, .post, "/repositories/model/ada/b/objects/missing", asked, of: "findMissingObjects")
                == asked)
        #expect(try await test.send(.get, "/repositories/model/ada/b/objects/\(oid)").status == 404)
        try await test.expect(
            400, .post, path + "/missing", ["objects": [["oid": "xyz", "size_bytes": 5]]], of: "findMissingObjects")

        let sound = try await test.expect(200, .get, "/objects/verification?all=1", of: "verifyObjects").elements?.last
        #expect(sound?["event"] == "summary" && sound?["checked_objects"] == 1 && sound?["problem_objects"] == 0)
        let file = "\(test.folder)/objects/2c/f2/\(oid)"
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        try Data("hellO".utf8).write(to: URL(filePath: file))
        #expect(
            try await test.expect(200, .get, "/objects/verification", of: "verifyObjects").elements?.last?[
                "problem_objects"]
                == 0)
        let damaged = try await test.expect(200, .get, "/objects/verification?all=1", of: "verifyObjects").elements?
            .first { $0["event"] == "problem" }
        #expect(damaged?["defect"] == "damaged" && damaged?["oid"]?.string == oid)
        try FileManager.default.removeItem(atPath: file)
        let gone = try await test.expect(200, .get, "/objects/verification", of: "verifyObjects").elements?
            .first { $0["event"] == "problem" }
        #expect(gone?["defect"] == "missing")
        let health = try await test.expect(200, .get, "/health", of: "getHealth")
        #expect(health["checks"]?.elements?.contains { $0["name"] == "objects" && $0["result"] == "problem" } == true)
    }

    @Test("xorbs are checked after the objects, those that no object uses to their last byte")
    func xorbCheck() async throws {
        _ = try await test.account("ada")
        let content = [UInt8](repeating: 7, count: 5000)
        let chunks = XetHashing.chunks(of: content)
        let hash = XetHashing.xorb(of: chunks)
        let length: [UInt8] = [0x88, 0x13, 0]
        let body = AsyncStream<ByteBuffer> { continuation in
            continuation.yield(ByteBuffer(bytes: [0] + length + [0] + length + content))
            continuation.finish()
        }
        let stored = try await test.objects.putXorb(hash, isKnown: false, body: body)
        try await test.store.recordXorbs([
            XorbRecord(hash: hash, chunkCount: stored.chunkCount, rawBytes: stored.rawBytes, source: nil)
        ])
        func check(_ query: String) async throws -> (summary: JSONValue?, problem: JSONValue?) {
            let lines = try await test.expect(200, .get, "/objects/verification" + query, of: "verifyObjects").elements
            return (lines?.last, lines?.first { $0["event"] == "problem" })
        }
        let sound = try await check("?all=1")
        #expect(sound.summary?["checked_xorbs"] == 1 && sound.summary?["checked_bytes"] == 5000)
        #expect(sound.summary?["problem_objects"] == 0 && sound.problem == nil)
        let file = "\(test.folder)/objects/xorbs/\(hash.hex.prefix(2))/\(hash.hex.dropFirst(2).prefix(2))/\(hash.hex)"
        var bytes = try Data(contentsOf: URL(filePath: file))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        bytes[10] ^= 1
        try bytes.write(to: URL(filePath: file))
        #expect(try await check("").problem == nil)
        let damaged = try await check("?all=1").problem
        #expect(damaged?["defect"] == "damaged" && damaged?["xorb"]?.string == hash.hex && damaged?["oid"] == .null)
        bytes[5010] ^= 1
        try bytes.write(to: URL(filePath: file))
        #expect(try await check("").problem?["defect"] == "damaged")
        try FileManager.default.removeItem(atPath: file)
        #expect(try await check("").problem?["defect"] == "missing")
    }

    private static func lines(_ values: [JSONValue]) throws -> ByteBuffer {
        ByteBuffer(string: try values.map { try JSONForm.text($0) + "\n" }.joined())
    }

    @Test("a stream of files becomes a commit that can be read back and exported")
    func commits() async throws {
        _ = try await test.account("ada")
        let path = "/repositories/model/ada/m"
        try await test.expect(
            201, .post, "/repositories", ["kind": "model", "namespace": "ada", "name": "m"], of: "createRepository")
        try await test.expect(404, .get, path + "/file?path=README.md", of: "downloadFile")
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
        let manifest = try await test.expect(200, .get, path + "/export", of: "exportRepository").elements ?? []
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
        try await test.expect(
            201, .post, "/repositories", ["kind": "model", "namespace": "ada", "name": "m"], of: "createRepository")
        let answer = try await test.send(.post, path + "/commits", bytes: ByteBuffer(string: text))
        #expect([400, 422].contains(answer.status) && answer.code != nil, "\(answer.text)")
        #expect(try await test.expect(200, .get, path + "/export", of: "exportRepository").elements?.count == 1)
        #expect(
            try await test.send(.post, path + "/commits?branch=a..b", bytes: ByteBuffer(string: text)).status == 400)
    }

    @Test("an empty repository's manifest has its head and nothing else")
    func export() async throws {
        _ = try await test.account("ada")
        try await test.expect(
            201, .post, "/repositories", ["kind": "model", "namespace": "ada", "name": "m"], of: "createRepository")
        let lines =
            try await test.expect(200, .get, "/repositories/model/ada/m/export", of: "exportRepository").elements ?? []
        #expect(lines.count == 1 && lines.first?["repository"]?["head"] == "refs/heads/main")
        for file in [
            "x.pack", "../../hub.db", "0000000000000000000000000000000000000000.pack", "%2e%2e%2f%2e%2e%2fhub.db",
        ] {
            #expect(try await test.send(.get, "/repositories/model/ada/m/export/packs/\(file)").status == 404)
        }
    }

    @Test("refs are listed in pages, by prefix")
    func references() async throws {
        _ = try await test.account("ada")
        let path = "/repositories/model/ada/m"
        try await test.expect(
            201, .post, "/repositories", ["kind": "model", "namespace": "ada", "name": "m"], of: "createRepository")
        for branch in ["main", "dev", "dev2"] {
            let body = try Self.lines([
                ["header": ["message": .string(branch)]], ["file": ["path": .string(branch), "content": ""]],
            ])
            #expect(try await test.send(.post, path + "/commits?branch=\(branch)", bytes: body).status == 201)
        }
        let first = try await test.expect(200, .get, path + "/references?limit=2", of: "listReferences")
        #expect(first["items"]?.elements?.compactMap { $0["name"]?.string } == ["refs/heads/dev", "refs/heads/dev2"])
        let second = try await test.expect(
            200, .get, path + "/references?limit=2&cursor=\(try #require(first["next"]?.string))", of: "listReferences")
        #expect(
            second["items"]?.elements?.compactMap { $0["name"]?.string } == ["refs/heads/main"]
                && second["next"] == .null)
        let dev = try await test.expect(200, .get, path + "/references?prefix=refs/heads/dev", of: "listReferences")
        #expect(dev["items"]?.elements?.count == 2)
    }

    @Test("pages of other sites change nothing, whoever is signed in")
    func foreignPages() async throws {
        for origin in ["https://evil.example", "null", "https://hub.test.evil.example", ""] {
            let answer = try await test.send(
                .post, "/accounts", bytes: ByteBuffer(string: "{\"name\":\"ada\"}"), origin: origin)
            #expect(answer.status == 403 && answer.code == "foreign_origin", "\(origin)")
        }
        let own = try await test.send(
            .post, "/accounts", bytes: ByteBuffer(string: "{\"name\":\"ada\"}"), origin: "https://hub.test")
        #expect(own.status == 201)
        #expect(
            try await test.send(.get, "/accounts", bytes: ByteBuffer(), origin: "https://evil.example").status == 200)
    }
}
