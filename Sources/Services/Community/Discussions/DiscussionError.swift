import HubCore
import MetadataStore

/// Why something in a discussion was refused.
package enum DiscussionError: Error, Equatable {
    package static let maximumTitleCharacters = 250
    package static let maximumCommentBytes = 64 << 10

    case notFound(Int)
    case invalidTitle
    case emptyComment
    case commentTooLong
    case notYours(String)
    case alreadyHas(DiscussionStatus)
    case notAPullRequest(Int)
    case cannotBecome(DiscussionStatus, from: DiscussionStatus)
    case cannotMerge(DiscussionStatus)
    case conflicts([String])
    case nothingToMerge
    case changedMeanwhile
}

extension DiscussionError: Refusal {
    package var problem: Problem {
        switch self {
        case .notFound(let number):
            Problem(.missing, code: "discussion_not_found", "There is no discussion or pull request \(number) here.")
        case .invalidTitle:
            Problem(.invalid, code: "invalid_title", "A title has 1 to \(Self.maximumTitleCharacters) characters in one line.")
        case .emptyComment: Problem(.invalid, code: "empty_comment", "A comment needs some text.")
        case .commentTooLong:
            Problem(.tooLarge, code: "comment_too_long", "A comment has at most \(Self.maximumCommentBytes) bytes.")
        case .notYours(let what):
            Problem(
                .forbidden, code: "forbidden", "Only its author and those who may write to the repository may \(what).")
        case .alreadyHas(let status):
            Problem(.invalid, code: "same_status", "Its status is “\(status.rawValue)” already.")
        case .notAPullRequest(let number):
            Problem(.invalid, code: "not_a_pull_request", "\(number) is a discussion, not a pull request.")
        case .cannotBecome(let status, let old):
            Problem(
                .invalid, code: "invalid_status", "What is “\(old.rawValue)” cannot become “\(status.rawValue)”.")
        case .cannotMerge(let status):
            Problem(
                .conflict, code: "not_open",
                "Only an open pull request can be merged; this one is “\(status.rawValue)”. Set its status to “open” first.")
        case .conflicts(let paths):
            Problem(
                .conflict, code: "merge_conflicts",
                "The pull request and its base both changed: "
                    + paths.map(\.shortened).listed(atMost: 5) + ". Bring the base's changes into the pull request.")
        case .nothingToMerge:
            Problem(.conflict, code: "nothing_to_merge", "The pull request has no commits that its base does not have.")
        case .changedMeanwhile:
            Problem(.conflict, code: "changed_meanwhile", "Somebody changed the discussion meanwhile; look at it again.")
        }
    }
}
