import BundleFormat
import HubCore

/// The manifests of bundles that were made here: the ledger of what was sent, by which deltas for one-way sites are made.
package struct SentBundles: Sendable {
    private let folder: CreationFolder

    package init(_ folder: CreationFolder) { self.folder = folder }

    package func record(_ manifest: BundleManifest) throws(CreationError) {
        let bytes = manifest.canonicalBytes
        try folder.write(bytes, to: "\(BundleID(manifest: BundleDigest.hash(bytes))).json")
    }

    /// - Throws: `CreationError.badSource` when it is not in the ledger.
    package func manifest(_ id: BundleID) throws -> BundleManifest {
        let name = "\(id).json"
        guard folder.has(name) else {
            throw CreationError.badSource("\(id)", reason: "is no bundle that was made here; name the folder that has its BUNDLE.json")
        }
        return try BundleManifest(parsing: folder.read(name, limit: BundleManifest.maximumBytes))
    }

    /// The number of the next bundle of a stream: one more than the largest that was used.
    package func nextSequence(publisher: String, stream: String) throws -> Int64 {
        var last: Int64 = 0
        for line in try folder.lines(of: "sequences") {
            let words = line.split(separator: " ")
            guard words.count == 3, words[0] == publisher, words[1] == stream, let number = Int64(words[2]) else { continue }
            last = max(last, number)
        }
        return last + 1
    }

    /// Takes a number, so that no other bundle gets it.
    package func take(_ sequence: Int64, publisher: String, stream: String) throws(CreationError) {
        try folder.append("\(publisher) \(stream) \(sequence)\n", to: "sequences", sync: true)
    }
}
