import Foundation
import HubCore
import Testing

@testable import GitStore

/// Random damage to files of the store: every answer is a value or a `GitStoreError`, never a crash or an endless loop.
@Suite("Damaged packs and indexes")
struct DamageTests {
    private static let cases = ProcessInfo.processInfo.environment["CSGHUB_FULL_TESTS"] == "1" ? 100_000 : 600

    /// The bytes of a small pack and its index, and its description.
    private struct Original {
        let pack: [UInt8]
        let index: [UInt8]
        let description: PackDescription
        let names: [GitOID]

        init() throws {
            let store = try TestStore.history(History(commits: 20, seed: 8))
            description = try store.describePacks()[0]
            let base = "\(store.packFolder)/pack-\(description.id)"
            pack = [UInt8](try Data(contentsOf: URL(fileURLWithPath: base + ".pack")))
            index = [UInt8](try Data(contentsOf: URL(fileURLWithPath: base + ".idx")))
            names = try store.list("--all").sorted()
        }
    }

    @Test("of the index are refused or harmless")
    func indexes() throws {
        try run { original, random, folder in
            var index = original.index
            damage(&index, &random)
            return try open(original, pack: original.pack, index: index, in: folder)
        }
    }

    @Test("of the pack are refused or harmless")
    func packs() throws {
        try run { original, random, folder in
            var pack = original.pack
            damage(&pack, &random)
            return try open(original, pack: pack, index: original.index, in: folder)
        }
    }

    private func run(
        _ open: (Original, inout SeededGenerator, TemporaryFolder) throws -> GitObjects?
    ) throws {
        let original = try Original()
        let folder = try TemporaryFolder()
        let seed = UInt64.random(in: .min ... .max)
        print("damage seed \(seed)")
        var random = SeededGenerator(state: seed)
        var opened = 0
        for _ in 0..<Self.cases {
            guard let objects = try open(original, &random, folder) else { continue }
            opened += 1
            try exercise(objects, original, &random)
        }
        #expect(opened > 0, "seed \(seed)")
    }

    /// Opens damaged files; `nil` when they are refused.
    private func open(_ original: Original, pack: [UInt8], index: [UInt8], in folder: TemporaryFolder) throws
        -> GitObjects?
    {
        // Unlinked first: files that are mapped must not change under their readers.
        for (name, bytes) in [("pack", pack), ("idx", index)] {
            let path = "\(folder.path)/pack-\(original.description.id).\(name)"
            unlink(path)
            try Data(bytes).write(to: URL(fileURLWithPath: path))
        }
        do throws(GitStoreError) {
            let opened = try Pack(original.description, folder: folder.path)
            return try GitObjects(packs: [original.description], opened: [opened])
        } catch {
            return nil
        }
    }

    private func exercise(_ objects: GitObjects, _ original: Original, _ random: inout SeededGenerator) throws {
        if Bool.random(using: &random) { _ = objects.table }
        for _ in 0..<6 {
            guard let name = original.names.randomElement(using: &random) else { return }
            allowingErrors { () throws(GitStoreError) in
                if let header = try objects.header(of: name), header.sizeBytes < 0 { Issue.record("a size below zero") }
                _ = try objects.read(name, limit: 1 << 20)
                _ = try objects.peel(name)
            }
        }
        guard Int.random(in: 0..<16, using: &random) == 0 else { return }
        let request = FetchRequest(wants: Array(original.names.shuffled(using: &random).prefix(3)), isThin: true)
        allowingErrors { () throws(GitStoreError) in try objects.writePack(request) { _ in } }
    }

    private func allowingErrors(_ body: () throws(GitStoreError) -> Void) {
        do throws(GitStoreError) { try body() } catch {}
    }

    /// Changes, adds, removes or cuts off bytes; more often in the first ones, where the formats have their structure.
    private func damage(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        for _ in 0...Int.random(in: 0...2, using: &random) {
            let limit = Bool.random(using: &random) ? min(bytes.count, 2048) : bytes.count
            guard limit > 0 else { return }
            let place = Int.random(in: 0..<limit, using: &random)
            switch Int.random(in: 0..<12, using: &random) {
            case 0: bytes.removeSubrange(place...)
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: place)
            case 3: for index in place..<min(place + 4, bytes.count) { bytes[index] = 0xff }
            default: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
        }
    }
}

/// A generator that a printed seed repeats.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
