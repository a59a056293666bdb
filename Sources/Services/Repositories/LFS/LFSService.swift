import FoundationEssentials
import HubCore
import Identity
import MetadataStore
import NIOCore
import ObjectStore

/// Large objects of repositories, as Git LFS and uploads in parts see them.
///
/// A repository shows only the objects that are linked to it. An object that another repository has is stored once, but must be
/// sent again all the same: nobody gets at content by knowing its hash.
package final class LFSService: Sendable {
    package struct Settings: Sendable {
        /// The largest object, in bytes.
        package var maximumObjectBytes: Int64 = 5 << 40
        /// How long a signed link works; a transfer that has begun goes on.
        package var grantLifetime: TimeInterval = 3600
        /// How long an unfinished upload in parts is kept after its last part.
        package var uploadLifetime: TimeInterval = 7 * 24 * 3600
        /// The size of a part; larger for objects that would have more than `maximumParts` of them.
        package var partBytes: Int64 = 64 << 20
        package var maximumParts: Int64 = 10_000
        /// Uploads of objects from this size on are offered in parts to clients that can.
        package var multipartThresholdBytes: Int64 = 256 << 20
        /// How many unfinished uploads in parts an account may have.
        package var maximumOpenUploads = 1000

        package init() {}
    }

    package let settings: Settings
    /// Who may upload without the right to write.
    package let proposals: UploadProposals
    let store: MetadataStore
    let objects: FileObjectStore
    private let signer: TransferSigner
    private let clock: @Sendable () -> Date

    package init(
        store: MetadataStore, objects: FileObjectStore, signer: TransferSigner, settings: Settings = Settings(),
        clock: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.store = store
        self.objects = objects
        self.signer = signer
        self.settings = settings
        self.clock = clock
        proposals = UploadProposals(clock: clock)
    }

    /// The sizes of those of `oids` that the repository has.
    package func sizes(of oids: [ObjectID], in repository: Repository) async throws -> [ObjectID: Int64] {
        try await store.linkedObjects(among: oids, in: repository.id)
    }

    /// Stores an object while it arrives and links it to the repository; durable when it returns.
    package func receive<Body: AsyncSequence & Sendable>(
        _ oid: ObjectID, sizeBytes: Int64, body: Body, into repository: Repository, account: AccountID?
    ) async throws where Body.Element == ByteBuffer {
        guard sizeBytes <= settings.maximumObjectBytes else { throw LFSError.tooLarge(settings.maximumObjectBytes) }
        let stored = try await objects.put(oid, sizeBytes: sizeBytes, body: body)
        try await store.linkObject(stored.id, sizeBytes: stored.sizeBytes, repository: repository.id, account: account)
    }

    /// An object of the repository, open for reading.
    package func open(_ oid: ObjectID, in repository: Repository) async throws -> FileObjectReader {
        guard let size = try await store.object(oid, in: repository.id) else { throw LFSError.objectNotFound(oid) }
        let reader: FileObjectReader
        do {
            reader = try await objects.open(oid)
        } catch ObjectStoreError.missing {
            // The row says that it is there: the file was lost.
            throw ObjectStoreError.damaged(oid)
        }
        guard reader.object.sizeBytes == size else { throw ObjectStoreError.damaged(oid) }
        return reader
    }

    // MARK: Signed links

    package func grant(
        _ operation: TransferGrant.Operation, oid: ObjectID, sizeBytes: Int64, repository: Repository, principal: Principal
    ) -> String {
        let holder = GrantHolder(principal)
        return signer.sign(
            TransferGrant(
                operation: operation, repository: repository.id, account: holder.account, token: holder.token, oid: oid,
                sizeBytes: sizeBytes, expiresAt: clock().addingTimeInterval(settings.grantLifetime)))
    }

    package func verify(_ text: String) throws(TransferGrantError) -> TransferGrant {
        try signer.verify(text, now: clock())
    }

    /// Whoever a grant was made for, as they are now: a link ends with its account and with its token.
    package func principal(of grant: TransferGrant) async throws -> Principal {
        let holder = GrantHolder(account: grant.account, token: grant.token)
        guard let principal = try await holder.principal(in: store, now: clock()) else { throw TransferGrantError.expired }
        return principal
    }

    // MARK: Uploads in parts

    /// How many parts an object of that size is sent in.
    package func partCount(for sizeBytes: Int64) -> Int64 {
        let partBytes = partBytes(for: sizeBytes)
        return (sizeBytes + partBytes - 1) / partBytes
    }

    private func partBytes(for sizeBytes: Int64) -> Int64 {
        let mebibyte: Int64 = 1 << 20
        let smallest = (sizeBytes + settings.maximumParts - 1) / settings.maximumParts
        return smallest <= settings.partBytes ? settings.partBytes : (smallest + mebibyte - 1) / mebibyte * mebibyte
    }

    /// How many bytes uploads in parts may bring now.
    package func roomForUploads() async throws -> Int64 { try await objects.availableBytes() }

    /// Begins an upload in parts, or finds the unfinished one of the same account for the same object again.
    ///
    /// - Parameter room: what its batch may still bring (`roomForUploads`); what this upload lacks is taken off.
    /// - Throws: `ObjectStoreError.outOfSpace` when that is more, `MetadataError.tooManyUploads`.
    package func beginUpload(
        _ oid: ObjectID, sizeBytes: Int64, into repository: Repository, account: AccountID?, room: inout Int64
    ) async throws -> UploadSession {
        guard sizeBytes <= settings.maximumObjectBytes else { throw LFSError.tooLarge(settings.maximumObjectBytes) }
        let partBytes = partBytes(for: sizeBytes)
        let new = NewUpload(
            repository: repository.id, account: account, oid: oid, sizeBytes: sizeBytes, partSizeBytes: partBytes,
            expiresAt: clock().addingTimeInterval(settings.uploadLifetime))
        var session = try await store.createUpload(new, maximumOpen: settings.maximumOpenUploads)
        if !session.parts.isEmpty, try await !objects.hasUpload(session.id) {
            // Its file is gone, as after a restore without staging: what its rows say is not there.
            try await store.deleteUpload(session.id)
            session = try await store.createUpload(new, maximumOpen: settings.maximumOpenUploads)
        }
        let lacking = sizeBytes - session.receivedBytes
        guard lacking <= room else {
            if session.parts.isEmpty { try await store.deleteUpload(session.id) }
            throw ObjectStoreError.outOfSpace
        }
        room -= lacking
        try await objects.beginUpload(session.id, sizeBytes: sizeBytes)
        return session
    }

    /// Stores part `number` (from 1) and returns its `ETag`; durable when it returns.
    package func receivePart<Body: AsyncSequence & Sendable>(
        _ number: Int, of session: UploadSession, body: Body
    ) async throws -> String where Body.Element == ByteBuffer {
        let start = Int64(number - 1) * session.partSizeBytes
        guard number >= 1, start < session.sizeBytes || (number == 1 && session.sizeBytes == 0) else {
            throw ObjectStoreError.invalidPart
        }
        let range = start..<min(start + session.partSizeBytes, session.sizeBytes)
        try await objects.writePart(of: session.id, range: range, body: body)
        let etag = "\(session.id)-\(number)"
        try await store.markPart(
            UploadPart(number: number, sizeBytes: Int64(range.count), etag: etag), of: session.id,
            expiresAt: clock().addingTimeInterval(settings.uploadLifetime))
        return etag
    }

    package func session(_ id: String) async throws -> UploadSession {
        guard let session = try await store.upload(id) else { throw ObjectStoreError.uploadNotFound }
        return session
    }

    /// Checks that all parts are there and the hash is right, and links the object.
    package func completeUpload(_ session: UploadSession) async throws {
        guard session.receivedBytes == session.sizeBytes else { throw ObjectStoreError.incompleteUpload }
        do {
            _ = try await objects.completeUpload(session.id, expected: session.oid, sizeBytes: session.sizeBytes)
        } catch let error as ObjectStoreError {
            if case .wrongHash = error { try await store.deleteUpload(session.id) }
            throw error
        }
        try await store.linkObject(
            session.oid, sizeBytes: session.sizeBytes, repository: session.repository, account: session.account)
        try await store.deleteUpload(session.id)
    }
}

/// Why an LFS request was refused.
package enum LFSError: Error, Equatable {
    case objectNotFound(ObjectID)
    case invalidObjectID(String)
    case invalidSize(Int64)
    /// The repository has the object with another size.
    case sizeDiffers(ObjectID, stored: Int64)
    case tooLarge(Int64)
    case unknownOperation(String)
    case unknownHash(String)
    case noObjects
    case tooManyObjects(limit: Int)
    /// The large objects of one batch have more parts together than an answer may list.
    case tooManyParts(limit: Int64)
    case lockNotFound
    /// Somebody else holds it, and the caller did not force it.
    case lockOfAnother(owner: String)
    case invalidLockPath
}

extension LFSError: Refusal {
    package var problem: Problem {
        switch self {
        case .objectNotFound(let oid):
            Problem(.missing, code: "object_not_found", "This repository has no object \(oid).")
        case .invalidObjectID(let text):
            Problem(.unprocessable, code: "invalid_oid", "“\(text.shortened)” is no SHA-256 in lower-case hex.")
        case .invalidSize(let size): Problem(.unprocessable, code: "invalid_size", "\(size) is no size of an object.")
        case .sizeDiffers(let oid, let stored):
            Problem(.unprocessable, code: "size_differs", "Object \(oid) has \(stored) bytes in this repository.")
        case .tooLarge(let limit): Problem(.tooLarge, code: "object_too_large", "An object has at most \(limit) bytes.")
        case .unknownOperation(let text):
            Problem(.unprocessable, code: "unknown_operation", "“\(text.shortened)” is neither upload nor download.")
        case .unknownHash(let text):
            Problem(.conflict, code: "unknown_hash", "The hub names objects by sha256, not by “\(text.shortened)”.")
        case .noObjects: Problem(.unprocessable, code: "no_objects", "The request names no objects.")
        case .tooManyObjects(let limit):
            Problem(.tooLarge, code: "too_many_objects", "A batch has at most \(limit) objects.")
        case .tooManyParts(let limit):
            Problem(
                .tooLarge, code: "too_many_parts",
                "A batch lists at most \(limit) parts of large objects; ask for this object in another batch.")
        case .lockNotFound: Problem(.missing, code: "lock_not_found", "There is no such lock.")
        case .lockOfAnother(let owner):
            Problem(.forbidden, code: "lock_of_another", "\(owner) holds this lock; unlock with --force if you administer the repository.")
        case .invalidLockPath: Problem(.unprocessable, code: "invalid_path", "A lock needs the path of a file, at most 4,096 bytes.")
        }
    }
}
