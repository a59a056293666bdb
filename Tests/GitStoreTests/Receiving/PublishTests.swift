import Foundation
import HubCore
import Testing

@testable import GitStore

@Suite("Publishing packs")
struct PublishTests {
    private let made: TestStore
    private let pack: [UInt8]

    init() throws {
        made = try TestStore()
        var builder = PackBuilder()
        try builder.add(.blob, "hello\n")
        pack = builder.bytes
    }

    @Test("moves pack and index into the repository, read-only, and empties the quarantine")
    func publish() throws {
        let description = try made.push(pack)
        let folder = made.store.packFolder(of: made.uid)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        #expect(names == ["pack-\(description.id).idx", "pack-\(description.id).pack"])
        for name in names {
            let mode = try FileManager.default.attributesOfItem(atPath: folder + "/" + name)[.posixPermissions] as? Int
            #expect(mode == 0o440)
        }
        #expect(try made.quarantine().isEmpty)
        #expect(try made.store.packFiles(of: made.uid).map(\.id) == [description.id])
    }

    @Test("the same pack twice changes nothing")
    func twice() throws {
        let first = try made.push(pack)
        let second = try made.push(pack)
        #expect(first.id == second.id)
        #expect(try made.store.packFiles(of: made.uid).count == 1)
        #expect(try made.quarantine().isEmpty)
    }

    @Test("a pack whose index a crash has lost completes it")
    func half() throws {
        let description = try made.push(pack)
        try FileManager.default.removeItem(atPath: made.store.packFolder(of: made.uid) + "/pack-\(description.id).idx")
        try made.push(pack)
        let objects = try made.store.objects(of: made.uid, packs: [description])
        #expect(objects.contains(try ObjectHasher.name(of: .blob, Array("hello\n".utf8))))
    }

    @Test("what is received and not published is gone at once, or at the next start")
    func leftovers() throws {
        var received: ReceivedPack? = try made.receive(pack)
        #expect(received != nil)
        #expect(try made.quarantine().count == 1)
        received = nil
        #expect(try made.quarantine().isEmpty)
        // As a killed process leaves it.
        let left = made.folder.path + "/staging/incoming-0011"
        try FileManager.default.createDirectory(atPath: left, withIntermediateDirectories: true)
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: left + "/pack"))
        _ = try GitStore(
            root: made.folder.path + "/git", staging: made.folder.path + "/staging", threads: GitThreads(count: 1))
        #expect(try made.quarantine().isEmpty)
    }

    @Test("keeps a pack from being removed until its row can be there")
    func pinned() throws {
        var received: ReceivedPack? = try made.receive(pack)
        let description = try made.store.publish(#require(received))
        try made.store.remove(packs: [description.id], of: made.uid)
        #expect(try made.store.packFiles(of: made.uid).count == 1)
        received = nil
        try made.store.remove(packs: [description.id], of: made.uid)
        #expect(try made.store.packFiles(of: made.uid).isEmpty)
    }

    @Test("packs that no row names are removed once they are old, and publishing makes them young")
    func unnamed() throws {
        let description = try made.push(pack)
        let now = Int64(Date().timeIntervalSince1970)
        let folder = made.store.packFolder(of: made.uid)
        #expect(try made.store.removeUnnamedPacks(of: made.uid, named: [description.id], before: now + 60).isEmpty)
        #expect(try made.store.removeUnnamedPacks(of: made.uid, named: [], before: now - 60).isEmpty)
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let old = [FileAttributeKey.modificationDate: Date(timeIntervalSince1970: 1_000_000_000)]
            try FileManager.default.setAttributes(old, ofItemAtPath: folder + "/" + name)
        }
        try made.push(pack)
        #expect(try made.store.removeUnnamedPacks(of: made.uid, named: [], before: now - 60).isEmpty)
        #expect(try made.store.removeUnnamedPacks(of: made.uid, named: [], before: now + 60) == [description.id])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }

    @Test("a received pack reads like a stored one before and after")
    func joined() throws {
        let received = try made.receive(pack)
        let oid = try ObjectHasher.name(of: .blob, Array("hello\n".utf8))
        let empty = try made.store.objects(of: made.uid, packs: [])
        #expect(try received.objects(joinedWith: empty).read(oid, limit: 100).bytes == Array("hello\n".utf8))
        _ = try made.store.publish(received)
        #expect(try received.objects(joinedWith: empty).read(oid, limit: 100).bytes == Array("hello\n".utf8))
    }

    @Test("a full disk is a refusal and leaves nothing")
    func fullDisk() throws {
        // Every write to /dev/full answers ENOSPC, so a file that leads there is a full disk.
        let folder = try TemporaryFolder()
        let file = try OutputFile(creating: folder.path + "/file")
        let full = open("/dev/full", O_RDWR)
        #expect(dup2(full, file.descriptor) == file.descriptor)
        close(full)
        #expect(throws: GitStoreError.diskFull) { try file.append([1, 2, 3]) }
        #expect(GitStoreError.diskFull.problem.kind == .outOfSpace)
    }
}
