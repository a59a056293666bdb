import FoundationEssentials
import HubCore

package typealias DiscussionID = Identifier<Discussion>

package enum DiscussionStatus: String, Hashable, Sendable, CaseIterable {
    /// A pull request that its author is still working on.
    case draft
    case open, closed
    /// A pull request whose commits are in its base.
    case merged
}

/// A discussion or a pull request of a repository.
package struct Discussion: Hashable, Sendable, Identifiable {
    package let id: DiscussionID
    package let repository: RepositoryID
    /// Counts from 1 in each repository; discussions and pull requests share the numbers.
    package let number: Int
    package let title: String
    package let status: DiscussionStatus
    /// `nil` once the account is gone.
    package let author: DiscussionAuthor?
    /// Of a pull request only.
    package let pullRequest: PullRequestState?
    package let eventCount: Int
    package let createdAt: Date
    package let updatedAt: Date

    package var isPullRequest: Bool { pullRequest != nil }
    /// Where the commits of a pull request are: `refs/pr/7`.
    package var reference: ReferenceName { ReferenceName(trusted: "refs/pr/\(number)") }
}

package struct PullRequestState: Hashable, Sendable {
    /// What it is to be merged into.
    package let base: ReferenceName
    /// What its ref pointed to when its events were last brought up to date.
    package let head: GitOID
    /// What its ref pointed to at first.
    package let opened: GitOID
    package let merge: GitOID?
}

package struct DiscussionAuthor: Hashable, Sendable {
    package let account: AccountID
    package let name: NamespaceName
    package let fullName: String?
}

/// A discussion to be opened.
package struct NewDiscussion: Sendable {
    package var repository: RepositoryID
    package var title: String
    package var description: String
    package var author: AccountID?
    /// For a pull request, what it is to be merged into.
    package var base: ReferenceName?
    package var status: DiscussionStatus

    package init(
        repository: RepositoryID, title: String, description: String, author: AccountID?, base: ReferenceName? = nil,
        status: DiscussionStatus = .open
    ) {
        self.repository = repository
        self.title = title
        self.description = description
        self.author = author
        self.base = base
        self.status = status
    }
}

/// Something that happened in a discussion.
package struct DiscussionEvent: Hashable, Sendable {
    package enum What: Hashable, Sendable {
        case comment(DiscussionComment)
        case statusChange(DiscussionStatus)
        case titleChange(from: String, to: String)
        case commit(subject: String, oid: GitOID)
    }

    /// 24 hex digits.
    package let id: String
    package let what: What
    package let author: DiscussionAuthor?
    /// Who wrote a commit, as the commit says.
    package let authorName: String?
    package let createdAt: Date
}

package struct DiscussionComment: Hashable, Sendable {
    package let text: String
    package let isHidden: Bool
    package let editedAt: Date?
    /// What it said before, oldest first.
    package let history: [Version]

    package struct Version: Hashable, Sendable {
        package let text: String
        package let author: String?
        package let writtenAt: Date
    }
}

/// A question for a page of discussions, newest first.
package struct DiscussionQuery: Sendable {
    package var repository: RepositoryID
    package var isPullRequest: Bool?
    /// Open ones with drafts, or closed ones with merged.
    package var isOpen: Bool?
    package var author: NamespaceName?
    package var offset: Int
    package var limit: Int

    package init(
        repository: RepositoryID, isPullRequest: Bool? = nil, isOpen: Bool? = nil, author: NamespaceName? = nil,
        offset: Int = 0, limit: Int = 50
    ) {
        self.repository = repository
        self.isPullRequest = isPullRequest
        self.isOpen = isOpen
        self.author = author
        self.offset = offset
        self.limit = limit
    }
}

/// A commit that came to a pull request.
package struct PullRequestCommit: Hashable, Sendable {
    package let oid: GitOID
    package let subject: String
    package let author: String
    package let committedAt: Date

    package init(oid: GitOID, subject: String, author: String, committedAt: Date) {
        self.oid = oid
        self.subject = subject
        self.author = author
        self.committedAt = committedAt
    }
}

/// Why a change of a discussion was refused by the store.
package enum DiscussionRecordError: Error, Equatable {
    case notFound
    case commentNotFound
    case noBase(ReferenceName)
    case full
}

extension DiscussionRecordError: Refusal {
    package var problem: Problem {
        switch self {
        case .notFound: Problem(.missing, code: "discussion_not_found", "There is no such discussion or pull request.")
        case .commentNotFound: Problem(.missing, code: "comment_not_found", "There is no such comment.")
        case .noBase(let name):
            Problem(.missing, code: "revision_not_found", "There is no branch “\(name.shortName.shortened)” to merge into.")
        case .full:
            Problem(.tooLarge, code: "discussion_full", "This discussion is as long as it may be; open a new one.")
        }
    }
}
