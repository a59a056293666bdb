import BundleFormat
import Glibc
import HubCore

/// The folder of a bundle on one medium while it is being written.
///
/// It is called `HUBBUNDLE/creating-<nonce>` until all is in it, then it gets its name for people.
package struct MediumFolder: Sendable {
    package let mount: String
    private let nonce: String

    package init(mount: String, nonce: String) {
        self.mount = mount
        self.nonce = nonce
    }

    private var parent: String { "\(mount)/\(Media.folderName)" }
    package var unfinished: String { "\(parent)/\(Media.unfinishedPrefix)\(nonce)" }

    package func finished(_ manifest: BundleManifest, _ id: BundleID) -> String { "\(parent)/\(manifest.folderName(id: id))" }

    /// Where a volume is written.
    package func path(of volume: Int) -> String { "\(unfinished)/\(BundleManifest.Volume.file(volume))" }

    package func begin() throws(CreationError) {
        for path in [parent, unfinished, "\(unfinished)/vol"] {
            guard mkdir(path, 0o755) != 0 else { continue }
            let code = errno
            var status = stat()
            // A link on the medium would lead out of it.
            guard code == EEXIST, lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
                throw .system(operation: "Making", path: path, code: code == EEXIST ? ENOTDIR : code)
            }
        }
    }

    package var isBegun: Bool { access(unfinished, F_OK) == 0 }

    package func isFinished(_ manifest: BundleManifest, _ id: BundleID) -> Bool {
        access("\(finished(manifest, id))/\(BundleManifest.fileName)", F_OK) == 0
    }

    /// Writes everything but the volumes, and gives the folder its name.
    ///
    /// - Parameter files: what belongs beside the manifest: signatures and the chain of roots, by their paths in the folder.
    package func seal(
        _ manifest: BundleManifest, medium: BundleManifest.Medium, files: [(path: String, bytes: [UInt8])], fingerprint: String?
    ) throws(CreationError) -> String {
        let target = finished(manifest, BundleID(manifest: BundleDigest.hash(manifest.canonicalBytes)))
        for document in Self.documents(manifest, medium: medium, files: files, fingerprint: fingerprint) {
            let path = "\(unfinished)/\(document.path)"
            if let slash = document.path.lastIndex(of: "/") {
                let folder = "\(unfinished)/\(document.path[..<slash])"
                guard mkdir(folder, 0o755) == 0 || errno == EEXIST else { throw .system(operation: "Making", path: folder, code: errno) }
            }
            try WholeFile.write(document.bytes, to: path)
        }
        try WholeFile.syncFolder("\(unfinished)/vol")
        try WholeFile.syncFolder(unfinished)
        guard rename(unfinished, target) == 0 else { throw .system(operation: "Renaming", path: unfinished, code: errno) }
        try WholeFile.syncFolder(parent)
        return target
    }

    /// Everything that belongs on a medium beside the volumes, in the order to write it.
    package static func documents(
        _ manifest: BundleManifest, medium: BundleManifest.Medium, files: [(path: String, bytes: [UInt8])], fingerprint: String?
    ) -> [(path: String, bytes: [UInt8])] {
        let bytes = manifest.canonicalBytes
        let digest = BundleDigest.hash(bytes)
        let id = BundleID(manifest: digest)
        let volumes = medium.volumes.map { manifest.volumes[$0 - 1] }
        let documents: [(path: String, bytes: [UInt8])] = [
            (MediumDocuments.checksumsName, Array(MediumDocuments.checksums(manifest: digest, volumes: volumes).utf8)),
            (MediumDocuments.noteName, MediumDocuments.note(manifest, id: id, medium: medium)),
            (MediumDocuments.readmeName, Array(MediumReadMe.text(manifest, id: id, medium: medium, fingerprint: fingerprint).utf8)),
        ]
        // The manifest comes last: with it the folder is a bundle.
        return documents + files + [(BundleManifest.fileName, bytes)]
    }

    /// What is free for this process on the file system of a path, and which file system it is.
    package static func space(at path: String) throws(CreationError) -> (freeBytes: Int64, device: UInt64) {
        var space = statvfs()
        var status = stat()
        guard statvfs(path, &space) == 0, stat(path, &status) == 0 else { throw .system(operation: "Reading", path: path, code: errno) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .badSource(path, reason: "is not a folder") }
        guard access(path, W_OK) == 0 else { throw .system(operation: "Writing", path: path, code: errno) }
        return (Int64(clamping: UInt64(space.f_bavail) &* UInt64(space.f_frsize)), UInt64(status.st_dev))
    }
}
