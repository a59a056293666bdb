import Foundation
import HubCore
import HubTestSupport
import Identity
import MetadataStore
import NIOCore
import ObjectStore
import Synchronization
import Testing

@testable import Repositories

/// A clock that tests move.
final class TestClock: Sendable {
    private let offset = Mutex<TimeInterval>(0)

    var now: Date { Date().addingTimeInterval(offset.withLock { $0 }) }
    func advance(by seconds: TimeInterval) { offset.withLock { $0 += seconds } }
}

/// The Xet service with real stores, two people and a private repository of each.
struct XetSite {
    static let audit = AuditEntry(actor: "test", action: "test", target: "test")

    let folder: TemporaryFolder
    let store: MetadataStore
    let objects: FileObjectStore
    let identity: Identity
    let clock: TestClock
    let xet: XetService
    let ada: Account
    let bob: Account
    let first: Repository
    let second: Repository

    init() async throws {
        folder = try TemporaryFolder()
        store = try MetadataStore(path: folder.file("hub.db"))
        var settings = FileObjectStore.Settings { failure in preconditionFailure("\(failure)") }
        settings.reserveBytes = 0
        objects = try FileObjectStore(root: folder.file("objects"), staging: folder.file("staging"), settings: settings)
        identity = Identity(
            store: store, settings: IdentitySettings(allowsAnonymousRead: false, externalURL: "https://hub.example"))
        clock = TestClock()
        xet = try await Self.service(store, objects, identity, clock)
        ada = try await store.createAccount(NewAccount(name: NamespaceName(parsing: "ada")), audit: Self.audit)
        bob = try await store.createAccount(NewAccount(name: NamespaceName(parsing: "bob")), audit: Self.audit)
        first = try await store.createRepository(
            NewRepository(reference: RepositoryReference(parsing: "models/ada/bert"), visibility: .private),
            audit: Self.audit)
        second = try await store.createRepository(
            NewRepository(reference: RepositoryReference(parsing: "models/bob/bert"), visibility: .private),
            audit: Self.audit)
    }

    private static func service(
        _ store: MetadataStore, _ objects: FileObjectStore, _ identity: Identity, _ clock: TestClock,
        _ settings: XetService.Settings = XetService.Settings()
    ) async throws -> XetService {
        try await XetService(
            store: store, objects: objects, identity: identity,
            signer: XetSigner(key: [UInt8](repeating: 1, count: 32)), settings: settings,
            clock: { clock.now })
    }

    /// A second service on the same stores, as after a restart.
    func openService(_ change: (inout XetService.Settings) -> Void = { _ in }) async throws -> XetService {
        var settings = XetService.Settings()
        change(&settings)
        return try await Self.service(store, objects, identity, clock, settings)
    }

    func close() async throws {
        await objects.close()
        try store.close()
    }

    func access(_ right: XetRight, to repository: Repository, by account: Account) async throws -> XetAccess {
        try await xet.access(try await xet.token(right, for: repository, to: .account(account)).text, for: right)
    }

    /// Noise without repetition.
    func content(_ count: Int, seed: UInt64) -> [UInt8] {
        var generator = SplitMix(state: seed)
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    }

    func body(_ bytes: [UInt8]) -> AsyncStream<ByteBuffer> {
        AsyncStream { continuation in
            for start in stride(from: 0, to: bytes.count, by: 40_000) {
                continuation.yield(ByteBuffer(bytes: bytes[start..<min(start + 40_000, bytes.count)]))
            }
            continuation.finish()
        }
    }

    func send(_ file: SentFile, _ access: XetAccess) async throws -> Bool {
        _ = try await xet.receiveXorb(file.xorb, body: body(file.serialized), for: access)
        return try await register(file.shard(), access)
    }

    func register(_ shard: [UInt8], _ access: XetAccess) async throws -> Bool {
        let received = try await xet.receiveShard(body(shard), for: access)
        return try await xet.register(received, for: access) { _ in }
    }

    /// Puts a file together as a client does: fetches what the reconstruction says, takes the chunks, cuts the range out.
    func fetch(_ file: XetHash, _ range: ClosedRange<Int64>?, _ access: XetAccess) async throws -> [UInt8] {
        let plan = try await xet.reconstruction(xet.plan(of: file, range: range, for: access))
        var content: [UInt8] = []
        for term in plan.terms {
            let parts = plan.fetches.first { $0.xorb == term.xorb }?.parts ?? []
            let part = try #require(
                parts.first {
                    $0.chunks.lowerBound <= term.chunks.lowerBound && $0.chunks.upperBound >= term.chunks.upperBound
                })
            let table = try await xet.table(of: XorbGrant(xorb: term.xorb, range: part.bytes))
            var bytes: [UInt8] = []
            for try await piece in xet.bytes(of: table, part.bytes, pieceBytes: 5000) {
                bytes += piece.readableBytesView
            }
            content += Self.raw(
                bytes, skipping: term.chunks.lowerBound - part.chunks.lowerBound, taking: term.chunks.count)
        }
        content.removeFirst(Int(plan.offsetIntoFirstTerm))
        return range.map { Array(content.prefix(Int($0.upperBound - $0.lowerBound) + 1)) } ?? content
    }

    private static func raw(_ serialized: [UInt8], skipping skipped: Int, taking count: Int) -> [UInt8] {
        var raw: [UInt8] = []
        var place = 0
        for index in 0..<(skipped + count) {
            let length = Int(serialized[place + 5]) | Int(serialized[place + 6]) << 8 | Int(serialized[place + 7]) << 16
            if index >= skipped { raw += serialized[(place + 8)..<(place + 8 + length)] }
            place += 8 + length
        }
        return raw
    }

    /// Takes an object from every repository.
    func unlink(_ oid: ObjectID) async throws {
        for repository in [first, second] { try await store.unlinkObjects([oid], of: repository.id, audit: Self.audit) }
    }

    /// Removes objects that no repository has, as the sweeper does; returns which.
    func sweep() async throws -> [ObjectID] {
        let claimed = try await store.claimUnlinkedObjects(unlinkedBefore: .distantFuture).map(\.oid)
        for oid in claimed { _ = try await objects.delete(oid, unlessTouchedSince: .distantFuture) }
        try await store.forgetObjects(claimed)
        return claimed
    }
}
