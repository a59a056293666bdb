import Foundation
import HubTestSupport
import Testing

extension EndToEnd {
    @Suite("Fetching")
    struct FetchingTests {
        let hub: HubProcess
        let ada: GitClient
        /// 40 commits, a tag `v5` at the tenth, and an annotated tag `release` at the tip.
        let copy: WorkingCopy

        init() throws {
            hub = try HubProcess.started()
            ada = try hub.client("ada")
            copy = try ada.repository("ada/history")
            try copy.importHistory(commits: 40)
            try copy.git("tag", "v5", "main~30")
            try copy.git("tag", "--annotate", "--message", "Release", "release", "main")
            try copy.git("push", "--quiet", "origin", "main", "v5", "release")
        }

        private func clone(_ version: Int, _ flags: String..., to name: String = "clone") throws -> WorkingCopy {
            try ada.clone("models/ada/history", flags: ["-c", "protocol.version=\(version)"] + flags, to: name)
        }

        @Test("each protocol version clones, and fetches what is new", arguments: [0, 1, 2])
        func protocolVersions(version: Int) throws {
            let trace = ada.folder.file("trace")
            let clone = try ada.clone(
                "models/ada/history", flags: ["-c", "protocol.version=\(version)"], to: "clone",
                variables: ["GIT_TRACE_PACKET": trace])
            let packets = try String(contentsOfFile: trace, encoding: .utf8)
            #expect(packets.contains("version \(version)") == (version > 0))
            #expect(try clone.git("for-each-ref", "refs/tags") == copy.git("for-each-ref", "refs/tags"))

            try copy.git("reset", "--quiet", "--hard", "main")
            let new = try copy.commit(["new.txt": "new\n"], message: "Add a file")
            try copy.git("push", "--quiet", "origin", "main")
            try clone.git("pull", "--quiet", "--ff-only")
            #expect(try clone.git("rev-parse", "HEAD") == new)
            try clone.git("fsck", "--full", "--strict")
        }

        @Test("a shallow clone deepens, fetches, pushes and becomes whole", arguments: [0, 2])
        func shallow(version: Int) throws {
            let clone = try clone(version, "--depth=3")
            #expect(try clone.commitCount == 3)
            try clone.git("fetch", "--quiet", "--deepen=2")
            #expect(try clone.commitCount == 5)
            try clone.git("fetch", "--quiet", "--depth=4")
            #expect(try clone.commitCount == 4)

            let pushed = try clone.commit(["shallow.txt": "from a shallow clone\n"], message: "Add a file")
            try clone.git("push", "--quiet", "origin", "main")
            #expect(try copy.git("ls-remote", "origin", "refs/heads/main").hasPrefix(pushed))

            try clone.git("fetch", "--quiet", "--unshallow")
            #expect(try clone.commitCount == 41)
            #expect(try clone.git("rev-parse", "--is-shallow-repository") == "false")
            try clone.git("fsck", "--full", "--strict")
        }

        @Test("a clone may begin at a time or after a revision", arguments: [0, 2])
        func shallowBoundaries(version: Int) throws {
            let since = 1_700_000_000 + 30 * 86_400
            #expect(try clone(version, "--shallow-since=\(since)", to: "since").commitCount == 10)
            #expect(try clone(version, "--shallow-exclude=v5", to: "exclude").commitCount == 30)
            #expect(try clone(version, "--depth=1", "--branch=v5", to: "tag").commitCount == 1)
        }

        @Test(
            "a partial clone leaves out what its filter says and gets it when it is needed",
            arguments: [
                ("blob:none", 0), ("blob:none", 2), ("blob:limit=1k", 2), ("tree:0", 0), ("tree:0", 2), ("tree:1", 2),
                ("combine:blob:none+tree:2", 2),
            ])
        func partial(filter: String, version: Int) throws {
            let clone = try clone(version, "--no-checkout", "--filter=\(filter)")
            let missing = try clone.git("rev-list", "--objects", "--all", "--missing=print").split(separator: "\n")
                .filter { $0.hasPrefix("?") }
            #expect(!missing.isEmpty)
            #expect(try clone.commitCount == 40)
            try clone.git("checkout", "--quiet", "main")
            #expect(try clone.git("status", "--porcelain") == "")
            #expect(try clone.git("show", "main~20:latest.txt") == copy.git("show", "main~20:latest.txt"))
            try clone.git("fsck", "--connectivity-only")
        }

        @Test("filters of no protocol are refused with a message")
        func unknownFilter() throws {
            let output = try ada.attempt([
                "clone", "--filter=sparse:oid=main:x", hub.address("models/ada/history"), ada.folder.file("x"),
            ])
            #expect(!output.succeeded)
            #expect(hub.isRunning)
        }

        @Test("annotated tags come with the branch that they point into", arguments: [0, 1, 2])
        func includeTag(version: Int) throws {
            let clone = try clone(version, "--single-branch", "--branch=main")
            #expect(try clone.git("tag", "--list").split(separator: "\n").sorted() == ["release", "v5"])
            try clone.git("cat-file", "-p", "release")
            let bare = try self.clone(version, "--no-tags", to: "bare")
            #expect(try bare.git("tag", "--list") == "")
        }

        @Test("any object of the repository may be asked for by its id, no other", arguments: [0, 2])
        func anyObject(version: Int) throws {
            let path = try ada.folder.folder("bare")
            try ada.git("init", "--quiet", "--bare", path)
            let old = try copy.git("rev-parse", "main~25")
            let protocolFlag = ["-c", "protocol.version=\(version)"]
            let address = hub.address("models/ada/history")
            let found = try ada.attempt(protocolFlag + ["-C", path, "fetch", "--quiet", address, old])
            #expect(found.succeeded, "\(found)")
            let unknown = String(repeating: "1", count: 40)
            let refused = try ada.attempt(protocolFlag + ["-C", path, "fetch", "--quiet", address, unknown])
            #expect(!refused.succeeded)
            #expect(refused.stderr.contains("not our ref \(unknown)"), "\(refused)")
        }

        @Test("an empty repository clones with its branch's name", arguments: [0, 2])
        func empty(version: Int) throws {
            try hub.run("repository", "create", "model", "ada/empty")
            let clone = try ada.clone(
                "models/ada/empty", flags: ["-c", "protocol.version=\(version)", "-c", "init.defaultBranch=other"],
                to: "empty")
            // Only protocol 2 tells of a branch that has no commit yet.
            if version == 2 { #expect(try clone.git("symbolic-ref", "HEAD") == "refs/heads/main") }
            try clone.commit(["a": "a\n"], message: "Begin")
            try clone.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
            #expect(try ada.clone("models/ada/empty", to: "again").git("symbolic-ref", "HEAD") == "refs/heads/main")
        }

        @Test("many clones at once get the same", .tags(.slow))
        func parallel() throws {
            let clones = try (0..<16).map { index in
                try ada.start([
                    "clone", "--quiet", "--mirror", hub.address("models/ada/history"), ada.folder.file("p\(index)"),
                ])
            }
            for (index, clone) in clones.enumerated() {
                let output = clone.finish()
                #expect(output.succeeded, "\(output)")
                #expect(
                    try ada.git("-C", ada.folder.file("p\(index)"), "rev-parse", "main")
                        == copy.git("rev-parse", "main"))
            }
        }
    }
}
