import Foundation
import HubCore
import HubTestSupport
import NIOCore
import ObjectStore
import Testing

@Suite("Object store")
struct FileObjectStoreTests {
    @Test("stores an object read-only under its hash and gives it back", arguments: [0, 1, 999, 70_000, 5_000_000])
    func storesAndReads(size: Int) async throws {
        let objects = try TestObjects()
        let content = TestContent(size)
        let stored = try await objects.store.put(content.id, sizeBytes: content.size, body: content.body(piece: 65_000))
        #expect(stored.id == content.id && stored.sizeBytes == content.size)
        #expect(try await objects.read(content.id) == content.bytes)
        #expect(try await objects.store.stat(content.id)?.sizeBytes == content.size)
        let attributes = try FileManager.default.attributesOfItem(atPath: objects.path(of: content.id))
        #expect(attributes[.posixPermissions] as? Int == 0o440)
        #expect(try objects.staged.isEmpty)
        try await objects.store.verify(content.id) { _ in }
    }

    @Test("takes any hash and size when none is announced")
    func takesUnannounced() async throws {
        let objects = try TestObjects()
        let content = TestContent(10_000)
        #expect(try await objects.store.put(nil, sizeBytes: nil, body: content.body()).id == content.id)
    }

    @Test("reads any range in pieces of the size asked for")
    func readsRanges() async throws {
        let objects = try TestObjects()
        let content = TestContent(300_000)
        _ = try await objects.store.put(content.id, sizeBytes: content.size, body: content.body())
        for range in [0..<1, 299_999..<300_000, 0..<300_000, 1234..<200_001, 5..<5] as [Range<Int64>] {
            let bytes = try await objects.read(content.id, range, pieceBytes: 4096)
            #expect(bytes == Array(content.bytes[Int(range.lowerBound)..<Int(range.upperBound)]))
        }
    }

    @Test("refuses content of another hash and keeps nothing of it")
    func refusesWrongHash() async throws {
        let objects = try TestObjects()
        let announced = TestContent(5000, seed: 1)
        let sent = TestContent(5000, seed: 2)
        await #expect(throws: ObjectStoreError.wrongHash(expected: announced.id, actual: sent.id)) {
            _ = try await objects.store.put(announced.id, sizeBytes: 5000, body: sent.body())
        }
        #expect(try await objects.store.stat(announced.id) == nil)
        #expect(try await objects.store.stat(sent.id) == nil)
        #expect(try objects.staged.isEmpty)
    }

    @Test("refuses content of another size: too short at its end, too long at once")
    func refusesWrongSize() async throws {
        let objects = try TestObjects()
        let content = TestContent(5000)
        await #expect(throws: ObjectStoreError.wrongSize(expected: 5001, actual: 5000)) {
            _ = try await objects.store.put(content.id, sizeBytes: 5001, body: content.body())
        }
        await #expect(throws: ObjectStoreError.wrongSize(expected: 1500, actual: 2000)) {
            _ = try await objects.store.put(content.id, sizeBytes: 1500, body: content.body())
        }
        #expect(try objects.staged.isEmpty)
    }

    @Test("keeps nothing of an upload that breaks off, and takes it again")
    func dropsBrokenUpload() async throws {
        let objects = try TestObjects()
        let content = TestContent(9_000_000)
        await #expect(throws: ClientGone.self) {
            let broken = TestContent(8_000_000).body(piece: 65_536, failure: ClientGone())
            _ = try await objects.store.put(content.id, sizeBytes: content.size, body: broken)
        }
        #expect(try objects.staged.isEmpty)
        #expect(try await objects.store.stat(content.id) == nil)
        _ = try await objects.store.put(content.id, sizeBytes: content.size, body: content.body(piece: 65_536))
        #expect(try await objects.store.stat(content.id) != nil)
    }

    @Test("demands the bytes of an object that is there already, and writes none of them")
    func demandsProof() async throws {
        let objects = try TestObjects()
        let content = TestContent(200_000)
        _ = try await objects.store.put(content.id, sizeBytes: content.size, body: content.body())
        let inode = try FileManager.default.attributesOfItem(atPath: objects.path(of: content.id))[.systemFileNumber] as? Int
        await #expect(throws: ObjectStoreError.self) {
            _ = try await objects.store.put(content.id, sizeBytes: content.size, body: TestContent(200_000, seed: 9).body())
        }
        let (gate, open) = AsyncStream<Void>.makeStream()
        let store = objects.store
        async let again = store.put(content.id, sizeBytes: content.size, body: PausedBody(content: content, gate: gate))
        #expect(try objects.staged.isEmpty)
        open.yield()
        _ = try await again
        let after = try FileManager.default.attributesOfItem(atPath: objects.path(of: content.id))[.systemFileNumber] as? Int
        #expect(inode == after)
    }

    @Test("stores an object once that two clients send at the same time")
    func storesOnce() async throws {
        let objects = try TestObjects()
        let content = TestContent(9_000_000)
        let (gate, open) = AsyncStream<Void>.makeStream()
        let store = objects.store
        async let slow = store.put(content.id, sizeBytes: content.size, body: PausedBody(content: content, gate: gate))
        let fast = try await store.put(content.id, sizeBytes: content.size, body: content.body(piece: 65_536))
        let inode = try FileManager.default.attributesOfItem(atPath: objects.path(of: content.id))[.systemFileNumber] as? Int
        open.yield()
        let second = try await slow
        #expect(fast.id == second.id)
        #expect(inode == (try FileManager.default.attributesOfItem(atPath: objects.path(of: content.id))[.systemFileNumber] as? Int))
        #expect(try objects.staged.isEmpty)
    }

    @Test("mends an object whose file was cut short when it is sent again")
    func mends() async throws {
        let objects = try TestObjects()
        let content = TestContent(50_000)
        _ = try await objects.store.put(content.id, sizeBytes: content.size, body: content.body())
        #expect(truncate(objects.path(of: content.id), 0) == 0)
        await #expect(throws: ObjectStoreError.damaged(content.id)) { try await objects.store.verify(content.id) { _ in } }
        _ = try await objects.store.put(content.id, sizeBytes: content.size, body: content.body())
        #expect(try await objects.read(content.id) == content.bytes)
    }

    @Test("finds a changed byte, and is mended by sending the object again")
    func findsBitRot() async throws {
        let objects = try TestObjects()
        let content = TestContent(5_000_000)
        _ = try await objects.store.put(content.id, sizeBytes: content.size, body: content.body(piece: 65_536))
        let file = open(objects.path(of: content.id), O_WRONLY)
        #expect(pwrite(file, [content.bytes[4_321_000] ^ 1], 1, 4_321_000) == 1)
        close(file)
        await #expect(throws: ObjectStoreError.damaged(content.id)) { try await objects.store.verify(content.id) { _ in } }
        _ = try await objects.store.put(content.id, sizeBytes: content.size, body: content.body(piece: 65_536))
        try await objects.store.verify(content.id) { _ in }
    }

    @Test("deletes what nobody touched since a date, and no open reader minds")
    func deletes() async throws {
        let objects = try TestObjects()
        let content = TestContent(3_000_000)
        let before = Date()
        _ = try await objects.store.put(content.id, sizeBytes: content.size, body: content.body(piece: 65_536))
        #expect(try await !objects.store.delete(content.id, unlessTouchedSince: before))
        let reader = try await objects.store.open(content.id)
        #expect(try await objects.store.delete(content.id, unlessTouchedSince: Date() + 1))
        #expect(try await objects.store.stat(content.id) == nil)
        var count = 0
        for try await piece in reader.read(0..<content.size, pieceBytes: 1 << 20) { count += piece.readableBytes }
        #expect(count == 3_000_000)
        await #expect(throws: ObjectStoreError.missing(content.id)) { _ = try await objects.store.open(content.id) }
        #expect(try await objects.store.delete(content.id, unlessTouchedSince: before))
    }

    @Test("does not delete an object that is being sent, nor one that was just proved again")
    func keepsProved() async throws {
        let objects = try TestObjects()
        let content = TestContent(200_000)
        _ = try await objects.store.put(content.id, sizeBytes: content.size, body: content.body())
        let (gate, open) = AsyncStream<Void>.makeStream()
        let store = objects.store
        let (begun, began) = AsyncStream<Void>.makeStream()
        let body = AnnouncingBody(base: PausedBody(content: content, gate: gate), began: began)
        async let again = store.put(content.id, sizeBytes: content.size, body: body)
        for await _ in begun { break }
        #expect(try await !store.delete(content.id, unlessTouchedSince: Date() + 1))
        open.yield()
        let proved = try await again
        #expect(try await !store.delete(content.id, unlessTouchedSince: proved.touchedAt - 1))
    }

    @Test("lists objects in the order of their names, page by page")
    func lists() async throws {
        let objects = try TestObjects()
        var ids: [ObjectID] = []
        for seed in 1...20 {
            ids.append(try await objects.store.put(nil, sizeBytes: nil, body: TestContent(10, seed: UInt64(seed)).body()).id)
        }
        var listed: [ObjectID] = []
        while true {
            let page = try await objects.store.list(after: listed.last, limit: 7)
            listed += page.map(\.id)
            if page.count < 7 { break }
        }
        #expect(listed == ids.sorted())
    }

    @Test("removes at start what an earlier process left unfinished")
    func cleansStaging() throws {
        let objects = try TestObjects()
        try Data("x".utf8).write(to: URL(filePath: objects.folder.file("staging/object-left")))
        try Data("x".utf8).write(to: URL(filePath: objects.folder.file("staging/incoming-of-git")))
        _ = try objects.reopen()
        #expect(try objects.staged == ["incoming-of-git"])
    }

    @Test("refuses what would leave less free space than is to be kept")
    func keepsReserve() async throws {
        let objects = try TestObjects(reserveBytes: 1 << 60)
        await #expect(throws: ObjectStoreError.outOfSpace) {
            _ = try await objects.store.put(nil, sizeBytes: 10, body: TestContent(10).body())
        }
        await #expect(throws: ObjectStoreError.outOfSpace) {
            _ = try await objects.store.put(nil, sizeBytes: nil, body: TestContent(10).body())
        }
        await #expect(throws: ObjectStoreError.outOfSpace) { try await objects.store.checkWritable() }
        #expect(try objects.staged.isEmpty)
    }
}

/// Tells when its first bytes are asked for.
struct AnnouncingBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let base: PausedBody
    let began: AsyncStream<Void>.Continuation

    struct Iterator: AsyncIteratorProtocol {
        var base: PausedBody.Iterator
        let began: AsyncStream<Void>.Continuation

        mutating func next() async -> ByteBuffer? {
            began.yield()
            return await base.next()
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(base: base.makeAsyncIterator(), began: began) }
}
