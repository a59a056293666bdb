import Foundation
import HubCore
import Testing

@testable import GitStore

@Suite("Objects made on the server")
struct ObjectWriterTests {
    private let made: TestStore
    private let ada = GitSignature(name: "Ada", email: "ada@example.com", time: 1_700_000_000, zoneMinutes: -330)

    init() throws { made = try TestStore() }

    private func writer(onto packs: [PackDescription] = []) throws -> ObjectWriter {
        try made.store.makeWriter(for: made.uid, existing: made.store.objects(of: made.uid, packs: packs))
    }

    private func paths(_ commit: GitOID, _ packs: [PackDescription]) throws -> [String] {
        let published = GitCommand(folder: made.store.repositoryFolder(of: made.uid))
        return try published.lines("ls-tree", "-r", "--name-only", commit.hex)
    }

    @Test("become a pack like a pushed one")
    func commit() throws {
        let writer = try writer()
        let readme = try writer.write(blob: Array("# Model\n".utf8))
        let config = try writer.write(blob: Array("{}\n".utf8))
        let tree = try writer.write(
            edits: [.put("README.md", readme), .put("a/b/config.json", config), .put("a.b", config)], onto: nil)
        let commit = try writer.write(commit: NewCommit(tree: tree, parents: [], author: ada, message: "Begin"))
        let tag = try writer.write(
            tag: NewTag(target: commit, targetType: .commit, name: "v1", tagger: ada, message: "One"))
        let received = try writer.finish(tips: [commit, tag])
        #expect(received.description.isFullyReachable)
        #expect(received.peeled(tag) == commit)
        let first = try made.store.publish(received)
        try made.checkPublished(tips: [commit, tag])
        #expect(try paths(commit, [first]) == ["README.md", "a.b", "a/b/config.json"])
        #expect(first.objectCount == 7)

        let next = try self.writer(onto: [first])
        let changed = try next.write(
            edits: [.remove("a/b"), .put("README.md", config), .put("new/file", readme, mode: GitFileMode.executable)],
            onto: tree)
        let second = try next.write(
            commit: NewCommit(tree: changed, parents: [commit], author: ada, message: "Change\n"))
        let pack = try next.finish(tips: [second])
        // Blobs that were there are not stored again.
        #expect(pack.description.objectCount == 3)
        #expect(pack.description.isDisjoint)
        let packs = [first, try made.store.publish(pack)]
        try made.checkPublished(tips: [second])
        #expect(try paths(second, packs) == ["README.md", "a.b", "new/file"])
    }

    @Test("may be large files that come in pieces", arguments: [0, 1, 1_000_000])
    func streamed(_ count: Int) throws {
        let bytes = noise(count, seed: 8)
        let writer = try writer()
        var done = 0
        let read: (UnsafeMutableRawBufferPointer) -> Int = { target in
            let piece = bytes[done..<min(done + min(70_000, target.count), bytes.count)]
            target.copyBytes(from: piece)
            done += piece.count
            return piece.count
        }
        let oid = try writer.write(blobOfSize: Int64(count), read: read)
        #expect(try oid == ObjectHasher.name(of: .blob, bytes))
        done = 0
        #expect(try writer.write(blobOfSize: Int64(count), read: read) == oid)
        let tree = try writer.write(tree: [GitTreeEntry(mode: GitFileMode.file, name: Array("x".utf8), oid: oid)])
        let description = try made.store.publish(writer.finish(tips: [tree]))
        #expect(description.objectCount == 2)
        try made.checkPublished(tips: [tree])
        #expect(throws: GitStoreError.self) { try self.writer().write(blobOfSize: 5) { _ in 0 } }
    }

    @Test("a tree left without entries is the empty tree, and edits that change nothing give the same tree")
    func emptyTree() throws {
        let writer = try writer()
        let blob = try writer.write(blob: [1])
        let tree = try writer.write(edits: [.put("a/b", blob)], onto: nil)
        #expect(try writer.write(edits: [.put("a/b", blob)], onto: tree) == tree)
        #expect(try writer.write(edits: [.remove("a/b")], onto: tree).hex == "4b825dc642cb6eb9a060e54bf8d69288fbee4904")
    }

    @Test(
        "paths that git would not take are refused",
        arguments: ["", "/", "a/", "/a", "a//b", ".", "a/../b", ".git/x", "a/.GIT", "a\0b"])
    func invalidPaths(_ path: String) throws {
        let writer = try writer()
        let blob = try writer.write(blob: [1])
        #expect(throws: GitStoreError.treeEdit(.invalidPath(path))) {
            try writer.write(edits: [.put(path, blob)], onto: nil)
        }
    }

    @Test("edits that contradict one another or the tree are refused")
    func conflicts() throws {
        let writer = try writer()
        let blob = try writer.write(blob: [1])
        let tree = try writer.write(edits: [.put("a/b", blob), .put("c", blob)], onto: nil)
        let bad: [([TreeEdit], TreeEditError)] = [
            ([.put("x", blob), .remove("x")], .conflict("x")),
            ([.put("x", blob), .put("x/y", blob)], .conflict("x/y")),
            ([.put("a", blob)], .conflict("a")), ([.put("c/d", blob)], .conflict("c")),
            ([.remove("nothing")], .missingPath("nothing")), ([.remove("a/x")], .missingPath("a/x")),
        ]
        for (edits, error) in bad {
            #expect(throws: GitStoreError.treeEdit(error)) { try writer.write(edits: edits, onto: tree) }
        }
    }

    @Test("names that would break a commit's header are cleaned as git cleans them")
    func signatures() throws {
        let odd = GitSignature(name: " <Eve>\n.", email: "e\nve<>@x", time: -5, zoneMinutes: 90)
        #expect(odd.line == "Eve <eve@x> 0 +0130")
        #expect(GitSignature(name: "<>", email: "", time: 1, zoneMinutes: 99_999).line == "unknown <> 1 +2359")
        let writer = try writer()
        let tree = try writer.write(tree: [])
        let commit = try writer.write(commit: NewCommit(tree: tree, parents: [], author: odd, message: "a\0b"))
        _ = try made.store.publish(writer.finish(tips: [commit]))
        try made.checkPublished(tips: [commit])
    }

    @Test("what a tree names must exist")
    func closed() throws {
        let writer = try writer()
        let nowhere = try #require(GitOID(hex: String(repeating: "1", count: 40)))
        let tree = try writer.write(edits: [.put("a", nowhere)], onto: nil)
        #expect(throws: GitStoreError.refused(.missingObject(nowhere, .blob))) { try writer.finish(tips: [tree]) }
    }
}
