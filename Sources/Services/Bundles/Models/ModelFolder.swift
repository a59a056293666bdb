import BundleFormat
import Glibc
import HubCore

/// A folder with a model, as the OpenSSF Model Signing specification sees it: regular files by their paths; links are refused. Calls block.
package struct ModelFolder: Sendable {
    package struct File: Hashable, Sendable {
        /// Below the folder.
        package let path: String
        package let sizeBytes: Int64
    }

    private static let maximumFiles = 500_000
    private static let maximumDepth = 64
    private static let pieceBytes = 1 << 20

    package let path: String
    package let files: [File]

    /// Lists the folder.
    /// - Parameter ignored: paths below the folder that are left out with all that lies below them.
    /// - Throws: `BundleError` for links, devices and what cannot be read.
    package init(_ path: String, ignoring ignored: [String]) throws {
        self.path = path
        var files: [File] = []
        try Self.list(path, below: "", depth: 0, ignored: ignored, &files)
        self.files = files.sorted { $0.path < $1.path }
    }

    package var totalBytes: Int64 { files.reduce(0) { $0 + $1.sizeBytes } }
    /// The folder's own name.
    package var name: String { path.split(separator: "/").last.map(String.init) ?? "model" }

    /// The SHA-256 of every file.
    package func hashes(progress: (Int64) -> Void) throws -> [(path: String, sha256: ObjectID)] {
        try files.map { ($0.path, try hash($0, 0..<$0.sizeBytes, progress: progress)) }
    }

    /// The resources of the folder in the form that a signature has them: whole files, or parts of that size.
    package func resources(shardBytes: Int64?, progress: (Int64) -> Void) throws -> [ModelSignature.Resource] {
        guard let shardBytes else {
            return try hashes(progress: progress).map { .init(path: $0.path, sha256: $0.sha256) }
        }
        var resources: [ModelSignature.Resource] = []
        for file in files {
            for start in stride(from: 0, to: file.sizeBytes, by: Int64.Stride(shardBytes)) {
                let range = start..<min(start + shardBytes, file.sizeBytes)
                resources.append(
                    .init(path: file.path, range: range, sha256: try hash(file, range, progress: progress)))
            }
        }
        return resources
    }

    private func hash(_ file: File, _ range: Range<Int64>, progress: (Int64) -> Void) throws -> ObjectID {
        let source = try BundleFile.reading("\(path)/\(file.path)", name: file.path)
        let digest = BundleDigest()
        var offset = range.lowerBound
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceBytes, alignment: 4096)
        defer { piece.deallocate() }
        while offset < range.upperBound {
            let part = UnsafeMutableRawBufferPointer(
                rebasing: piece[..<Int(min(Int64(piece.count), range.upperBound - offset))])
            try source.read(part, at: offset)
            digest.update(UnsafeRawBufferPointer(part))
            progress(Int64(part.count))
            offset += Int64(part.count)
        }
        return digest.finish()
    }

    private static func list(_ root: String, below folder: String, depth: Int, ignored: [String], _ files: inout [File])
        throws
    {
        guard depth <= maximumDepth else {
            throw BundleError.tooLarge(what: root, limit: "\(maximumDepth) folders in one another")
        }
        guard let stream = opendir(folder.isEmpty ? root : "\(root)/\(folder)") else {
            throw BundleError.inaccessible(path: folder.isEmpty ? root : folder, code: errno)
        }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let bytes = withUnsafeBytes(of: entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            guard let name = String(validating: bytes, as: UTF8.self) else {
                throw BundleError.inaccessible(path: folder, code: EILSEQ)
            }
            guard name != ".", name != ".." else { continue }
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            if ModelSignature.isIgnored(path, by: ignored) { continue }
            var status = stat()
            guard lstat("\(root)/\(path)", &status) == 0 else {
                throw BundleError.inaccessible(path: path, code: errno)
            }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: try list(root, below: path, depth: depth + 1, ignored: ignored, &files)
            case S_IFREG:
                files.append(File(path: path, sizeBytes: Int64(status.st_size)))
                guard files.count <= maximumFiles else {
                    throw BundleError.tooLarge(what: root, limit: "\(maximumFiles) files")
                }
            default:
                throw BundleError.invalidDocument(
                    file: path, place: "it", reason: "is a link or a device, which no signature covers")
            }
        }
    }
}

extension ModelSignature.Content {
    /// Compares a folder with what was signed.
    package func check(_ folder: ModelFolder, progress: (Int64) -> Void) throws -> [Difference] {
        differences(from: try folder.resources(shardBytes: shardBytes, progress: progress))
    }
}
