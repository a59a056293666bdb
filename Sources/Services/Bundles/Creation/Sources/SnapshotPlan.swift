import BundleFormat
import HubCore

/// Which files of a snapshot are large objects and which lie in git.
struct SnapshotPlan {
    let large: [Snapshot.File]
    let inline: [Snapshot.File]
    /// The text of `.gitattributes` at the top, when it must be written anew.
    let attributes: String?
    private let readme: Snapshot.File?

    private static let maximumSmallBytes = 4 << 20

    /// What a source says of a file holds; otherwise `.gitattributes` decides, and what is 10 MiB and larger is large in any case.
    init(_ snapshot: Snapshot) throws {
        var rules = GitAttributes()
        var top: String?
        for file in snapshot.files where file.path == GitAttributes.fileName || file.path.hasSuffix("/" + GitAttributes.fileName) {
            let text = String(decoding: try Media.contents(of: file.source, name: file.path, limit: Self.maximumSmallBytes), as: UTF8.self)
            let folder = file.path.split(separator: "/").dropLast().joined(separator: "/")
            rules.add(text, in: folder)
            if folder.isEmpty { top = text }
        }
        let original = top
        var text = top ?? LargeFilePatterns.attributes(for: snapshot.reference.kind)
        if top == nil { rules.add(text, in: "") }
        var large: [Snapshot.File] = []
        var inline: [Snapshot.File] = []
        for file in snapshot.files {
            let isAttributes = file.path.split(separator: "/").last ?? "" == GitAttributes.fileName
            let isNamed = rules.isLargeFile(file.path)
            let isLarge = !isAttributes && file.sizeBytes > 0 && (file.isLarge ?? isNamed || file.sizeBytes >= LargeFilePatterns.thresholdBytes)
            guard isLarge else {
                inline.append(file)
                continue
            }
            large.append(file)
            // Upstream stores some files as large objects whatever its rules say; git-lfs needs the rule.
            if !isNamed {
                if !text.isEmpty, !text.hasSuffix("\n") { text += "\n" }
                text += GitAttributes.line(for: file.path) + "\n"
            }
        }
        let isNeeded = text != original && !large.isEmpty
        attributes = isNeeded ? text : nil
        self.large = large
        self.inline = isNeeded ? inline.filter { $0.path != GitAttributes.fileName } : inline
        readme = inline.first { $0.path == "README.md" && $0.sizeBytes <= Self.maximumSmallBytes }
        for file in inline where file.sizeBytes <= LFSPointer.maximumByteCount {
            let bytes = try Media.contents(of: file.source, name: file.path, limit: LFSPointer.maximumByteCount)
            guard LFSPointer(parsing: bytes) == nil else {
                throw CreationError.badSource(
                    file.path, reason: "is a Git LFS pointer, not the large file itself; run “git lfs pull” in the folder first")
            }
        }
    }

    /// What the files declare; a file that went away meanwhile declares nothing.
    func license() -> BundleRepository.License? {
        func bytes(_ file: Snapshot.File) -> [UInt8]? { try? Media.contents(of: file.source, name: file.path, limit: Self.maximumSmallBytes) }
        let files = inline.filter { DeclaredLicense.fileNames.contains($0.path) }.compactMap { file in bytes(file).map { (path: file.path, bytes: $0) } }
        return DeclaredLicense.of(readme: readme.flatMap(bytes), files: files)
    }
}
