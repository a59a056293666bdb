import FoundationEssentials

/// A person or a program that signs in.
package struct Account: Hashable, Sendable, Identifiable {
    package let id: AccountID
    package let name: NamespaceName
    package var email: String?
    package var fullName: String?
    package var siteRoles: Set<SiteRole>
    /// A disabled account cannot sign in, and its tokens do not work.
    package var isDisabled: Bool
    package let createdAt: Date

    package init(
        id: AccountID, name: NamespaceName, email: String?, fullName: String?, siteRoles: Set<SiteRole>, isDisabled: Bool,
        createdAt: Date
    ) {
        self.id = id
        self.name = name
        self.email = email
        self.fullName = fullName
        self.siteRoles = siteRoles
        self.isDisabled = isDisabled
        self.createdAt = createdAt
    }
}

/// A right over the whole site. An account may hold several.
package enum SiteRole: String, Hashable, Sendable, CaseIterable, Codable {
    /// Everything: accounts, settings, every repository.
    case administrator
    /// Approves imports of bundles.
    case approver
    /// Reads audit log and settings; sees no content by this role.
    case auditor
}

/// A group that owns repositories.
package struct Organization: Hashable, Sendable, Identifiable {
    package let id: OrganizationID
    package let name: NamespaceName
    package var fullName: String?
    package let createdAt: Date

    package init(id: OrganizationID, name: NamespaceName, fullName: String?, createdAt: Date) {
        self.id = id
        self.name = name
        self.fullName = fullName
        self.createdAt = createdAt
    }
}

/// What a member may do in an organization; each includes those before it.
package enum OrganizationRole: String, Hashable, Sendable, CaseIterable, Codable, Comparable {
    /// Sees its internal and private repositories.
    case read
    /// Also creates repositories and writes to those that they created.
    case contribute
    /// Writes to all.
    case write
    /// Also members, settings, deletion.
    case admin

    package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .read: 0
        case .contribute: 1
        case .write: 2
        case .admin: 3
        }
    }
}

/// What a collaborator of one repository may do there; each includes those before it.
package enum CollaboratorRole: String, Hashable, Sendable, CaseIterable, Codable {
    case read, write, admin
}

/// The owner of a name space: an account or an organization.
package enum NamespaceOwner: Hashable, Sendable {
    case account(AccountID)
    case organization(OrganizationID)
}

/// What a token allows at most; each includes those before it. The account's own rights bound it further.
package enum TokenScope: String, Hashable, Sendable, CaseIterable, Codable, Comparable {
    case read, write, admin

    package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .read: 0
        case .write: 1
        case .admin: 2
        }
    }
}

/// An access token as the hub keeps it: never its text, only the text's SHA-256.
package struct AccessToken: Hashable, Sendable, Identifiable {
    package let id: TokenID
    package let account: AccountID
    package let name: String
    package let scope: TokenScope
    /// The repositories that it is limited to; `nil` means all.
    package let repositories: Set<RepositoryID>?
    package let createdAt: Date
    package let expiresAt: Date?
    package let lastUsedAt: Date?
    package let revokedAt: Date?

    package init(
        id: TokenID, account: AccountID, name: String, scope: TokenScope, repositories: Set<RepositoryID>?, createdAt: Date,
        expiresAt: Date?, lastUsedAt: Date?, revokedAt: Date?
    ) {
        self.id = id
        self.account = account
        self.name = name
        self.scope = scope
        self.repositories = repositories
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.lastUsedAt = lastUsedAt
        self.revokedAt = revokedAt
    }
}
