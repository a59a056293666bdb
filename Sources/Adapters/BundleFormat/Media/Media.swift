import Glibc
import HubCore

/// Finds bundles on media.
package enum Media {
    /// The folder of a medium that has the bundles.
    package static let folderName = "HUBBUNDLE"
    /// Names of folders that are still being written begin so; they are no bundles.
    package static let unfinishedPrefix = "creating-"
    private static let maximumBundles = 1000
    private static let maximumManifestBytes = 128 << 20

    /// The bundles below a path: a mount, its `HUBBUNDLE` folder, or the folder of one bundle.
    /// - Throws: `BundleError`
    package static func bundles(below path: String) throws(BundleError) -> [BundleLocation] {
        var locations: [BundleLocation] = []
        for folder in try folders(below: path) { locations.append(try folder.location()) }
        return locations
    }

    /// The same, with manifests that nobody has parsed.
    ///
    /// At most 1,000 folders and 128 MiB of manifests are read; links below `path` are not followed.
    package static func folders(below path: String) throws(BundleError) -> [BundleFolder] {
        var status = stat()
        guard stat(path, &status) == 0 else { throw BundleFile.fault(errno, name: path) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .inaccessible(path: path, code: ENOTDIR) }
        if isFile("\(path)/\(BundleManifest.fileName)") { return [try folder(path, room: BundleManifest.maximumBytes)] }
        let inner = "\(path)/\(folderName)"
        let parent = isFolder(inner) ? inner : path
        var folders: [BundleFolder] = []
        var room = maximumManifestBytes
        for name in try names(in: parent) where !name.hasPrefix(unfinishedPrefix) {
            let candidate = "\(parent)/\(name)"
            guard isFolder(candidate), isFile("\(candidate)/\(BundleManifest.fileName)") else { continue }
            guard folders.count < maximumBundles else { throw .tooLarge(what: path, limit: "\(maximumBundles) bundles") }
            let found = try folder(candidate, room: room)
            room -= found.manifestBytes.count
            folders.append(found)
        }
        guard !folders.isEmpty else { throw .noBundle(path: path) }
        return folders
    }

    private static func folder(_ path: String, room: Int) throws(BundleError) -> BundleFolder {
        let bytes = try contents(of: "\(path)/\(BundleManifest.fileName)", name: BundleManifest.fileName, limit: min(room, BundleManifest.maximumBytes))
        return BundleFolder(path: path, manifestBytes: bytes, id: BundleID(manifest: BundleDigest.hash(bytes)))
    }

    /// A small file of a bundle as a whole.
    /// - Throws: `BundleError.tooLarge` above `limit` bytes.
    package static func contents(of path: String, name: String, limit: Int) throws(BundleError) -> [UInt8] {
        let file = try BundleFile.reading(path, name: name)
        let size = try file.sizeBytes()
        guard size <= Int64(limit) else { throw .tooLarge(what: name, limit: "\(limit) bytes") }
        return try file.read(count: Int(size), at: 0)
    }

    /// The names in a folder, sorted.
    static func names(in path: String) throws(BundleError) -> [String] {
        guard let stream = opendir(path) else { throw BundleFile.fault(errno, name: path) }
        defer { closedir(stream) }
        var names: [String] = []
        var seen = 0
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw BundleFile.fault(errno, name: path) }
                break
            }
            seen += 1
            // A path that is no medium may be a folder of anything.
            guard seen <= 100_000 else { throw .tooLarge(what: path, limit: "100,000 entries") }
            let bytes = withUnsafeBytes(of: entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            // Nothing that was made has control characters in its name, and such a name could pretend to be a line of a message.
            guard let name = String(validating: bytes, as: UTF8.self), name != ".", name != "..",
                bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
            else { continue }
            names.append(name)
        }
        return names.sorted()
    }

    private static func isFolder(_ path: String) -> Bool { mode(path) == S_IFDIR }
    private static func isFile(_ path: String) -> Bool { mode(path) == S_IFREG }

    private static func mode(_ path: String) -> mode_t? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        return status.st_mode & S_IFMT
    }
}
