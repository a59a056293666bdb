import HubCore
import Testing

@testable import GitStore

@Suite("Shallow histories")
struct ShallowTests {
    @Test("a clone of a depth is git's", arguments: [1, 2, 5, 17, 1000], TestStore.Layout.allCases)
    func depth(_ depth: Int, layout: TestStore.Layout) throws {
        let store = try TestStore.history(layout: layout)
        let request = FetchRequest(wants: [try store.oid("main")], deepen: .depth(depth, relative: false))
        try expectSameClone(store, request, ["--depth=\(depth)"])
    }

    @Test("a clone since a time, or without a branch, is git's")
    func history() throws {
        let store = try SharedHistory.store.get()
        let main = try store.oid("main")
        for distance in [1, 9, 30] {
            let time = try #require(Int64(try store.git.lines("log", "-1", "--format=%ct", "main~\(distance)")[0]))
            try expectSameClone(store, FetchRequest(wants: [main], deepen: .since(time)), ["--shallow-since=\(time)"])
        }
        let excluded = try store.oid("refs/tags/v3")
        try expectSameClone(store, FetchRequest(wants: [main], deepen: .not([excluded])), ["--shallow-exclude=v3"])
    }

    @Test("asking for no commit at all is refused")
    func nothingSelected() throws {
        let store = try SharedHistory.store.get()
        let request = FetchRequest(wants: [try store.oid("main")], deepen: .since(.max))
        #expect(throws: GitStoreError.noCommitsSelected) { try store.objects().shallowUpdate(for: request) }
        #expect(throws: GitStoreError.noCommitsSelected) { try store.objects().pack(request) }
    }

    /// A change to a shallow clone.
    struct Step: CustomTestStringConvertible {
        let arguments: [String]
        let deepen: Deepening?
        var testDescription: String { arguments.joined(separator: " ") }
    }

    @Test(
        "deepening a clone moves the boundary as git does",
        arguments: [
            Step(arguments: ["--depth=1"], deepen: .depth(1, relative: false)),
            Step(arguments: ["--depth=3"], deepen: .depth(3, relative: false)),
            Step(arguments: ["--depth=9"], deepen: .depth(9, relative: false)),
            Step(arguments: ["--deepen=1"], deepen: .depth(1, relative: true)),
            Step(arguments: ["--deepen=6"], deepen: .depth(6, relative: true)),
            Step(arguments: ["--unshallow"], deepen: .depth(Deepening.unlimited, relative: false)),
            Step(arguments: [], deepen: nil),
        ], [("main", "main"), ("main~8", "main"), ("side", "main")])
    func deepening(_ step: Step, from: (start: String, want: String)) throws {
        let store = try SharedHistory.store.get()
        let (start, want) = (try store.oid(from.start), try store.oid(from.want))
        // Two clones of depth 4: git deepens the first, we the second.
        let (theirs, ours) = (try TestClient(), try TestClient())
        for client in [theirs, ours] {
            try client.git(
                "fetch", "--quiet", "--no-tags", "--depth=4", "file://" + store.git.folder,
                "\(start.hex):refs/heads/main")
        }
        try theirs.git.run(
            ["fetch", "--quiet", "--no-tags"] + step.arguments + ["file://" + store.git.folder, want.hex])
        let request = FetchRequest(
            wants: [want], haves: [start], clientShallow: try ours.shallow, deepen: step.deepen, isThin: true)
        let objects = try store.objects()
        let update = try objects.shallowUpdate(for: request)
        let boundary = try ours.shallow.subtracting(update.unshallow).union(update.shallow)
        if try !boundary.isEmpty || !ours.shallow.isEmpty { try ours.setShallow(boundary) }
        try ours.receive(objects.pack(request))
        #expect(try boundary == theirs.shallow)
        try ours.check([want])
        #expect(try theirs.objectNames().isSubset(of: ours.objectNames()))
    }

    @Test("a have behind the boundary proves nothing")
    func haveBehindBoundary() throws {
        let store = try SharedHistory.store.get()
        let tip = try store.oid("main")
        // The client has the tip alone and says so; now it asks for what came before.
        let client = try TestClient()
        try client.git("fetch", "--quiet", "--no-tags", "--depth=1", "file://" + store.git.folder, "main")
        let request = FetchRequest(wants: [try store.oid("main~1")], haves: [tip], clientShallow: [tip])
        try client.receive(store.objects().pack(request))
        #expect(try store.list("main~1").isSubset(of: client.objectNames()))
    }

    private func expectSameClone(_ store: TestStore, _ request: FetchRequest, _ arguments: [String]) throws {
        let theirs = try TestClient()
        try theirs.git.run(["fetch", "--quiet", "--no-tags"] + arguments + ["file://" + store.git.folder, "main"])
        let objects = try store.objects()
        let update = try objects.shallowUpdate(for: request)
        // git also lists commits of the boundary that its own cut makes unreachable, and then does not send them.
        let boundary = try theirs.shallow.intersection(theirs.objectNames())
        #expect(Set(update.shallow) == boundary, "\(arguments)")
        #expect(update.unshallow.isEmpty)
        let ours = try TestClient()
        try ours.setShallow(Set(update.shallow))
        #expect(try ours.receiveAlone(objects.pack(request)) == theirs.objectNames())
        try ours.check(request.wants)
    }
}
