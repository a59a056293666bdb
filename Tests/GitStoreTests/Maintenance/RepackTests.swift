import Foundation
import HubCore
import Testing

@testable import GitStore

@Suite("Repacking")
struct RepackTests {
    /// A store that was filled by pushes of ten commits each, and its packs.
    private func pushed(_ history: History = History(commits: 90, seed: 11)) throws -> (
        TestStore, [PackDescription], [GitOID]
    ) {
        let made = try TestStore()
        try history.make(in: made.git)
        let commits = try made.git.lines("rev-list", "--reverse", "--topo-order", "--all")
        var packs: [PackDescription] = []
        var done: [String] = []
        for start in stride(from: 0, to: commits.count, by: 10) {
            let new = Array(commits[start..<min(start + 10, commits.count)])
            let pack = try made.makePack(new + done.map { "^" + $0 }, options: ["--thin", "--delta-base-offset"])
            packs.append(try made.push(pack, tips: new.compactMap { GitOID(hex: $0) }, onto: packs))
            done += new
        }
        let tags = try made.makePack(["--all"] + done.map { "^" + $0 }, options: ["--thin", "--delta-base-offset"])
        packs.append(try made.push(tags, tips: made.tips(), onto: packs))
        return (made, packs, try made.tips())
    }

    /// Publishes what a repack made and removes what it replaces, as the rows would have it.
    private func apply(_ result: RepackResult, to packs: [PackDescription], in made: TestStore) throws
        -> [PackDescription]
    {
        var left = packs.filter { !result.replaced.contains($0.id) }
        if let pack = result.pack {
            let description = try made.store.publish(pack)
            left = left.filter { $0.id != description.id } + [description]
        }
        try made.store.remove(packs: result.replaced, of: made.uid)
        return left
    }

    private func names(_ packs: [PackDescription], in made: TestStore) throws -> Set<GitOID> {
        let objects = try made.store.objects(of: made.uid, packs: packs)
        return Set((0..<objects.objectCount).map { objects.oid(of: $0) })
    }

    @Test("of all packs keeps every object once")
    func all() throws {
        let (made, packs, tips) = try pushed()
        #expect(packs.contains { $0.objectCount > $0.ownObjectCount })
        let before = try names(packs, in: made)
        let result = try made.store.repack(RepackPlan(repository: made.uid, packs: packs))
        let after = try apply(result, to: packs, in: made)
        #expect(after.count == 1)
        #expect(try names(after, in: made) == before)
        #expect(after[0].objectCount == before.count)
        #expect(after[0].ownObjectCount == before.count)
        #expect(after[0].bodyEnd == after[0].sizeBytes - 20)
        #expect(after[0].isFullyReachable)
        #expect(result.droppedObjects == 0)
        try made.checkPublished(tips: tips)
        #expect(try made.store.packFiles(of: made.uid).count == 1)
        // Deltas stay deltas: the pack is not much larger than the sum of what came in.
        #expect(after[0].sizeBytes < packs.reduce(0) { $0 + $1.sizeBytes })
        // Again there is nothing to gain.
        let again = try made.store.repack(RepackPlan(repository: made.uid, packs: after))
        #expect(again.pack?.description.objectCount == before.count)
    }

    @Test("of some packs leaves each object one home, and the pack complete in itself")
    func some() throws {
        let (made, packs, tips) = try pushed()
        let before = try names(packs, in: made)
        let merged = Set(packs.dropFirst(2).map(\.id))
        let result = try made.store.repack(RepackPlan(repository: made.uid, packs: packs, merging: merged))
        let after = try apply(result, to: packs, in: made)
        #expect(after.count == 3)
        #expect(try names(after, in: made) == before)
        #expect(after.reduce(0) { $0 + $1.ownObjectCount } == before.count)
        let new = try #require(after.last)
        #expect(new.objectCount > new.ownObjectCount)
        #expect(new.bodyEnd < new.sizeBytes - 20)
        try made.checkPublished(tips: tips)
        // The rest can be merged in later.
        let all = try apply(try made.store.repack(RepackPlan(repository: made.uid, packs: after)), to: after, in: made)
        #expect(try names(all, in: made) == before)
        try made.checkPublished(tips: tips)
    }

    @Test("drops what nothing reaches, but not what young packs hold or need")
    func cleaning() throws {
        let made = try TestStore()
        var packs: [PackDescription] = []
        func push(_ text: String, parent: GitOID?) throws -> (commit: GitOID, pack: PackDescription) {
            var builder = PackBuilder()
            let blob = try builder.add(.blob, text)
            let tree = try builder.add(tree: [(0o100644, text, blob)])
            let commit = try builder.add(commitOf: tree, parents: parent.map { [$0] } ?? [])
            let pack = try made.push(builder.bytes, tips: [commit], onto: packs)
            packs.append(pack)
            return (commit, pack)
        }
        let base = try push("base", parent: nil)
        let kept = try push("kept", parent: base.commit)
        let gone = try push("gone", parent: base.commit)
        let lost = try push("lost", parent: base.commit)
        let young = try push("young", parent: lost.commit)

        let cleaning = RepackPlan.Cleaning(
            tips: [kept.commit], droppable: Set(packs.map(\.id)).subtracting([young.pack.id]))
        let result = try made.store.repack(RepackPlan(repository: made.uid, packs: packs, cleaning: cleaning))
        #expect(result.droppedObjects == 3)
        #expect(result.hasUnreachable == true)
        let after = try apply(result, to: packs, in: made)
        let objects = try made.store.objects(of: made.uid, packs: after)
        for commit in [base, kept, lost, young] { #expect(objects.contains(commit.commit)) }
        #expect(!objects.contains(gone.commit))
        #expect(!after[0].isFullyReachable)
        try made.checkPublished(tips: [kept.commit, young.commit])

        let second = RepackPlan.Cleaning(tips: [kept.commit], droppable: Set(after.map(\.id)))
        let clean = try made.store.repack(RepackPlan(repository: made.uid, packs: after, cleaning: second))
        #expect(clean.droppedObjects == 6)
        #expect(clean.hasUnreachable == false)
        let last = try apply(clean, to: after, in: made)
        #expect(last[0].objectCount == 6)
        #expect(last[0].isFullyReachable)
        let empty = try made.store.repack(
            RepackPlan(repository: made.uid, packs: last, cleaning: .init(tips: [], droppable: Set(last.map(\.id)))))
        #expect(empty.pack == nil)
        #expect(empty.droppedObjects == 6)
    }

    @Test("cuts chains of deltas that grow from push to push")
    func depth() throws {
        let made = try TestStore()
        var packs: [PackDescription] = []
        var text = noise(3000, seed: 1)
        var builder = PackBuilder()
        var name = try builder.add(.blob, text)
        packs.append(try made.push(builder.bytes))
        for step in 1...300 {
            let next = text + Array("step \(step)\n".utf8)
            builder = PackBuilder()
            builder.add(.referenceDelta(name, PackBuilder.delta(from: text, to: next)))
            // Only the newest pack matters for the next one.
            packs.append(try made.push(builder.bytes, onto: [packs[packs.count - 1]]))
            text = next
            name = try ObjectHasher.name(of: .blob, text)
        }
        let result = try made.store.repack(RepackPlan(repository: made.uid, packs: packs))
        let pack = try #require(result.pack)
        #expect(pack.description.objectCount == 301)
        let report = try made.git.lines("verify-pack", "-v", "\(pack.folder.path)/pack-\(pack.description.id).idx")
        let depths = report.compactMap { line -> Int? in
            let words = line.split(separator: " ")
            return words.count == 7 ? Int(words[5]) : nil
        }
        #expect(try #require(depths.max()) <= 250)
        #expect(depths.count >= 290)
    }

    @Test("breaks circles between packs that hold each other's deltas")
    func circle() throws {
        let made = try TestStore()
        let (one, two) = (noise(2000, seed: 1), noise(2000, seed: 1) + [1, 2, 3])
        let names = (try ObjectHasher.name(of: .blob, one), try ObjectHasher.name(of: .blob, two))
        var packs: [PackDescription] = []
        // Each pack holds both, one of them as a delta on the other; padding makes the first choice differ.
        for (base, other, isPadded) in [(one, two, true), (two, one, false)] {
            var builder = PackBuilder()
            try builder.add(.blob, base)
            builder.add(.offsetDelta(0, PackBuilder.delta(from: base, to: other)))
            if isPadded { try builder.add(.blob, "padding") }
            packs.append(try made.push(builder.bytes))
        }
        let result = try made.store.repack(RepackPlan(repository: made.uid, packs: packs))
        let after = try apply(result, to: packs, in: made)
        let objects = try made.store.objects(of: made.uid, packs: after)
        #expect(try objects.read(names.0, limit: 5000).bytes == one)
        #expect(try objects.read(names.1, limit: 5000).bytes == two)
        try made.checkPublished(tips: [])
    }

    @Test("stops when it is cancelled and leaves nothing")
    func cancelled() throws {
        let (made, packs, _) = try pushed(History(commits: 20))
        #expect(throws: GitStoreError.cancelled) {
            try made.store.repack(RepackPlan(repository: made.uid, packs: packs), isCancelled: { true })
        }
        #expect(try made.quarantine().isEmpty)
    }

    @Test("finds damage instead of copying it")
    func damage() throws {
        let made = try TestStore()
        var builder = PackBuilder()
        try builder.add(.blob, noise(1000, seed: 1))
        let description = try made.push(builder.bytes)
        let path = made.store.packFolder(of: made.uid) + "/pack-\(description.id).pack"
        var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        bytes[500] ^= 1
        try FileManager.default.removeItem(atPath: path)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        #expect(throws: GitStoreError.corrupt("an entry of a pack has another CRC")) {
            try made.store.repack(RepackPlan(repository: made.uid, packs: [description]))
        }
    }

    @Test("an export holds what the tips reach and passes git's strictest check")
    func export() throws {
        let (made, packs, tips) = try pushed()
        let objects = try made.store.objects(of: made.uid, packs: packs)
        let target = try TestClient()
        let folder = target.git.folder + "/objects/pack"
        let description = try #require(try objects.export(tips: tips, to: folder))
        #expect(description.isFullyReachable)
        #expect(try target.objectNames() == made.list("--all"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 2)
        for (index, tip) in tips.enumerated() { try target.git("update-ref", "refs/tags/t\(index)", tip.hex) }
        try target.git("fsck", "--full", "--strict")
        #expect(try objects.export(tips: [], to: folder) == nil)
        let other = try TemporaryFolder()
        let main = try #require(try objects.export(tips: [made.oid("side")], to: other.path))
        let listed = try made.list("side")
        #expect(main.objectCount == listed.count)
    }
}
