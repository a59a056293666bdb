import Foundation
import HubTestSupport
import Testing

extension EndToEnd {
    /// `git push origin HEAD:refs/pr/N` by authors of pull requests, who may write nothing else.
    @Suite("Pull requests by git")
    struct PullRequestPushTests {
        let hub: HubProcess
        let ada: GitClient
        let bob: GitClient
        let eve: GitClient
        private static let name = "models/ada/open"
        private static let api = "/api/models/ada/open/discussions"

        init() throws {
            hub = try HubProcess.started()
            ada = try hub.client("ada")
            bob = try hub.client("bob")
            eve = try hub.client("eve")
            try hub.run("repository", "create", "model", "ada/open", "--visibility", "internal")
            let copy = try ada.clone(Self.name, to: "own")
            try copy.commit(["a.txt": "one\n"], message: "First")
            try copy.git("push", "--quiet", "origin", "HEAD:main")
        }

        private func ask(_ client: GitClient, _ path: String, _ json: String? = nil) throws -> HTTPAnswer {
            let body = json.map { ["--header", "Content-Type: application/json", "--data-binary", $0] } ?? []
            return try hub.http(Self.api + path, ["--header", "Authorization: Bearer \(client.password)"] + body)
        }

        private func openRequest(_ client: GitClient) throws {
            let answer = try ask(client, "", #"{"title":"A change","description":"","pullRequest":true}"#)
            #expect(answer.status == 200, "\(answer)")
        }

        @Test("their author pushes, it shows in the request, and merging brings it to main")
        func author() throws {
            try openRequest(bob)
            let copy = try bob.clone(Self.name, to: "copy")
            let commit = try copy.commit(["a.txt": "one\ntwo\n"], message: "Say two")
            try copy.git("push", "--quiet", "origin", "HEAD:refs/pr/1")
            let details = try ask(bob, "/1?diff=1")
            #expect(details.body.contains(commit) && details.body.contains("Say two") && details.body.contains("+two"), "\(details)")
            // Others fetch it by its ref.
            let other = try eve.clone(Self.name, to: "other")
            try other.git("fetch", "--quiet", "origin", "refs/pr/1")
            #expect(try other.git("rev-parse", "FETCH_HEAD") == commit)
            #expect(try ask(ada, "/1/status", #"{"status":"open"}"#).status == 200)
            #expect(try ask(ada, "/1/merge", "{}").status == 200)
            try other.git("pull", "--quiet", "origin", "main")
            #expect(try String(contentsOfFile: other.file("a.txt"), encoding: .utf8) == "one\ntwo\n")
            // It is over.
            try copy.commit(["a.txt": "three\n"], message: "Late")
            let late = try copy.attempt(["push", "origin", "HEAD:refs/pr/1"])
            #expect(!late.succeeded, "\(late)")
        }

        @Test("nobody else, and nothing else, with the reason in words")
        func others() throws {
            try openRequest(bob)
            try openRequest(eve)
            let copy = try bob.clone(Self.name, to: "copy")
            try copy.commit(["a.txt": "b\n"], message: "Change")
            let refusals = [
                ("HEAD:main", "only those who may write"), ("HEAD:refs/heads/new", "only those who may write"),
                ("HEAD:refs/tags/v1", "only those who may write"), ("HEAD:refs/pr/2", "somebody else's"),
                ("HEAD:refs/pr/9", "no such pull request"), ("HEAD:refs/pr/01", "no such pull request"), (":refs/pr/1", "close it"),
            ]
            for (refspec, words) in refusals {
                let push = try copy.attempt(["push", "origin", refspec])
                #expect(!push.succeeded && push.stderr.contains(words), "\(refspec): \(push)")
            }
            // One of two is let through, none when they stand together.
            let together = try copy.attempt(["push", "--atomic", "origin", "HEAD:refs/pr/1", "HEAD:main"])
            #expect(!together.succeeded, "\(together)")
            let head = try copy.git("rev-parse", "HEAD")
            #expect(try !copy.git("ls-remote", "origin").contains(head))
            let both = try copy.attempt(["push", "origin", "HEAD:refs/pr/1", "HEAD:main"])
            #expect(!both.succeeded, "\(both)")
            let references = try copy.git("ls-remote", "origin")
            #expect(references.contains("\(head)\trefs/pr/1") && !references.contains("\(head)\trefs/heads/main"))
            // A writer pushes to it too, but nobody takes it away, and it holds commits only.
            let own = try ada.clone(Self.name, to: "writer")
            try own.commit(["b.txt": "b\n"], message: "Help")
            try own.git("push", "--quiet", "--force", "origin", "HEAD:refs/pr/1")
            #expect(try !own.attempt(["push", "origin", ":refs/pr/1"]).succeeded)
            let blob = try own.attempt(["push", "--force", "origin", "HEAD:a.txt:refs/pr/1", "HEAD^{tree}:refs/pr/1"])
            #expect(!blob.succeeded, "\(blob)")
            let tree = try own.attempt(["push", "--force", "origin", "HEAD^{tree}:refs/pr/1"])
            #expect(!tree.succeeded && tree.stderr.contains("must point to a commit"), "\(tree)")
        }

        @Test("who has no open pull request is told at once, as is a token that only reads")
        func strangers() throws {
            let copy = try eve.clone(Self.name, to: "copy")
            try copy.commit(["a.txt": "b\n"], message: "Change")
            #expect(try copy.attempt(["push", "origin", "HEAD:refs/pr/1"]).stderr.contains("403"))
            try openRequest(bob)
            #expect(try copy.attempt(["push", "origin", "HEAD:refs/pr/1"]).stderr.contains("403"))
            let reader = try hub.client("bob", scope: "read")
            let push = try reader.attempt(["push", hub.address(Self.name), "HEAD:refs/pr/1"], in: copy.path)
            #expect(push.stderr.contains("403"), "\(push)")
        }

        @Test("moves it only from where the pusher saw it")
        func compareAndSwap() throws {
            try openRequest(bob)
            let first = try bob.clone(Self.name, to: "first")
            let second = try bob.clone(Self.name, to: "second")
            try first.commit(["a.txt": "first\n"], message: "First")
            try second.commit(["a.txt": "second\n"], message: "Second")
            try first.git("push", "--quiet", "origin", "HEAD:refs/pr/1")
            let late = try second.attempt(["push", "origin", "HEAD:refs/pr/1"])
            #expect(!late.succeeded && late.stderr.contains("rejected"), "\(late)")
            let main = try second.git("rev-parse", "origin/main")
            let leased = try second.attempt(["push", "--force-with-lease=refs/pr/1:\(main)", "origin", "HEAD:refs/pr/1"])
            #expect(!leased.succeeded, "\(leased)")
            try second.git("push", "--quiet", "--force", "origin", "HEAD:refs/pr/1")
        }

        @Test("with large files")
        func largeFiles() throws {
            try openRequest(bob)
            let copy = try bob.clone(Self.name, to: "copy")
            try copy.trackLargeFiles("*.safetensors")
            try Content.write(to: copy.file("w.safetensors"), bytes: 1 << 20)
            try copy.git("add", ".")
            try copy.git("commit", "--quiet", "-m", "Weights")
            try copy.git("push", "--quiet", "origin", "HEAD:refs/pr/1")
            let oid = try Content.sha256(of: copy.file("w.safetensors"))
            let answer = try eve.batch("download", [(oid: oid, size: 1 << 20)], in: Self.name)
            #expect(answer.objects.first?.actions?["download"] != nil)
        }
    }
}
