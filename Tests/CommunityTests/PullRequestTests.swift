import GitStore
import HubCore
import Identity
import MetadataStore
import Repositories
import Testing

@testable import Community

@Suite("Pull requests")
struct PullRequestTests {
    private func open(_ site: TestCommunity) async throws -> Discussion {
        try await site.community.pullRequests.open(
            title: "Better words", description: "See *here*.", status: .open, in: try await site.repository, by: site.bob)
    }

    @Test("a reader opens one, commits to its ref, and a writer merges it")
    func merges() async throws {
        let site = try await TestCommunity()
        let first = try await site.commit(["README.md": "one\n", "data/a.txt": "a\n"])
        let repository = try await site.repository
        let opened = try await open(site)
        #expect(opened.number == 1)
        #expect(opened.pullRequest?.head == first)
        #expect(try await site.git.references(of: repository).reference(opened.reference)?.oid == first)

        let pulls = site.community.pullRequests
        #expect(try await pulls.mayCommit(to: opened.reference, in: repository, by: site.bob.principal))
        let other = try #require(ReferenceName("refs/pr/2"))
        #expect(try await !pulls.mayCommit(to: other, in: repository, by: site.bob.principal))
        let head = try await site.commit(["README.md": "two\n"], to: "refs/pr/1", message: "Say two\n\nmore", by: site.bob)
        try await site.commit(["data/b.txt": "b\n"])

        let current = try await pulls.synchronize(opened, in: repository)
        #expect(current.pullRequest?.head == head)
        let events = try await site.community.discussions.events(of: current)
        #expect(events.map(\.what).last == .commit(subject: "Say two", oid: head))
        #expect(try await pulls.conflicts(of: current, in: repository) == [])
        let diff = try await pulls.diff(of: current, in: repository, by: site.bob.principal)
        #expect(diff?.contains("--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n-one\n+two\n") == true)
        #expect(diff?.contains("data/b.txt") == false)

        let author = CommitAuthor(name: "ada", email: "a@b")
        await #expect(throws: IdentityError.forbidden(.write)) {
            try await pulls.merge(current, comment: nil, author: author, in: repository, by: site.bob)
        }
        let merged = try await pulls.merge(current, comment: "Thanks", author: author, in: repository, by: site.ada)
        #expect(merged.status == .merged)
        #expect(try await site.text("README.md") == "two\n")
        #expect(try await site.text("data/b.txt") == "b\n")
        let main = try await site.git.snapshot(of: repository)
        #expect(merged.pullRequest?.merge == main.resolve("main"))
        let after = try await pulls.diff(of: merged, in: repository, by: site.bob.principal)
        #expect(after == diff)
        await #expect(throws: DiscussionError.cannotMerge(.merged)) {
            try await pulls.merge(merged, comment: nil, author: author, in: repository, by: site.ada)
        }
        #expect(try await !pulls.mayCommit(to: opened.reference, in: repository, by: site.bob.principal))
        try await site.close()
    }

    @Test("files that both sides changed are conflicts, and nothing is merged")
    func conflicts() async throws {
        let site = try await TestCommunity()
        try await site.commit(["a": "1\n", "b": "1\n", "c/d": "1\n", "gone": "1\n", "same": "1\n"])
        let repository = try await site.repository
        let opened = try await open(site)
        try await site.commit(["a": "2\n", "b": "2\n", "c/d": nil, "gone": "2\n", "same": "3\n"], to: "refs/pr/1", by: site.bob)
        let main = try await site.commit(["a": "3\n", "c/d": "4\n", "gone": nil, "same": "3\n"])
        #expect(try await site.community.pullRequests.conflicts(of: opened, in: repository) == ["a", "c/d", "gone"])
        await #expect(throws: DiscussionError.conflicts(["a", "c/d", "gone"])) {
            try await site.community.pullRequests.merge(
                opened, comment: nil, author: CommitAuthor(name: "a", email: "b"), in: repository, by: site.ada)
        }
        #expect(try await site.git.snapshot(of: repository).resolve("main") == main)
        #expect(try await site.community.discussions.find(1, in: repository).status == .open)
        try await site.close()
    }

    @Test("a file that becomes a folder, and a folder that becomes a file, merge when one side did it")
    func kinds() async throws {
        let site = try await TestCommunity()
        try await site.commit(["x": "file\n", "y/in": "folder\n", "keep": "1\n"])
        let opened = try await open(site)
        try await site.commit(["x": nil, "y/in": nil], to: "refs/pr/1", by: site.bob)
        try await site.commit(["x/in": "folder\n", "y": "file\n"], to: "refs/pr/1", by: site.bob)
        try await site.commit(["keep": "2\n"])
        _ = try await site.community.pullRequests.merge(
            opened, comment: nil, author: CommitAuthor(name: "a", email: "b"), in: try await site.repository, by: site.ada)
        #expect(try await site.text("x/in") == "folder\n")
        #expect(try await site.text("y") == "file\n")
        #expect(try await site.text("keep") == "2\n")
        try await site.close()
    }

    @Test("one whose commits were pushed to its base by hand is merged")
    func mergedByHand() async throws {
        let site = try await TestCommunity()
        let first = try await site.commit(["a": "1\n"])
        let repository = try await site.repository
        let opened = try await open(site)
        let head = try await site.commit(["a": "2\n"], to: "refs/pr/1", by: site.bob)
        let snapshot = try await site.git.snapshot(of: repository)
        _ = try await site.git.push(
            [PushCommand(name: "refs/heads/main", old: first, new: head)], pack: nil, snapshot: snapshot, isAtomic: true,
            by: site.ada)
        let found = try await site.community.pullRequests.synchronize(opened, in: repository)
        #expect(found.status == .merged)
        #expect(found.pullRequest?.merge == head)
        try await site.close()
    }

    @Test("the diff of a gated repository is for those who may read its files")
    func gatedDiff() async throws {
        let site = try await TestCommunity()
        try await site.commit(["a": "secret\n"])
        let opened = try await open(site)
        try await site.commit(["a": "other\n"], to: "refs/pr/1", by: site.bob)
        try await site.setGating(.manual)
        let repository = try await site.repository
        #expect(try await site.community.pullRequests.diff(of: opened, in: repository, by: site.bob.principal) == nil)
        #expect(try await site.community.pullRequests.diff(of: opened, in: repository, by: site.ada.principal) != nil)
        try await site.close()
    }

    @Test("numbers of refs are read strictly", arguments: ["refs/pr/01", "refs/pr/", "refs/pr/1/x", "refs/heads/1", "refs/pr/-1"])
    func numbers(_ name: String) {
        #expect(PullRequests.number(of: ReferenceName(trusted: name)) == nil)
        #expect(PullRequests.number(of: ReferenceName(trusted: "refs/pr/12")) == 12)
    }
}

@Suite("Discussions")
struct DiscussionTests {
    @Test("comments are edited with their history, and hidden by the author or a writer")
    func comments() async throws {
        let site = try await TestCommunity()
        let repository = try await site.repository
        let discussions = site.community.discussions
        let opened = try await discussions.open(title: " Why? ", description: "", in: repository, by: site.bob)
        #expect(opened.title == "Why?")
        let event = try await discussions.comment("first", on: opened, in: repository, by: site.bob)
        await #expect(throws: DiscussionError.notYours("change the text of a comment")) {
            try await discussions.edit(event.id, of: opened, text: "mine now", in: repository, by: site.ada)
        }
        _ = try await discussions.edit(event.id, of: opened, text: "second", in: repository, by: site.bob)
        let edited = try await discussions.edit(event.id, of: opened, text: "third", in: repository, by: site.bob)
        guard case .comment(let comment) = edited.what else { Issue.record("no comment"); return }
        #expect(comment.text == "third")
        #expect(comment.history.map(\.text) == ["first", "second"])
        let hidden = try await discussions.hide(event.id, of: opened, in: repository, by: site.ada)
        guard case .comment(let gone) = hidden.what else { Issue.record("no comment"); return }
        #expect(gone.isHidden)
        await #expect(throws: DiscussionRecordError.commentNotFound) {
            try await discussions.edit(event.id, of: opened, text: "again", in: repository, by: site.bob)
        }
        try await site.close()
    }

    @Test("status and title change by the author or a writer, and a discussion is never merged")
    func status() async throws {
        let site = try await TestCommunity()
        let repository = try await site.repository
        let discussions = site.community.discussions
        let opened = try await discussions.open(title: "Why?", description: "x", in: repository, by: site.ada)
        await #expect(throws: DiscussionError.notYours("open or close it")) {
            try await discussions.setStatus(.closed, of: opened, comment: nil, in: repository, by: site.bob)
        }
        for status in [DiscussionStatus.merged, .draft] {
            await #expect(throws: DiscussionError.cannotBecome(status, from: .open)) {
                try await discussions.setStatus(status, of: opened, comment: nil, in: repository, by: site.ada)
            }
        }
        let closed = try await discussions.setStatus(.closed, of: opened, comment: "done", in: repository, by: site.ada)
        #expect(closed.status == .closed)
        _ = try await discussions.rename(closed, to: "Why not?", in: repository, by: site.ada)
        let events = try await discussions.events(of: closed).map(\.what)
        #expect(events.suffix(2) == [.statusChange(.closed), .titleChange(from: "Why?", to: "Why not?")])
        let open = try await discussions.list(DiscussionQuery(repository: repository.id, isOpen: true))
        #expect(open.count == 0)
        let all = try await discussions.list(DiscussionQuery(repository: repository.id, author: NamespaceName(trusted: "Ada")))
        #expect(all.items.map(\.title) == ["Why not?"])
        try await site.close()
    }
}
