import BundleFormat
import Foundation
import HubCore
import HubTestSupport
import Testing

extension EndToEnd {
    /// While an import waits for an administrator, the repository that it changes is served as it was.
    @Suite("Imports that wait")
    struct BundleGateTests {
        private let hub: HubProcess
        private let maker: BundleMaker
        private let eve: GitClient

        init() throws {
            hub = try HubProcess.started()
            maker = try BundleMaker()
            try maker.beTrusted(by: hub)
            eve = try hub.client("eve", isAdministrator: true, scope: "admin")
        }

        private func ask(_ path: String, _ words: String...) throws -> HTTPAnswer {
            try hub.http(path, ["--header", "Authorization: Bearer \(eve.password)"] + words)
        }

        /// The doors at which the new commit or object shows, to an administrator.
        private func open(commit: String, oid: String, bytes: Int, xet: String) throws -> [String] {
            let file = { eve.folder.file("door-\(UUID().uuidString)") }
            let own = "/api/hub/v1/repositories/model/qwen/qwen3"
            var doors: [String] = []
            for path in [
                "/qwen/qwen3/resolve/\(commit)/README.md", "/qwen/qwen3/raw/\(commit)/README.md", "/qwen/qwen3/resolve/main/model-1.bin",
                "/qwen/qwen3/resolve/\(commit)/model-1.bin", "/api/models/qwen/qwen3/revision/\(commit)", "/api/models/qwen/qwen3/tree/\(commit)",
                "/api/models/qwen/qwen3/commits/\(commit)", "/api/models/qwen/qwen3/compare/main..\(commit)",
                own + "/objects/\(oid)", own + "/file?path=README.md&revision=\(commit)",
                "/models/qwen/qwen3.git/info/lfs/objects/\(oid)", "/csg/qwen/qwen3/resolve/\(commit)/README.md", "/hf/qwen/qwen3/resolve/\(commit)/README.md",
            ] {
                if try (200..<400).contains(ask(path, "--output", file()).status) { doors.append(path) }
            }
            for path in ["/api/models/qwen/qwen3", "/api/models/qwen/qwen3/refs", own + "/references", own + "/export"] {
                if try ask(path).body.contains(commit) { doors.append(path) }
            }
            if try ask(own + "/export").body.contains(oid) { doors.append("export of objects") }
            for version in ["0", "2"] {
                let refs = try eve.attempt(["-c", "protocol.version=\(version)", "ls-remote", hub.address(BundleMaker.name)])
                #expect(refs.succeeded, "\(refs)")
                if refs.stdout.contains(commit) { doors.append("ls-remote v\(version)") }
                let clone = try eve.clone(BundleMaker.name, flags: ["--bare"], to: "clone-\(UUID().uuidString)", variables: ["GIT_LFS_SKIP_SMUDGE": "1"])
                let fetch = try clone.attempt(["-c", "protocol.version=\(version)", "fetch", "origin", commit])
                if fetch.succeeded { doors.append("fetch by id v\(version)") }
            }
            for body in ["\(commit)", String(repeating: "0", count: 40)] {
                let request = #"{"references":[{"name":"refs/heads/main","oid":"\#(body)"}],"haves":[]}"#
                let bundle = try ask(own + "/export/bundle", "--header", "Content-Type: application/json", "--data-binary", request, "--output", file())
                if bundle.status == 200 { doors.append("export/bundle") }
            }
            if try eve.batch("download", [(oid, bytes)], in: BundleMaker.name).objects.first?.actions?["download"] != nil { doors.append("LFS download") }
            // Who uploads it must send its bytes: that it is here already is not told.
            if try eve.batch("upload", [(oid, bytes)], in: "models/eve/own").objects.first.map({ $0.error == nil && $0.actions?["upload"] == nil }) == true {
                doors.append("LFS upload")
            }
            if try ask("/api/hub/v1/repositories/model/eve/own/objects/missing", "--header", "Content-Type: application/json", "--data-binary", #"{"objects":[{"oid":"\#(oid)","size_bytes":\#(bytes)}]}"#).body.contains("\"objects\":[]") {
                doors.append("missing objects")
            }
            if try reconstructs(xet, of: hub, token: eve.password) { doors.append("Xet") }
            return doors
        }

        /// Asks the Xet door for a file by its name there, with a token for what may be read.
        private func reconstructs(_ file: String, of hub: HubProcess, token: String) throws -> Bool {
            let grant = try hub.http("/api/models/qwen/qwen3/xet-read-token/main", "--header", "Authorization: Bearer \(token)").headers
            let (base, text) = (try #require(grant["x-xet-cas-url"]), try #require(grant["x-xet-access-token"]))
            return try hub.http("\(base)/v1/reconstructions/\(file)", "--header", "Authorization: Bearer \(text)").status == 200
        }

        /// The Xet name of an object, which follows from its bytes: of a hub that published the same bundles.
        private func xetName(_ bundles: [HandmadeBundle]) throws -> String {
            let other = try HubProcess.started()
            try maker.beTrusted(by: other)
            for bundle in bundles { try other.importing(bundle.media, status: 0) }
            // What came whole is cut into chunks in the background, soon after a start.
            try other.stop()
            try other.start()
            let token = try other.client("ada", scope: "read").password
            var name: String?
            try waitFor("the Xet name of the file", seconds: 10) {
                name = try other.http("/qwen/qwen3/resolve/main/model-1.bin", "--head", "--header", "Authorization: Bearer \(token)").headers["x-xet-hash"]
                return name != nil
            }
            let file = try #require(name)
            // The question that the other hub is asked has an answer here.
            #expect(try reconstructs(file, of: other, token: token))
            return file
        }

        @Test("no door has the new commit or object before an administrator publishes, nor after one rejects")
        func gate() throws {
            let first = try maker.bundle(.init(large: [Content.bytes(300_000)]))
            try hub.importing(first.media, status: 0)
            try hub.run("repository", "create", "model", "eve/own")
            try hub.run("setting", "set", "import-publishing", "administrator")
            let new = Content.bytes(300_000, seed: 2)
            let second = try maker.bundle(.init(large: [Content.bytes(300_000), new], sequence: 2))
            let oid = BundleDigest.hash(new).hex
            let xet = try xetName([first, second])
            func expectShut(sourceLocation: SourceLocation = #_sourceLocation) throws {
                let doors = try open(commit: second.commit, oid: oid, bytes: new.count, xet: xet)
                #expect(doors.isEmpty, "\(doors)", sourceLocation: sourceLocation)
            }
            let text = try hub.importing(second.media, status: 0)
            #expect(text.contains("\(second.id)\tawaiting approval"), "\(text)")
            try expectShut()
            // Nor by a restart, a sweep or a look at all objects.
            try hub.stop()
            try hub.start()
            #expect(try !hub.verb("object", "verify", "--all").text.contains(oid))
            try expectShut()
            // Only those who may.
            let bob = try hub.client("bob", scope: "admin").password
            for verb in ["publish", "reject", "abandon"] {
                let body = verb == "reject" ? ["--header", "Content-Type: application/json", "--data-binary", #"{"reason":"x"}"#] : ["--request", "POST"]
                #expect(try hub.http("/api/hub/v1/imports/\(second.id)/\(verb)", ["--header", "Authorization: Bearer \(bob)"] + body).status == 403)
            }
            let rejected = try hub.verb("bundle", "reject", second.id, "--reason", "Not for this site.", "--yes")
            #expect(rejected.succeeded && rejected.stdout.contains("rejected"), "\(rejected)")
            try expectShut()
            #expect(try hub.verb("audit", "export").stdout.contains("Not for this site."))

            try hub.importing(second.media, status: 0)
            #expect(try hub.verb("bundle", "publish", second.id).succeeded)
            let doors = try open(commit: second.commit, oid: oid, bytes: new.count, xet: xet)
            // The same questions are answered now, so the silence before meant something.
            for door in ["ls-remote v2", "fetch by id v0", "LFS download", "export/bundle", "/qwen/qwen3/resolve/\(second.commit)/README.md"] {
                #expect(doors.contains(door), "\(door) of \(doors)")
            }
            #expect(doors.count > 15, "\(doors)")
        }
    }

    /// Keys of several people, and new ones.
    @Suite("Keys of a publisher")
    struct BundleKeyTests {
        @Test("two of three must sign; a rotation is followed by whoever pinned the first list; what only an old key signed is refused")
        func thresholds() throws {
            let (source, target) = (try HubProcess.started(), try HubProcess.started())
            let keys = try TemporaryFolder("keys")
            for name in ["officer", "deputy"] {
                #expect(try CommandOutput.of(["openssl", "genpkey", "-algorithm", "ed25519", "-out", keys.file(name)]).succeeded)
            }
            let made = try source.verb(
                "trust", "init", "--publisher", "acme", "--cosigner", keys.file("officer"), "--cosigner", keys.file("deputy"), "--threshold", "2")
            #expect(made.succeeded, "\(made)")
            let fingerprint = try source.run("trust", "fingerprint").split(separator: " ").dropFirst().joined(separator: " ")
            let folder = try keys.folder("model")
            func bundle(_ number: Int) throws -> String {
                try "# \(number)\n".write(toFile: folder + "/README.md", atomically: true, encoding: .utf8)
                let out = try keys.folder("stick\(number)")
                let made = try source.verb("bundle", "create", "--folder", folder, "--as", "model", "ada/m", "--out", out)
                #expect(made.succeeded, "\(made)")
                return out
            }
            func sign(_ stick: String, _ key: String) throws {
                let signed = try CommandOutput.of([HubProcess.binary ?? "csghub", "bundle", "sign", stick, "--key", keys.file(key)])
                #expect(signed.succeeded, "\(signed)")
            }
            let one = try bundle(1)
            let inner = try FileManager.default.contentsOfDirectory(atPath: one + "/HUBBUNDLE").first ?? ""
            try target.run("trust", "add", "\(one)/HUBBUNDLE/\(inner)/trust/root.1.json", "--fingerprint", fingerprint)
            #expect(try target.importing([one], status: 77).contains("wants 2 signatures on a bundle and this one has 1"))
            // A stranger's signature is none.
            #expect(try CommandOutput.of(["openssl", "genpkey", "-algorithm", "ed25519", "-out", keys.file("stranger")]).succeeded)
            try sign(one, "stranger")
            try target.importing([one], status: 77)
            try sign(one, "officer")
            try target.importing([one], status: 0)

            // Signed by both, and not imported before the rotation is known.
            let two = try bundle(2)
            try sign(two, "deputy")
            let waiting = try source.verb("trust", "rotate", "--revoke-old", "the machine was stolen")
            #expect(waiting.succeeded && waiting.stderr.contains("1 more signature"), "\(waiting)")
            let rotated = try source.verb("trust", "rotate", "--cosigner", keys.file("deputy"))
            #expect(rotated.succeeded, "\(rotated)")
            let three = try bundle(3)
            try sign(three, "officer")
            try target.importing([three], status: 0)
            #expect(try target.verb("trust", "show", "acme").stdout.contains("version 2, 2 of 3"))
            let old = try target.importing([two, "--allow-older", "--reason", "test"], status: 77)
            #expect(old.contains("revoked") || old.contains("wants 2 signatures"), "\(old)")
            try sign(two, "officer")
            try target.importing([two], status: 77)
            try target.importing([two, "--allow-older", "--reason", "test"], status: 0)
        }
    }
}
