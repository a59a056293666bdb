import Foundation
import HubCore
import Testing

@testable import GitStore

@Suite("Packs that are refused")
struct ReceiveRefusalTests {
    private let made: TestStore

    init() throws { made = try TestStore() }

    /// The reason for which a pack is refused; whatever it is, nothing of it must be left.
    private func refusal(
        _ pack: [UInt8], tips: [GitOID] = [], onto packs: [PackDescription] = [],
        limits: ReceiveLimits = ReceiveLimits(),
        pieceBytes: Int = 100
    ) throws -> ReceiveError? {
        do {
            _ = try made.receive(pack, tips: tips, onto: packs, pieceBytes: pieceBytes, limits: limits)
            Issue.record("the pack was taken")
            return nil
        } catch GitStoreError.refused(let reason) {
            #expect(try made.quarantine().isEmpty)
            return reason
        } catch GitStoreError.malformed(let what) {
            #expect(try made.quarantine().isEmpty)
            return .malformedPack(what)
        }
    }

    private func isMalformed(_ reason: ReceiveError?) -> Bool {
        if case .malformedPack = reason { true } else { false }
    }

    private func isOverLimit(_ reason: ReceiveError?) -> Bool {
        if case .overLimit = reason { true } else { false }
    }

    private func whole() throws -> PackBuilder {
        var builder = PackBuilder()
        let blob = try builder.add(.blob, "hello\n")
        let tree = try builder.add(tree: [(0o100644, "hello", blob)])
        try builder.add(commitOf: tree)
        return builder
    }

    @Test("that end early, at any byte")
    func truncated() throws {
        let pack = try whole().bytes
        for count in 0..<pack.count { #expect(isMalformed(try refusal(Array(pack.prefix(count))))) }
    }

    @Test("with a wrong signature, version, count or checksum")
    func frame() throws {
        var builder = try whole()
        builder.signature = Array("PUCK".utf8)
        #expect(isMalformed(try refusal(builder.bytes)))
        builder = try whole()
        builder.version = 4
        #expect(isMalformed(try refusal(builder.bytes)))
        for count in [2, 4] {
            builder = try whole()
            builder.claimedCount = count
            #expect(isMalformed(try refusal(builder.bytes)))
        }
        builder = try whole()
        builder.trailer = .zero
        #expect(isMalformed(try refusal(builder.bytes)))
        builder = try whole()
        builder.suffix = [0]
        #expect(isMalformed(try refusal(builder.bytes)))
    }

    @Test("with entries whose size or type is a lie")
    func lies() throws {
        let entries: [PackBuilder.Entry] = [
            .lying(.blob, sizeBytes: 4, Array("hello".utf8)), .lying(.blob, sizeBytes: 6, Array("hello".utf8)),
            .lying(.blob, sizeBytes: 600_000, Array("hello".utf8)),
            .lying(.blob, sizeBytes: 20_000_000, Array("hello".utf8)),
            .lying(.blob, sizeBytes: 0, Array("hello".utf8)), .raw([0x00]), .raw([0x50, 0x00]),
            .raw([0x35, 1, 2, 3, 4, 5]),
            .raw(Array(repeating: 0xff, count: 40)),
            .lying(.offsetDelta(distance: 3), sizeBytes: 5, Array("hello".utf8)),
            .lying(.offsetDelta(distance: 1 << 40), sizeBytes: 5, Array("hello".utf8)),
            .lying(.offsetDelta(distance: 12), sizeBytes: 5, [5, 5, 0x91, 0, 5]),
        ]
        for entry in entries {
            var builder = PackBuilder()
            builder.add(entry)
            #expect(isMalformed(try refusal(builder.bytes)), "\(entry)")
        }
    }

    @Test("with a large entry that is longer than it says")
    func longLies() throws {
        var builder = PackBuilder()
        builder.add(.lying(.blob, sizeBytes: 600_000, noise(700_000, seed: 1)))
        #expect(isMalformed(try refusal(builder.bytes, pieceBytes: 5000)))
    }

    @Test("with deltas that break the format")
    func deltas() throws {
        let base = Array("a base of some length".utf8)
        let size = UInt8(base.count)
        let deltas: [[UInt8]] = [
            [], [size], [size, 5], [size + 1, 1, 1, 65], [size, 1, 0], [size, 2, 1, 65], [size, 1, 2, 65, 66],
            [size, 1, 2, 65], [size, 10, 0x91, size - 2, 10], [size, 10, 0x91],
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
            [size, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], [size, 5, 0x9f, 255, 255, 255, 255, 5],
        ]
        for delta in deltas {
            var builder = PackBuilder()
            try builder.add(.blob, base)
            builder.add(.offsetDelta(0, delta))
            #expect(isMalformed(try refusal(builder.bytes)), "\(delta)")
        }
    }

    @Test("whose deltas have no base, or form a circle")
    func bases() throws {
        let text = Array("text".utf8)
        let nowhere = try #require(GitOID(hex: String(repeating: "1", count: 40)))
        var builder = PackBuilder()
        builder.add(.referenceDelta(nowhere, PackBuilder.delta(from: text, to: text)))
        #expect(try refusal(builder.bytes) == .missingBase(nowhere))
        let (one, two) = (noise(500, seed: 1), noise(500, seed: 1) + [1])
        let names = (try ObjectHasher.name(of: .blob, one), try ObjectHasher.name(of: .blob, two))
        builder = PackBuilder()
        builder.add(.referenceDelta(names.1, PackBuilder.delta(from: two, to: one)))
        builder.add(.referenceDelta(names.0, PackBuilder.delta(from: one, to: two)))
        #expect(try refusal(builder.bytes) == .missingBase(min(names.0, names.1)))
    }

    @Test("that hold an object twice")
    func twice() throws {
        var builder = PackBuilder()
        let oid = try builder.add(.blob, "hello\n")
        try builder.add(.blob, "hello\n")
        #expect(try refusal(builder.bytes) == .duplicateObject(oid))
    }

    @Test("that leave out what they name")
    func missing() throws {
        let nowhere = try #require(GitOID(hex: String(repeating: "1", count: 40)))
        var builder = PackBuilder()
        let treeOfNothing = try builder.add(tree: [(0o100644, "file", nowhere)])
        #expect(try refusal(builder.bytes) == .missingObject(nowhere, .blob))
        builder = PackBuilder()
        try builder.add(commitOf: treeOfNothing)
        #expect(try refusal(builder.bytes) == .missingObject(treeOfNothing, .tree))
        builder = PackBuilder()
        let tree = try builder.add(tree: [])
        try builder.add(commitOf: tree, parents: [nowhere])
        #expect(try refusal(builder.bytes) == .missingObject(nowhere, .commit))
        builder = PackBuilder()
        try builder.add(.tag, "object \(nowhere)\ntype commit\ntag x\ntagger Ada <a@example.com> 1 +0000\n\n")
        #expect(try refusal(builder.bytes) == .missingObject(nowhere, .commit))
        #expect(try refusal(whole().bytes, tips: [nowhere]) == .missingObject(nowhere, nil))
        // A commit of another repository, as in a submodule, need not be there.
        builder = PackBuilder()
        try builder.add(tree: [(0o160000, "module", nowhere)])
        _ = try made.receive(builder.bytes)
    }

    @Test("that name objects as what they are not")
    func types() throws {
        var builder = PackBuilder()
        let blob = try builder.add(.blob, "hello\n")
        try builder.add(commitOf: blob)
        #expect(try refusal(builder.bytes) == .wrongType(blob, expected: .tree, found: .blob))
        builder = PackBuilder()
        let tree = try builder.add(tree: [])
        try builder.add(tree: [(0o100644, "file", tree)])
        #expect(try refusal(builder.bytes) == .wrongType(tree, expected: .blob, found: .tree))
        // The same against an object that the repository has.
        var stored = PackBuilder()
        try stored.add(.blob, "hello\n")
        let first = try made.push(stored.bytes)
        builder = PackBuilder()
        try builder.add(tree: [(0o40000, "folder", blob)])
        #expect(try refusal(builder.bytes, onto: [first]) == .wrongType(blob, expected: .tree, found: .blob))
    }

    @Test("over a limit")
    func limits() throws {
        let pack = try whole().bytes
        let changes: [(inout ReceiveLimits) -> Void] = [
            { $0.maximumPackBytes = Int64(pack.count - 1) }, { $0.maximumObjects = 2 }, { $0.maximumBlobBytes = 5 },
            { $0.maximumStructureBytes = 30 }, { $0.maximumInflatedBytes = 100 }, { $0.maximumTreeEntries = 0 },
            { $0.maximumReferences = 1 },
        ]
        for change in changes {
            var limits = ReceiveLimits()
            change(&limits)
            #expect(isOverLimit(try refusal(pack, limits: limits)))
        }
        var builder = PackBuilder()
        let base = noise(1000, seed: 1)
        try builder.add(.blob, base)
        builder.add(.offsetDelta(0, PackBuilder.delta(from: base, to: base + base)))
        var limits = ReceiveLimits()
        limits.maximumDeltaObjectBytes = 1999
        #expect(isOverLimit(try refusal(builder.bytes, limits: limits)))
    }

    @Test("that claim to be huge cost no memory")
    func claims() throws {
        var builder = PackBuilder()
        builder.claimedCount = Int(UInt32.max)
        builder.add(.raw([]))
        #expect(isOverLimit(try refusal(builder.bytes)))
        builder = PackBuilder()
        builder.add(.lying(.tree, sizeBytes: 1 << 50, []))
        #expect(isOverLimit(try refusal(builder.bytes)))
        // A delta whose result would not fit anywhere.
        builder = PackBuilder()
        try builder.add(.blob, "base")
        builder.add(.offsetDelta(0, PackBuilder.size(4) + PackBuilder.size(1 << 45) + [1, 65]))
        #expect(isOverLimit(try refusal(builder.bytes)))
    }

    @Test("that are small and make more work than is allowed")
    func bombs() throws {
        var builder = PackBuilder()
        let base = [UInt8](repeating: 0, count: 100_000)
        try builder.add(.blob, base)
        for step in 0..<200 {
            // One copy of all, then a byte that makes it different.
            builder.add(
                .offsetDelta(
                    0,
                    PackBuilder.size(100_000) + PackBuilder.size(100_003) + [0xf0, 0xa0, 0x86, 0x01, 3]
                        + [UInt8(step), 1, 1]))
        }
        #expect(builder.bytes.count < 10_000)
        var limits = ReceiveLimits()
        limits.maximumInflatedBytes = 10_000_000
        #expect(isOverLimit(try refusal(builder.bytes, limits: limits)))
        #expect(try made.receive(builder.bytes).description.objectCount == 201)
    }

    @Test("after a refusal every call gives the same reason")
    func sticky() throws {
        let receiver = try made.store.makeReceiver(
            for: made.uid, existing: made.store.objects(of: made.uid, packs: []), limits: ReceiveLimits())
        let bytes = Array("this is not a pack at all".utf8)
        for _ in 0..<2 {
            #expect(throws: GitStoreError.refused(.malformedPack("it does not begin like a pack of version 2"))) {
                try bytes.withUnsafeBytes { try receiver.append($0) }
            }
        }
        #expect(try made.quarantine().isEmpty)
    }

    @Test("because nobody wants them any more leave nothing")
    func discarded() throws {
        let receiver = try made.store.makeReceiver(
            for: made.uid, existing: made.store.objects(of: made.uid, packs: []), limits: ReceiveLimits())
        let pack = try whole().bytes
        try pack.prefix(40).withUnsafeBytes { try receiver.append($0) }
        #expect(try made.quarantine().count == 1)
        receiver.discard()
        #expect(try made.quarantine().isEmpty)
        #expect(throws: GitStoreError.cancelled) { try receiver.finish(tips: []) { _ in } }
    }
}
