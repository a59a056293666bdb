import HubCore
import Identity
import MetadataStore

extension LFSService {
    package static let maximumLockPathBytes = 4096

    /// Locks a file for the account; somebody else's lock is returned as `.held`.
    package func lock(_ path: String, reference: String?, in repository: Repository, account: Account) async throws -> LockResult {
        guard !path.isEmpty, path.utf8.count <= Self.maximumLockPathBytes, !path.utf8.contains(0) else {
            throw LFSError.invalidLockPath
        }
        return try await store.createLock(path: path, in: repository.id, owner: account.id, reference: reference)
    }

    package func locks(_ query: LockQuery) async throws -> Page<Lock> { try await store.locks(query) }

    /// Releases a lock. Somebody else's is released only with `force`, for which the caller's right was asked.
    package func unlock(_ id: LockID, force: Bool, in repository: Repository, by caller: Caller) async throws -> Lock {
        guard let lock = try await store.lock(id, in: repository.id) else { throw LFSError.lockNotFound }
        let isOwn = lock.owner == caller.principal.account?.id
        guard isOwn || force else { throw LFSError.lockOfAnother(owner: lock.ownerName.text) }
        let entry = isOwn ? nil : caller.entry("lock.force", on: repository.reference.description, ["path": lock.path.shortened])
        return try await store.deleteLock(id, in: repository.id, audit: entry)
    }
}
