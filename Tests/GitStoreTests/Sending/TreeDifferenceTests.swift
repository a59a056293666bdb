import HubCore
import Testing

@testable import GitStore

@Suite("Differences between versions of a tree")
struct TreeDifferenceTests {
    @Test(
        "hold every entry that the version before did not have, and no other than those of the tree",
        arguments: 0..<20 as Range<UInt64>)
    func versions(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        var entries: [GitTreeEntry] = []
        var before: Set<GitTreeEntry> = []
        var difference = TreeDifference()
        for version in 0..<200 {
            if version.isMultiple(of: 40) {
                difference.reset()
                before = []
            }
            change(&entries, &random)
            let bytes = TreeParser.encode(entries)
            var yielded: Set<GitTreeEntry> = []
            try bytes.withUnsafeBytes { tree in
                try difference.read(tree) { entry in
                    yielded.insert(GitTreeEntry(mode: entry.mode, name: Array(entry.name), oid: entry.oid))
                }
            }
            let now = Set(entries)
            #expect(yielded.isSubset(of: now))
            #expect(yielded.isSuperset(of: now.subtracting(before)))
            before = now
        }
    }

    private func change(_ entries: inout [GitTreeEntry], _ random: inout SeededGenerator) {
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            let index = entries.isEmpty ? 0 : Int.random(in: 0..<entries.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0 where !entries.isEmpty: entries.remove(at: index)
            case 1 where !entries.isEmpty: entries[index] = entry(name: entries[index].name, &random)
            case 2 where entries.count > 20: entries.removeSubrange(index...)
            default:
                let name = (0..<Int.random(in: 1...9, using: &random)).map { _ in
                    UInt8.random(in: 97...99, using: &random)
                }
                if !entries.contains(where: { $0.name == name }) { entries.append(entry(name: name, &random)) }
            }
        }
        entries.sort { TreeParser.precedes($0, $1) }
    }

    private func entry(name: [UInt8], _ random: inout SeededGenerator) -> GitTreeEntry {
        // Few different bytes, so that what is common does not end at the boundaries of entries.
        let bytes = (0..<20).map { _ in UInt8.random(in: 97...98, using: &random) }
        return GitTreeEntry(mode: GitFileMode.file, name: name, oid: GitOID(bytes: bytes) ?? .zero)
    }
}
