import GitStore
import HubCore
import Identity
import MetadataStore

/// What came of merging a ref into a branch.
package enum MergeOutcome: Hashable, Sendable {
    case merged(GitOID)
    /// Files that both sides changed.
    case conflicts([String])
    /// The branch has all of it already.
    case nothingToMerge
}

extension GitService {
    /// How often a merge is made anew when something else moved the branch meanwhile.
    private static let mergeAttempts = 4

    /// Merges `head` into the branch `base` by a commit with both as parents.
    ///
    /// - Throws: `.noSuchRevision`, `.headMoved`.
    package func merge(
        _ head: ReferenceName, into base: ReferenceName, message: String, author: CommitAuthor, in repository: Repository,
        by caller: Caller
    ) async throws -> MergeOutcome {
        try await commitTurns.run("\(repository.id) \(base)") { [self] in
            for _ in 0..<Self.mergeAttempts {
                let snapshot = try await snapshot(of: repository)
                if let outcome = try await attempt(head, into: base, message, author, snapshot, by: caller) { return outcome }
            }
            throw RepositoryError.headMoved(branch: base.shortName)
        }
    }

    /// - Returns: `nil` when the branch moved meanwhile.
    private func attempt(
        _ head: ReferenceName, into base: ReferenceName, _ message: String, _ author: CommitAuthor, _ snapshot: GitSnapshot,
        by caller: Caller
    ) async throws -> MergeOutcome? {
        guard let ours = snapshot.state.reference(base)?.oid else { throw RepositoryError.noSuchRevision(base.shortName) }
        guard let theirs = snapshot.state.reference(head)?.oid else { throw RepositoryError.noSuchRevision(head.text) }
        let signature = author.signature
        let made = try await threads.run { [git, receiveLimits] () throws -> (MergeOutcome, ReceivedPack?) in
            let objects = snapshot.objects
            let ancestor = try objects.mergeBase(ours, theirs)
            guard ancestor != theirs else { return (.nothingToMerge, nil) }
            let writer = try git.makeWriter(for: snapshot.repository.uid, existing: objects, limits: receiveLimits)
            let merge = try writer.write(
                mergeOf: try objects.commit(ours).tree, and: try objects.commit(theirs).tree,
                base: try ancestor.map { try objects.commit($0).tree }, in: objects)
            guard let tree = merge.tree else { return (.conflicts(merge.conflicts), nil) }
            let commit = try writer.write(
                commit: NewCommit(tree: tree, parents: [ours, theirs], author: signature, message: message))
            return (.merged(commit), try writer.finish(tips: [commit]))
        }
        guard case .merged(let commit) = made.0 else { return made.0 }
        let report = try await push(
            [PushCommand(name: base.text, old: ours, new: commit)], pack: made.1, snapshot: snapshot, isAtomic: true, by: caller)
        guard case .updated = report.outcomes.first else { return nil }
        return .merged(commit)
    }
}
