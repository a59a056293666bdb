import Foundation
import HubCore
import HubTestSupport
import Testing

@testable import GitStore

@Suite("Damaged and hostile bytes")
struct MutationTests {
    /// Runs a parser over changed versions of valid inputs; it may refuse or take them, and must do nothing else.
    private func run(_ inputs: [[UInt8]], sample: Int = 3000, _ parse: ([UInt8]) throws -> Void) {
        var mutator = Mutator()
        for _ in 0..<Mutator.cases(sample) {
            let bytes = mutator.mutate(inputs[mutator.below(inputs.count)])
            do {
                try parse(bytes)
            } catch is GitStoreError {
            } catch {
                Issue.record("seed \(mutator.seed): \(error) for \(bytes)")
            }
        }
    }

    @Test("are no harm to the parser of entry headers")
    func headers() {
        var whole: [UInt8] = []
        PackEntryHeader.encode(.blob, sizeBytes: 1 << 40, into: &whole)
        var offset: [UInt8] = []
        PackEntryHeader.encode(.offsetDelta(distance: 1 << 40), sizeBytes: 100, into: &offset)
        var reference: [UInt8] = []
        PackEntryHeader.encode(.referenceDelta(base: .zero), sizeBytes: 100, into: &reference)
        run([whole, offset, reference], sample: 20_000) { bytes in
            let header = try bytes.withUnsafeBytes { try PackEntryHeader.parse($0) }
            #expect(header.headerByteCount <= bytes.count)
            #expect(header.sizeBytes >= 0)
        }
    }

    @Test("are no harm to deltas")
    func deltas() {
        let base = noise(3000, seed: 1)
        let target = Array(base.prefix(1000)) + noise(200, seed: 2) + Array(base.suffix(1500))
        run([PackBuilder.delta(from: base, to: target), PackBuilder.delta(from: [], to: target)]) { bytes in
            _ = try DeltaTests.apply(bytes, to: base)
        }
    }

    @Test("are no harm to the parser and the rules of trees")
    func trees() {
        run(RuleCase.trees.map(\.bytes) + [RuleCase.trees.flatMap(\.bytes)]) { bytes in
            let entries = try bytes.withUnsafeBytes { try TreeParser.entries(of: $0) }
            let empty = entries.filter { $0.name.isEmpty }
            #expect(empty.isEmpty, "\(bytes)")
            var rules = TreeRules(maximumNameBytes: 4096)
            try bytes.withUnsafeBytes { buffer in
                var parser = TreeParser(buffer)
                while let entry = try parser.next() {
                    guard (try? rules.check(entry)) != nil else { return }
                }
            }
        }
    }

    @Test("are no harm to the parser and the rules of commits and tags")
    func commits() {
        run((RuleCase.commits + RuleCase.tags).map(\.bytes)) { bytes in
            try bytes.withUnsafeBytes { buffer in
                let passes = (try? CommitRules.check(commit: buffer, tree: { _ in }, parent: { _ in })) != nil
                let tagPasses = (try? CommitRules.check(tag: buffer)) != nil
                // What passes the rules can be read.
                if passes { _ = try GitCommit(parsing: buffer) } else { _ = try? GitCommit(parsing: buffer) }
                if tagPasses { _ = try GitTag(parsing: buffer) } else { _ = try? GitTag(parsing: buffer) }
                _ = try? GitCommit.links(in: buffer) { _ in }
            }
        }
    }

    @Test("are no harm to the reader of .gitmodules and to Git LFS pointers")
    func texts() {
        let modules = Array("[submodule \"a\\\"b\"]\n\tpath = \"a b\" # c\n\turl = ../x\\\n y\n[x.y]\nz\n".utf8)
        let pointer = Array(
            "version https://git-lfs.github.com/spec/v1\noid sha256:\(String(repeating: "a", count: 64))\nsize 12345\n"
                .utf8)
        run([modules, pointer]) { bytes in
            bytes.withUnsafeBytes { buffer in
                _ = try? SpecialFileRules.check(gitmodules: buffer)
                _ = LFSPointer(parsing: buffer)
            }
        }
    }

    @Test("are no harm to the inflaters, which agree")
    func compressed() {
        let source = noise(300, seed: 1) + Array(repeating: 1, count: 700)
        let inflater = Inflater()
        run([Deflater().deflate(source), Deflater(level: 6).deflate(source)]) { bytes in
            var target = [UInt8](repeating: 0, count: source.count)
            let fast = bytes.withUnsafeBytes { bytes in
                target.withUnsafeMutableBytes { inflater.tryInflate(bytes, into: $0) }
            }
            let stream = InflateStream()
            var streamed = [UInt8](repeating: 0, count: source.count + 1)
            let step = try bytes.withUnsafeBytes { bytes in
                try streamed.withUnsafeMutableBytes { try stream.step(bytes, into: $0) }
            }
            #expect((fast != nil) == (step.isFinished && step.produced == source.count))
            if let fast { #expect(fast == step.consumed && target == Array(streamed.prefix(source.count))) }
        }
    }

    @Test("are no harm to the receiver, and what it takes can be read")
    func packs() throws {
        let made = try TestStore()
        let whole = try Self.samplePack()
        var mutator = Mutator()
        let existing = try made.store.objects(of: made.uid, packs: [])
        for _ in 0..<Mutator.cases(400) {
            var pack = mutator.mutate(
                mutator.below(2) == 0 ? Array(whole.bytes.dropLast(20)) : Self.mutatedPack(&mutator))
            // With the right checksum, so that it is not always the checksum that refuses.
            pack += pack.withUnsafeBytes { SHA1.of($0) }.bytes
            do {
                let receiver = try made.store.makeReceiver(for: made.uid, existing: existing, limits: ReceiveLimits())
                try receiver.feed(pack, pieceBytes: 1 + mutator.below(5000))
                let received = try receiver.finish(tips: []) { _ in }
                try Self.readAll(received, existing)
            } catch is GitStoreError {
            } catch {
                Issue.record("seed \(mutator.seed): \(error)")
            }
        }
        #expect(try made.quarantine().isEmpty)
    }

    /// Whole objects, deltas of both kinds, a tag and a commit.
    private static func samplePack() throws -> PackBuilder {
        var builder = PackBuilder()
        let text = noise(400, seed: 1)
        let blob = try builder.add(.blob, text)
        builder.add(.offsetDelta(0, PackBuilder.delta(from: text, to: text + [1])))
        builder.add(.referenceDelta(blob, PackBuilder.delta(from: text, to: text + [2])))
        builder.add(.offsetDelta(1, PackBuilder.delta(from: text + [1], to: text + [1, 3])))
        let tree = try builder.add(tree: [(0o100644, "a", blob), (0o100644, ".gitattributes", blob)])
        let commit = try builder.add(commitOf: tree)
        try builder.add(.tag, "object \(commit)\ntype commit\ntag v1\ntagger Ada <a@example.com> 1 +0000\n\nx\n")
        return builder
    }

    /// A pack whose objects are damaged and whose compression is right.
    private static func mutatedPack(_ mutator: inout Mutator) -> [UInt8] {
        var builder = PackBuilder()
        let text = noise(400, seed: 1)
        builder.add(.whole(.blob, text))
        builder.add(.offsetDelta(0, mutator.mutate(PackBuilder.delta(from: text, to: text + [1]))))
        let cases = RuleCase.trees + RuleCase.commits + RuleCase.tags
        let chosen = cases[mutator.below(cases.count)]
        builder.add(.whole(chosen.type, mutator.mutate(chosen.bytes)))
        return Array(builder.bytes.dropLast(20))
    }

    private static func readAll(_ received: ReceivedPack, _ existing: GitObjects) throws {
        let objects = try received.objects(joinedWith: existing)
        let index = received.pack.index
        for position in 0..<index.count {
            let object = try objects.read(index.oid(at: position), limit: 1 << 24)
            #expect(try ObjectHasher.name(of: object.type, object.bytes) == index.oid(at: position))
        }
    }

    @Test("are no harm to the readers of stored packs and indexes")
    func indexes() throws {
        let made = try TestStore()
        let received = try made.receive(Self.samplePack().bytes)
        let base = "\(received.folder.path)/pack-\(received.description.id)"
        let pack = Array(try Data(contentsOf: URL(fileURLWithPath: base + ".pack")))
        let index = Array(try Data(contentsOf: URL(fileURLWithPath: base + ".idx")))
        var mutator = Mutator()
        let folder = try TemporaryFolder()
        let copy = "\(folder.path)/pack-\(received.description.id)"
        for number in 0..<Mutator.cases(600) {
            let damagesIndex = number % 2 == 0
            try Data(damagesIndex ? pack : mutator.mutate(pack)).write(to: URL(fileURLWithPath: copy + ".pack"))
            try Data(damagesIndex ? mutator.mutate(index) : index).write(to: URL(fileURLWithPath: copy + ".idx"))
            do {
                let opened = try Pack(received.description, folder: folder.path)
                let objects = try GitObjects(packs: [received.description], opened: [opened])
                for position in 0..<opened.index.count {
                    let oid = opened.index.oid(at: position)
                    _ = try? objects.header(of: oid)
                    _ = try? objects.read(oid, limit: 1 << 20)
                    _ = try? objects.commit(oid)
                    _ = try? objects.tree(oid)
                }
            } catch {
                // A `GitStoreError`, the only error that opening throws: the damage was seen.
            }
        }
    }
}
