import BundleFormat
import HubCore

/// What an import will do and what it needs, before a byte of it is copied.
package struct ImportPreflight: Hashable, Sendable {
    package struct Repository: Hashable, Sendable {
        package let sourceName: String
        /// `models/qwen/qwen3`, its name here.
        package let name: String
        package let isNew: Bool
        package let refCount: Int
        package let objectCount: Int
        package let objectBytes: Int64
        package let license: String?
        package let licenseAnswer: LicensePolicy.Answer
        /// Whoever ordered the import accepted the license.
        package let isLicenseAccepted: Bool
        package let isGated: Bool
        /// A signature of its files comes with it; it is checked against the commit once that is here.
        package let hasModelSignature: Bool
    }

    package struct Volume: Hashable, Sendable {
        package let number: Int
        package let medium: Int?
        package let sizeBytes: Int64
        package let isPresent: Bool
        package let isDone: Bool
    }

    package let bundle: String
    package let publisher: String
    package let fingerprints: [String]
    package let stream: String
    package let sequence: Int64
    /// The highest of this stream that was published here.
    package let lastSequence: Int64?
    package let created: String
    package let isDelta: Bool
    package let note: String?
    /// The state of the import, if it began before.
    package let state: String?
    package let repositories: [Repository]
    package let volumes: [Volume]
    package let organizations: [String]
    /// Content of the bundle, what is staged of it or here already, and what is still to be copied.
    package let contentBytes: Int64
    package let presentBytes: Int64
    package let copyBytes: Int64
    /// What the disk must have room for: the files of `copyBytes` that are not made yet, and what git makes of its packs.
    package let neededBytes: Int64
    package let freeBytes: Int64
    package let neededFiles: Int64
    package let freeFiles: Int64?
    /// What it presumes and is not here.
    package let missingObjects: Int
    package let missingObjectBytes: Int64
    package let missingCommits: Int
    /// Names that need `--map`.
    package let heldNames: [String]
    /// What the licenses of its repositories stand in the way of.
    package let licenseObstacle: ImportError?
    package let custody: CustodyChain
    /// Whose the keys in `custody` are, by key id; those of nobody who is known here are not in it.
    package let keyNames: [String: String]
    package let custodyObstacle: ImportError?
    /// Things to know that stop nothing.
    package let notes: [String]

    /// Why the import cannot begin.
    package var obstacle: ImportError? {
        if let custodyObstacle { return custodyObstacle }
        if let licenseObstacle { return licenseObstacle }
        if !heldNames.isEmpty { return .needsMapping(heldNames) }
        if neededBytes > freeBytes { return .noSpace(neededBytes: neededBytes, freeBytes: freeBytes) }
        if let freeFiles, neededFiles > freeFiles { return .noFiles(needed: neededFiles, free: freeFiles) }
        return nil
    }
}
