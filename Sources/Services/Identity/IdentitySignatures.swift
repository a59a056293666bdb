import FoundationEssentials
import HubCore
import MetadataStore

private func pending<V>() throws -> V { throw MetadataError.closed }

/// Who is who and who may what: accounts, tokens, organizations, and the one place where rights are decided.
package final class Identity: Sendable {
    package let settings: IdentitySettings

    package init(store: MetadataStore, settings: IdentitySettings, clock: @escaping @Sendable () -> Date = { Date() }) {
        self.settings = settings
    }

    // MARK: Signing in
    /// `.none` gives `.anonymous`; wrong credentials throw an `IdentityError`. `address` is the client's, for back-off and audit.
    package func authenticate(_ credentials: Credentials, from address: String?, door: Door) async throws -> Principal { try pending() }

    // MARK: Rights (law 5)
    package func may(_ action: RepositoryAction, on repository: Repository, by principal: Principal) async throws -> Bool { try pending() }
    /// Throws what the principal may know: not found, sign in, or forbidden.
    package func require(_ action: RepositoryAction, on repository: Repository, by principal: Principal) async throws { throw MetadataError.closed }
    /// Finds, follows renames (compare `reference` of the result), and requires.
    package func repository(_ reference: RepositoryReference, for action: RepositoryAction, by principal: Principal) async throws -> Repository { try pending() }
    package func visibilityScope(of principal: Principal) async throws -> VisibilityScope { try pending() }
    package func maySite(_ action: SiteAction, by principal: Principal) async throws -> Bool { try pending() }
    package func requireSite(_ action: SiteAction, by principal: Principal) async throws { throw MetadataError.closed }
    /// May create repositories there: own account, or an organization with `contribute` or more.
    package func requireCreation(in namespace: NamespaceName, by principal: Principal) async throws -> Namespace { try pending() }
    /// Administers the organization.
    package func requireAdministration(of organization: NamespaceName, by principal: Principal) async throws -> Organization { try pending() }

    // MARK: Accounts
    package func createAccount(_ request: AccountRequest, by caller: Caller) async throws -> Account { try pending() }
    package func account(named name: NamespaceName, by principal: Principal) async throws -> Account { try pending() }
    package func accounts(after: String? = nil, limit: Int = 100, by principal: Principal) async throws -> Page<Account> { try pending() }
    /// `passwordHash` of the change is ignored; use `setPassword`.
    package func updateAccount(_ name: NamespaceName, _ change: AccountChange, by caller: Caller) async throws -> Account { try pending() }
    package func setPassword(of name: NamespaceName, to password: String, by caller: Caller) async throws { throw MetadataError.closed }
    package func deleteAccount(_ name: NamespaceName, by caller: Caller) async throws { throw MetadataError.closed }
    /// 20 characters, about 117 bits, without look-alikes.
    package static func randomPassword() -> String { "" }

    // MARK: Organizations
    package func createOrganization(_ name: NamespaceName, fullName: String? = nil, by caller: Caller) async throws -> Organization { try pending() }
    package func organization(named name: NamespaceName, by principal: Principal) async throws -> Organization { try pending() }
    package func organizations(after: String? = nil, limit: Int = 100, by principal: Principal) async throws -> Page<Organization> { try pending() }
    package func updateOrganization(_ name: NamespaceName, fullName: String?, by caller: Caller) async throws -> Organization { try pending() }
    package func deleteOrganization(_ name: NamespaceName, by caller: Caller) async throws { throw MetadataError.closed }
    package func members(of name: NamespaceName, after: String? = nil, limit: Int = 100, by principal: Principal) async throws -> Page<Member> { try pending() }
    package func setMember(_ account: NamespaceName, of organization: NamespaceName, role: OrganizationRole, by caller: Caller) async throws -> Member { try pending() }
    package func removeMember(_ account: NamespaceName, of organization: NamespaceName, by caller: Caller) async throws { throw MetadataError.closed }

    // MARK: Collaborators
    package func collaborators(of repository: Repository, by principal: Principal) async throws -> [Collaborator] { try pending() }
    package func setCollaborator(_ account: NamespaceName, of repository: Repository, role: CollaboratorRole, by caller: Caller) async throws { throw MetadataError.closed }
    package func removeCollaborator(_ account: NamespaceName, of repository: Repository, by caller: Caller) async throws { throw MetadataError.closed }

    // MARK: Tokens
    /// The text is shown once and kept nowhere.
    package func createToken(_ request: TokenRequest, for account: NamespaceName, by caller: Caller) async throws -> (token: AccessToken, text: String) { try pending() }
    package func token(_ id: TokenID, by principal: Principal) async throws -> AccessToken { try pending() }
    /// `nil` `account`: of all accounts, for administrators.
    package func tokens(of account: NamespaceName?, after: String? = nil, limit: Int = 100, by principal: Principal) async throws -> Page<AccessToken> { try pending() }
    package func revokeToken(_ id: TokenID, by caller: Caller) async throws -> AccessToken { try pending() }

    // MARK: Site settings and audit
    package func siteSettings(by principal: Principal) async throws -> [SiteSettingValue] { try pending() }
    package func siteSetting(_ key: String, by principal: Principal) async throws -> SiteSettingValue { try pending() }
    /// `nil` takes it back to its default.
    package func setSiteSetting(_ key: String, to value: String?, by caller: Caller) async throws -> SiteSettingValue { try pending() }
    package func auditEntries(after sequence: Int64 = 0, limit: Int = 100, by principal: Principal) async throws -> [AuditRecord] { try pending() }
    package func latestAuditEntries(before sequence: Int64? = nil, limit: Int = 100, by principal: Principal) async throws -> [AuditRecord] { try pending() }
    package func verifyAudit(by principal: Principal, progress: @Sendable (_ checked: Int64, _ total: Int64) -> Void = { _, _ in }) async throws -> AuditVerification { try pending() }
}

/// An account to be created.
package struct AccountRequest: Sendable {
    package var name: NamespaceName
    package var email: String?
    package var fullName: String?
    /// `nil` for an account that cannot sign in with a password.
    package var password: String?
    package var siteRoles: Set<SiteRole>

    package init(
        name: NamespaceName, email: String? = nil, fullName: String? = nil, password: String? = nil, siteRoles: Set<SiteRole> = []
    ) {
        self.name = name
        self.email = email
        self.fullName = fullName
        self.password = password
        self.siteRoles = siteRoles
    }
}

/// A token to be created.
package struct TokenRequest: Sendable {
    package var name: String
    package var scope: TokenScope
    /// `nil` for all.
    package var repositories: Set<RepositoryID>?
    package var expiresAt: Date?

    package init(name: String, scope: TokenScope, repositories: Set<RepositoryID>? = nil, expiresAt: Date? = nil) {
        self.name = name
        self.scope = scope
        self.repositories = repositories
        self.expiresAt = expiresAt
    }
}

/// A site setting with its present value.
package struct SiteSettingValue: Hashable, Sendable {
    /// `anonymous-read`
    package let key: String
    package let value: String
    package let defaultValue: String
    /// One sentence.
    package let description: String
    /// A flag or the configuration file decides, and the value in the database does not count now.
    package let isOverridden: Bool
}
