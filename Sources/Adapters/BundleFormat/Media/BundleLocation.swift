import Glibc
import HubCore

/// The folder of a bundle on a medium, whose manifest has been read but not yet parsed: its signature is to be judged first.
package struct BundleFolder: Hashable, Sendable {
    package let path: String
    package let manifestBytes: [UInt8]
    package let id: BundleID

    package func location() throws(BundleError) -> BundleLocation {
        BundleLocation(folder: path, manifestBytes: manifestBytes, manifest: try BundleManifest(parsing: manifestBytes), id: id)
    }
}

/// A bundle on a medium.
package struct BundleLocation: Sendable {
    package let folder: String
    package let manifestBytes: [UInt8]
    package let manifest: BundleManifest
    package let id: BundleID

    package init(folder: String, manifestBytes: [UInt8], manifest: BundleManifest, id: BundleID) {
        self.folder = folder
        self.manifestBytes = manifestBytes
        self.manifest = manifest
        self.id = id
    }

    package func path(of volume: BundleManifest.Volume) -> String { "\(folder)/\(volume.file)" }

    /// The volumes that are on this medium, by their files; nothing but their names and being files is looked at.
    package func presentVolumes() -> [BundleManifest.Volume] {
        manifest.volumes.filter { volume in
            var status = stat()
            return lstat(path(of: volume), &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        }
    }
}
