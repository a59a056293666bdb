import FoundationEssentials
import GitStore
import HubCore
import Identity
import MetadataStore

/// Refs that the hub makes and removes itself. They go the way of a push, so its rules and its log hold.
extension GitService {
    /// Makes a branch or tag; with a message, an annotated tag.
    ///
    /// - Throws: `.referenceExists`.
    package func createReference(
        _ name: ReferenceName, at commit: GitOID, message: String? = nil, author: CommitAuthor? = nil,
        in repository: Repository, by caller: Caller
    ) async throws {
        let snapshot = try await snapshot(of: repository)
        guard snapshot.state.reference(name) == nil else { throw RepositoryError.referenceExists(name) }
        guard let message, let author else {
            return try await apply(PushCommand(name: name.text, old: nil, new: commit), nil, snapshot, by: caller)
        }
        let tag = NewTag(
            target: commit, targetType: .commit, name: name.shortName, tagger: author.signature, message: message)
        let (oid, pack) = try await write(in: snapshot) { try $0.write(tag: tag) }
        try await apply(PushCommand(name: name.text, old: nil, new: oid), pack, snapshot, by: caller)
    }

    /// Makes a branch whose only commit has no files.
    package func createEmptyBranch(
        _ name: ReferenceName, in repository: Repository, author: CommitAuthor, by caller: Caller
    ) async throws {
        let snapshot = try await snapshot(of: repository)
        guard snapshot.state.reference(name) == nil else { throw RepositoryError.referenceExists(name) }
        let signature = author.signature
        let (oid, pack) = try await write(in: snapshot) { writer in
            let tree = try writer.write(tree: [])
            return try writer.write(
                commit: NewCommit(tree: tree, parents: [], author: signature, message: "Initial commit"))
        }
        try await apply(PushCommand(name: name.text, old: nil, new: oid), pack, snapshot, by: caller)
    }

    /// - Returns: false when there is no such ref.
    package func deleteReference(_ name: ReferenceName, in repository: Repository, by caller: Caller) async throws -> Bool {
        let snapshot = try await snapshot(of: repository)
        guard let old = snapshot.state.reference(name)?.oid else { return false }
        try await apply(PushCommand(name: name.text, old: old, new: nil), nil, snapshot, by: caller)
        return true
    }

    /// Replaces all commits of a branch by one with the same files.
    ///
    /// - Returns: the commit; `nil` when there is no such branch.
    package func squash(
        _ name: ReferenceName, message: String, author: CommitAuthor, in repository: Repository, by caller: Caller
    ) async throws -> GitOID? {
        try await commitTurns.run("\(repository.id) \(name)") { [self] in
            let snapshot = try await snapshot(of: repository)
            guard let old = snapshot.state.reference(name)?.oid else { return nil }
            let signature = author.signature
            let (oid, pack) = try await write(in: snapshot) { writer in
                let tree = try snapshot.objects.rootTree(of: old)
                return try writer.write(commit: NewCommit(tree: tree, parents: [], author: signature, message: message))
            }
            try await apply(PushCommand(name: name.text, old: old, new: oid), pack, snapshot, by: caller)
            return oid
        }
    }

    /// Makes objects and the pack that holds them.
    private func write(
        in snapshot: GitSnapshot, _ body: @escaping @Sendable (ObjectWriter) throws -> GitOID
    ) async throws -> (GitOID, ReceivedPack) {
        try await threads.run { [git, receiveLimits] in
            let writer = try git.makeWriter(
                for: snapshot.repository.uid, existing: snapshot.objects, limits: receiveLimits)
            let oid = try body(writer)
            return (oid, try writer.finish(tips: [oid]))
        }
    }

    private func apply(
        _ command: PushCommand, _ pack: ReceivedPack?, _ snapshot: GitSnapshot, by caller: Caller
    ) async throws {
        let report = try await push([command], pack: pack, snapshot: snapshot, isAtomic: true, by: caller)
        guard case .refused(let reason) = report.outcomes.first else { return }
        throw RepositoryError.referenceRefused(ReferenceName(trusted: command.name), reason)
    }
}

extension CommitAuthor {
    /// Now.
    var signature: GitSignature {
        GitSignature(name: name, email: email, time: Int64(Date().timeIntervalSince1970))
    }
}
