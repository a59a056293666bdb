import FoundationEssentials
import HubCore

/// A large object that the hub holds.
package struct StoredObjectRecord: Hashable, Sendable {
    package let oid: ObjectID
    package let sizeBytes: Int64

    package init(oid: ObjectID, sizeBytes: Int64) {
        self.oid = oid
        self.sizeBytes = sizeBytes
    }
}

/// Names a lock.
package typealias LockID = Identifier<Lock>

/// A lock of one path of a repository, as Git LFS means it.
package struct Lock: Hashable, Sendable, Identifiable {
    package let id: LockID
    package let repository: RepositoryID
    package let path: String
    package let owner: AccountID
    package let ownerName: NamespaceName
    package let lockedAt: Date
    /// The full name of the ref that the client named, if it did; for its rights only, a lock holds on all refs.
    package let reference: String?
}

/// What became of a request for a lock.
package enum LockResult: Hashable, Sendable {
    case created(Lock)
    /// Somebody, perhaps the caller, holds it.
    case held(Lock)
}

/// Which locks a list shows.
package struct LockQuery: Sendable {
    package var repository: RepositoryID
    package var path: String?
    package var id: LockID?
    package var owner: AccountID?
    package var after: String?
    package var limit: Int

    package init(
        repository: RepositoryID, path: String? = nil, id: LockID? = nil, owner: AccountID? = nil, after: String? = nil,
        limit: Int = 100
    ) {
        self.repository = repository
        self.path = path
        self.id = id
        self.owner = owner
        self.after = after
        self.limit = limit
    }
}

/// An upload in parts, to be begun.
package struct NewUpload: Sendable {
    package var repository: RepositoryID
    package var account: AccountID?
    package var oid: ObjectID
    package var sizeBytes: Int64
    package var partSizeBytes: Int64
    package var expiresAt: Date

    package init(
        repository: RepositoryID, account: AccountID?, oid: ObjectID, sizeBytes: Int64, partSizeBytes: Int64,
        expiresAt: Date
    ) {
        self.repository = repository
        self.account = account
        self.oid = oid
        self.sizeBytes = sizeBytes
        self.partSizeBytes = partSizeBytes
        self.expiresAt = expiresAt
    }
}

/// An upload in parts that survives a restart.
package struct UploadSession: Hashable, Sendable, Identifiable {
    /// 32 random hex digits; also names its folder in staging.
    package let id: String
    package let repository: RepositoryID
    package let account: AccountID?
    package let oid: ObjectID
    package let sizeBytes: Int64
    package let partSizeBytes: Int64
    package let createdAt: Date
    package let expiresAt: Date
    /// Those that are stored and durable, by number.
    package let parts: [UploadPart]

    package var receivedBytes: Int64 { parts.reduce(0) { $0 + $1.sizeBytes } }
}

/// A part of an upload that is stored.
package struct UploadPart: Hashable, Sendable {
    /// Counts from 1.
    package let number: Int
    package let sizeBytes: Int64
    /// What the client was given as `ETag`.
    package let etag: String

    package init(number: Int, sizeBytes: Int64, etag: String) {
        self.number = number
        self.sizeBytes = sizeBytes
        self.etag = etag
    }
}
