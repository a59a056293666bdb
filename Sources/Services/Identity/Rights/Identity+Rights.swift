import HubCore
import MetadataStore

/// The questions that every interface asks before it does anything (law 5).
extension Identity {
    package func may(
        _ action: RepositoryAction, on repository: Repository, by principal: Principal
    ) async throws -> Bool {
        try await decide(action, on: repository, by: principal) == .allowed
    }

    /// Throws what the principal may know: sign in, not found, or forbidden.
    package func require(_ action: RepositoryAction, on repository: Repository, by principal: Principal) async throws {
        switch try await decide(action, on: repository, by: principal) {
        case .allowed: return
        case .signIn: throw IdentityError.signInRequired(tokenPage: settings.tokenPage)
        case .hidden: throw IdentityError.repositoryNotFound
        case .forbidden: throw IdentityError.forbidden(action)
        case .gated: throw IdentityError.gated(repository.reference)
        case .gatedSignIn: throw IdentityError.gatedSignIn(repository.reference, tokenPage: settings.tokenPage)
        case .protected: throw IdentityError.imported(repository.reference)
        case .tokenTooNarrow(let scope): throw IdentityError.tokenTooNarrow(needs: scope)
        }
    }

    /// Finds a repository that is not deleted, follows renames (compare `reference` of the result), and requires.
    ///
    /// One that does not exist and one that the principal may not know of give the same error.
    package func repository(
        _ reference: RepositoryReference, for action: RepositoryAction, by principal: Principal
    ) async throws -> Repository {
        guard let repository = try await store.repository(reference)?.repository else {
            throw principal.isAnonymous
                ? IdentityError.signInRequired(tokenPage: settings.tokenPage) : IdentityError.repositoryNotFound
        }
        try await require(action, on: repository, by: principal)
        return repository
    }

    /// Which repositories lists may show.
    package func visibilityScope(of principal: Principal) async throws -> VisibilityScope {
        switch principal {
        case .localAdministrator: return .everything
        case .anonymous: return try await allowsAnonymousRead() ? .publicOnly : .nothing
        case .account(let account), .token(_, of: let account):
            if account.isDisabled { return .nothing }
            if case .token(let token, _) = principal, let repositories = token.repositories {
                return .token(account.id, repositories: repositories)
            }
            return account.siteRoles.contains(.administrator) ? .everything : .account(account.id)
        }
    }

    package func maySite(_ action: SiteAction, by principal: Principal) async throws -> Bool {
        let membersCreate = action == .createOrganizations ? try await flag(.membersCreateOrganizations) : false
        return SiteRules.allows(action, by: principal, membersCreateOrganizations: membersCreate)
    }

    package func requireSite(_ action: SiteAction, by principal: Principal) async throws {
        if try await maySite(action, by: principal) { return }
        try requireSignedIn(principal)
        if case .token(_, of: let account) = principal, try await maySite(action, by: .account(account)) {
            throw IdentityError.tokenTooNarrow(needs: SiteRules.neededScope(action))
        }
        throw IdentityError.siteForbidden(action)
    }

    /// May create repositories there: the own account, or an organization with the role `contribute` or more.
    package func requireCreation(in name: NamespaceName, by principal: Principal) async throws -> Namespace {
        try requireSignedIn(principal)
        try requireScope(.write, principal)
        guard let namespace = try await store.namespace(named: name) else {
            throw MetadataError.namespaceNotFound(name)
        }
        guard let account = principal.account, !account.siteRoles.contains(.administrator) else { return namespace }
        switch namespace.owner {
        case .account(let owner):
            guard owner == account.id else { throw IdentityError.creationForbidden(namespace.name) }
        case .organization(let organization):
            let role = try await store.organizationRole(of: account.id, in: organization)
            guard let role, role >= .contribute else { throw IdentityError.creationForbidden(namespace.name) }
        }
        return namespace
    }

    /// The account of somebody who may change anything at all: signed in, and not by a token that only reads.
    package func requireContributor(_ principal: Principal) throws -> Account {
        try requireSignedIn(principal)
        if case .token(let token, _) = principal, token.scope < .write { throw IdentityError.tokenTooNarrow(needs: .write) }
        guard let account = principal.account else {
            throw ProblemError(.invalid, code: "no_account", "This is done by an account; sign in with one.")
        }
        return account
    }

    /// Administers the organization: its members with the role `admin`, and administrators of the site.
    package func requireAdministration(
        of name: NamespaceName, by principal: Principal
    ) async throws -> Organization {
        try requireSignedIn(principal)
        let organization = try await store.organization(named: name)
        guard let organization else { throw MetadataError.organizationNotFound }
        if try await maySite(.manageOrganizations, by: principal) { return organization }
        try requireScope(.admin, principal)
        guard let account = principal.account else { throw IdentityError.organizationForbidden(organization.name) }
        let role = try await store.organizationRole(of: account.id, in: organization.id)
        guard role == .admin else { throw IdentityError.organizationForbidden(organization.name) }
        return organization
    }

    // MARK: - Within Identity

    private func decide(
        _ action: RepositoryAction, on repository: Repository, by principal: Principal
    ) async throws -> AccessDecision {
        var facts = AccessFacts()
        if let account = principal.account { facts = try await store.accessFacts(of: account.id, to: repository) }
        // Only these can gain by it, and only a public repository.
        let asks = repository.visibility == .public && principal.mayGainByAnonymousRead
        return AccessRules.decide(
            action, on: repository, by: principal, facts: facts,
            allowsAnonymousRead: asks ? try await allowsAnonymousRead() : false)
    }

    func requireSignedIn(_ principal: Principal) throws(IdentityError) {
        switch principal {
        case .anonymous: throw .signInRequired(tokenPage: settings.tokenPage)
        case .account(let account), .token(_, of: let account):
            if account.isDisabled { throw .accountDisabled }
        case .localAdministrator: return
        }
    }

    /// A token must have this scope and be limited to no repositories; others need none.
    func requireScope(_ scope: TokenScope, _ principal: Principal) throws(IdentityError) {
        guard case .token(let token, _) = principal else { return }
        guard token.scope >= scope, token.repositories == nil else { throw .tokenTooNarrow(needs: scope) }
    }
}

extension Principal {
    fileprivate var mayGainByAnonymousRead: Bool {
        switch self {
        case .anonymous: true
        case .token(let token, _): token.repositories != nil
        case .account, .localAdministrator: false
        }
    }
}
