import FoundationEssentials

/// Who may read a repository.
package enum Visibility: String, Hashable, Sendable, CaseIterable, Codable {
    /// All who reach the hub, if the site allows anonymous reading; else all who sign in.
    case `public`
    /// All who sign in.
    case `internal`
    /// The owner, members and collaborators.
    case `private`
}

/// Whether the files of a repository are given only to those who were let in. Names, sizes and facts stay visible to readers.
package enum Gating: String, Hashable, Sendable, CaseIterable, Codable {
    case off
    /// Whoever asks is let in at once.
    case auto
    /// Whoever administers the repository decides.
    case manual
}

/// A repository's row, without its refs.
package struct Repository: Hashable, Sendable, Identifiable {
    package let id: RepositoryID
    /// Names the folder on disk; never changes, whatever the repository is called.
    package let uid: RepositoryUID
    package let kind: RepositoryKind
    package let name: RepositoryName
    package let owner: NamespaceOwner
    package let visibility: Visibility
    package let gating: Gating
    /// It came in a bundle and refuses local changes until an administrator opens it.
    package let isProtected: Bool
    /// The branch that HEAD points to, without `refs/heads/`. It may not exist yet.
    package let defaultBranch: String
    /// The account that created it, if that account still exists.
    package let creator: AccountID?
    package let description: String?
    package let createdAt: Date
    package let updatedAt: Date
    /// When it was deleted; its content is kept until the sweep, and `undelete` brings it back.
    package let deletedAt: Date?

    package init(
        id: RepositoryID, uid: RepositoryUID, kind: RepositoryKind, name: RepositoryName, owner: NamespaceOwner,
        visibility: Visibility, gating: Gating = .off, isProtected: Bool = false, defaultBranch: String, creator: AccountID?, description: String?,
        createdAt: Date, updatedAt: Date, deletedAt: Date?
    ) {
        self.id = id
        self.uid = uid
        self.kind = kind
        self.name = name
        self.owner = owner
        self.visibility = visibility
        self.gating = gating
        self.isProtected = isProtected
        self.defaultBranch = defaultBranch
        self.creator = creator
        self.description = description
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.deletedAt = deletedAt
    }

    package var reference: RepositoryReference { RepositoryReference(kind: kind, name: name) }
}

/// 16 random bytes in hex, the name of a repository's folder under `git/<ab>/<uid>.git`.
package struct RepositoryUID: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    package init() {
        var generator = SystemRandomNumberGenerator()
        text = Hex.encode((0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    /// A uid that the database already holds.
    package init(trusted text: String) { self.text = text }

    package var description: String { text }
}
