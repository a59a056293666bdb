import GitStore
import HubCore
import MetadataStore

/// One consistent view of a repository: its refs and the packs that rows name, read in one transaction, with the packs open.
package struct GitSnapshot: Sendable {
    package let repository: Repository
    package let state: GitState
    package let objects: GitObjects

    package var references: [Reference] { state.references }

    /// What every ref points to, unpeeled.
    package var allReferenceTargets: Set<GitOID> { Set(state.references.map(\.oid)) }

    /// The object that a revision names: a full ref name, a tag, a branch, HEAD or a full object name.
    package func resolve(_ revision: String) -> GitOID? {
        if revision == "HEAD" { return oid(of: "refs/heads/" + state.defaultBranch) }
        for candidate in [revision, "refs/\(revision)", "refs/tags/\(revision)", "refs/heads/\(revision)"] {
            if let oid = oid(of: candidate) { return oid }
        }
        guard let oid = GitOID(hex: revision), objects.contains(oid) else { return nil }
        return oid
    }

    private func oid(of name: String) -> GitOID? { state.reference(ReferenceName(trusted: name))?.oid }

    /// The commit that a revision names; also by the first hex digits of its name, at least 5. Blocking.
    ///
    /// A commit that no ref names any more is found by its full name for as long as it is kept.
    package func commit(at revision: String) throws -> GitOID? {
        if let oid = resolve(revision) {
            let peeled = try objects.peel(oid)
            return try objects.header(of: peeled)?.type == .commit ? peeled : nil
        }
        guard (5..<40).contains(revision.utf8.count), revision.utf8.allSatisfy({ Hex.value(of: $0) != nil }) else { return nil }
        return try objects.commit(abbreviated: revision)
    }
}
