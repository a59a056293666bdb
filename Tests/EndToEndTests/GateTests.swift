import Foundation
import HubTestSupport
import Testing

extension EndToEnd {
    /// The bytes of a gated repository, by every door that gives bytes away.
    @Suite("Gates")
    struct GateTests {
        private static let name = "models/ada/gated"
        private static let secret = "the secret of the gate"

        let hub: HubProcess
        let ada: GitClient
        let bob: GitClient
        private let commit: String
        private let oid: String
        private let bytes = 1 << 20

        init() throws {
            hub = try HubProcess.started()
            ada = try hub.client("ada")
            bob = try hub.client("bob")
            try hub.run("repository", "create", "model", "ada/gated", "--visibility", "internal")
            let copy = try ada.clone(Self.name, to: "own")
            try copy.trackLargeFiles()
            try Content.write(to: copy.file("w.safetensors"), bytes: bytes)
            oid = try Content.sha256(of: copy.file("w.safetensors"))
            commit = try copy.commit(["a.txt": Self.secret, "README.md": "# A card\n"], message: "First")
            try copy.git("push", "--quiet", "origin", "HEAD:main")
        }

        private func ask(_ path: String, _ client: GitClient, _ more: String...) throws -> HTTPAnswer {
            try hub.http(path, ["--header", "Authorization: Bearer \(client.password)"] + more)
        }

        /// Each way to bytes: its name, and whether bob gets them there.
        private func doors() throws -> [(name: String, isOpen: Bool)] {
            let own = "/api/hub/v1/repositories/model/ada/gated"
            let gets = [
                "/ada/gated/resolve/main/a.txt", "/ada/gated/resolve/main/w.safetensors", "/ada/gated/resolve/\(commit)/a.txt",
                "/hf/ada/gated/resolve/main/a.txt", "/csg/ada/gated/resolve/main/a.txt", "/ada/gated/raw/main/a.txt",
                "/api/models/ada/gated/xet-read-token/main", "/api/v1/models/ada/gated/raw/a.txt", own + "/file?path=a.txt",
                own + "/objects/\(oid)", own + "/export", "/models/ada/gated.git/info/lfs/objects/\(oid)",
            ]
            var doors = try gets.map { path in
                let answer = try ask(path, bob, "--output", bob.folder.file("door-\(UUID().uuidString)"))
                return (path, answer.status == 200)
            }
            let head = try ask("/ada/gated/resolve/main/w.safetensors", bob, "--head")
            doors.append(("HEAD", head.status == 200))
            let target = bob.folder.file("clone-\(UUID().uuidString)")
            doors.append(("clone", try bob.attempt(["-c", "filter.lfs.smudge=", "clone", hub.address(Self.name), target]).succeeded))
            for version in ["0", "2"] {
                let fetch = try bob.attempt(["-c", "protocol.version=\(version)", "ls-remote", hub.address(Self.name)])
                doors.append(("ls-remote v\(version)", fetch.succeeded))
            }
            let want = "0032want \(commit)\n00000009done\n"
            let pack = try hub.http(
                "/\(Self.name).git/git-upload-pack", bob.credentials + [
                    "--header", "Content-Type: application/x-git-upload-pack-request", "--data-binary", want, "--output",
                    bob.folder.file("pack-\(UUID().uuidString)"),
                ])
            doors.append(("upload-pack", pack.status == 200))
            let batch = try bob.postLFS(
                Self.name, "objects/batch", #"{"operation":"download","objects":[{"oid":"\#(oid)","size":\#(bytes)}]}"#)
            doors.append(("LFS batch", batch.status == 200 && batch.body.contains("\"download\"")))
            return doors
        }

        /// What a Xet client asks first, with a token that it already has.
        private func reconstructs(_ token: [String: String], _ file: String) throws -> Int {
            let base = try #require(token["casUrl"])
            return try hub.http(
                "\(base)/v1/reconstructions/\(file)", ["--header", "Authorization: Bearer \(try #require(token["accessToken"]))"]
            ).status
        }

        private func token(_ kind: String, _ client: GitClient) throws -> [String: String] {
            let answer = try ask("/api/models/ada/gated/\(kind)", client)
            #expect(answer.status == 200, "\(answer)")
            return ["casUrl", "accessToken"].reduce(into: [:]) { found, name in
                let parts = answer.body.split(separator: "\"")
                if let index = parts.firstIndex(where: { $0 == name }), index + 2 < parts.count { found[name] = String(parts[index + 2]) }
            }
        }

        @Test("every door is shut without a grant, opens with it, and shuts again")
        func doorsOfAGate() throws {
            for door in try doors() { #expect(door.isOpen, "open repository: \(door.name)") }
            // What came by LFS is cut into chunks in the background.
            var hash: String?
            try waitFor("the Xet name of the file", seconds: 100) {
                hash = try ask("/ada/gated/resolve/main/w.safetensors", ada, "--head").headers["x-xet-hash"]
                return hash != nil
            }
            let file = try #require(hash)
            let before = try token("xet-read-token/main", bob)
            #expect(try reconstructs(before, file) == 200)
            let batch = try bob.batch("download", [(oid: oid, size: bytes)], in: Self.name)
            let link = try #require(batch.objects.first?.actions?["download"])

            try hub.run("repository", "gate", "model", "ada/gated", "manual")
            // Names stay visible.
            #expect(try ask("/api/models/ada/gated", bob).body.contains("\"gated\":\"manual\""))
            for door in try doors() { #expect(!door.isOpen, "shut gate: \(door.name)") }
            // What was given before the gate was shut gives nothing either.
            #expect(try reconstructs(before, file) != 200)
            #expect(try bob.follow(link).status != 200)
            // Nor does the right to propose a change, which everybody has.
            #expect(try reconstructs(token("xet-write-token/main?create_pr=1", bob), file) != 200)
            let opened = try ask(
                "/api/models/ada/gated/discussions", bob, "--header", "Content-Type: application/json", "--data-binary",
                #"{"title":"x","description":"","pullRequest":true}"#)
            #expect(opened.status == 200)
            let details = try ask("/api/models/ada/gated/discussions/1?diff=1", bob)
            #expect(details.status == 200 && !details.body.contains(Self.secret))
            for door in try doors() { #expect(!door.isOpen, "with a pull request: \(door.name)") }

            try hub.run("access", "grant", "model", "ada/gated", "bob")
            #expect(try hub.run("access", "list", "model", "ada/gated", "--status", "accepted", "--json").contains("\"bob\""))
            for door in try doors() { #expect(door.isOpen, "granted: \(door.name)") }
            #expect(try reconstructs(token("xet-read-token/main", bob), file) == 200)
            try hub.run("access", "reject", "model", "ada/gated", "bob", "--reason", "No form")
            for door in try doors() { #expect(!door.isOpen, "rejected: \(door.name)") }
            // Its owner never needs a grant.
            #expect(try ask("/ada/gated/resolve/main/a.txt", ada).body == Self.secret)
        }

        @Test("an automatic gate opens for who asks")
        func automatic() throws {
            try hub.run("repository", "gate", "models/ada/gated", "automatic")
            #expect(try ask("/ada/gated/resolve/main/a.txt", bob).status == 403)
            let asked = try ask(
                "/api/hub/v1/repositories/model/ada/gated/access-requests", bob, "--header", "Content-Type: application/json",
                "--data-binary", #"{"answers":{"Company":"ACME"}}"#)
            #expect(asked.status == 200 && asked.body.contains("accepted"))
            for door in try doors() { #expect(door.isOpen, "\(door.name)") }
            try hub.run("access", "cancel", "model", "ada/gated", "bob")
            #expect(try ask("/ada/gated/resolve/main/a.txt", bob).status == 403)
        }
    }
}
