import HubCore
import Testing

@testable import GitStore

@Suite("Histories and listings")
struct HistoryTests {
    @Test("pages of a history are those of git log")
    func history() throws {
        let store = try TestStore.history(History(commits: 80, seed: 3))
        let objects = try store.objects()
        let main = try store.oid("main")
        let expected = try store.git.lines("log", "--format=%H", "main")
        var found: [String] = []
        while true {
            let page = try objects.history(from: main, skip: found.count, limit: 7)
            if page.isEmpty { break }
            found += page.map(\.oid.hex)
        }
        #expect(found == expected)
    }

    @Test("the last change of each path is that of git log -1", arguments: [1, 2, 3] as [UInt64])
    func lastChanges(seed: UInt64) throws {
        let store = try TestStore.history(History(commits: 70, seed: seed))
        let objects = try store.objects()
        let main = try store.oid("main")
        let paths = try store.git.lines("ls-tree", "-r", "-t", "--name-only", "main")
        let found = try objects.lastChanges(of: paths, at: main)
        for path in paths {
            #expect(found[path]?.hex == (try store.git.lines("log", "-1", "--format=%H", "main", "--", path).first), "\(path)")
        }
        #expect(try objects.lastChanges(of: paths, at: main, maximumCommits: 1).count < paths.count)
    }

    @Test("a commit is found by the start of its name, if no other begins so")
    func abbreviations() throws {
        let store = try TestStore.history()
        let objects = try store.objects()
        let main = try store.oid("main")
        #expect(try objects.commit(abbreviated: String(main.hex.prefix(12))) == main)
        #expect(try objects.commit(abbreviated: "zz" + main.hex.prefix(8)) == nil)
        let tree = try objects.rootTree(of: main)
        #expect(try objects.commit(abbreviated: String(tree.hex.prefix(16))) == nil)
    }

    @Test("a listing in pages is that of ls-tree", arguments: [1, 2, 5, 1000])
    func listing(limit: Int) throws {
        let store = try TestStore.history(History(commits: 60, seed: 5))
        let objects = try store.objects()
        let tree = try objects.rootTree(of: try store.oid("main"))
        for isRecursive in [true, false] {
            let flags = isRecursive ? ["-r", "-t"] : []
            let expected = try store.git.lines(["ls-tree"] + flags + ["--name-only", "main"])
            let listing = TreeListing(objects, tree: tree, isRecursive: isRecursive)
            var found: [ListedEntry] = []
            var hasMore = true
            while hasMore {
                let page = try listing.page(after: found.last?.path, limit: limit)
                found += page.entries
                hasMore = page.hasMore
            }
            #expect(found.map(\.name) == expected)
        }
        #expect(throws: GitStoreError.self) {
            try TreeListing(objects, tree: tree, isRecursive: true).page(after: Array("no such/path".utf8), limit: 5)
        }
    }
}
