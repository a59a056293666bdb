import FoundationEssentials
import HubCore

/// A repository to be created.
///
/// Its owner is the account or organization that `reference` names.
package struct NewRepository: Sendable {
    package var reference: RepositoryReference
    package var visibility: Visibility
    package var defaultBranch: String
    package var creator: AccountID?
    package var description: String?

    package init(
        reference: RepositoryReference, visibility: Visibility, defaultBranch: String = "main",
        creator: AccountID? = nil,
        description: String? = nil
    ) {
        self.reference = reference
        self.visibility = visibility
        self.defaultBranch = defaultBranch
        self.creator = creator
        self.description = description
    }
}

/// What changes of a repository.
///
/// Its name changes by `renameRepository`.
package struct RepositoryChange: Sendable {
    package var visibility: Change<Visibility>
    package var gating: Change<Gating>
    /// Whether it refuses local changes.
    package var isProtected: Change<Bool>
    package var defaultBranch: Change<String>
    package var description: Change<String?>

    package init(
        visibility: Change<Visibility> = .keep, gating: Change<Gating> = .keep, isProtected: Change<Bool> = .keep,
        defaultBranch: Change<String> = .keep, description: Change<String?> = .keep
    ) {
        self.visibility = visibility
        self.gating = gating
        self.isProtected = isProtected
        self.defaultBranch = defaultBranch
        self.description = description
    }
}

/// How a reference was found.
package enum RepositoryLookup: Hashable, Sendable {
    case found(Repository)
    /// It was renamed since; this is where it is now.
    case redirected(Repository)

    package var repository: Repository {
        switch self {
        case .found(let repository), .redirected(let repository): repository
        }
    }
}

/// Which repositories a list may show.
package enum VisibilityScope: Hashable, Sendable {
    /// All, for administrators and for the hub itself.
    case everything
    /// The public ones.
    case publicOnly
    /// Public, internal, and those that the account owns, belongs to or collaborates on.
    case account(AccountID)
    /// As `account`, and of those only the ones that a token is limited to.
    case token(AccountID, repositories: Set<RepositoryID>)
    case nothing
}

/// A question for a list of repositories.
package struct RepositoryQuery: Sendable {
    package enum Order: String, Sendable {
        /// Last changed first.
        case updated
        /// By `owner/name`, without case.
        case name
    }

    package static let maximumLimit = 1000

    package var kind: RepositoryKind?
    package var owner: NamespaceOwner?
    package var visibleTo: VisibilityScope
    /// Deleted ones too, which only `.everything` may see.
    package var includesDeleted: Bool
    package var order: Order
    /// `Page.next` of the page before; belongs to the same `order`.
    package var after: String?
    /// 1 to `maximumLimit`.
    package var limit: Int

    package init(
        kind: RepositoryKind? = nil, owner: NamespaceOwner? = nil, visibleTo: VisibilityScope,
        includesDeleted: Bool = false,
        order: Order = .name, after: String? = nil, limit: Int = 100
    ) {
        self.kind = kind
        self.owner = owner
        self.visibleTo = visibleTo
        self.includesDeleted = includesDeleted
        self.order = order
        self.after = after
        self.limit = limit
    }
}

/// What the records say of an account's place in a repository.
package struct AccessFacts: Hashable, Sendable {
    /// Its role in the organization that owns the repository.
    package var organizationRole: OrganizationRole?
    package var collaboratorRole: CollaboratorRole?
    /// It was let in to the files of a gated repository.
    package var isAdmitted: Bool

    package init(
        organizationRole: OrganizationRole? = nil, collaboratorRole: CollaboratorRole? = nil, isAdmitted: Bool = false
    ) {
        self.organizationRole = organizationRole
        self.collaboratorRole = collaboratorRole
        self.isAdmitted = isAdmitted
    }
}

/// A collaborator of one repository.
package struct Collaborator: Hashable, Sendable {
    package let account: Account
    package let role: CollaboratorRole
}
