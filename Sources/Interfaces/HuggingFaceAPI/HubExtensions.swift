import GitStore
import HubCore
import Repositories

/// What other areas add to calls of the Hub API. Each is absent until the area is there.
package struct HubExtensions: Sendable {
    /// What opens a pull request for a commit with `create_pr=1`.
    package var pullRequests: (any PullRequestOpening)?
    /// The Xet hashes of those large objects of a repository that the content-addressed store can serve.
    package var xetHashes: (@Sendable (Repository, [ObjectID]) async throws -> [ObjectID: String])?
    /// Called for a repository that was just made, with what only spaces have.
    package var created: (@Sendable (HubCall, Repository, CreationForm) async throws -> Void)?
    /// Sets what `PUT …/settings` asks for besides the visibility; the caller administers the repository.
    package var changeSettings: (@Sendable (HubCall, Repository, SettingsForm) async throws -> Void)?

    package init() {}
}

/// Opens pull requests.
package protocol PullRequestOpening: Sendable {
    /// Makes a pull request and its ref, which points to the head of `base`; the caller may `discuss`.
    func open(
        title: String, description: String, base: ReferenceName, in repository: Repository, call: HubCall
    ) async throws -> OpenedPullRequest

    /// Throws unless the caller may commit to `refs/pr/N`: whoever opened it, and those who may write.
    func requireCommit(to reference: ReferenceName, in repository: Repository, call: HubCall) async throws
}

/// A pull request that was just opened.
package struct OpenedPullRequest: Sendable {
    package let number: Int
    /// `refs/pr/1`.
    package let reference: ReferenceName

    package init(number: Int, reference: ReferenceName) {
        self.number = number
        self.reference = reference
    }
}
