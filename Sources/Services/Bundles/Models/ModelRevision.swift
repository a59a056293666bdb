import BundleFormat
import GitStore
import HubCore

/// The files of a revision as the OpenSSF Model Signing specification sees them. Calls block.
package enum ModelRevision {
    private static let maximumFiles = 500_000
    private static let maximumDepth = 64
    /// Files of git itself are small: what is larger is a large object.
    private static let maximumBlobBytes: Int64 = 256 << 20

    /// Each file with its SHA-256: of a large object what its pointer says, of others what their bytes have.
    /// - Returns: `nil` where the tree has links or other repositories in it, which the specification does not cover, or nothing at all.
    package static func files(
        of commit: GitOID, in objects: GitObjects, isCancelled: () -> Bool = { false }
    ) throws -> [(path: String, sha256: ObjectID)]? {
        var files: [(path: String, sha256: ObjectID)] = []
        guard try add(objects.commit(commit).tree, below: "", depth: 0, objects, isCancelled, to: &files), !files.isEmpty else { return nil }
        return files
    }

    private static func add(
        _ tree: GitOID, below folder: String, depth: Int, _ objects: GitObjects, _ isCancelled: () -> Bool,
        to files: inout [(path: String, sha256: ObjectID)]
    ) throws -> Bool {
        guard depth <= maximumDepth else { return false }
        for entry in try objects.tree(tree) {
            if isCancelled() { throw CancellationError() }
            guard let name = String(validating: entry.name, as: UTF8.self), !entry.isSymlink, !entry.isGitlink else { return false }
            let path = folder + name
            if ModelSignature.isIgnored(path, by: ModelSignature.ignoredPaths) { continue }
            if entry.isTree {
                guard try add(entry.oid, below: path + "/", depth: depth + 1, objects, isCancelled, to: &files) else { return false }
            } else {
                guard files.count < maximumFiles else { return false }
                let bytes = try objects.read(entry.oid, limit: maximumBlobBytes).bytes
                files.append((path, LFSPointer(parsing: bytes)?.oid ?? DocumentDigest.sha256(bytes)))
            }
        }
        return true
    }
}
