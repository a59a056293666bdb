import Foundation
import HubCore
import Testing

@testable import GitStore

extension TestStore {
    /// Receives a pack as a push would, in pieces of `pieceBytes`.
    func receive(
        _ pack: [UInt8], tips: [GitOID] = [], onto packs: [PackDescription] = [], pieceBytes: Int = 65_536,
        limits: ReceiveLimits = ReceiveLimits(), indexWriter: PackIndexWriter = PackIndexWriter()
    ) throws -> ReceivedPack {
        let receiver = try store.makeReceiver(for: uid, existing: store.objects(of: uid, packs: packs), limits: limits)
        try receiver.feed(pack, pieceBytes: pieceBytes)
        return try receiver.finish(tips: tips, indexWriter: indexWriter) { _ in }
    }

    /// Receives and publishes.
    @discardableResult
    func push(_ pack: [UInt8], tips: [GitOID] = [], onto packs: [PackDescription] = []) throws -> PackDescription {
        try store.publish(receive(pack, tips: tips, onto: packs))
    }

    /// What the real git, looking at the published packs alone, says of the objects that the tips reach.
    func checkPublished(tips: [GitOID]) throws {
        let published = GitCommand(folder: store.repositoryFolder(of: uid))
        for (index, tip) in tips.enumerated() { try published("update-ref", "refs/tags/check-\(index)", tip.hex) }
        for name in try FileManager.default.contentsOfDirectory(atPath: store.packFolder(of: uid))
        where name.hasSuffix(".idx") {
            try published("verify-pack", "objects/pack/" + name)
        }
        try published("fsck", "--full", "--strict", "--no-dangling")
        for index in tips.indices { try published("update-ref", "-d", "refs/tags/check-\(index)") }
    }

    /// A pack of everything that the revisions reach.
    func makePack(_ revisions: [String] = ["--all"], options: [String] = ["--delta-base-offset"]) throws -> [UInt8] {
        // `--all` is no revision; the rest is one a line.
        let all = revisions.filter { $0 == "--all" }
        let input = revisions.filter { $0 != "--all" }.map { $0 + "\n" }.joined()
        return try git.run(["pack-objects", "--stdout", "-q", "--revs"] + all + options, input: Array(input.utf8))
    }

    /// All that refs name.
    func tips() throws -> [GitOID] { try references().map(\.oid) }

    /// What is left in quarantine.
    func quarantine() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path + "/staging")
    }
}

extension PackReceiver {
    func feed(_ pack: [UInt8], pieceBytes: Int) throws {
        var start = 0
        while start < pack.count {
            let end = min(start + pieceBytes, pack.count)
            try pack[start..<end].withUnsafeBytes { try append($0) }
            start = end
        }
    }
}

/// Text that compresses badly and differs by seed.
func noise(_ count: Int, seed: UInt64) -> [UInt8] {
    var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    return (0..<count).map { _ in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return UInt8(truncatingIfNeeded: state >> 24)
    }
}
