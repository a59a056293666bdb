import BundleFormat
import Foundation
import HubCore
import HubTestSupport

@testable import Bundles

/// A git repository with pointers, made by git itself, and its large objects.
final class SourceRepository: Sendable {
    let folder: TemporaryFolder
    let uid: String

    init(uid: Character = "A") throws {
        folder = try TemporaryFolder("source")
        self.uid = "01HZZZZZZZZZZZZZZZZZZZZZZ" + String(uid)
        try git(["init", "-q", "-b", "main"])
    }

    @discardableResult
    func git(_ words: [String]) throws -> String {
        let output = try CommandOutput.of(
            ["git"] + words, in: folder.path,
            environment: [
                "HOME": folder.path, "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin",
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org", "GIT_COMMITTER_NAME": "Ada",
                "GIT_COMMITTER_EMAIL": "ada@example.org", "LC_ALL": "C.UTF-8",
            ])
        guard output.succeeded else { throw GitFailed(output: output) }
        return output.line
    }

    /// Commits files; those of `large` become pointers. Returns the commit.
    @discardableResult
    func commit(_ files: [String: String] = [:], large: [String: [UInt8]] = [:], on branch: String = "main") throws
        -> GitOID
    {
        var texts = files
        for (path, bytes) in large {
            texts[path] =
                "version https://git-lfs.github.com/spec/v1\noid sha256:\(BundleDigest.hash(bytes))\nsize \(bytes.count)\n"
        }
        for (path, text) in texts { try text.write(toFile: folder.file(path), atomically: true, encoding: .utf8) }
        try git(["add", "-A", "."])
        try git(["commit", "-q", "--allow-empty", "-m", "Change"])
        return try head(branch)
    }

    func head(_ branch: String = "main") throws -> GitOID {
        guard let oid = GitOID(hex: try git(["rev-parse", "refs/heads/\(branch)"])) else {
            throw CocoaError(.coderInvalidValue)
        }
        return oid
    }

    /// A git bundle of `revisions`, as `--all` or `v1..main`.
    func bundle(_ revisions: [String]) throws -> [UInt8] {
        try git(["bundle", "create", "-q", ".git/made.bundle"] + revisions)
        return Array(try Data(contentsOf: URL(filePath: folder.file(".git/made.bundle"))))
    }
}

struct GitFailed: Error {
    let output: CommandOutput
}

/// What a test puts into a bundle.
struct BundleContent {
    var source: SourceRepository
    var name = "qwen/qwen3"
    var kind = RepositoryKind.model
    var refs: [(String, GitOID)]
    var gitBundle: [UInt8]?
    var prerequisites: [GitOID] = []
    var large: [[UInt8]] = []
    /// Named, and not carried.
    var presumed: [[UInt8]] = []
    var attachments: [(name: String, bytes: [UInt8])] = []
}

/// A bundle on as many media as it has volumes, made with the writer of the format.
struct MadeBundle {
    let manifest: BundleManifest
    let manifestBytes: [UInt8]
    /// Folders that stand for sticks, one a volume.
    let media: [String]
    let folder: TemporaryFolder
    var id: String { BundleID(manifest: BundleDigest.hash(manifestBytes)).text }

    func bundleFolder(_ medium: Int) -> String {
        "\(media[medium])/HUBBUNDLE/\(manifest.folderName(id: BundleID(manifest: BundleDigest.hash(manifestBytes))))"
    }
    func volume(_ number: Int) -> String { bundleFolder(number - 1) + "/" + BundleManifest.Volume.file(number) }

    /// - Parameter volumes: how many; entries are dealt out in turn when `isScattered`, else in order.
    init(
        _ contents: [BundleContent], volumes count: Int = 1, sequence: Int64 = 1, publisher: String = "acme",
        isScattered: Bool = false,
        aliases: [BundleManifest.Alias] = [], created: String = "2026-11-20T10:00:00Z",
        change: (inout BundleManifest) -> Void = { _ in }, index: (inout [VolumeWriter.Source]) -> Void = { _ in }
    ) throws {
        folder = try TemporaryFolder("media")
        var sources: [VolumeWriter.Source] = []
        var repositories: [BundleRepository] = []
        var seen: Set<ObjectID> = []
        for content in contents {
            for bytes in content.large where seen.insert(BundleDigest.hash(bytes)).inserted {
                sources += Self.segments(bytes)
            }
            if let bundle = content.gitBundle {
                sources.append(Self.source(.gitBundle(uid: content.source.uid), bundle))
            }
            for file in content.attachments {
                sources.append(Self.source(.attachment(uid: content.source.uid, name: file.name), file.bytes))
            }
            repositories.append(
                BundleRepository(
                    uid: content.source.uid, kind: content.kind, name: try RepositoryName(parsing: content.name),
                    refs: content.refs.compactMap { ref in
                        ReferenceName(ref.0).map { BundleRepository.Ref(name: $0, oid: ref.1) }
                    },
                    gitBundle: content.gitBundle.map {
                        BundleRepository.GitBundle(
                            sha256: BundleDigest.hash($0), sizeBytes: Int64($0.count),
                            prerequisites: content.prerequisites)
                    },
                    objects: content.large.map {
                        BundleRepository.LargeObject(
                            oid: BundleDigest.hash($0), sizeBytes: Int64($0.count), paths: ["model.bin"])
                    }
                        + content.presumed.map {
                            BundleRepository.LargeObject(
                                oid: BundleDigest.hash($0), sizeBytes: Int64($0.count), isInBundle: false)
                        },
                    attachments: content.attachments.map {
                        BundleRepository.Attachment(
                            format: "other", name: $0.name, sha256: BundleDigest.hash($0.bytes),
                            sizeBytes: Int64($0.bytes.count))
                    }))
        }
        index(&sources)
        var parts = [[VolumeWriter.Source]](repeating: [], count: count)
        for (number, source) in sources.enumerated() {
            parts[isScattered ? number % count : number * count / max(1, sources.count)].append(source)
        }
        let writers = try parts.enumerated().map { try VolumeWriter(number: $0.offset + 1, sources: $0.element) }
        let carried = Dictionary(
            repositories.flatMap(\.objects).filter(\.isInBundle).map { ($0.oid, $0.sizeBytes) }
        ) { first, _ in first }
        let isDelta = contents.contains { !$0.prerequisites.isEmpty || !$0.presumed.isEmpty || $0.gitBundle == nil }
        var manifest = BundleManifest(
            nonce: String(repeating: "0", count: 31) + String(sequence % 10), publisher: publisher, stream: "models",
            sequence: sequence,
            created: created, kind: isDelta ? .delta : .full, repositories: repositories, aliases: aliases,
            volumes: try writers.map { try $0.describe { _ in } },
            media: (1...count).map { BundleManifest.Medium(number: $0, volumes: [$0]) },
            objects: BundleManifest.ObjectCount(count: carried.count, bytes: carried.values.reduce(0, +)))
        change(&manifest)
        self.manifest = manifest
        manifestBytes = manifest.canonicalBytes
        let name = manifest.folderName(id: BundleID(manifest: BundleDigest.hash(manifestBytes)))
        var media: [String] = []
        for (number, writer) in writers.enumerated() {
            let medium = try folder.folder("stick\(number + 1)")
            media.append(medium)
            let inner = "\(medium)/HUBBUNDLE/\(name)"
            try FileManager.default.createDirectory(atPath: inner + "/vol", withIntermediateDirectories: true)
            try Data(manifestBytes).write(to: URL(filePath: inner + "/BUNDLE.json"))
            try Data(BundleDigest.hash(manifestBytes).hex.utf8).write(to: URL(filePath: inner + "/BUNDLE.dsse.json"))
            _ = try writer.write(to: inner + "/" + BundleManifest.Volume.file(number + 1)) { _ in }
        }
        self.media = media
    }

    private static func segments(_ bytes: [UInt8]) -> [VolumeWriter.Source] {
        let step = Int(VolumeIndex.segmentBytes)
        let object = BundleDigest.hash(bytes)
        return stride(from: 0, to: bytes.count, by: step).map { start in
            source(.segment(of: object, offset: Int64(start)), Array(bytes[start..<min(start + step, bytes.count)]))
        }
    }

    private static func source(_ content: VolumeIndex.Content, _ bytes: [UInt8]) -> VolumeWriter.Source {
        VolumeWriter.Source(
            entry: VolumeIndex.Entry(
                content: content, length: Int64(bytes.count), storedLength: Int64(bytes.count), encoding: .raw,
                sha256: BundleDigest.hash(bytes)), source: .bytes(bytes))
    }
}

/// A repository with one more commit, which has `large` as its large files.
func modelContent(
    _ source: SourceRepository, large: [[UInt8]] = [], name: String = "qwen/qwen3", attachments: [(name: String, bytes: [UInt8])] = []
) throws -> BundleContent {
    var files: [String: [UInt8]] = [:]
    for (number, bytes) in large.enumerated() { files["model-\(number).bin"] = bytes }
    let commit = try source.commit(["README.md": "# Model\n"], large: files)
    return BundleContent(
        source: source, name: name, refs: [("refs/heads/main", commit)], gitBundle: try source.bundle(["--all"]), large: large,
        attachments: attachments)
}
