import FoundationEssentials
import HubCore
import Identity
import MetadataStore
import NIOCore
import ObjectStore

/// Large files as Xet clients see them: cut into chunks, sent in xorbs, put together from them.
///
/// What a repository has is decided by `object_links`, as for Git LFS: a file sent by either way is there for both.
package final class XetService: Sendable {
    package struct Settings: Sendable {
        /// The largest file, in bytes.
        package var maximumFileBytes: Int64 = 5 << 40
        package var tokenLifetime: TimeInterval = 3600
        /// How long a link to bytes of a xorb works; a transfer that has begun goes on.
        package var linkLifetime: TimeInterval = 900
        /// How long clients may keep what they learned about chunks; shorter than xorbs without a file are kept.
        package var deduplicationLifetime: TimeInterval = 7 * 24 * 3600
        /// How many xorbs are received at once, together and of one account.
        package var concurrentXorbs = 24
        package var concurrentXorbsPerAccount = 16
        /// How many shards are checked at once, together and of one account.
        package var concurrentShards = 4
        package var concurrentShardsPerAccount = 2
        /// How many shards of one account are held, those that wait included.
        package var heldShardsPerAccount = 32
        /// What a shard may cost beyond what its xorbs pay for, in bytes that are read and hashed.
        package var shardAllowanceBytes = ShardWork.allowanceBytes

        package init() {}
    }

    package let settings: Settings
    /// Names this store of xorbs to clients, which remember what they sent to it.
    package let generation: String
    let store: MetadataStore
    let objects: FileObjectStore
    let identity: Identity
    let signer: XetSigner
    let clock: @Sendable () -> Date
    let xorbQueue: ReceiveQueue
    let shardQueue: ReceiveQueue
    let shardTickets: ShardTickets
    /// For answers that take much memory while they are made and sent.
    let planQueue = ReceiveQueue(width: 4, perKey: 1)
    /// Held while recipes get their places and rows, so that the two agree.
    let recording = ReceiveQueue(width: 1)

    /// Compares the generation of the database with that of the files; a new one begins when they differ, as after a restore: xorbs
    /// that clients remember may then be missing.
    package init(
        store: MetadataStore, objects: FileObjectStore, identity: Identity, signer: XetSigner,
        settings: Settings = Settings(),
        clock: @escaping @Sendable () -> Date = { Date() }
    ) async throws {
        self.store = store
        self.objects = objects
        self.identity = identity
        self.signer = signer
        self.settings = settings
        self.clock = clock
        xorbQueue = ReceiveQueue(width: settings.concurrentXorbs, perKey: settings.concurrentXorbsPerAccount)
        shardQueue = ReceiveQueue(width: settings.concurrentShards, perKey: settings.concurrentShardsPerAccount)
        shardTickets = ShardTickets(perKey: settings.heldShardsPerAccount)
        if let known = try await store.xetGeneration(), try await objects.xorbGeneration() == known {
            generation = known
        } else {
            let new = String(RepositoryUID().text.prefix(8))
            try await objects.setXorbGeneration(new)
            try await store.setXetGeneration(new)
            generation = new
        }
    }

    // MARK: Tokens

    /// A token for the files of a repository, if the principal has that right there.
    package func token(_ right: XetRight, for repository: Repository, to principal: Principal) async throws -> XetToken
    {
        try await identity.require(right.action, on: repository, by: principal)
        let expiresAt = clock().addingTimeInterval(settings.tokenLifetime)
        let token = XetSigner.Token(
            right: right, repository: repository.id, holder: GrantHolder(principal), expiresAt: expiresAt)
        return XetToken(text: signer.sign(token), expiresAt: expiresAt)
    }

    /// What a token allows now: whether its holder still has the right is asked again.
    package func access(_ text: String, for right: XetRight) async throws -> XetAccess {
        let token = try signer.token(text, now: clock())
        guard token.right.includes(right) else { throw XetError.rightTooNarrow }
        guard let principal = try await token.holder.principal(in: store, now: clock()) else {
            throw XetError.expiredToken
        }
        guard let repository = try await store.repository(id: token.repository) else { throw XetError.expiredToken }
        let asked = right == .read ? XetRight.read : token.right
        try await identity.require(asked.action, on: repository, by: principal)
        return XetAccess(repository: repository, principal: principal, right: token.right)
    }

    // MARK: Names

    /// What Xet clients name these objects by, for `X-Xet-Hash` and `xetHash`; those that they cannot fetch are left out.
    package func hashes(of oids: [ObjectID]) async throws -> [ObjectID: XetHash] { try await store.xetHashes(of: oids) }

    /// The size of a file that the token's repository has.
    package func sizeBytes(of file: XetHash, for access: XetAccess) async throws -> Int64 {
        guard let found = try await store.xetFile(file, in: access.repository.id) else { throw XetError.fileNotFound }
        return found.sizeBytes
    }

    func key(of access: XetAccess) -> String { access.principal.auditName }
}
