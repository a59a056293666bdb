import HTTPTypes
import HubCore

/// Why a call of the Hub API was refused, beyond what the services say.
package enum HubAPIError: Error, Equatable {
    case noSuchAddress
    case methodNotAllowed([HTTPRequest.Method])
    case foreignOrigin
    /// An id of one part that the site has no alias for.
    case noAlias(String)
    /// The repository has another name now; the relative address that answers.
    case moved(to: String)
    /// Clients remember by `commit` that there is no such file.
    case entryNotFound(path: String, revision: String, commit: GitOID)
    case revisionNotFound(String)
    case emptyRepository
    /// The branch is not where the commit expects it.
    case parentMoved
    case deletesMissingFile(String)
    /// Another repository has the name that one is to be moved to.
    case nameTaken(RepositoryKind, RepositoryName)
    case invalidRequest(String)
    case forbidden(String)
    case tooMany(String, limit: Int)
    case unknownProperty(String)
}

extension HubAPIError: Refusal {
    package var problem: Problem {
        switch self {
        case .noSuchAddress: Problem(.missing, code: "not_found", "This hub has no such address in its Hub API.")
        case .methodNotAllowed(let methods):
            Problem(
                .invalid, code: "method_not_allowed",
                "This address takes \(methods.map(\.rawValue).joined(separator: ", ")) only.")
        case .foreignOrigin:
            Problem(.forbidden, code: "foreign_origin", "Pages of other sites may not change anything here.")
        case .noAlias(let name):
            Problem(
                .missing, code: "repository_not_found",
                "This hub has no alias “\(name.shortened)”. Write owner/name, or ask an administrator to add the alias.")
        case .moved: Problem(.missing, code: "repository_moved", "The repository has another name now.")
        case .entryNotFound(let path, let revision, _):
            Problem(
                .missing, code: "entry_not_found",
                "There is no “\(path.shortened)” in the revision “\(revision.shortened)” of this repository.")
        case .revisionNotFound(let revision):
            Problem(.missing, code: "revision_not_found", "Invalid rev id: this repository has no revision “\(revision.shortened)”.")
        case .emptyRepository:
            Problem(.missing, code: "revision_not_found", "This repository has no commit yet.")
        case .parentMoved:
            Problem(
                .conflict, code: "parent_moved",
                "The branch was updated since you opened this page. Please refresh and try again.")
        case .deletesMissingFile:
            Problem(.missing, code: "entry_not_found", "A file with this name doesn't exist")
        case .forbidden(let text): Problem(.forbidden, code: "forbidden", text)
        case .nameTaken(let kind, let name):
            Problem(.conflict, code: "repository_exists", "A \(kind.rawValue) repository called \(name) already exists.")
        case .invalidRequest(let text): Problem(.invalid, code: "invalid_request", text)
        case .tooMany(let what, let limit):
            Problem(.invalid, code: "too_many", "One call takes at most \(limit) \(what).")
        case .unknownProperty(let name):
            Problem(.invalid, code: "unknown_property", "There is no property “\(name.shortened)” to expand.")
        }
    }

    /// Where the kind of the problem does not say it.
    var status: HTTPResponse.Status? {
        switch self {
        case .methodNotAllowed: .methodNotAllowed
        case .parentMoved: .preconditionFailed
        default: nil
        }
    }
}
