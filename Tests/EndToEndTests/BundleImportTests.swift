import Foundation
import HubTestSupport
import Testing

extension EndToEnd {
    /// From one hub to another on media, by the command line.
    @Suite("Offline bundles")
    struct BundleImportTests {
        private let source: HubProcess
        private let target: HubProcess
        private let ada: GitClient
        private let media: TemporaryFolder

        init() throws {
            source = try HubProcess.started(tls: true)
            target = try HubProcess.started(tls: true)
            ada = try source.client("ada", isAdministrator: true)
            media = try TemporaryFolder("media")
        }

        /// A repository with history, a tag and large files, in a bundle on three sticks that the target trusts.
        private func bundle() throws -> (commit: String, oid: String) {
            let copy = try ada.repository("ada/model")
            try copy.trackLargeFiles()
            try Content.writeSafetensors(to: copy.file("m.safetensors"), bytes: 150_000_000)
            try copy.commit(["README.md": "# Model\n"], message: "Add a model")
            try copy.git("tag", "-a", "v1", "-m", "One")
            try copy.commit(["README.md": "# Model, again\n"], message: "Change it")
            try copy.git("push", "--quiet", "origin", "main", "v1")
            let sticks = try (1...3).map { try media.folder("stick\($0)") }
            let made = try source.verb(
                "bundle", "create", "--repository", "model", "ada/model", "--volume-size", "80M", "--out", sticks[0],
                sticks[1], sticks[2])
            #expect(made.succeeded, "\(made)")
            return (try copy.git("rev-parse", "main"), try Content.sha256(of: copy.file("m.safetensors")))
        }

        private func stick(_ number: Int) -> String { media.file("stick\(number)") }

        /// As a person does who compared the fingerprint.
        private func trust() throws {
            let refused = try target.verb("bundle", "import", stick(1))
            #expect(refused.status == 77, "\(refused)")
            let command = try #require(refused.stderr.split(separator: "\n").last { $0.contains("csghub trust add ") })
            let root = String(command.split(separator: " ").last ?? "")
            let fingerprint = try source.run("trust", "fingerprint").split(separator: " ").dropFirst().joined(
                separator: " ")
            try target.run("trust", "add", root, "--fingerprint", fingerprint)
        }

        @Test("arrive whole in any order, are served as on the first hub, and take no changes")
        func arrives() throws {
            let (commit, oid) = try bundle()
            try trust()
            #expect(try target.verb("bundle", "import", stick(3)).status == 75)
            #expect(try target.verb("bundle", "import", stick(1)).status == 75)
            let last = try target.verb("bundle", "import", stick(2))
            #expect(last.succeeded && last.stdout.contains("published"), "\(last)")
            let again = try target.verb("bundle", "import", stick(2))
            #expect(again.succeeded && again.stdout.contains("already published"), "\(again)")

            let bob = try target.client("bob")
            let clone = try bob.clone("models/ada/model", to: "clone")
            #expect(try clone.git("rev-parse", "main") == commit)
            #expect(try clone.git("cat-file", "-t", "v1") == "tag")
            #expect(try Content.sha256(of: clone.file("m.safetensors")) == oid)
            #expect(try clone.attempt(["fsck", "--strict"]).succeeded)
            #expect(try clone.attempt(["lfs", "fsck"]).succeeded)

            // Not even an administrator of the new hub changes it, by git or by a commit of the API.
            let eve = try target.client("eve", isAdministrator: true, scope: "admin")
            let mine = try eve.clone("models/ada/model", to: "mine")
            try mine.commit(["README.md": "# Mine\n"], message: "Change")
            let pushed = try mine.attempt(["push", "origin", "main"])
            #expect(!pushed.succeeded && pushed.stderr.contains("403"), "\(pushed)")
            let branch = try target.http(
                "/api/models/ada/model/branch/new", "--request", "POST", "--header",
                "Authorization: Bearer \(eve.password)")
            #expect(branch.status == 403 && branch.body.contains("imported from a bundle"), "\(branch)")
            try target.run("repository", "set", "models/ada/model", "--local-changes", "allow")
            #expect(try mine.attempt(["push", "origin", "main"]).succeeded)
        }

        @Test("show nothing at any door while they wait for an administrator")
        func waits() throws {
            let (commit, oid) = try bundle()
            try trust()
            try target.run("setting", "set", "import-publishing", "administrator")
            let waiting = try target.verb("bundle", "import", stick(1), stick(2), stick(3))
            #expect(waiting.succeeded && waiting.stdout.contains("awaiting approval"), "\(waiting)")
            let eve = try target.client("eve", isAdministrator: true, scope: "admin")
            for path in [
                "/api/models/ada/model", "/api/models/ada/model/revision/\(commit)",
                "/ada/model/resolve/main/README.md",
                "/ada/model/resolve/\(commit)/m.safetensors", "/api/hub/v1/repositories/model/ada/model/objects/\(oid)",
                "/models/ada/model.git/info/refs?service=git-upload-pack", "/api/models/ada/model/xet-read-token/main",
            ] {
                let answer = try target.http(path, "--header", "Authorization: Bearer \(eve.password)")
                #expect(answer.status == 404 || answer.status == 401, "\(path): \(answer)")
            }
            #expect(try target.run("object", "verify") == "")
            let id = String(waiting.stdout.prefix(16))
            #expect(try target.verb("bundle", "publish", id).succeeded)
            #expect(try eve.clone("models/ada/model", to: "clone").git("rev-parse", "main") == commit)
        }
    }
}
