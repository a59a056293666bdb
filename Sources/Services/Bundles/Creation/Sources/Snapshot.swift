import BundleFormat
import HubCore

/// The files of one revision of a repository on the local disk, and what is known of where they came from.
package struct Snapshot: Sendable {
    package struct File: Hashable, Sendable {
        /// In the repository, with `/`.
        package var path: String
        /// Where the bytes are, links resolved.
        package var source: String
        package var sizeBytes: Int64
        package var isExecutable: Bool
        /// Whether it is a large object upstream; `nil` when nobody knows.
        package var isLarge: Bool?
        /// The SHA-256 that the source claims; the bytes are hashed all the same.
        package var claimed: ObjectID?

        package init(
            path: String, source: String, sizeBytes: Int64, isExecutable: Bool = false, isLarge: Bool? = nil, claimed: ObjectID? = nil
        ) {
            self.path = path
            self.source = source
            self.sizeBytes = sizeBytes
            self.isExecutable = isExecutable
            self.isLarge = isLarge
            self.claimed = claimed
        }
    }

    package var reference: RepositoryReference
    /// In the order of their paths.
    package var files: [File]
    package var upstream: BundleRepository.Upstream?
    /// Things that a person should know: files left out, revisions passed over.
    package var notes: [String]

    package init(reference: RepositoryReference, files: [File], upstream: BundleRepository.Upstream? = nil, notes: [String] = []) {
        self.reference = reference
        self.files = files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        self.upstream = upstream
        self.notes = notes
    }

    package var totalBytes: Int64 { files.reduce(0) { $0 + $1.sizeBytes } }
}

extension Snapshot {
    /// The snapshot that a folder is: a folder in the cache of huggingface_hub, one that its `--local-dir` filled, one of the cache of
    /// ModelScope, or any other.
    ///
    /// - Throws: `CreationError.badSource`.
    package static func of(folder path: String, as reference: RepositoryReference) throws(CreationError) -> Snapshot {
        if let cached = try HuggingFaceCache.snapshot(at: path, as: reference) { return cached }
        var snapshot: Snapshot
        if let local = try LocalDirectory.snapshot(at: path, as: reference) {
            snapshot = local
        } else if let cached = try ModelScopeCache.snapshot(at: path, as: reference) {
            snapshot = cached
        } else {
            snapshot = Snapshot(reference: reference, files: try FolderFiles.all(in: path))
        }
        guard !snapshot.files.isEmpty else { throw .badSource(path, reason: "has no files") }
        return snapshot
    }

    /// Every repository in a cache of huggingface_hub or of ModelScope.
    package static func all(inCache path: String) throws(CreationError) -> [Snapshot] {
        let snapshots = try HuggingFaceCache.all(in: path) + ModelScopeCache.all(in: path)
        guard !snapshots.isEmpty else {
            throw .badSource(path, reason: "is no cache of huggingface_hub or ModelScope: it has no models--… folder and no ModelScope folder")
        }
        return snapshots
    }
}
