import Foundation
import HubCore
import HubTestSupport
import Identity
import Logging
import MetadataStore
import NIOCore
import ObjectStore
import Synchronization
import Testing

@testable import Repositories

@Suite("Xet service")
struct XetServiceTests {
    @Test("a file that was sent as chunks is an object of the repository, and can be put together again")
    func roundTrip() async throws {
        let site = try await XetSite()
        let sent = SentFile(site.content(300_000, seed: 1))
        let access = try await site.access(.write, to: site.first, by: site.ada)
        #expect(try await site.send(sent, access))
        #expect(try await site.send(sent, access) == false)
        let oid = try #require(try await site.store.xetFile(sent.file)?.oid)
        #expect(try await site.store.object(oid, in: site.first.id) == 300_000)
        #expect(try await site.xet.hashes(of: [oid]) == [oid: sent.file])

        let reading = try await site.access(.read, to: site.first, by: site.ada)
        #expect(try await site.fetch(sent.file, nil, reading) == sent.content)
        for range in [0...0, 5000...200_000, 299_999...400_000] as [ClosedRange<Int64>] {
            let expected = Array(sent.content[Int(range.lowerBound)...Int(min(range.upperBound, 299_999))])
            #expect(try await site.fetch(sent.file, range, reading) == expected)
        }
        await #expect(throws: XetError.rangeNotSatisfiable(sizeBytes: 300_000)) {
            _ = try await site.xet.plan(of: sent.file, range: 300_000...300_001, for: reading)
        }
        try await site.close()
    }

    @Test("a repository has only what was proved to it")
    func proof() async throws {
        let site = try await XetSite()
        let sent = SentFile(site.content(100_000, seed: 2))
        _ = try await site.send(sent, try await site.access(.write, to: site.first, by: site.ada))
        let bob = try await site.access(.write, to: site.second, by: site.bob)
        // Its name is known, its content is not.
        await #expect(throws: XetError.fileNotFound) {
            _ = try await site.xet.plan(of: sent.file, range: nil, for: bob)
        }
        let forged = ShardTerm(xorb: sent.xorb, rawBytes: 100_000, chunks: 0..<sent.chunks.count, check: .zero)
        let shard = XorbBuilder.shard(file: sent.file, terms: [forged], sha256: nil)
        await #expect(throws: XetStoreError.unprovedTerm(sent.xorb)) { _ = try await site.register(shard, bob) }
        #expect(try await site.store.xetFile(sent.file, in: site.second.id) == nil)
        // Who has it proves it without sending it, and is not told that it was there.
        #expect(try await site.register(sent.shard(), bob))
        #expect(try await site.register(sent.shard(), bob) == false)
        #expect(try await site.store.xetFile(sent.file, in: site.second.id) != nil)
        try await site.close()
    }

    @Test("nothing of a shard is recorded when its xorb, its name or its SHA-256 is wrong")
    func wrongShards() async throws {
        let site = try await XetSite()
        let sent = SentFile(site.content(100_000, seed: 3))
        let access = try await site.access(.write, to: site.first, by: site.ada)
        await #expect(throws: XetStoreError.missingXorb(sent.xorb)) {
            _ = try await site.register(sent.shard(), access)
        }
        _ = try await site.xet.receiveXorb(sent.xorb, body: site.body(sent.serialized), for: access)
        let other = ObjectID(digest: [UInt8](repeating: 1, count: 32))
        await #expect(throws: XetStoreError.self) { _ = try await site.register(sent.shard(sha256: other), access) }
        await #expect(throws: XetFormatError.self) {
            _ = try await site.register(Array(sent.shard().dropLast(60)), access)
        }
        #expect(try await site.store.xetFile(sent.file) == nil)
        #expect(try await site.store.storedObjects().items.isEmpty)
        try await site.close()
    }

    @Test("tokens do what they say for as long as their holder may")
    func tokens() async throws {
        let site = try await XetSite()
        let read = try await site.xet.token(.read, for: site.first, to: .account(site.ada))
        await #expect(throws: XetError.rightTooNarrow) { _ = try await site.xet.access(read.text, for: .propose) }
        await #expect(throws: XetError.invalidToken) { _ = try await site.xet.access(read.text + "0", for: .read) }
        await #expect(throws: XetError.invalidToken) {
            _ = try await site.xet.access(read.text.replacingOccurrences(of: ".read.", with: ".write."), for: .write)
        }
        // Bob sees nothing of a private repository.
        await #expect(throws: IdentityError.self) {
            _ = try await site.xet.token(.read, for: site.first, to: .account(site.bob))
        }
        site.clock.advance(by: 3700)
        await #expect(throws: XetError.expiredToken) { _ = try await site.xet.access(read.text, for: .read) }
        let link = site.xet.link(to: XorbGrant(xorb: .zero, range: 3..<9))
        #expect(try site.xet.grant(of: link) == XorbGrant(xorb: .zero, range: 3..<9))
        site.clock.advance(by: 3600)
        #expect(throws: XetError.expiredToken) { _ = try site.xet.grant(of: link) }
        try await site.close()
    }

    @Test("who loses the right to a repository loses its tokens")
    func lostRight() async throws {
        let site = try await XetSite()
        let token = try await site.xet.token(.write, for: site.second, to: .account(site.bob))
        _ = try await site.xet.access(token.text, for: .write)
        _ = try await site.store.deleteRepository(site.second.id, audit: XetSite.audit)
        await #expect(throws: IdentityError.self) { _ = try await site.xet.access(token.text, for: .write) }
        try await site.close()
    }

    @Test("tells of chunks to those who may read them, and to nobody else")
    func deduplication() async throws {
        let site = try await XetSite()
        let sent = SentFile(site.content(400_000, seed: 4))
        _ = try await site.send(sent, try await site.access(.write, to: site.first, by: site.ada))
        let landmark = try #require(sent.chunks.first?.hash)
        let own = try await site.access(.read, to: site.first, by: site.ada)
        let answer = try #require(try await site.xet.deduplication(for: landmark, access: own))
        // Under a key: no hash of a chunk is in it.
        for chunk in sent.chunks { #expect(Data(answer).range(of: Data(chunk.hash.bytes)) == nil) }
        let foreign = try await site.access(.read, to: site.second, by: site.bob)
        #expect(try await site.xet.deduplication(for: landmark, access: foreign) == nil)
        #expect(try await site.xet.deduplication(for: .zero, access: own) == nil)
        try await site.close()
    }

    @Test("objects that came by Git LFS can be fetched by chunks and used by later files")
    func chunksObjects() async throws {
        let site = try await XetSite()
        let sent = SentFile(site.content(600_000, seed: 5))
        let object = try await site.objects.put(nil, sizeBytes: nil, body: site.body(sent.content))
        try await site.store.linkObject(object.id, sizeBytes: object.sizeBytes, repository: site.first.id, account: nil)
        let maintenance = XetMaintenance(xet: site.xet, logger: Logger(label: "test"))
        var refused: Set<ObjectID> = []
        try await maintenance.chunkObjects(refused: &refused)
        #expect(refused.isEmpty)
        #expect(try await site.xet.hashes(of: [object.id]) == [object.id: sent.file])
        let access = try await site.access(.write, to: site.first, by: site.ada)
        #expect(try await site.fetch(sent.file, nil, access) == sent.content)
        // A file of some of its chunks, of which nothing is sent.
        let part = 2..<6
        let file = XetHashing.file(of: sent.chunks[part])
        _ = try await site.register(XorbBuilder.shard(file: file, terms: [sent.term(part)], sha256: nil), access)
        #expect(try await site.fetch(file, nil, access) == sent.content(part))
        // The object stays although nobody links it, as long as the other file is made of it.
        let found = try #require(try await site.store.xetFile(file))
        try await site.unlink(object.id)
        #expect(try await site.store.claimUnlinkedObjects(unlinkedBefore: .distantFuture).isEmpty)
        try await site.unlink(found.oid)
        #expect(try await site.sweep() == [found.oid])
        #expect(try await site.sweep() == [object.id])
        #expect(try await site.store.xorbState(sent.xorb) == .unknown)
        try await site.close()
    }

    @Test("an object that came whole and comes again as chunks is stored once")
    func wholeAndChunks() async throws {
        let site = try await XetSite()
        let sent = SentFile(site.content(300_000, seed: 7))
        let object = try await site.objects.put(nil, sizeBytes: nil, body: site.body(sent.content))
        try await site.store.linkObject(object.id, sizeBytes: object.sizeBytes, repository: site.first.id, account: nil)
        let access = try await site.access(.write, to: site.first, by: site.ada)
        _ = try await site.send(sent, access)
        let hex = object.id.hex
        let place = site.folder.file("objects/\(hex.prefix(2))/\(hex.dropFirst(2).prefix(2))/\(hex)")
        #expect(!FileManager.default.fileExists(atPath: place))
        try await site.objects.verify(object.id) { _ in }
        try await site.xet.chunk(object.id)
        #expect(try await site.fetch(sent.file, nil, access) == sent.content)
        try await site.close()
    }

    @Test("xorbs go some weeks after the last file that used them, and not before")
    func sweep() async throws {
        let site = try await XetSite()
        let sent = SentFile(site.content(100_000, seed: 6))
        let access = try await site.access(.write, to: site.first, by: site.ada)
        _ = try await site.send(sent, access)
        let maintenance = XetMaintenance(xet: site.xet, logger: Logger(label: "test"))
        let later = Date().addingTimeInterval(XetMaintenance.grace + 3600)
        #expect(try await maintenance.sweep(now: later) == 0)
        let oid = try #require(try await site.store.xetFile(sent.file)?.oid)
        try await site.unlink(oid)
        #expect(try await site.sweep() == [oid])
        #expect(try await maintenance.sweep(now: Date().addingTimeInterval(3600)) == 0)
        #expect(try await site.store.xorbState(sent.xorb) == .stored)
        #expect(try await maintenance.sweep(now: later) == 1)
        #expect(try await site.store.xorbState(sent.xorb) == .unknown)
        #expect(try await site.objects.statXorb(sent.xorb) == nil)
        // A client that remembers it is told.
        await #expect(throws: XetStoreError.missingXorb(sent.xorb)) {
            _ = try await site.register(sent.shard(), access)
        }
        try await site.close()
    }

    @Test("another generation begins when files and rows are of different times")
    func generation() async throws {
        let site = try await XetSite()
        let again = try await site.openService()
        #expect(again.generation == site.xet.generation)
        try FileManager.default.removeItem(atPath: site.folder.file("objects/xorbs/generation"))
        let restored = try await site.openService()
        #expect(restored.generation != site.xet.generation)
        try await site.close()
    }
}
