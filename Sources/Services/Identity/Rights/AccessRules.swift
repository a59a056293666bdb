import HubCore
import MetadataStore

/// What a principal is told when it asks for an action on a repository.
package enum AccessDecision: Hashable, Sendable {
    case allowed
    /// Nobody signed in; whether there is such a repository is not said.
    case signIn
    /// As if there were no such repository.
    case hidden
    /// It may read, but not do this.
    case forbidden
    /// It may read, but the files are for those who were let in, and it was not.
    case gated
    /// Nobody signed in, and the files are for those who were let in.
    case gatedSignIn
    /// It might, but the repository was imported and takes no local changes.
    case protected
    /// The account may, but its token has too narrow a scope.
    case tokenTooNarrow(needs: TokenScope)
}

/// How far somebody's rights in a repository go; each level includes those before it.
enum AccessLevel: Int, Comparable {
    case none, read, discuss, write, administer

    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    init(needed action: RepositoryAction) {
        switch action {
        // What gating asks beyond it is `admitsContent`'s matter.
        case .read, .readContent: self = .read
        case .discuss, .propose: self = .discuss
        case .write, .configure: self = .write
        case .administer: self = .administer
        }
    }
}

/// Law 5: the one place where it is decided who may do what with a repository.
///
/// Pure: everything known comes as arguments.
package enum AccessRules {
    /// `facts` are those of the principal's account and this repository; empty for others.
    package static func decide(
        _ action: RepositoryAction, on repository: Repository, by principal: Principal, facts: AccessFacts,
        allowsAnonymousRead: Bool
    ) -> AccessDecision {
        let decision = decideWithoutGate(
            action, on: repository, by: principal, facts: facts, allowsAnonymousRead: allowsAnonymousRead)
        guard decision == .allowed else { return decision }
        switch action {
        case .readContent where repository.gating != .off: return decideAtGate(of: repository, by: principal, facts)
        case .write where repository.isProtected, .propose where repository.isProtected: return .protected
        case .read, .readContent, .discuss, .propose, .write, .configure, .administer: return .allowed
        }
    }

    /// The files of a gated repository are for its owner, members, collaborators, writers, and whoever was let in.
    private static func decideAtGate(
        of repository: Repository, by principal: Principal, _ facts: AccessFacts
    ) -> AccessDecision {
        switch principal {
        case .localAdministrator: return .allowed
        case .anonymous: return .gatedSignIn
        case .account(let account), .token(_, of: let account):
            let isIn =
                facts.isAdmitted || facts.organizationRole != nil || facts.collaboratorRole != nil
                || level(of: account, in: repository, facts) >= .write
            guard !account.isDisabled, isIn else { return .gated }
            // A token for other repositories sees no more than a visitor.
            guard case .token(let token, _) = principal, let repositories = token.repositories,
                !repositories.contains(repository.id)
            else { return .allowed }
            return .tokenTooNarrow(needs: .read)
        }
    }

    private static func decideWithoutGate(
        _ action: RepositoryAction, on repository: Repository, by principal: Principal, facts: AccessFacts,
        allowsAnonymousRead: Bool
    ) -> AccessDecision {
        let needed = AccessLevel(needed: action)
        let open: AccessLevel = allowsAnonymousRead && repository.visibility == .public ? .read : .none
        // A deleted repository exists only for those who may bring it back.
        if repository.deletedAt != nil, action != .administer { return principal.isAnonymous ? .signIn : .hidden }
        switch principal {
        case .localAdministrator:
            return .allowed
        case .anonymous:
            return repository.deletedAt == nil && open >= needed ? .allowed : .signIn
        case .account(let account):
            return decide(needed, has: level(of: account, in: repository, facts), repository)
        case .token(let token, of: let account):
            let own = level(of: account, in: repository, facts)
            let narrowed = max(narrow(own, by: token, in: repository), account.isDisabled ? .none : open)
            let decision = decide(needed, has: narrowed, repository)
            guard decision == .forbidden, own >= needed else { return decision }
            return .tokenTooNarrow(needs: scope(for: needed))
        }
    }

    private static func decide(_ needed: AccessLevel, has level: AccessLevel, _ repository: Repository)
        -> AccessDecision
    {
        if level >= needed { return .allowed }
        return level >= .read && repository.deletedAt == nil ? .forbidden : .hidden
    }

    /// The highest level that any of its standings gives an account.
    private static func level(of account: Account, in repository: Repository, _ facts: AccessFacts) -> AccessLevel {
        if account.isDisabled { return .none }
        // Auditors and approvers see no content by their roles.
        if account.siteRoles.contains(.administrator) { return .administer }
        if repository.owner == .account(account.id) { return .administer }
        var level: AccessLevel = repository.visibility == .private ? .none : .discuss
        switch facts.organizationRole {
        case nil: break
        case .read: level = max(level, .discuss)
        case .contribute: level = max(level, repository.creator == account.id ? .write : .discuss)
        case .write: level = max(level, .write)
        case .admin: level = .administer
        }
        switch facts.collaboratorRole {
        case nil: break
        case .read: level = max(level, .discuss)
        case .write: level = max(level, .write)
        case .admin: level = .administer
        }
        return level
    }

    private static func narrow(_ level: AccessLevel, by token: AccessToken, in repository: Repository) -> AccessLevel {
        if let repositories = token.repositories, !repositories.contains(repository.id) { return .none }
        return switch token.scope {
        case .read: min(level, .read)
        case .write: min(level, .write)
        case .admin: level
        }
    }

    private static func scope(for level: AccessLevel) -> TokenScope {
        switch level {
        case .none, .read: .read
        case .discuss, .write: .write
        case .administer: .admin
        }
    }
}

extension Principal {
    var isAnonymous: Bool { self == .anonymous }
}
