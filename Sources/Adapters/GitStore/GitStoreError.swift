import Glibc
import HubCore

/// Why the git store refused, or could not read what it holds.
package enum GitStoreError: Error, Hashable {
    /// The packs at hand hold no object of this name.
    case missing(GitOID)
    /// The object is larger than the caller can take.
    case tooLarge(GitOID, limit: Int64)
    /// Bytes that do not follow git's formats; the text says what is wrong, in words that git can show to its user.
    case malformed(String)
    /// A stored pack or index is damaged; the text says how, for the log.
    case corrupt(String)
    /// What a client pushes is refused.
    case refused(ReceiveError)
    /// A tree cannot be changed as asked.
    case treeEdit(TreeEditError)
    /// An object filter that git would not take either.
    case invalidFilter(String)
    /// An object is of another type than the request needs.
    case unexpectedType(GitOID)
    /// A tag leads through more tags than are followed (`GitObjects.maximumTagChain`).
    case tagChainTooLong(GitOID)
    /// A request for a shallow history that selects no commit.
    case noCommitsSelected
    /// Nobody waits for the result any more, or the hub is stopping.
    case cancelled
    /// More packs are being prepared or waited for than the hub can hold.
    case busy
    /// There is no memory for the tables of so large a repository.
    case outOfMemory
    /// The file system or its quota is full.
    case diskFull
    /// The operating system refused a file operation.
    case fileSystem(operation: String, errno: Int32)
}

extension GitStoreError: Refusal {
    package var problem: Problem {
        switch self {
        case .missing(let oid):
            Problem(.missing, code: "object_not_found", "The repository has no object \(oid).")
        case .tooLarge(let oid, let limit):
            Problem(.tooLarge, code: "object_too_large", "Object \(oid) is larger than \(limit) bytes.")
        case .malformed(let what):
            Problem(.invalid, code: "malformed_object", "The data breaks git's format: \(what).")
        case .corrupt:
            Problem(.unavailable, code: "repository_damaged", "A stored pack is damaged; tell the administrator.")
        case .refused(let reason):
            reason.problem
        case .treeEdit(let reason):
            reason.problem
        case .invalidFilter(let text):
            Problem(.invalid, code: "invalid_filter", "The object filter \(text) is not valid.")
        case .unexpectedType(let oid):
            Problem(.invalid, code: "unexpected_object_type", "Object \(oid) is not of the type that was asked for.")
        case .tagChainTooLong(let oid):
            Problem(
                .invalid, code: "tag_chain_too_long",
                "The tag \(oid) leads through more than \(GitObjects.maximumTagChain) tags.")
        case .noCommitsSelected:
            Problem(.invalid, code: "no_commits_selected", "No commits selected for shallow requests.")
        case .cancelled:
            Problem(.unavailable, code: "cancelled", "The request was cancelled.")
        case .busy:
            Problem(
                .unavailable, code: "hub_busy", "The hub is preparing many packs; try again in a moment.",
                retryAfter: .seconds(10))
        case .outOfMemory:
            Problem(
                .unavailable, code: "out_of_memory", "The hub has no memory left for this; try again later.",
                retryAfter: .seconds(60))
        case .diskFull:
            Problem(.outOfSpace, code: "disk_full", "The hub's disk is full; tell the administrator.")
        case .fileSystem:
            Problem(.unavailable, code: "storage_error", "The hub could not use its storage; tell the administrator.")
        }
    }
}

extension GitStoreError {
    /// The error of a system call that has just failed in this thread.
    static func system(_ operation: String, code: Int32 = errno) -> GitStoreError {
        switch code {
        case ENOSPC, EDQUOT: .diskFull
        default: .fileSystem(operation: operation, errno: code)
        }
    }
}
