import FoundationEssentials
import HubCore

package typealias ImportID = Identifier<ImportRecord>

/// How far an import is. What comes before `staging` (discovered, trusted, preflight) leaves no row.
package enum ImportState: String, Hashable, Sendable, CaseIterable, Codable {
    /// Bytes are being copied, or wait for a medium.
    case staging
    /// Whole, but something that it presumes is not here yet.
    case parked
    /// Every byte of it is here and checked.
    case verified
    /// Whatever looks at content has done so.
    case scanned
    /// An administrator decides.
    case awaitingApproval = "awaiting_approval"
    case published
    /// An administrator said no.
    case rejected
    /// Given up; what was staged is gone.
    case abandoned
    /// The bundle itself is at fault; what was staged stays until it is given up.
    case failed

    /// Whether what was staged is kept.
    package var keepsStaging: Bool {
        switch self {
        case .staging, .parked, .verified, .scanned, .awaitingApproval, .failed: true
        case .published, .rejected, .abandoned: false
        }
    }
}

/// A bundle that was let in.
package struct ImportRecord: Hashable, Sendable, Identifiable {
    package let id: ImportID
    /// 16 hex digits.
    package let bundle: String
    package let manifest: ObjectID
    package let publisher: String
    package let stream: String
    package let sequence: Int64
    package let state: ImportState
    /// JSON of the importer.
    package let options: String
    /// Why it waits, failed or was rejected: a code for programs, a sentence for people.
    package let reasonCode: String?
    package let reason: String?
    package let report: ImportReport?
    package let receipt: String?
    package let actor: String
    package let account: AccountID?
    package let createdAt: Date
    package let updatedAt: Date
    package let publishedAt: Date?
}

/// A bundle that is about to be staged.
package struct NewImport: Sendable {
    package var bundle: String
    package var manifest: ObjectID
    package var publisher: String
    package var stream: String
    package var sequence: Int64
    package var options: String
    package var actor: String
    package var account: AccountID?

    package init(
        bundle: String, manifest: ObjectID, publisher: String, stream: String, sequence: Int64, options: String,
        actor: String,
        account: AccountID?
    ) {
        self.bundle = bundle
        self.manifest = manifest
        self.publisher = publisher
        self.stream = stream
        self.sequence = sequence
        self.options = options
        self.actor = actor
        self.account = account
    }
}

/// Everything of a bundle that becomes visible in one transaction.
///
/// The files come before: objects lie in the store, packs in the folders of their repositories.
package struct ImportPublication: Sendable {
    /// A ref of the bundle.
    package struct Ref: Sendable {
        package var name: ReferenceName
        package var oid: GitOID
        package var peeled: GitOID?
        /// The values from which the ref may go to `oid`; `nil` in it means that it may be made. Any other value was set here,
        /// and then the bundle's goes to `refs/import/…`.
        package var movesFrom: [GitOID?]
        /// `oid` does not contain the value before.
        package var isForced: Bool

        package init(name: ReferenceName, oid: GitOID, peeled: GitOID?, movesFrom: [GitOID?], isForced: Bool) {
            self.name = name
            self.oid = oid
            self.peeled = peeled
            self.movesFrom = movesFrom
            self.isForced = isForced
        }
    }

    /// Where a repository of the bundle goes.
    package enum Target: Sendable, Hashable {
        /// One that is there; `packGeneration` is that of the state that the pack was checked against.
        case existing(RepositoryID, packGeneration: Int64)
        /// One that is made, whose packs lie in the folder of `uid`. A missing owner becomes an organization.
        case new(RepositoryUID, visibility: Visibility)
    }

    package struct Repository: Sendable {
        package var target: Target
        /// Its name here, if it is new.
        package var reference: RepositoryReference
        /// The publisher's name for it.
        package var sourceUID: String
        package var sourceName: String
        /// JSON: upstream, license.
        package var originDescription: String
        package var defaultBranch: String
        package var description: String?
        /// As its author declares it.
        package var license: String?
        /// Access is restricted where it came from: a repository that is made is gated, for an administrator to let people in.
        package var isGated: Bool
        package var modelSignature: ImportReport.ModelSignature?
        package var pack: PackDescription?
        package var refs: [Ref]
        /// All large objects of it, those that are here already included.
        package var objects: [StoredObjectRecord]

        package init(
            target: Target, reference: RepositoryReference, sourceUID: String, sourceName: String,
            originDescription: String,
            defaultBranch: String, description: String?, license: String? = nil, isGated: Bool = false,
            modelSignature: ImportReport.ModelSignature? = nil, pack: PackDescription?, refs: [Ref],
            objects: [StoredObjectRecord]
        ) {
            self.target = target
            self.reference = reference
            self.sourceUID = sourceUID
            self.sourceName = sourceName
            self.originDescription = originDescription
            self.defaultBranch = defaultBranch
            self.description = description
            self.license = license
            self.isGated = isGated
            self.modelSignature = modelSignature
            self.pack = pack
            self.refs = refs
            self.objects = objects
        }
    }

    package var bundle: String
    package var repositories: [Repository]
    /// As `AliasList` writes them: `gpt2=openai-community/gpt2`.
    package var aliases: [String]
    /// Only some repositories of the bundle: the import stays as it is and goes on.
    package var isPartial: Bool
    /// Ids of the keys that signed the bundle: their marks of its stream are raised with it.
    package var signingKeys: [ObjectID]
    /// Who handled the bundle before; kept in the report.
    package var custody: [ImportReport.Custody]
    package var custodyFault: String?
    /// The administrator who published it by hand.
    package var approvedBy: String?
    package var actor: String
    package var account: AccountID?
    package var audit: AuditEntry

    package init(
        bundle: String, repositories: [Repository], aliases: [String] = [], isPartial: Bool = false,
        signingKeys: [ObjectID] = [], custody: [ImportReport.Custody] = [], custodyFault: String? = nil,
        approvedBy: String? = nil, actor: String, account: AccountID?, audit: AuditEntry
    ) {
        self.bundle = bundle
        self.repositories = repositories
        self.aliases = aliases
        self.isPartial = isPartial
        self.signingKeys = signingKeys
        self.custody = custody
        self.custodyFault = custodyFault
        self.approvedBy = approvedBy
        self.actor = actor
        self.account = account
        self.audit = audit
    }
}

/// What a publication did.
package struct ImportReport: Hashable, Sendable, Codable {
    package struct Ref: Hashable, Sendable, Codable {
        package enum Outcome: String, Hashable, Sendable, Codable, CaseIterable {
            case created, updated, unchanged
            /// The ref was moved here; the bundle's value is at `storedAs`.
            case keptLocal = "kept_local"
        }

        package let name: String
        package let oid: String
        package let outcome: Outcome
        package var storedAs: String?
    }

    package struct Repository: Hashable, Sendable, Codable {
        package let id: RepositoryID
        /// `models/ada/bert`, its name here.
        package let name: String
        package let sourceName: String
        package let isNew: Bool
        package let refs: [Ref]
        package let objectCount: Int
        package let objectBytes: Int64
        /// As its author declares it.
        package var license: String?
        /// `nil` where the bundle brought none.
        package var modelSignature: ModelSignature?
    }

    /// What a signature of a model's files was worth.
    package enum ModelSignature: String, Hashable, Sendable, Codable, CaseIterable {
        /// The publisher signed exactly the files of the commit.
        case verified
        /// Somebody else signed them; it is carried as it came.
        case unknownKey = "unknown_key"
        /// It cannot be compared with the commit: it speaks of parts of files, or there are links in the tree.
        case unchecked
    }

    /// A signed statement of who handled the bundle before it came here.
    package struct Custody: Hashable, Sendable, Codable {
        package let file: String
        package let document: String

        package init(file: String, document: String) {
            self.file = file
            self.document = document
        }
    }

    package var repositories: [Repository]
    /// Organizations that were made.
    package var organizations: [String]
    /// Ids of one part that were added.
    package var aliases: [String]
    /// Those that stand for something else here, or for which there was no room.
    package var skippedAliases: [String]
    /// As far as the chain is whole; reports of the first versions do not have it.
    package var custody: [Custody]?
    package var custodyFault: String?
    package var approvedBy: String?
}

/// What became of a publication.
package enum ImportPublicationResult: Hashable, Sendable {
    case published(ImportReport)
    /// It was published before; nothing was done.
    case alreadyPublished(ImportReport)
    /// A repository was made, moved, deleted or tidied since it was looked at: look again, then publish again.
    case outdated
}

/// Where a repository came from.
package struct RepositoryOrigin: Hashable, Sendable {
    package let repository: RepositoryID
    package let publisher: String
    package let sourceUID: String
    package let sourceName: String
    package let description: String
    package let firstImport: ImportID
    package let lastImport: ImportID
}

/// The last bundle of a line of them.
package struct ImportedStream: Hashable, Sendable {
    package let publisher: String
    package let stream: String
    package let sequence: Int64
    package let bundle: String
    package let publishedAt: Date
}
