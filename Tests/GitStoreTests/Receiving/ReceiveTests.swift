import Foundation
import HubCore
import Testing

@testable import GitStore

@Suite("Received packs")
struct ReceiveTests {
    @Test("are the same whatever the pieces they come in", arguments: [1, 7, 63, 4096, .max])
    func pieces(_ pieceBytes: Int) throws {
        let made = try TestStore()
        try History(commits: 40).make(in: made.git)
        let pack = try made.makePack()
        let received = try made.receive(pack, tips: made.tips(), pieceBytes: pieceBytes)
        #expect(received.description.id.oid.bytes == Array(pack.suffix(20)))
        #expect(received.description.sizeBytes == Int64(pack.count))
        #expect(received.description.bodyEnd == Int64(pack.count - 20))
        #expect(received.description.isFullyReachable)
        #expect(received.description.isDisjoint)
    }

    @Test(
        "hold what git stored, and git finds nothing wrong with them",
        arguments: [
            ["--delta-base-offset"], ["--no-reuse-delta", "--window=50", "--depth=4095"], ["--window=0"],
            ["--delta-base-offset", "--no-reuse-delta", "--depth=1"], ["--compression=0", "--no-reuse-object"],
        ])
    func kinds(_ options: [String]) throws {
        let made = try TestStore()
        try History(commits: 80, seed: 3).make(in: made.git)
        let tips = try made.tips()
        let description = try made.push(made.makePack(options: options), tips: tips)
        try made.checkPublished(tips: tips)
        let objects = try made.store.objects(of: made.uid, packs: [description])
        let expected = try made.list("--all")
        #expect(description.objectCount == expected.count)
        #expect(expected.allSatisfy { objects.contains($0) })
    }

    @Test("have the index that git writes")
    func index() throws {
        let made = try TestStore.history(layout: .repacked)
        let name = try #require(
            FileManager.default.contentsOfDirectory(atPath: made.packFolder).first { $0.hasSuffix(".pack") })
        let pack = Array(try Data(contentsOf: URL(fileURLWithPath: made.packFolder + "/" + name)))
        let received = try made.receive(pack, tips: made.tips())
        let ours = try Data(
            contentsOf: URL(fileURLWithPath: "\(received.folder.path)/pack-\(received.description.id).idx"))
        let gits = try Data(contentsOf: URL(fileURLWithPath: made.packFolder + "/" + name.dropLast(5) + ".idx"))
        #expect(ours == gits)
    }

    @Test("may have offsets of 64 bits")
    func largeOffsets() throws {
        let made = try TestStore()
        try History(commits: 30).make(in: made.git)
        let tips = try made.tips()
        var writer = PackIndexWriter()
        writer.firstLargeOffset = 2000
        let received = try made.receive(made.makePack(), tips: tips, indexWriter: writer)
        let description = try made.store.publish(received)
        try made.checkPublished(tips: tips)
        let objects = try made.store.objects(of: made.uid, packs: [description])
        for oid in try made.list("--all") { #expect(try objects.header(of: oid) != nil) }
    }

    @Test("that arrive thin are completed", arguments: [["--delta-base-offset"], []])
    func thin(_ options: [String]) throws {
        let made = try TestStore()
        try History(commits: 60, seed: 5).make(in: made.git)
        let commits = try made.git.lines("rev-list", "--reverse", "--topo-order", "--all")
        let old = Array(commits.prefix(commits.count / 2))
        let first = try made.push(made.makePack(old), tips: [try made.oid(old[old.count - 1])])
        let revisions = ["--all"] + old.map { "^" + $0 }
        let pack = try made.makePack(revisions, options: options + ["--thin"])
        let tips = try made.tips()
        let received = try made.receive(pack, tips: tips, onto: [first], pieceBytes: 1000)
        let description = try made.store.publish(received)
        #expect(description.objectCount > description.ownObjectCount)
        #expect(description.bodyEnd == Int64(pack.count - 20))
        #expect(description.ownObjectCount == Int(pack[8..<12].reduce(0) { $0 << 8 | UInt32($1) }))
        #expect(description.isDisjoint)
        #expect(description.isFullyReachable)
        try made.checkPublished(tips: tips)
        // The same push again makes the same pack, so a retry after a crash leaves no second one.
        let again = try made.receive(pack, tips: tips, onto: [first], pieceBytes: .max)
        #expect(again.description == description)
    }

    @Test("may be empty")
    func empty() throws {
        let made = try TestStore()
        let received = try made.receive(PackBuilder().bytes)
        #expect(received.isEmpty)
        let description = try made.store.publish(received)
        #expect(try made.store.objects(of: made.uid, packs: [description]).packs == [description])
    }

    @Test("may name objects that the repository has")
    func onto() throws {
        let made = try TestStore()
        var builder = PackBuilder()
        let blob = try builder.add(.blob, "one\n")
        let tree = try builder.add(tree: [(0o100644, "one", blob)])
        let commit = try builder.add(commitOf: tree)
        let first = try made.push(builder.bytes, tips: [commit])
        var next = PackBuilder()
        let second = try next.add(commitOf: tree, parents: [commit])
        let received = try made.receive(next.bytes, tips: [second], onto: [first])
        #expect(received.type(of: second) == .commit)
        #expect(received.peeled(second) == second)
        let description = try made.store.publish(received)
        try made.checkPublished(tips: [second])
        #expect(description.ownObjectCount == 1)
    }

    @Test("say which of their objects were there before and which nothing names")
    func flags() throws {
        let made = try TestStore()
        var builder = PackBuilder()
        let blob = try builder.add(.blob, "one\n")
        let first = try made.push(builder.bytes)
        #expect(!first.isFullyReachable)
        #expect(first.isDisjoint)
        let tree = try builder.add(tree: [(0o100644, "one", blob)])
        let commit = try builder.add(commitOf: tree)
        let second = try made.receive(builder.bytes, tips: [commit], onto: [first])
        #expect(second.description.isFullyReachable)
        #expect(!second.description.isDisjoint)
    }

    @Test("tell the type and target of their tips")
    func tags() throws {
        let made = try TestStore()
        var builder = PackBuilder()
        let blob = try builder.add(.blob, "one\n")
        let tag = try builder.add(
            .tag, "object \(blob)\ntype blob\ntag one\ntagger Ada <ada@example.com> 1700000000 +0000\n\nOne\n")
        let outer = try builder.add(
            .tag, "object \(tag)\ntype tag\ntag two\ntagger Ada <ada@example.com> 1700000000 +0000\n\nTwo\n")
        let received = try made.receive(builder.bytes, tips: [outer])
        #expect(received.type(of: outer) == .tag)
        #expect(received.peeled(outer) == blob)
    }

    @Test("may have chains of tags as long as are followed, and no longer")
    func tagChains() throws {
        let made = try TestStore()
        var builder = PackBuilder()
        var target = try builder.add(.blob, "one\n")
        var type = "blob"
        var tags: [GitOID] = []
        for number in 0...GitObjects.maximumTagChain {
            target = try builder.add(
                .tag, "object \(target)\ntype \(type)\ntag t\(number)\ntagger Ada <a@b.c> 1700000000 +0000\n\nx\n")
            type = "tag"
            tags.append(target)
        }
        let (longest, tooLong) = (tags[GitObjects.maximumTagChain - 1], tags[GitObjects.maximumTagChain])
        #expect(throws: GitStoreError.refused(.tagChainTooLong(tooLong))) {
            try made.receive(builder.bytes, tips: [tooLong])
        }
        // What no ref names may come along; asking for it later is answered by a refusal, not by talk of damage.
        let objects = try made.store.objects(of: made.uid, packs: [made.push(builder.bytes, tips: [longest])])
        #expect(try objects.header(of: objects.peel(longest))?.type == .blob)
        #expect(throws: GitStoreError.tagChainTooLong(tooLong)) { try objects.peel(tooLong) }
        #expect(throws: GitStoreError.tagChainTooLong(tooLong)) {
            try objects.writePack(FetchRequest(wants: [tooLong])) { _ in }
        }
        try objects.writePack(FetchRequest(wants: [longest])) { _ in }
    }

    @Test("with large files are never held whole", .tags(.slow))
    func large() throws {
        let made = try TestStore()
        // Above the size from which blobs stream through the hash, and not compressible.
        let bytes = noise(ReceiveLimits.heldBlobBytes + 12_345, seed: 4)
        var builder = PackBuilder()
        let blob = try builder.add(.blob, bytes)
        let small = try builder.add(.blob, noise(700_000, seed: 5))
        let tree = try builder.add(tree: [(0o100644, "large", blob), (0o100644, "small", small)])
        let commit = try builder.add(commitOf: tree)
        let pack = builder.bytes
        let first = try made.push(pack, tips: [commit])
        try made.checkPublished(tips: [commit])
        // Again, onto the first: the large blob is compared with the stored one.
        let second = try made.receive(pack, tips: [commit], onto: [first])
        #expect(!second.description.isDisjoint)
        #expect(second.description.id == first.id)
    }

    @Test("may have chains of deltas as deep as git makes them, and no deeper")
    func chains() throws {
        let made = try TestStore()
        var limits = ReceiveLimits()
        limits.maximumDeltaDepth = 200
        for (depth, isRefused) in [(200, false), (201, true)] {
            var builder = PackBuilder()
            var text = noise(3000, seed: 1)
            try builder.add(.blob, text)
            for step in 1...depth {
                let next = text + Array("line \(step)\n".utf8)
                builder.add(.offsetDelta(step - 1, PackBuilder.delta(from: text, to: next)))
                text = next
            }
            let bytes = builder.bytes
            if isRefused {
                #expect(throws: GitStoreError.self) { try made.receive(bytes, limits: limits) }
            } else {
                let received = try made.receive(bytes, limits: limits)
                #expect(received.description.objectCount == depth + 1)
                let last = try ObjectHasher.name(of: .blob, text)
                #expect(try received.objects(joinedWith: made.store.objects(of: made.uid, packs: [])).contains(last))
            }
        }
    }

    @Test("with deltas on one another's results are resolved whatever their order")
    func crossed() throws {
        let made = try TestStore()
        let texts = (0..<6).map { number in noise(2000, seed: 9) + Array("version \(number)\n".utf8) }
        let names = try texts.map { try ObjectHasher.name(of: .blob, $0) }
        var base = PackBuilder()
        try base.add(.blob, texts[0])
        let first = try made.push(base.bytes)
        // 5 on 4 on 3 on 2 on 1 on 0, which is outside; the last ones come first, 3 also has its base by offset.
        var builder = PackBuilder()
        for number in [5, 4, 3, 2, 1] {
            builder.add(
                .referenceDelta(names[number - 1], PackBuilder.delta(from: texts[number - 1], to: texts[number])))
        }
        let received = try made.receive(builder.bytes, onto: [first])
        #expect(received.description.ownObjectCount == 5)
        #expect(received.description.objectCount == 6)
        let description = try made.store.publish(received)
        let objects = try made.store.objects(of: made.uid, packs: [description])
        for (name, text) in zip(names, texts) { #expect(try objects.read(name, limit: 10_000).bytes == text) }
    }

    @Test("with bases both in them and in the repository store each object once")
    func baseInBoth() throws {
        let made = try TestStore()
        let texts = (0..<3).map { number in noise(2000, seed: 9) + Array("version \(number)\n".utf8) }
        let names = try texts.map { try ObjectHasher.name(of: .blob, $0) }
        var base = PackBuilder()
        try base.add(.blob, texts[0])
        try base.add(.blob, texts[1])
        let first = try made.push(base.bytes)
        // 1 is a delta on 0, which only the repository has; 2 is a delta on 1, which both have.
        var builder = PackBuilder()
        builder.add(.referenceDelta(names[1], PackBuilder.delta(from: texts[1], to: texts[2])))
        builder.add(.referenceDelta(names[0], PackBuilder.delta(from: texts[0], to: texts[1])))
        let description = try made.push(builder.bytes, onto: [first])
        #expect(description.objectCount == 3)
        #expect(!description.isDisjoint)
        let objects = try made.store.objects(of: made.uid, packs: [description])
        for (name, text) in zip(names, texts) { #expect(try objects.read(name, limit: 10_000).bytes == text) }
    }

    @Test("find the Git LFS pointers among their files, deltas included, and their names")
    func pointers() throws {
        let made = try TestStore()
        let texts = ["1", "2"].map { digit in
            "version https://git-lfs.github.com/spec/v1\noid sha256:\(String(repeating: digit, count: 64))\nsize 12\n"
        }
        var builder = PackBuilder()
        let first = try builder.add(.blob, texts[0])
        builder.add(.offsetDelta(0, PackBuilder.delta(from: Array(texts[0].utf8), to: Array(texts[1].utf8))))
        let second = try ObjectHasher.name(of: .blob, Array(texts[1].utf8))
        try builder.add(.blob, "version https://git-lfs.github.com/spec/v1\n")
        let inner = try builder.add(tree: [(0o100644, "b.bin", second)])
        let tree = try builder.add(tree: [(0o100644, "a.bin", first), (0o40000, "folder", inner)])
        let commit = try builder.add(commitOf: tree)
        let received = try made.receive(builder.bytes, tips: [commit])
        #expect(Set(received.pointers.map(\.blob)) == [first, second])
        #expect(
            Set(received.pointers.map(\.pointer.oid.hex)) == Set(["1", "2"].map { String(repeating: $0, count: 64) }))
        #expect(received.paths(of: [first, second], limit: 10) == [first: "a.bin", second: "folder/b.bin"])
        #expect(received.paths(of: [first, second], limit: 1).count == 1)
    }

    @Test("share the work of wide families of deltas")
    func wide() throws {
        let made = try TestStore()
        var builder = PackBuilder()
        let base = noise(20_000, seed: 1)
        try builder.add(.blob, base)
        for number in 1...600 {
            // Every third is a delta on the one before, which is itself one on the root.
            let isOnRoot = number % 3 != 0
            let from = isOnRoot ? base : base + Array("tail \(number - 1)\n".utf8)
            let next = base + Array("tail \(number)\n".utf8)
            builder.add(.offsetDelta(isOnRoot ? 0 : number - 1, PackBuilder.delta(from: from, to: next)))
        }
        let received = try made.receive(builder.bytes)
        #expect(received.description.objectCount == 601)
    }

    @Test("are right when no base stays in memory", arguments: [1, 2, 3])
    func remade(_ seed: UInt64) throws {
        let made = try TestStore()
        var limits = ReceiveLimits()
        limits.baseCacheBytes = 1
        var builder = PackBuilder()
        var texts = [noise(3000, seed: seed)]
        try builder.add(.blob, texts[0])
        // A bush: each delta is on any of the last forty objects, by offset or by name.
        for number in 1...300 {
            let choice = noise(2, seed: seed &* 1000 &+ UInt64(number))
            let base = max(0, number - 1 - Int(choice[0]) % 40)
            let next = texts[base] + Array("line \(number)\n".utf8)
            let delta = PackBuilder.delta(from: texts[base], to: next)
            let isByName = choice[1] % 4 == 0
            builder.add(
                isByName
                    ? .referenceDelta(try ObjectHasher.name(of: .blob, texts[base]), delta) : .offsetDelta(base, delta))
            texts.append(next)
        }
        let received = try made.receive(builder.bytes, limits: limits)
        let objects = try received.objects(joinedWith: made.store.objects(of: made.uid, packs: []))
        for text in texts { #expect(objects.contains(try ObjectHasher.name(of: .blob, text))) }
        #expect(received.description.objectCount == texts.count)
    }

    @Test("can be given up while they are worked on")
    func givenUp() async throws {
        let made = try TestStore()
        var builder = PackBuilder()
        var text = noise(30_000, seed: 1)
        try builder.add(.blob, text)
        for step in 1...400 {
            let next = text + Array("line \(step)\n".utf8)
            builder.add(.offsetDelta(step - 1, PackBuilder.delta(from: text, to: next)))
            text = next
        }
        let receiver = try made.store.makeReceiver(
            for: made.uid, existing: made.store.objects(of: made.uid, packs: []), limits: ReceiveLimits())
        try receiver.feed(builder.bytes, pieceBytes: 65_536)
        async let result = made.store.threads.run { try receiver.finish(tips: []) { _ in } }
        receiver.discard()
        // Whoever is first wins; in either case nothing stays behind.
        do {
            #expect(try await result.description.objectCount == 401)
        } catch {
            #expect(error as? GitStoreError == .cancelled)
        }
    }
}

extension Tag {
    /// Takes more than a second.
    @Tag static var slow: Self
}
