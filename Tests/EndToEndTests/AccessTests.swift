import Foundation
import HubTestSupport
import Testing

extension EndToEnd {
    @Suite("Access")
    struct AccessTests {
        let hub: HubProcess
        let ada: GitClient
        let bob: GitClient

        init() throws {
            hub = try HubProcess.started()
            ada = try hub.client("ada")
            bob = try hub.client("bob")
            try ada.repository("ada/private").git("push", "--quiet", "origin", "main")
        }

        private func lsRemote(_ client: GitClient, _ repository: String = "models/ada/private") throws -> CommandOutput
        {
            try client.attempt(["ls-remote", hub.address(repository)])
        }

        @Test("a bad token, a password and a revoked token are told apart in words that git shows")
        func badCredentials() throws {
            #expect(try lsRemote(ada).succeeded)
            let wrong = try GitClient(hub: hub, account: "ada", password: "hub_wrongwrongwrongwrongwrongwrongwrong")
            let output = try lsRemote(wrong)
            #expect(!output.succeeded)
            #expect(output.stderr.lowercased().contains("remote:") && output.stderr.contains("token"), "\(output)")
            #expect(output.stderr.contains(hub.url), "the address of the token page is missing: \(output)")

            let password = try hub.run("account", "password", "ada")
            let refused = try lsRemote(GitClient(hub: hub, account: "ada", password: password))
            #expect(!refused.succeeded && refused.stderr.contains("token"), "\(refused)")

            let list = try hub.verb("token", "list", "--account", "ada", "--json")
            let identifier = try #require(list.stdout.firstMatch(of: /"id" ?: ?"([^"]+)"/)?.output.1)
            try hub.run("token", "revoke", String(identifier))
            let revoked = try lsRemote(ada)
            #expect(!revoked.succeeded && revoked.stderr.contains("token"), "\(revoked)")
        }

        @Test("who may not read is told that there is nothing")
        func notFound() throws {
            let hidden = try lsRemote(bob)
            let missing = try lsRemote(bob, "models/ada/nothing")
            #expect(!hidden.succeeded && !missing.succeeded)
            #expect(hidden.stderr.replacing("private", with: "x") == missing.stderr.replacing("nothing", with: "x"))
            #expect(try hub.http("/models/ada/private.git/info/refs?service=git-upload-pack").status == 401)
        }

        @Test("who may read but not write is told so")
        func forbidden() throws {
            try hub.run("repository", "create", "model", "ada/open", "--visibility", "internal")
            let clone = try bob.clone("models/ada/open", to: "clone")
            try clone.commit(["a": "a"], message: "Try")
            let push = try clone.attempt(["push", "origin", "HEAD:main"])
            #expect(!push.succeeded && push.stderr.contains("403"), "\(push)")
            let upload = try bob.postLFS(
                "models/ada/open", "objects/batch",
                #"{"operation":"upload","objects":[{"oid":"\#(String(repeating: "a", count: 64))","size":1}]}"#)
            #expect(upload.status == 403)

            let reader = try hub.client("ada", scope: "read")
            let own = try reader.attempt(["push", hub.address("models/ada/private"), "HEAD:x"], in: clone.path)
            #expect(!own.succeeded && own.stderr.contains("403"), "\(own)")
        }

        @Test("anonymous visitors read public repositories only where the site allows it")
        func anonymous() throws {
            try hub.run("repository", "create", "model", "ada/public", "--visibility", "public")
            let path = "/models/ada/public.git/info/refs?service=git-upload-pack"
            #expect(try hub.http(path).status == 401)
            try hub.stop()
            try hub.start(flags: ["--anonymous-read"])
            #expect(try hub.http(path).status == 200)
            #expect(try hub.http("/models/ada/private.git/info/refs?service=git-upload-pack").status == 401)
            #expect(try hub.http("/models/ada/public.git/info/refs?service=git-receive-pack").status == 401)
        }

        @Test("a renamed repository is found by its old name")
        func rename() throws {
            try hub.run("repository", "rename", "model", "ada/private", "ada/renamed")
            let clone = try ada.clone("models/ada/private", to: "clone")
            try clone.commit(["b": "b"], message: "Go on")
            try clone.git("push", "--quiet", "origin", "main")
            #expect(try lsRemote(ada, "models/ada/renamed").stdout.contains(clone.git("rev-parse", "HEAD")))
        }

        @Test("a disabled account is refused")
        func disabled() throws {
            try hub.run("account", "disable", "ada")
            #expect(try !lsRemote(ada).succeeded)
            try hub.run("account", "enable", "ada")
            #expect(try lsRemote(ada).succeeded)
        }

        @Test(
            "each kind has its address, with and without .git",
            arguments: [
                ("model", "models/"), ("dataset", "datasets/"), ("space", "spaces/"), ("code", "codes/"), ("model", ""),
            ])
        func kinds(kind: String, prefix: String) throws {
            try hub.run("repository", "create", kind, "ada/each")
            for suffix in ["", ".git"] {
                let output = try ada.attempt(["ls-remote", "\(hub.url)/\(prefix)ada/each\(suffix)"])
                #expect(output.succeeded, "\(output)")
            }
        }
    }
}
