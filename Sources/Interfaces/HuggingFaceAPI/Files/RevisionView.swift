import GitStore
import HubCore
import Repositories

/// A repository at one commit, with its packs open.
package struct RevisionView: Sendable {
    package let repository: Repository
    package let snapshot: GitSnapshot
    /// As the client wrote it.
    package let revision: String
    package let commit: GitOID

    package var objects: GitObjects { snapshot.objects }
}

extension HubCall {
    /// The commit that `revision` names in `repository`; the default branch without.
    ///
    /// - Throws: `RevisionNotFound` as clients know it.
    package func view(_ repository: Repository, at revision: String?) async throws -> RevisionView {
        guard let view = try await viewIfAny(repository, at: revision) else {
            guard let revision, revision != repository.defaultBranch else { throw HubAPIError.emptyRepository }
            throw HubAPIError.revisionNotFound(revision)
        }
        return view
    }

    /// The same, `nil` where there is no such revision.
    package func viewIfAny(_ repository: Repository, at revision: String?) async throws -> RevisionView? {
        let snapshot = try await services.git.snapshot(of: repository)
        let name = revision ?? repository.defaultBranch
        // `None` is what clients before 1.0 send for the default branch in some calls.
        let wanted = name == "None" ? repository.defaultBranch : name
        let commit = try await services.git.threads.run { try snapshot.commit(at: wanted) }
        return commit.map { RevisionView(repository: repository, snapshot: snapshot, revision: name, commit: $0) }
    }
}
