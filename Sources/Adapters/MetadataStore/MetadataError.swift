import HubCore

/// Why the metadata store refused, in its own terms.
package enum MetadataError: Error, Equatable {
    /// An account or organization of that name exists.
    case nameTaken(NamespaceName)
    case accountNotFound
    case organizationNotFound
    case namespaceNotFound(NamespaceName)
    case tokenNotFound
    case memberNotFound
    case repositoryNotFound
    case lockNotFound
    case uploadNotFound
    /// The account has this many unfinished uploads, and may have no more.
    case tooManyUploads(Int)
    /// A repository of that kind and name exists.
    case repositoryExists(RepositoryReference)
    /// An account or organization that still owns repositories, deleted ones that can be restored included.
    case ownsRepositories(NamespaceName, count: Int)
    /// The object or pack is being swept away at this moment; the bytes must be sent again.
    case beingSwept
    /// No row of this xorb: it was never sent, or was removed long ago.
    case xorbNotFound(XetHash)
    /// The same object is recorded with another size.
    case sizeMismatch(ObjectID)
    /// A cursor that this store did not make.
    case invalidCursor
    /// No bundle of this id was ever let in.
    case importNotFound
    /// The import is in a state in which this cannot be done.
    case importState(ImportState)
    /// A value that a constraint of the schema refuses.
    case constraint(String)
    case outOfSpace
    /// Too many changes wait for the disk.
    case busy
    case closed
    /// The database cannot be used; the text says why.
    case unusable(String)
}

extension MetadataError: Refusal {
    package var problem: Problem {
        switch self {
        case .nameTaken(let name):
            Problem(
                .conflict, code: "name_taken",
                "The name “\(name)” is taken by an account or organization; choose another.")
        case .accountNotFound:
            Problem(.missing, code: "account_not_found", "There is no such account.")
        case .organizationNotFound:
            Problem(.missing, code: "organization_not_found", "There is no such organization.")
        case .namespaceNotFound(let name):
            Problem(.missing, code: "namespace_not_found", "There is no account or organization named “\(name)”.")
        case .tokenNotFound:
            Problem(.missing, code: "token_not_found", "There is no such access token.")
        case .memberNotFound:
            Problem(.missing, code: "member_not_found", "That account is not a member.")
        case .repositoryNotFound:
            Problem(.missing, code: "repository_not_found", "There is no such repository.")
        case .lockNotFound:
            Problem(.missing, code: "lock_not_found", "There is no such lock.")
        case .uploadNotFound:
            Problem(.missing, code: "upload_not_found", "There is no such upload, or it has expired; start it again.")
        case .tooManyUploads(let limit):
            Problem(
                .throttled, code: "too_many_uploads",
                "This account has \(limit) unfinished uploads in parts; finish some, or wait until they expire.")
        case .repositoryExists(let reference):
            Problem(
                .conflict, code: "repository_exists", "There is already a repository \(reference); choose another name."
            )
        case .ownsRepositories(let name, let count):
            Problem(
                .conflict, code: "owns_repositories",
                "“\(name)” still owns \(count) \(count == 1 ? "repository" : "repositories"), counting deleted ones that can still "
                    + "be restored. Move or delete them first, and wait until deleted ones are purged.")
        case .beingSwept:
            Problem(
                .unavailable, code: "being_swept",
                "The hub is just removing the same unused content; try again in a moment.",
                retryAfter: .seconds(2))
        case .xorbNotFound(let hash):
            Problem(
                .invalid, code: "unknown_xorb",
                "This hub does not have these parts of xorb \(hash). If the client remembers it from an earlier upload, delete the "
                    + "folder xet in its HF_HOME and upload again.")
        case .sizeMismatch(let oid):
            Problem(.unprocessable, code: "size_mismatch", "Object \(oid) has another size than was said.")
        case .invalidCursor:
            Problem(.invalid, code: "invalid_cursor", "The cursor is not one that this hub gave; start the list again.")
        case .importNotFound:
            Problem(.missing, code: "import_not_found", "There is no import of a bundle of this id.")
        case .importState(let state):
            Problem(
                .conflict, code: "import_state",
                "The import is \(state.rawValue.replacing("_", with: " ")), so this cannot be done now.")
        case .constraint(let what):
            Problem(.invalid, code: "constraint", "The change breaks a rule of the hub's records: \(what).")
        case .outOfSpace:
            Problem(
                .outOfSpace, code: "out_of_space",
                "The hub's disk is full; nothing was changed. Ask its administrator to free space.")
        case .busy:
            Problem(
                .unavailable, code: "busy", "Too many changes are waiting for the disk; try again in a moment.",
                retryAfter: .seconds(1))
        case .closed:
            Problem(
                .unavailable, code: "stopping", "The hub is stopping; try again in a moment.", retryAfter: .seconds(5))
        case .unusable(let why):
            Problem(.unavailable, code: "database_unusable", why)
        }
    }
}
