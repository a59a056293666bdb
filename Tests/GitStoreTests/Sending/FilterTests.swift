import HubCore
import Testing

@testable import GitStore

@Suite("Object filters")
struct FilterTests {
    static let filters = [
        "blob:none", "blob:limit=0", "blob:limit=1000", "blob:limit=1k", "blob:limit=2m", "tree:0", "tree:1", "tree:2",
        "tree:3", "tree:100",
        "object:type=commit", "object:type=tree", "object:type=blob", "object:type=tag", "combine:blob:limit=1k+tree:3",
        "combine:tree:2+object:type%3dblob", "combine:combine:tree%253a4+object:type=tree",
    ]

    @Test("leave out what git leaves out", arguments: filters, ["main", "v3", "main:folder"])
    func sameAsGit(_ filter: String, want: String) throws {
        let store = try SharedHistory.store.get()
        let wanted = try store.oid(want)
        let request = FetchRequest(wants: [wanted], filter: try ObjectFilter(parsing: filter))
        let client = try TestClient()
        try client.git.run(["index-pack", "--stdin"], input: store.objects().pack(request))
        let expected = try store.list("--filter=\(filter)", wanted.hex)
        #expect(try client.objectNames() == expected)
    }

    @Test("apply to fetches too", arguments: ["blob:none", "blob:limit=500", "tree:1"])
    func incremental(_ filter: String) throws {
        let store = try SharedHistory.store.get()
        let have = try store.oid("main~15")
        let client = try TestClient()
        try client.git("fetch", "--quiet", store.git.folder, have.hex)
        let request = FetchRequest(
            wants: [try store.oid("main")], haves: [have], filter: try ObjectFilter(parsing: filter), isThin: true)
        try client.git.run(["index-pack", "--stdin", "--fix-thin"], input: store.objects().pack(request))
        #expect(try store.list("--filter=\(filter)", "main", "^main~15").isSubset(of: client.objectNames()))
    }

    @Test("what a want names is sent in spite of the filter")
    func wantedAnyway() throws {
        let store = try SharedHistory.store.get()
        let wanted = [try store.oid("main:link"), try store.oid("main:folder")]
        let request = FetchRequest(wants: wanted, filter: try ObjectFilter(parsing: "tree:0"))
        let client = try TestClient()
        try client.git.run(["index-pack", "--stdin"], input: store.objects().pack(request))
        #expect(try client.objectNames() == Set(wanted))
    }

    @Test(
        "refuse what is no filter",
        arguments: [
            "", "blob", "blob:", "blob:some", "blob:limit=", "blob:limit=x", "blob:limit=-1",
            "blob:limit=99999999999999999999", "blob:limit=1t",
            "blob:limit=9223372036854775807g", "tree:", "tree:-1", "tree:x", "object:type=", "object:type=file",
            "sparse:oid=main",
            "combine:", "combine:blob:none+", "combine:blob%3", "combine:blob%zznone", "combine:%ff",
            String(repeating: "combine:", count: 20) + "tree:0", "tree:99999999999999999999",
        ])
    func refuses(_ text: String) {
        #expect(throws: GitStoreError.self) { try ObjectFilter(parsing: text) }
    }

    @Test("combine to the strictest of each kind")
    func combination() throws {
        let filter = try ObjectFilter(parsing: "combine:blob:limit=2k+blob:limit=1k+tree:5+tree:3+object:type=blob")
        #expect(filter.blobLimit == 1024)
        #expect(filter.treeDepth == 3)
        #expect(filter.types == [.blob])
    }
}

/// One history for all tests that only read.
enum SharedHistory {
    static let store = Result {
        let store = try TestStore.history(History(commits: 70, seed: 3))
        // Copies the packs now, before tests that run side by side would.
        _ = try store.describePacks()
        return store
    }
}
