import FoundationEssentials
import HubCore

private func pending<V>() throws -> V { throw MetadataError.closed }

extension MetadataStore {
    // MARK: Accounts
    package func createAccount(_ new: NewAccount, audit: AuditEntry) async throws -> Account { try pending() }
    package func account(named name: NamespaceName) async throws -> Account? { try pending() }
    package func account(id: AccountID) async throws -> Account? { try pending() }
    package func accounts(after: String? = nil, limit: Int = 100) async throws -> Page<Account> { try pending() }
    package func accountCount() async throws -> Int { try pending() }
    package func updateAccount(_ id: AccountID, _ change: AccountChange, audit: AuditEntry) async throws -> Account { try pending() }
    /// Refused while it owns repositories. Its tokens, memberships and locks go with it.
    package func deleteAccount(_ id: AccountID, audit: AuditEntry) async throws { throw MetadataError.closed }
    package func storedPassword(named name: NamespaceName) async throws -> StoredPassword? { try pending() }
    package func passwordHash(of id: AccountID) async throws -> String? { try pending() }

    // MARK: Organizations
    package func createOrganization(_ new: NewOrganization, audit: AuditEntry) async throws -> Organization { try pending() }
    package func organization(named name: NamespaceName) async throws -> Organization? { try pending() }
    package func organization(id: OrganizationID) async throws -> Organization? { try pending() }
    package func organizations(after: String? = nil, limit: Int = 100) async throws -> Page<Organization> { try pending() }
    package func updateOrganization(_ id: OrganizationID, fullName: String?, audit: AuditEntry) async throws -> Organization { try pending() }
    package func deleteOrganization(_ id: OrganizationID, audit: AuditEntry) async throws { throw MetadataError.closed }
    package func members(of id: OrganizationID, after: String? = nil, limit: Int = 100) async throws -> Page<Member> { try pending() }
    package func setMember(_ account: AccountID, of organization: OrganizationID, role: OrganizationRole, audit: AuditEntry) async throws -> Member { try pending() }
    package func removeMember(_ account: AccountID, of organization: OrganizationID, audit: AuditEntry) async throws { throw MetadataError.closed }
    package func organizationRole(of account: AccountID, in organization: OrganizationID) async throws -> OrganizationRole? { try pending() }
    package func organizationRoles(of account: AccountID) async throws -> [OrganizationID: OrganizationRole] { try pending() }
    package func memberships(of account: AccountID) async throws -> [Membership] { try pending() }
    package func namespace(named name: NamespaceName) async throws -> Namespace? { try pending() }

    // MARK: Tokens
    package func createToken(_ new: NewToken, audit: AuditEntry) async throws -> AccessToken { try pending() }
    /// Also revoked and expired ones, so that the caller can say which it is.
    package func token(hash: [UInt8]) async throws -> (token: AccessToken, account: Account)? { try pending() }
    package func token(id: TokenID) async throws -> AccessToken? { try pending() }
    package func tokens(of account: AccountID? = nil, after: String? = nil, limit: Int = 100) async throws -> Page<AccessToken> { try pending() }
    package func revokeToken(_ id: TokenID, audit: AuditEntry) async throws -> AccessToken { try pending() }
    package func touchToken(_ id: TokenID, at: Date) async throws { throw MetadataError.closed }

    // MARK: Repositories
    package func createRepository(_ new: NewRepository, audit: AuditEntry) async throws -> Repository { try pending() }
    package func repository(_ reference: RepositoryReference) async throws -> RepositoryLookup? { try pending() }
    package func repository(id: RepositoryID) async throws -> Repository? { try pending() }
    package func repositories(_ query: RepositoryQuery) async throws -> Page<Repository> { try pending() }
    package func updateRepository(_ id: RepositoryID, _ change: RepositoryChange, audit: AuditEntry) async throws -> Repository { try pending() }
    /// Renames or moves to another owner; the old name redirects until another repository takes it.
    package func renameRepository(_ id: RepositoryID, to name: RepositoryName, audit: AuditEntry) async throws -> Repository { try pending() }
    /// Marks it; its content is kept until it is purged.
    package func deleteRepository(_ id: RepositoryID, audit: AuditEntry) async throws -> Repository { try pending() }
    package func undeleteRepository(_ id: RepositoryID, audit: AuditEntry) async throws -> Repository { try pending() }
    /// Deleted ones that had this name when they were deleted, last deleted first.
    package func deletedRepositories(_ reference: RepositoryReference) async throws -> [Repository] { try pending() }
    package func repositoriesToPurge(deletedBefore: Date, limit: Int = 100) async throws -> [Repository] { try pending() }
    /// Removes all rows of a deleted repository; its folder is then in `foldersToRemove` until forgotten.
    package func purgeRepository(_ id: RepositoryID, audit: AuditEntry) async throws -> RepositoryUID { try pending() }
    package func foldersToRemove(limit: Int = 100) async throws -> [RepositoryUID] { try pending() }
    package func forgetFolder(_ uid: RepositoryUID) async throws { throw MetadataError.closed }

    // MARK: Collaborators
    package func collaborators(of id: RepositoryID) async throws -> [Collaborator] { try pending() }
    package func setCollaborator(_ account: AccountID, of repository: RepositoryID, role: CollaboratorRole, audit: AuditEntry) async throws { throw MetadataError.closed }
    package func removeCollaborator(_ account: AccountID, of repository: RepositoryID, audit: AuditEntry) async throws { throw MetadataError.closed }
    package func collaboratorRole(of account: AccountID, in repository: RepositoryID) async throws -> CollaboratorRole? { try pending() }
    package func accessFacts(of account: AccountID, to repository: Repository) async throws -> AccessFacts { try pending() }

    // MARK: Git
    /// `prefixes`: only refs whose full names start with one of these; `nil` is all.
    package func gitState(of id: RepositoryID, prefixes: [String]? = nil) async throws -> GitState { try pending() }
    package func applyPush(_ push: Push) async throws -> PushResult { try pending() }
    /// `nil` `name`: of all refs. Newest first.
    package func reflog(of id: RepositoryID, name: ReferenceName? = nil, after: String? = nil, limit: Int = 100) async throws -> Page<ReflogRecord> { try pending() }
    /// False when `expectedPackGeneration` is no longer the generation, and nothing was changed.
    package func replacePacks(
        of id: RepositoryID, remove: [PackID], add: [PackDescription], expectedPackGeneration: Int64, droppedObjects: Bool,
        hasUnreachable: Bool
    ) async throws -> Bool { try pending() }
    /// Those with at least `minimum` packs.
    package func repositoriesToRepack(minimumPacks minimum: Int, limit: Int = 100) async throws -> [(repository: RepositoryID, packs: Int)] { try pending() }
    /// All rows of packs, those included that were replaced and wait for the sweep.
    package func storedPacks(of id: RepositoryID) async throws -> [StoredPack] { try pending() }
    /// Claims packs removed before `date` for the sweep: from now on none of them can be published again until forgotten.
    /// Remove the files, then call `forgetPacks`.
    package func claimPacksToSweep(removedBefore date: Date, limit: Int = 100) async throws -> [StoredPack] { try pending() }
    package func forgetPacks(_ packs: [StoredPack]) async throws { throw MetadataError.closed }

    // MARK: LFS objects
    /// Records an object that is stored and durable, and that this repository has it. Repeating it is harmless.
    package func linkObject(_ oid: ObjectID, sizeBytes: Int64, repository: RepositoryID, account: AccountID?, audit: AuditEntry? = nil) async throws { throw MetadataError.closed }
    /// The size of an object that this repository has.
    package func object(_ oid: ObjectID, in repository: RepositoryID) async throws -> Int64? { try pending() }
    package func linkedObjects(among oids: [ObjectID], in repository: RepositoryID) async throws -> [ObjectID: Int64] { try pending() }
    package func objects(in repository: RepositoryID, after: String? = nil, limit: Int = 1000) async throws -> Page<StoredObjectRecord> { try pending() }
    /// The size of an object that any repository has.
    package func storedObject(_ oid: ObjectID) async throws -> Int64? { try pending() }
    package func storedObjects(after: String? = nil, limit: Int = 1000) async throws -> Page<StoredObjectRecord> { try pending() }
    package func knownObjects(among oids: [ObjectID]) async throws -> Set<ObjectID> { try pending() }
    /// Claims objects without links created before `date`: they cannot be linked until forgotten. Remove the files, then `forgetObjects`.
    package func claimUnlinkedObjects(createdBefore date: Date, limit: Int = 1000) async throws -> [StoredObjectRecord] { try pending() }
    package func forgetObjects(_ oids: [ObjectID]) async throws { throw MetadataError.closed }

    // MARK: Locks
    package func createLock(path: String, in repository: RepositoryID, owner: AccountID, reference: String?) async throws -> LockResult { try pending() }
    package func locks(_ query: LockQuery) async throws -> Page<Lock> { try pending() }
    package func lock(_ id: LockID, in repository: RepositoryID) async throws -> Lock? { try pending() }
    package func deleteLock(_ id: LockID, in repository: RepositoryID, audit: AuditEntry? = nil) async throws -> Lock { try pending() }

    // MARK: Uploads in parts
    /// An unfinished session for the same object, repository, account and part size is found again, its expiry moved.
    package func createUpload(_ new: NewUpload) async throws -> UploadSession { try pending() }
    package func upload(_ id: String) async throws -> UploadSession? { try pending() }
    package func markPart(_ part: UploadPart, of upload: String, expiresAt: Date) async throws { throw MetadataError.closed }
    package func deleteUpload(_ id: String) async throws { throw MetadataError.closed }
    package func expiredUploads(before date: Date, limit: Int = 100) async throws -> [UploadSession] { try pending() }

    // MARK: Settings
    package func setting(_ key: String) async throws -> String? { try pending() }
    package func settings() async throws -> [String: String] { try pending() }
    /// `nil` takes the setting back to its default.
    package func setSetting(_ key: String, to value: String?, audit: AuditEntry) async throws { throw MetadataError.closed }

    // MARK: Audit
    package func appendAudit(_ entry: AuditEntry) async throws { throw MetadataError.closed }
    /// Oldest first, `sequence` greater than `after`.
    package func auditEntries(after sequence: Int64 = 0, limit: Int = 100) async throws -> [AuditRecord] { try pending() }
    /// Newest first, `sequence` less than `before`.
    package func latestAuditEntries(before sequence: Int64? = nil, limit: Int = 100) async throws -> [AuditRecord] { try pending() }
    package func verifyAuditChain(progress: @Sendable (_ checked: Int64, _ total: Int64) -> Void = { _, _ in }) async throws -> AuditVerification { try pending() }

    // MARK: Health
    /// Runs `PRAGMA quick_check` on a reader; the lines that are wrong.
    package func quickCheck() async throws -> [String] { try pending() }
}
