import FoundationEssentials
import HubCore
import HubTestSupport
import NIOCore
import Testing

@testable import ObjectStore

@Suite("Xorbs and recipes")
struct XetStoreTests {
    private let objects: TestObjects
    private var store: FileObjectStore { objects.store }

    init() throws { objects = try TestObjects() }

    // MARK: - Xorbs

    @Test("stores a xorb raw and gives it back as clients read it", arguments: [100, 70_000])
    func storesXorb(piece: Int) async throws {
        let sent = SentFile(XetVector.noise.content)
        let stored = try await store.putXorb(sent.xorb, isKnown: false, body: sent.body(piece: piece))
        #expect(stored.chunkCount == sent.chunks.count && stored.rawBytes == sent.content.count && stored.source == nil)
        let table = try await store.xorbTable(sent.xorb)
        #expect(table.chunks == sent.chunks)
        #expect(table.serializedBytes == sent.serialized.count)
        for range in [0..<sent.serialized.count, 3..<100, 9..<200_000, 131_000..<131_001] {
            var bytes: [UInt8] = []
            for try await part in store.readXorb(table, range, pieceBytes: 10_007) { bytes += part.readableBytesView }
            #expect(bytes == Array(sent.serialized[range]))
        }
        try await store.verifyXorb(sent.xorb) { _ in }
        #expect(try await store.listXorbs(after: nil, limit: 10).map(\.hash) == [sent.xorb])
        #expect(try objects.staged.isEmpty)
    }

    @Test("keeps nothing of a xorb that is not what it says, or is cut short")
    func refusesXorb() async throws {
        let sent = SentFile(XetVector.one.content)
        let other = try #require(XetHash(hex: XetVector.noise.xorb))
        await #expect(throws: XetFormatError.wrongXorbHash(expected: other, actual: sent.xorb)) {
            _ = try await store.putXorb(other, isKnown: false, body: sent.body())
        }
        await #expect(throws: ClientGone.self) {
            _ = try await store.putXorb(sent.xorb, isKnown: false, body: sent.body(failure: ClientGone()))
        }
        #expect(try await store.statXorb(sent.xorb) == nil)
        #expect(try await store.statXorb(other) == nil)
        #expect(try objects.staged.isEmpty)
    }

    @Test("only checks a xorb that is known, and stores it again when its file is gone")
    func knownXorb() async throws {
        let sent = SentFile(XetVector.one.content)
        _ = try await store.putXorb(sent.xorb, isKnown: false, body: sent.body())
        _ = try await store.putXorb(sent.xorb, isKnown: true, body: sent.body())
        #expect(try await store.deleteXorb(sent.xorb, unlessTouchedSince: .distantFuture))
        #expect(try await store.statXorb(sent.xorb) == nil)
        _ = try await store.putXorb(sent.xorb, isKnown: true, body: sent.body())
        try await store.verifyXorb(sent.xorb) { _ in }
    }

    @Test("finds a changed byte of a xorb, of its table and of its trailer")
    func damagedXorb() async throws {
        let sent = SentFile(XetVector.one.content)
        for place in [10, sent.content.count + 3, sent.content.count + 37] {
            _ = try await store.putXorb(sent.xorb, isKnown: false, body: sent.body())
            try objects.damage(
                "xorbs/\(sent.xorb.hex.prefix(2))/\(sent.xorb.hex.dropFirst(2).prefix(2))/\(sent.xorb)", at: place)
            let fresh = try objects.reopen()
            await #expect(throws: XetStoreError.damagedXorb(sent.xorb)) {
                try await fresh.verifyXorb(sent.xorb) { _ in }
            }
            await fresh.close()
        }
    }

    // MARK: - Recipes

    @Test("an object that is a recipe opens, lists, verifies and goes like any other")
    func recipe() async throws {
        let first = SentFile(Array(XetVector.noise.content.prefix(900_000)))
        let second = SentFile(Array(XetVector.noise.content.suffix(700_000)))
        for file in [first, second] { _ = try await store.putXorb(file.xorb, isKnown: false, body: file.body()) }
        // All of the first, some of the second, and a piece of the first again.
        let terms = [first.term(0..<first.chunks.count), second.term(2..<5), first.term(1..<3)]
        let content = TestContent(bytes: first.content + second.content(2..<5) + first.content(1..<3))
        let chunks = first.chunks + second.chunks[2..<5] + first.chunks[1..<3]
        let file = try await prepare(XetHashing.file(of: chunks), terms, sha256: content.id)
        #expect(file.id == content.id && file.sizeBytes == content.size)
        #expect(Set(file.xorbs) == [first.xorb, second.xorb])
        _ = try await store.publish(file, replaces: true)

        #expect(try await objects.read(content.id) == content.bytes)
        for range in [0..<1, 899_999..<900_001, 5..<content.size, content.size - 1..<content.size] as [Range<Int64>] {
            let expected = Array(content.bytes[Int(range.lowerBound)..<Int(range.upperBound)])
            #expect(try await objects.read(content.id, range, pieceBytes: 4096) == expected)
            #expect(try await objects.readFileParts(content.id, range) == expected)
        }
        #expect(try await store.stat(content.id)?.sizeBytes == content.size)
        #expect(try await store.list(after: nil, limit: 10).map(\.id) == [content.id])
        #expect(try await store.list(after: content.id, limit: 10).isEmpty)
        try await store.verify(content.id) { _ in }
        // Whoever sends it by Git LFS proves that they have it, and nothing is stored again.
        let before = try objects.storedBytes
        _ = try await store.put(content.id, sizeBytes: content.size, body: content.body())
        #expect(try objects.storedBytes == before)
        #expect(try await store.delete(content.id, unlessTouchedSince: .distantPast) == false)
        #expect(try await store.delete(content.id, unlessTouchedSince: .distantFuture))
        await #expect(throws: ObjectStoreError.missing(content.id)) { _ = try await store.open(content.id) }
        #expect(try objects.staged.isEmpty)
    }

    @Test("refuses files that are not what they say, or not proved")
    func refusesFiles() async throws {
        let sent = SentFile(Array(XetVector.noise.content.prefix(400_000)))
        _ = try await store.putXorb(sent.xorb, isKnown: false, body: sent.body())
        let whole = sent.term(0..<sent.chunks.count)
        let unknown = try #require(XetHash(hex: XetVector.one.xorb))
        let cases: [(ShardTerm, XetStoreError)] = [
            (
                ShardTerm(xorb: unknown, rawBytes: whole.rawBytes, chunks: whole.chunks, check: whole.check),
                .missingXorb(unknown)
            ),
            (
                ShardTerm(xorb: sent.xorb, rawBytes: whole.rawBytes - 1, chunks: whole.chunks, check: whole.check),
                .wrongTerm(sent.xorb)
            ),
            (
                ShardTerm(
                    xorb: sent.xorb, rawBytes: whole.rawBytes, chunks: 0..<(sent.chunks.count + 1), check: whole.check),
                .wrongTerm(sent.xorb)
            ),
            (
                ShardTerm(xorb: sent.xorb, rawBytes: whole.rawBytes, chunks: whole.chunks, check: .zero),
                .unprovedTerm(sent.xorb)
            ),
        ]
        for (term, error) in cases {
            await #expect(throws: error) { _ = try await prepare(sent.file, [term], sha256: nil) }
        }
        await #expect(throws: XetStoreError.wrongFileHash(expected: unknown, actual: sent.file)) {
            _ = try await prepare(unknown, [whole], sha256: nil)
        }
        let other = TestContent(10)
        await #expect(
            throws: XetStoreError.wrongSHA256(expected: other.id, actual: TestContent(bytes: sent.content).id)
        ) {
            _ = try await prepare(sent.file, [whole], sha256: other.id)
        }
        await #expect(throws: XetStoreError.fileTooLarge(limit: 1000)) {
            _ = try await prepare(sent.file, [whole], sha256: nil, limit: 1000)
        }
        #expect(try await store.list(after: nil, limit: 10).isEmpty)
        #expect(try objects.staged.isEmpty)
    }

    @Test("a recipe whose xorb is gone or shorter is damaged, never short")
    func damagedRecipe() async throws {
        let sent = SentFile(Array(XetVector.noise.content.prefix(400_000)))
        _ = try await store.putXorb(sent.xorb, isKnown: false, body: sent.body())
        let content = TestContent(bytes: sent.content)
        let file = try await prepare(sent.file, [sent.term(0..<sent.chunks.count)], sha256: nil)
        _ = try await store.publish(file, replaces: true)
        #expect(try await store.deleteXorb(sent.xorb, unlessTouchedSince: .distantFuture))
        await #expect(throws: ObjectStoreError.damaged(content.id)) { _ = try await objects.read(content.id) }
        await #expect(throws: ObjectStoreError.damaged(content.id)) { try await store.verify(content.id) { _ in } }
        // Its next upload by Git LFS mends it.
        _ = try await store.put(content.id, sizeBytes: content.size, body: content.body())
        try await store.verify(content.id) { _ in }
    }

    // MARK: - Objects that came whole

    @Test("cuts an object where it lies, as a client would, and stores no byte of it again")
    func chunking() async throws {
        let vector = XetVector.noise
        let content = TestContent(bytes: vector.content)
        _ = try await store.put(content.id, sizeBytes: content.size, body: content.body(piece: 100_000))
        let chunked = try #require(try await store.chunk(content.id))
        #expect(chunked.file.hash.hex == vector.file)
        #expect(chunked.xorbs.map(\.hash.hex) == [vector.xorb])
        #expect(chunked.xorbs.first?.source == XorbSource(object: content.id, offset: 0))
        _ = try await store.publish(chunked.file, replaces: true)
        #expect(try objects.storedBytes < content.size + 10_000)
        let sent = SentFile(vector.content)
        let table = try await store.xorbTable(sent.xorb)
        var bytes: [UInt8] = []
        for try await part in store.readXorb(table, 0..<table.serializedBytes, pieceBytes: 1 << 20) {
            bytes += part.readableBytesView
        }
        #expect(bytes == sent.serialized)
        try await store.verifyXorb(sent.xorb) { _ in }
        // A file that a client sends then is made of parts of the object.
        let file = try await prepare(
            XetHashing.file(of: sent.chunks[3..<9]), [sent.term(3..<9)], sha256: nil)
        _ = try await store.publish(file, replaces: true)
        #expect(try await objects.read(file.id) == sent.content(3..<9))
        #expect(try await store.list(after: nil, limit: 10).count == 2)
    }

    // MARK: - Helpers

    private func prepare(
        _ hash: XetHash, _ terms: [ShardTerm], sha256: ObjectID?, limit: Int64 = .max, work: ShardWork = ShardWork()
    ) async throws -> PreparedFile {
        let bytes = XorbBuilder.shard(file: hash, terms: terms, sha256: sha256)
        let shard = try await store.receiveShard(TestContent(bytes: bytes).body())
        #expect(try await store.countFiles(of: shard, limit: 10) == 1)
        let file = try #require(try await store.files(of: shard, limit: 10).files.first)
        return try await store.prepare(file, of: shard, known: nil, limit: limit, work: work) { _ in }
    }
}

extension SentFile {
    func body(piece: Int = 50_000, failure: (any Error)? = nil) -> AsyncThrowingStream<ByteBuffer, any Error> {
        TestContent(bytes: serialized).body(piece: piece, failure: failure)
    }
}
