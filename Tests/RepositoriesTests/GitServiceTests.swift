import Foundation
import GitStore
import HubCore
import HubTestSupport
import Identity
import Logging
import MetadataStore
import Testing

@testable import Repositories

/// A repository with real stores in a temporary folder.
private struct Site {
    let folder: TemporaryFolder
    let store: MetadataStore
    let threads: GitThreads
    let sender: PackSender
    let git: GitService
    let repository: Repository
    let caller: Caller

    init() async throws {
        folder = try TemporaryFolder()
        store = try MetadataStore(path: folder.path + "/hub.db")
        threads = GitThreads(count: 2)
        let files = try GitStore(root: folder.path + "/git", staging: folder.path + "/staging", threads: threads)
        sender = try PackSender(
            store: files, cache: PackCacheSettings(folder: folder.path + "/staging/packs", maximumBytes: 1 << 20),
            concurrency: 1)
        git = GitService(
            store: store, git: files, sender: sender, threads: threads, receiveLimits: ReceiveLimits(),
            concurrentReceives: 2)
        let audit = AuditEntry(actor: "test", action: "test", target: "test")
        let account = try await store.createAccount(NewAccount(name: NamespaceName(parsing: "ada")), audit: audit)
        caller = Caller(.account(account))
        repository = try await store.createRepository(
            NewRepository(reference: RepositoryReference(parsing: "models/ada/bert"), visibility: .private),
            audit: audit)
    }

    func commit(_ files: [String: String], branch: String = "main", parent: GitOID? = nil) async throws -> CommitResult
    {
        let draft = try await git.beginCommit(to: repository, branch: branch, expectedParent: parent, by: caller)
        for (path, text) in files { try await draft.add(path, content: Array(text.utf8)) }
        return try await draft.commit(
            message: "Change \(files.count) files\n", author: CommitAuthor(name: "Ada", email: "a@b"))
    }

    func text(_ path: String, at revision: String = "main") async throws -> String? {
        let snapshot = try await git.snapshot(of: repository)
        guard let commit = snapshot.resolve(revision), let entry = try snapshot.objects.entry(at: path, in: commit)
        else { return nil }
        return String(decoding: try snapshot.objects.read(entry.oid, limit: 1 << 20).bytes, as: UTF8.self)
    }

    func close() async throws {
        try await sender.stop()
        try await threads.stop()
        try store.close()
    }
}

@Suite("Commits and pushes")
struct GitServiceTests {
    @Test("a commit adds, replaces and removes files and moves the branch")
    func commits() async throws {
        let site = try await Site()
        let first = try await site.commit(["README.md": "one", "data/a.txt": "a", "data/b.txt": "b"])
        #expect(first.parent == nil)
        let draft = try await site.git.beginCommit(
            to: site.repository, branch: "main", expectedParent: first.oid, by: site.caller)
        try await draft.add("README.md", content: Array("two".utf8))
        try await draft.delete("data/a.txt")
        let second = try await draft.commit(message: "Second\n", author: CommitAuthor(site.caller.principal))
        #expect(second.parent == first.oid)
        #expect(try await site.text("README.md") == "two")
        #expect(try await site.text("data/a.txt") == nil)
        #expect(try await site.text("data/b.txt") == "b")
        #expect(try await site.text("README.md", at: first.oid.hex) == "one")
        try await site.close()
    }

    @Test("refuses a stale parent, an empty commit, a bad path and a pointer without its object")
    func refusals() async throws {
        let site = try await Site()
        let first = try await site.commit(["a": "1"])
        _ = try await site.commit(["a": "2"])
        await #expect(throws: RepositoryError.headMoved(branch: "main")) {
            try await site.commit(["a": "3"], parent: first.oid)
        }
        await #expect(throws: RepositoryError.nothingToCommit) { try await site.commit(["a": "2"]) }
        for path in ["", "/a", "a//b", "../a", ".git/config", "a/.GIT/x", "a\nb"] {
            await #expect(throws: RepositoryError.invalidPath(path)) { try await site.commit([path: "x"]) }
        }
        let oid = try #require(ObjectID(hex: String(repeating: "a", count: 64)))
        let draft = try await site.git.beginCommit(to: site.repository, branch: "main", by: site.caller)
        try await draft.add("m.bin", pointer: LFSPointer(oid: oid, sizeBytes: 5))
        await #expect(throws: RepositoryError.missingObject(path: "m.bin", oid: oid)) {
            try await draft.commit(message: "x", author: CommitAuthor(name: "a", email: "b"))
        }
        #expect(try await site.text("a") == "2")
        try await site.close()
    }

    @Test("of two commits that expect the same parent one wins, whole; without, both are made", arguments: [true, false])
    func race(expectsParent: Bool) async throws {
        let site = try await Site()
        let first = try await site.commit(["a": "0"])
        let parent = expectsParent ? first.oid : nil
        var drafts: [CommitDraft] = []
        for name in ["b", "c"] {
            let draft = try await site.git.beginCommit(
                to: site.repository, branch: "main", expectedParent: parent, by: site.caller)
            try await draft.add(name, content: Array(name.utf8))
            drafts.append(draft)
        }
        let results = await withTaskGroup(of: Bool.self, returning: [Bool].self) { [drafts] group in
            for draft in drafts {
                group.addTask {
                    (try? await draft.commit(message: "x", author: CommitAuthor(name: "a", email: "b"))) != nil
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results.filter { $0 }.count == (expectsParent ? 1 : 2))
        try await site.close()
    }

    @Test("a repeated commit gives the head, and changes apply in their order")
    func repeatedAndOrdered() async throws {
        let site = try await Site()
        let first = try await site.commit(["a/x": "0", "a/y": "1", "b": "2"])
        func draft() async throws -> CommitDraft {
            let draft = try await site.git.beginCommit(
                to: site.repository, branch: "main", expectedParent: first.oid, by: site.caller)
            try await draft.delete("a")
            try await draft.add("a/z", content: Array("3".utf8))
            try await draft.add("a/z", content: Array("4".utf8))
            let file = try await draft.makeFile()
            for _ in 0..<3 { try await file.append(Array("piece".utf8)) }
            try await draft.add("b", file: file)
            return draft
        }
        let author = CommitAuthor(name: "a", email: "b")
        let made = try await draft().commit(message: "x", author: author)
        let again = try await draft().commit(message: "x", author: author, acceptsUnchanged: true)
        #expect(made.isNew && !again.isNew && again.oid == made.oid)
        #expect(try await site.text("a/z") == "4")
        #expect(try await site.text("b") == "piecepiecepiece")
        #expect(try await site.text("a/x") == nil)
        try await site.close()
    }

    @Test("a push is checked command by command")
    func pushRules() async throws {
        let site = try await Site()
        let commit = try await site.commit(["a": "1"])
        let snapshot = try await site.git.snapshot(of: site.repository)
        let blob = try #require(try snapshot.objects.entry(at: "a", in: commit.oid)).oid
        func push(_ commands: [PushCommand], isAtomic: Bool = false) async throws -> [PushReport.Outcome] {
            let snapshot = try await site.git.snapshot(of: site.repository)
            return try await site.git.push(commands, pack: nil, snapshot: snapshot, isAtomic: isAtomic, by: site.caller)
                .outcomes
        }
        let good = PushCommand(name: "refs/heads/new", old: nil, new: commit.oid)
        let toBlob = PushCommand(name: "refs/heads/blob", old: nil, new: blob)
        let badName = PushCommand(name: "refs/heads/a..b", old: nil, new: commit.oid)
        let missing = PushCommand(
            name: "refs/heads/missing", old: nil, new: GitOID(hex: String(repeating: "1", count: 40)))
        let deleteDefault = PushCommand(name: "refs/heads/main", old: commit.oid, new: nil)
        #expect(try await push([good, toBlob], isAtomic: true).first == .refused("atomic push failure"))
        let outcomes = try await push([good, toBlob, badName, missing, deleteDefault])
        #expect(outcomes[0] == .updated(isForced: false))
        #expect(
            outcomes.dropFirst() == [
                .refused("a branch must point to a commit"), .refused("invalid ref name"),
                .refused("missing necessary objects"),
                .refused("deletion of the default branch prohibited"),
            ])
        #expect(try await push([good, good]).allSatisfy { $0 != .updated(isForced: false) })
        try await site.close()
    }

    @Test("merging keeps every object and leaves few packs")
    func merging() async throws {
        let site = try await Site()
        for index in 0..<12 { _ = try await site.commit(["file\(index)": String(repeating: "\(index)", count: 50)]) }
        #expect(try await site.git.references(of: site.repository).packs.count == 12)
        let merged = try await site.git.mergePacks(of: site.repository, unreachableBefore: .distantPast)
        #expect(merged > 1)
        #expect(try await site.git.references(of: site.repository).packs.count < 6)
        for index in 0..<12 { #expect(try await site.text("file\(index)") == String(repeating: "\(index)", count: 50)) }
        try await site.close()
    }

    @Test("what no ref reaches is dropped after the grace time, in repositories of few packs too")
    func cleaning() async throws {
        let site = try await Site()
        let kept = try await site.commit(["a": "kept"])
        let dropped = try await site.commit(["b": "dropped"], branch: "dev", parent: nil)
        let snapshot = try await site.git.snapshot(of: site.repository)
        let deletion = PushCommand(name: "refs/heads/dev", old: dropped.oid, new: nil)
        _ = try await site.git.push([deletion], pack: nil, snapshot: snapshot, isAtomic: false, by: site.caller)
        #expect(try await site.git.references(of: site.repository).hasUnreachable)

        let maintenance = RepositoryMaintenance(git: site.git, logger: Logger(label: "test"))
        await maintenance.clean()
        #expect(try await site.git.snapshot(of: site.repository).objects.contains(dropped.oid))
        let later = Date().addingTimeInterval(15 * 24 * 3600)
        #expect(try await site.store.repositoriesToClean(packsBefore: later) == [site.repository.id])
        #expect(try await site.store.repositoriesToClean(packsBefore: later, after: site.repository.id).isEmpty)
        await maintenance.clean(now: later)
        let objects = try await site.git.snapshot(of: site.repository).objects
        #expect(objects.contains(kept.oid) && !objects.contains(dropped.oid))
        #expect(try await site.store.repositoriesToClean(packsBefore: later).isEmpty)
        try await site.close()
    }

    @Test(
        "packs merge so that each that stays is twice the smaller ones together",
        arguments: [
            ([100, 1, 1], 2), ([100, 40, 10], 0), ([10, 10, 10], 3), ([5], 0), ([1000, 3, 2, 1], 3),
        ] as [([Int64], Int)])
    func geometry(_ sizes: [Int64], _ expected: Int) throws {
        let packs = try sizes.enumerated().map { index, size in
            let oid = try #require(GitOID(hex: String(format: "%040x", index + 1)))
            return PackDescription(
                id: PackID(oid), objectCount: 1, sizeBytes: size, bodyEnd: size - 20, ownObjectCount: 1,
                isDisjoint: true,
                isFullyReachable: true)
        }
        #expect(GitService.smallPacks(packs).count == expected)
    }
}
