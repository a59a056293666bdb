import Foundation
import HubTestSupport
import Testing

extension EndToEnd {
    @Suite("Pushing")
    struct PushingTests {
        let hub: HubProcess
        let ada: GitClient
        let copy: WorkingCopy

        init() throws {
            hub = try HubProcess.started()
            ada = try hub.client("ada")
            copy = try ada.repository("ada/pushed")
            try copy.git("push", "--quiet", "origin", "main")
        }

        private func remote(_ reference: String) throws -> String {
            String(try copy.git("ls-remote", "origin", reference).prefix(40))
        }

        /// A commit on top of main that nothing but its id tells apart.
        private func newCommit(_ index: Int) throws -> String {
            try copy.git("commit-tree", "main^{tree}", "-p", "main", "-m", "Commit \(index)")
        }

        @Test("pushes to different branches at once all succeed")
        func differentBranches() throws {
            let commits = try (0..<8).map(newCommit)
            let pushes = try commits.enumerated().map { index, commit in
                try copy.start(["push", "origin", "\(commit):refs/heads/branch-\(index)"])
            }
            for push in pushes { let output = push.finish(); #expect(output.succeeded, "\(output)") }
            for (index, commit) in commits.enumerated() { #expect(try remote("refs/heads/branch-\(index)") == commit) }
            try hub.verifyExport(of: "models/ada/pushed", for: ada)
        }

        @Test("of pushes to one branch at once one wins and the others are told")
        func sameBranch() throws {
            let commits = try (0..<8).map(newCommit)
            let pushes = try commits.map { try copy.start(["push", "origin", "\($0):refs/heads/main"]) }
            let outputs = pushes.map { $0.finish() }
            let winners = zip(commits, outputs).filter { $0.1.succeeded }.map(\.0)
            #expect(winners.count == 1)
            #expect(try remote("refs/heads/main") == winners.first)
            for output in outputs where !output.succeeded {
                #expect(output.stderr.contains("rejected"), "\(output)")
            }
        }

        @Test("an atomic push is all or nothing, a plain one is not")
        func atomic() throws {
            let old = try remote("refs/heads/main")
            let good = try newCommit(1)
            // The server refuses the second: a branch cannot lie below a branch.
            let references = ["\(good):refs/heads/topic", "\(good):refs/heads/main/below"]
            let atomic = try copy.attempt(["push", "--atomic", "origin"] + references)
            #expect(!atomic.succeeded)
            #expect(try remote("refs/heads/topic") == "")
            let plain = try copy.attempt(["push", "origin"] + references)
            #expect(!plain.succeeded)
            #expect(try remote("refs/heads/topic") == good)
            #expect(try remote("refs/heads/main") == old)
        }

        @Test("history is rewritten only by force")
        func force() throws {
            let other = try copy.git("commit-tree", "main^{tree}", "-m", "Another beginning")
            let plain = try copy.attempt(["push", "origin", "\(other):refs/heads/main"])
            #expect(!plain.succeeded)
            try copy.git("push", "--quiet", "--force", "origin", "\(other):refs/heads/main")
            #expect(try remote("refs/heads/main") == other)
            let stale = try copy.attempt(["push", "--force-with-lease=main:\(newCommit(3))", "origin", "main"])
            #expect(!stale.succeeded)
        }

        @Test("branches and tags are deleted, the default branch is not")
        func deletion() throws {
            try copy.git("tag", "v1")
            try copy.git("tag", "--annotate", "--message", "Two", "v2")
            try copy.git("push", "--quiet", "origin", "main:refs/heads/topic", "v1", "v2")
            try copy.git("push", "--quiet", "origin", ":topic", ":v1")
            #expect(try copy.git("ls-remote", "origin").split(separator: "\n").count == 4)
            let refused = try copy.attempt(["push", "origin", ":main"])
            #expect(!refused.succeeded)
            #expect(try remote("refs/heads/main") != "")
        }

        @Test("a clone sees the tags that were pushed, and all of a mirror")
        func mirror() throws {
            try copy.importHistory(commits: 20, branch: "other")
            try copy.git("tag", "--annotate", "--message", "Tree", "of-a-tree", "main^{tree}")
            try copy.git("update-ref", "refs/notes/commits", "other")
            try copy.git("push", "--quiet", "--mirror", "origin")
            let mirror = try ada.clone("models/ada/pushed", flags: ["--mirror"], to: "mirror")
            // Not those that the push itself made of what it pushed.
            let kept = ["for-each-ref", "refs/heads", "refs/tags", "refs/notes"]
            #expect(try mirror.attempt(kept).stdout == copy.attempt(kept).stdout)
            try mirror.git("fsck", "--full", "--strict")
        }

        @Test("trees that would escape a checkout are refused", arguments: [".git", "..", ".GIT", "a/b", ""])
        func evilTrees(name: String) throws {
            let blob = try copy.git("rev-parse", "main:README.md")
            let raw = stride(from: 0, to: 40, by: 2).compactMap { UInt8(blob.dropFirst($0).prefix(2), radix: 16) }
            let file = ada.folder.file("tree")
            try Data(Array("100644 \(name)\0".utf8) + raw).write(to: URL(filePath: file))
            let tree = try copy.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", input: file)
            let commit = try copy.git("commit-tree", tree, "-m", "Evil")
            let output = try copy.attempt(["push", "origin", "\(commit):refs/heads/evil"])
            #expect(!output.succeeded)
            #expect(try remote("refs/heads/evil") == "")
        }

        @Test("branches hold commits")
        func branchOfBlob() throws {
            let blob = try copy.git("rev-parse", "main:README.md")
            try copy.git("update-ref", "refs/tags/blob", blob)
            try copy.git("push", "--quiet", "origin", "refs/tags/blob")
            let output = try copy.attempt(["push", "origin", "refs/tags/blob:refs/heads/blob"])
            #expect(!output.succeeded)
        }

        @Test("the message about missing LFS objects names the files and the command that mends it")
        func missingObjects() throws {
            try copy.trackLargeFiles("*.bin")
            try Content.write(to: copy.file("weights.bin"), bytes: 5000)
            try copy.commit([:], message: "Add weights")
            let refused = try copy.attempt(["push", "--no-verify", "origin", "main"])
            #expect(!refused.succeeded)
            #expect(refused.stderr.contains("weights.bin"), "\(refused)")
            #expect(refused.stderr.contains("git lfs push --all"), "\(refused)")

            // That another repository has the object does not count.
            try hub.run("repository", "create", "model", "ada/other")
            let elsewhere = try ada.attempt(["-C", copy.path, "lfs", "push", "--all", hub.address("models/ada/other")])
            #expect(elsewhere.succeeded, "\(elsewhere)")
            #expect(try !copy.attempt(["push", "--no-verify", "origin", "main"]).succeeded)

            try copy.git("lfs", "push", "--all", "origin")
            try copy.git("push", "--quiet", "--no-verify", "origin", "main")
            let clone = try ada.clone("models/ada/pushed", to: "clone")
            #expect(try Content.sha256(of: clone.file("weights.bin")) == Content.sha256(of: copy.file("weights.bin")))
        }
    }
}
