import FoundationEssentials
import HubCore

/// Where an account comes from.
package enum AccountOrigin: String, Hashable, Sendable, CaseIterable {
    case local, directory
}

/// An account to be created.
package struct NewAccount: Sendable {
    package var name: NamespaceName
    package var email: String?
    package var fullName: String?
    /// An encoded Argon2id hash; `nil` for an account that signs in with tokens only.
    package var passwordHash: String?
    package var siteRoles: Set<SiteRole>
    package var origin: AccountOrigin

    package init(
        name: NamespaceName, email: String? = nil, fullName: String? = nil, passwordHash: String? = nil,
        siteRoles: Set<SiteRole> = [], origin: AccountOrigin = .local
    ) {
        self.name = name
        self.email = email
        self.fullName = fullName
        self.passwordHash = passwordHash
        self.siteRoles = siteRoles
        self.origin = origin
    }
}

/// What changes of an account.
package struct AccountChange: Sendable {
    package var email: Change<String?>
    package var fullName: Change<String?>
    package var passwordHash: Change<String?>
    package var siteRoles: Change<Set<SiteRole>>
    package var isDisabled: Change<Bool>

    package init(
        email: Change<String?> = .keep, fullName: Change<String?> = .keep, passwordHash: Change<String?> = .keep,
        siteRoles: Change<Set<SiteRole>> = .keep, isDisabled: Change<Bool> = .keep
    ) {
        self.email = email
        self.fullName = fullName
        self.passwordHash = passwordHash
        self.siteRoles = siteRoles
        self.isDisabled = isDisabled
    }
}

/// An account with its password's hash, for signing in.
package struct StoredPassword: Sendable {
    package let account: Account
    package let hash: String?
}

/// An organization to be created.
package struct NewOrganization: Sendable {
    package var name: NamespaceName
    package var fullName: String?
    /// Becomes its first member, with the role `admin`.
    package var firstAdmin: AccountID?

    package init(name: NamespaceName, fullName: String? = nil, firstAdmin: AccountID? = nil) {
        self.name = name
        self.fullName = fullName
        self.firstAdmin = firstAdmin
    }
}

/// A member of an organization.
package struct Member: Hashable, Sendable {
    package let account: Account
    package let role: OrganizationRole
    package let since: Date

    /// As other members see it.
    package var withoutPrivateFields: Member {
        var account = account
        account.email = nil
        account.siteRoles = []
        return Member(account: account, role: role, since: since)
    }
}

/// An organization that an account belongs to.
package struct Membership: Hashable, Sendable {
    package let organization: Organization
    package let role: OrganizationRole
}

/// A name of the one name space and whose it is.
package struct Namespace: Hashable, Sendable {
    package let name: NamespaceName
    package let owner: NamespaceOwner
}

/// A token to be created.
///
/// Its text is never stored.
package struct NewToken: Sendable {
    package var account: AccountID
    package var name: String
    package var scope: TokenScope
    /// `nil` for all repositories.
    package var repositories: Set<RepositoryID>?
    package var expiresAt: Date?
    /// The SHA-256 of the token's text, 32 bytes.
    package var hash: [UInt8]

    package init(
        account: AccountID, name: String, scope: TokenScope, repositories: Set<RepositoryID>? = nil,
        expiresAt: Date? = nil,
        hash: [UInt8]
    ) {
        self.account = account
        self.name = name
        self.scope = scope
        self.repositories = repositories
        self.expiresAt = expiresAt
        self.hash = hash
    }
}
