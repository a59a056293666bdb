/// Who asks.
package enum Principal: Hashable, Sendable {
    /// Nobody signed in.
    case anonymous
    /// An account by its password or session.
    case account(Account)
    /// An account through one of its tokens, which may narrow its rights.
    case token(AccessToken, of: Account)
    /// The owner of the data directory, through the control socket or with the store opened directly.
    /// `uid` is the caller's user id, `sudoUID` the one before `sudo`, when known.
    case localAdministrator(uid: UInt32, sudoUID: UInt32?)

    /// The account behind it, if one is.
    package var account: Account? {
        switch self {
        case .anonymous, .localAdministrator: nil
        case .account(let account): account
        case .token(_, of: let account): account
        }
    }

    /// How the audit log names it.
    package var auditName: String {
        switch self {
        case .anonymous: "anonymous"
        case .account(let account): account.name.text
        case .token(let token, of: let account): "\(account.name) (token \(token.id))"
        case .localAdministrator(let uid, let sudoUID):
            if let sudoUID { "local uid \(uid) (sudo by uid \(sudoUID))" } else { "local uid \(uid)" }
        }
    }
}

/// What may be asked of a repository. `Identity` alone answers whether a principal may.
package enum RepositoryAction: String, Hashable, Sendable, CaseIterable {
    /// See that it exists, what files it has, what is said of it.
    case read
    /// Read the bytes of its files: download, clone, fetch. More than `read` only where the repository is gated.
    case readContent
    /// Open discussions and pull requests.
    case discuss
    /// Commit to a pull request of one's own.
    case propose
    /// Push, upload, lock, make branches and tags: whatever changes content.
    case write
    /// What goes with writing but changes no content: moderate discussions, settings of a space.
    case configure
    /// Break other people's locks, change settings, visibility, collaborators; rename; delete.
    case administer
}
