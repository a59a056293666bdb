import FoundationEssentials
import HubCore

/// A repository's refs and packs at one instant, read in one transaction.
package struct GitState: Sendable {
    package let repository: RepositoryID
    package let uid: RepositoryUID
    /// Sorted by name, in byte order.
    package let references: [Reference]
    /// Newest first.
    package let packs: [PackDescription]
    /// Grows with each change of the set of packs.
    package let packGeneration: Int64
    /// Grows with each change of the refs.
    package let referencesVersion: Int64
    /// The packs may hold objects that no ref reaches.
    package let hasUnreachable: Bool
    /// Without `refs/heads/`; may not exist yet.
    package let defaultBranch: String

    /// The ref of that name, by binary search.
    package func reference(_ name: ReferenceName) -> Reference? {
        var low = 0
        var high = references.count
        while low < high {
            let middle = (low + high) / 2
            if references[middle].name < name { low = middle + 1 } else { high = middle }
        }
        return low < references.count && references[low].name == name ? references[low] : nil
    }
}

/// The row part of a push: what becomes visible in one transaction, after the pack's files are in place.
package struct Push: Sendable {
    package var repository: RepositoryID
    /// `GitState.packGeneration` of the state that the objects were checked against.
    package var expectedPackGeneration: Int64
    package var pack: PackDescription?
    package var updates: [ReferenceUpdate]
    /// All updates or none.
    package var isAtomic: Bool
    /// Who pushes, as `Principal.auditName` says.
    package var actor: String
    package var account: AccountID?
    /// Becomes the default branch if the present one does not exist when the push is done, and this one does.
    package var newDefaultBranch: String?
    package var audit: AuditEntry

    package init(
        repository: RepositoryID, expectedPackGeneration: Int64, pack: PackDescription? = nil,
        updates: [ReferenceUpdate],
        isAtomic: Bool = false, actor: String, account: AccountID? = nil, newDefaultBranch: String? = nil,
        audit: AuditEntry
    ) {
        self.repository = repository
        self.expectedPackGeneration = expectedPackGeneration
        self.pack = pack
        self.updates = updates
        self.isAtomic = isAtomic
        self.actor = actor
        self.account = account
        self.newDefaultBranch = newDefaultBranch
        self.audit = audit
    }
}

/// What became of one command of a push.
package enum ReferenceOutcome: Hashable, Sendable {
    case updated
    /// The reason, as git shows it in parentheses.
    case refused(String)
}

/// What became of a push.
package enum PushResult: Hashable, Sendable {
    case applied([ReferenceName: ReferenceOutcome])
    /// Objects were dropped from the packs since `expectedPackGeneration`: read the state again, check again, push
    /// again.
    case packsChanged
}

/// One change of a ref.
package struct ReflogRecord: Hashable, Sendable, Identifiable {
    package let id: Int64
    package let reference: ReferenceName
    package let old: GitOID?
    package let new: GitOID?
    package let actor: String
    package let account: AccountID?
    package let at: Date
}

/// A pack's row, also of one that was replaced and waits for the sweep.
package struct StoredPack: Hashable, Sendable {
    package let repository: RepositoryID
    package let uid: RepositoryUID
    package let description: PackDescription
    package let createdAt: Date
    package let removedAt: Date?
}
