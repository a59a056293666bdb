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

/// What somebody with a token tries to get or to spoil.
@Suite("Attacks on the Xet service")
struct XetAttackTests {
    // MARK: - Content of others

    @Test("a guessed xorb, a wrong proof and wrong lengths are answered alike, whether the hub has it or not")
    func existence() async throws {
        let site = try await XetSite()
        let secret = SentFile(site.content(200_000, seed: 11))
        let unknown = SentFile(site.content(200_000, seed: 12))
        _ = try await site.send(secret, try await site.access(.write, to: site.first, by: site.ada))
        let bob = try await site.access(.write, to: site.second, by: site.bob)
        var answers: Set<String> = []
        for file in [secret, unknown] {
            let whole = file.term(0..<file.chunks.count)
            let guesses = [
                ShardTerm(xorb: whole.xorb, rawBytes: whole.rawBytes, chunks: whole.chunks, check: .zero),
                ShardTerm(xorb: whole.xorb, rawBytes: whole.rawBytes, chunks: whole.chunks, check: nil),
                ShardTerm(xorb: whole.xorb, rawBytes: 17, chunks: 0..<8000, check: whole.check),
            ]
            for guess in guesses {
                let shard = XorbBuilder.shard(file: file.file, terms: [guess], sha256: nil)
                do {
                    _ = try await site.register(shard, bob)
                    Issue.record("A guess was taken")
                } catch let refusal as XetStoreError {
                    let problem = refusal.problem
                    let message = problem.message.replacing(file.xorb.hex, with: "…")
                    answers.insert("\(problem.kind) \(problem.code) \(message)")
                }
            }
            #expect(try await site.xet.serializedBytes(of: file.xorb, for: bob) == nil)
        }
        #expect(answers.count == 1, "\(answers)")
        #expect(try await site.store.xetFile(secret.file, in: site.second.id) == nil)
        let ada = try await site.access(.read, to: site.first, by: site.ada)
        #expect(try await site.xet.serializedBytes(of: secret.xorb, for: ada) == secret.serialized.count)
        try await site.close()
    }

    @Test("who proves some chunks of a xorb may read those, and nothing else of it")
    func partOfAXorb() async throws {
        let site = try await XetSite()
        let secret = SentFile(site.content(900_000, seed: 13))
        _ = try await site.send(secret, try await site.access(.write, to: site.first, by: site.ada))
        let bob = try await site.access(.write, to: site.second, by: site.bob)
        let known = 2..<4
        let file = XetHashing.file(of: secret.chunks[known])
        _ = try await site.register(
            XorbBuilder.shard(file: file, terms: [secret.term(known)], sha256: nil), bob)
        let plan = try await site.xet.reconstruction(site.xet.plan(of: file, range: nil, for: bob))
        let table = try await site.objects.xorbTable(secret.xorb)
        let start = XorbTable.serializedOffset(raw: table.offsets[2], chunk: 2)
        let end = XorbTable.serializedOffset(raw: table.offsets[4], chunk: 4)
        #expect(plan.fetches.map { $0.parts } == [[.init(chunks: known, bytes: start..<end)]])
        // A link to more is not made by changing one.
        let link = site.xet.link(to: XorbGrant(xorb: secret.xorb, range: start..<end))
        for (old, new) in [(".\(start).", ".0."), (".\(end).", ".\(secret.serialized.count)."), ("d1.", "x1.")] {
            #expect(throws: XetError.invalidToken) {
                _ = try site.xet.grant(of: link.replacing(old, with: new, maxReplacements: 1))
            }
        }
        // Nor does a token pass for a link, or a link for a token.
        let token = try await site.xet.token(.read, for: site.second, to: .account(site.bob))
        #expect(throws: XetError.invalidToken) { _ = try site.xet.grant(of: token.text) }
        await #expect(throws: XetError.invalidToken) { _ = try await site.xet.access(link, for: .read) }
        // What it answers about the chunks around them has neither their hashes nor their lengths.
        let landmark = try #require(secret.chunks[known].first?.hash)
        let answer = try #require(try await site.xet.deduplication(for: landmark, access: bob))
        let lengths = Self.lengths(in: answer)
        #expect(lengths.count == secret.chunks.count)
        #expect(Array(lengths[known]) == secret.chunks[known].map(\.length))
        let hidden = lengths[4...]
        #expect((hidden.max() ?? 0) - (hidden.min() ?? 0) <= 1)
        #expect(lengths.reduce(0, +) == secret.content.count)
        try await site.close()
    }

    /// The lengths of the chunks of the one xorb in an answer.
    private static func lengths(in answer: [UInt8]) -> [Int] {
        func number(_ place: Int) -> Int { (0..<4).reduce(0) { $0 | Int(answer[place + $1]) << (8 * $1) } }
        let head = 96
        return (0..<number(head + 36)).map { number(head + 48 * ($0 + 1) + 36) }
    }

    @Test("a token of one repository is of no use for another, and a name alone registers nothing")
    func otherRepository() async throws {
        let site = try await XetSite()
        let secret = SentFile(site.content(100_000, seed: 14))
        _ = try await site.send(secret, try await site.access(.write, to: site.first, by: site.ada))
        let bob = try await site.access(.write, to: site.second, by: site.bob)
        let oid = try #require(try await site.store.xetFile(secret.file)?.oid)
        // An empty file that claims the SHA-256, and one of nothing that claims the name.
        await #expect(throws: XetStoreError.self) {
            _ = try await site.register(XorbBuilder.shard(file: .zero, terms: [], sha256: oid), bob)
        }
        await #expect(throws: XetStoreError.wrongFileHash(expected: secret.file, actual: .zero)) {
            _ = try await site.register(XorbBuilder.shard(file: secret.file, terms: [], sha256: oid), bob)
        }
        #expect(try await site.store.object(oid, in: site.second.id) == nil)
        await #expect(throws: XetError.fileNotFound) { _ = try await site.xet.sizeBytes(of: secret.file, for: bob) }
        try await site.close()
    }

    // MARK: - Costs

    @Test("a shard that names the same chunks again and again is refused before it costs much")
    func repetition() async throws {
        let site = try await XetSite()
        let sent = SentFile(site.content(300_000, seed: 15))
        let access = try await site.access(.write, to: site.first, by: site.ada)
        try await site.xet.receiveXorb(sent.xorb, body: site.body(sent.serialized), for: access)
        let strict = try await site.openService { $0.shardAllowanceBytes = 1 << 20 }
        func register(times count: Int) async throws -> Bool {
            let terms = [ShardTerm](repeating: sent.term(0..<sent.chunks.count), count: count)
            let chunks = (0..<count).flatMap { _ in sent.chunks }
            let shard = XorbBuilder.shard(file: XetHashing.file(of: chunks[...]), terms: terms, sha256: nil)
            let received = try await strict.receiveShard(site.body(shard), for: access)
            return try await strict.register(received, for: access) { _ in }
        }
        // Sixteen times what was sent, and an allowance.
        #expect(try await register(times: 10))
        await #expect(throws: XetStoreError.tooMuchWork) { _ = try await register(times: 40) }
        await #expect(throws: XetStoreError.tooMuchWork) { _ = try await register(times: 2000) }
        // By default a file of zeros of many gigabytes is taken.
        #expect(ShardWork.allowanceBytes >= 64 << 30)
        try await site.close()
    }

    @Test("a file cut into crumbs is refused, whoever would read it slowly")
    func crumbs() async throws {
        let site = try await XetSite()
        let access = try await site.access(.write, to: site.first, by: site.ada)
        let content = site.content(4000, seed: 16)
        let chunks = content.flatMap { XetHashing.chunks(of: [$0]) }
        let xorb = XetHashing.xorb(of: chunks)
        let body = XorbBuilder.xorb(of: content, chunks: chunks)
        try await site.xet.receiveXorb(xorb, body: site.body(body), for: access)
        func shard(_ count: Int) -> [UInt8] {
            let term = ShardTerm(
                xorb: xorb, rawBytes: count, chunks: 0..<count, check: XetHashing.termCheck(of: chunks[..<count]))
            return XorbBuilder.shard(file: XetHashing.file(of: chunks[..<count]), terms: [term], sha256: nil)
        }
        await #expect(throws: XetStoreError.chunksTooSmall) { _ = try await site.register(shard(4000), access) }
        #expect(try await site.register(shard(500), access))
        try await site.close()
    }

    @Test("an account holds so many shards and no more")
    func heldShards() async throws {
        let site = try await XetSite()
        let sent = SentFile(site.content(20_000, seed: 17))
        let ada = try await site.access(.write, to: site.first, by: site.ada)
        let bob = try await site.access(.write, to: site.second, by: site.bob)
        let service = try await site.openService { $0.heldShardsPerAccount = 2 }
        do {
            let held = [
                try await service.receiveShard(site.body(sent.shard()), for: ada),
                try await service.receiveShard(site.body(sent.shard()), for: ada),
            ]
            await #expect(throws: XetError.tooManyShards) {
                _ = try await service.receiveShard(site.body(sent.shard()), for: ada)
            }
            _ = try await service.receiveShard(site.body(sent.shard()), for: bob)
            #expect(held.count == 2)
        }
        _ = try await service.receiveShard(site.body(sent.shard()), for: ada)
        try await site.close()
    }

    // MARK: - Races

    @Test("two who send the same xorb at once both succeed, and it is stored once")
    func sameXorb() async throws {
        let site = try await XetSite()
        let sent = SentFile(site.content(500_000, seed: 18))
        let ada = try await site.access(.write, to: site.first, by: site.ada)
        let bob = try await site.access(.write, to: site.second, by: site.bob)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for access in [ada, bob, ada, bob] {
                group.addTask {
                    try await site.xet.receiveXorb(sent.xorb, body: site.body(sent.serialized), for: access)
                    _ = try await site.register(sent.shard(), access)
                }
            }
            try await group.waitForAll()
        }
        #expect(try await site.objects.listXorbs(after: nil, limit: 10).map(\.hash) == [sent.xorb])
        #expect(try await site.fetch(sent.file, nil, bob) == sent.content)
        try await site.objects.verifyXorb(sent.xorb) { _ in }
        try await site.close()
    }

    @Test("a xorb that is on its way again is not swept, however long nobody used it")
    func sweepDuringUpload() async throws {
        let site = try await XetSite()
        let sent = SentFile(site.content(200_000, seed: 19))
        let access = try await site.access(.write, to: site.first, by: site.ada)
        try await site.xet.receiveXorb(sent.xorb, body: site.body(sent.serialized), for: access)
        let maintenance = XetMaintenance(xet: site.xet, logger: Logger(label: "test"))
        // A moment after it was sent and before it is sent again.
        let sentAt = Date()
        var due = sentAt
        while due < sentAt.addingTimeInterval(0.005) {
            await Task.yield()
            due = Date()
        }
        let (began, gate) = (AsyncStream.makeStream(of: Void.self), AsyncStream.makeStream(of: Void.self))
        let pieces = Mutex([ByteBuffer(bytes: sent.serialized)])
        let body = AsyncStream<ByteBuffer>(unfolding: {
            began.continuation.yield()
            for await _ in gate.stream { break }
            return pieces.withLock { $0.popLast() }
        })
        async let upload: Void = site.xet.receiveXorb(sent.xorb, body: body, for: access)
        for await _ in began.stream { break }
        #expect(try await maintenance.sweep(now: due.addingTimeInterval(XetMaintenance.grace)) == 0)
        gate.continuation.finish()
        try await upload
        #expect(try await site.register(sent.shard(), access))
        // Claimed: nothing may build on it until it is gone; then it can come anew.
        let oid = try #require(try await site.store.xetFile(sent.file)?.oid)
        try await site.unlink(oid)
        _ = try await site.sweep()
        #expect(try await site.store.claimUnusedXorbs(unusedBefore: .distantFuture) == [sent.xorb])
        await #expect(throws: MetadataError.beingSwept) {
            try await site.xet.receiveXorb(sent.xorb, body: site.body(sent.serialized), for: access)
        }
        await #expect(throws: MetadataError.beingSwept) { _ = try await site.register(sent.shard(), access) }
        #expect(try await site.store.object(oid, in: site.first.id) == nil)
        #expect(try await maintenance.sweep(now: due.addingTimeInterval(XetMaintenance.grace + 3600)) == 1)
        #expect(try await site.send(sent, access))
        #expect(try await site.fetch(sent.file, nil, access) == sent.content)
        try await site.close()
    }

    @Test("an object stays whose bytes replace those of a lost xorb")
    func lostXorb() async throws {
        let site = try await XetSite()
        let sent = SentFile(site.content(600_000, seed: 20))
        let access = try await site.access(.write, to: site.first, by: site.ada)
        try await site.xet.receiveXorb(sent.xorb, body: site.body(sent.serialized), for: access)
        #expect(try await site.objects.deleteXorb(sent.xorb, unlessTouchedSince: .distantFuture))
        let object = try await site.objects.put(nil, sizeBytes: nil, body: site.body(sent.content))
        try await site.store.linkObject(object.id, sizeBytes: object.sizeBytes, repository: site.first.id, account: nil)
        try await site.xet.chunk(object.id)
        let part = 1..<3
        let file = XetHashing.file(of: sent.chunks[part])
        _ = try await site.register(XorbBuilder.shard(file: file, terms: [sent.term(part)], sha256: nil), access)
        try await site.unlink(object.id)
        #expect(try await site.store.claimUnlinkedObjects(unlinkedBefore: .distantFuture).isEmpty)
        #expect(try await site.fetch(file, nil, access) == sent.content(part))
        try await site.close()
    }
}
