import BundleFormat
import Foundation
import HubCore
import HubTestSupport
import Testing

/// A publisher whose bundles are made by hand, so that it can sign lies; its repository `qwen/qwen3` has a history of its own.
final class BundleMaker {
    static let uid = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
    static let name = "models/qwen/qwen3"

    let folder: TemporaryFolder
    let identity: PublisherIdentity
    private let repository: String

    init(_ publisher: String = "acme", key: SigningKey? = nil) throws {
        folder = try TemporaryFolder("maker")
        identity = try .make(publisher: publisher, key: key ?? .make(.ed25519), modelKey: nil)
        repository = try folder.folder("repository")
        try git("init", "-q", "-b", "main")
    }

    var fingerprint: String { identity.fingerprint ?? "" }

    /// The list of keys, as a file to trust.
    func root() throws -> String {
        let path = folder.file("root.1.json")
        try Data(identity.roots[0].bytes).write(to: URL(filePath: path))
        return path
    }

    func beTrusted(by hub: HubProcess) throws { try hub.run("trust", "add", root(), "--fingerprint", fingerprint) }

    @discardableResult
    func git(_ words: String...) throws -> String { try git(words) }

    private func git(_ words: [String]) throws -> String {
        var environment = ProcessInfo.processInfo.environment
        environment.merge([
            "HOME": folder.path, "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org",
            "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org", "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
            "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
        ]) { $1 }
        let output = try CommandOutput.of(["git"] + words, in: repository, environment: environment)
        guard output.succeeded else { throw CommandFailure(words: words, output: output) }
        return output.line
    }

    /// What a bundle is made of besides its repository's history.
    struct Parts {
        var large: [[UInt8]] = []
        /// Of these, the ones that are named and not carried.
        var presumed: Set<Int> = []
        /// The git bundle has what follows this commit.
        var base: String?
        var sequence: Int64 = 1
        var nonce: Character = "0"
        var created = "2026-11-20T10:00:00Z"
        var volumes = 1
        /// Changes what is put into volumes, in spite of what the manifest says.
        var index: (inout [VolumeWriter.Source]) -> Void = { _ in }
        var manifest: (inout BundleManifest) -> Void = { _ in }
        /// Changes the text of an index, which must keep its length; it is signed as it is then.
        var indexText: (String) -> String = { $0 }
    }

    /// Commits pointers to the large objects, and makes a signed bundle of all history, one medium a volume.
    func bundle(_ parts: Parts) throws -> HandmadeBundle {
        try "# Model \(parts.sequence)\n".write(toFile: repository + "/README.md", atomically: true, encoding: .utf8)
        for (n, bytes) in parts.large.enumerated() {
            try "version https://git-lfs.github.com/spec/v1\noid sha256:\(BundleDigest.hash(bytes))\nsize \(bytes.count)\n"
                .write(toFile: "\(repository)/model-\(n).bin", atomically: true, encoding: .utf8)
        }
        try "*.bin filter=lfs diff=lfs merge=lfs -text\n".write(toFile: repository + "/.gitattributes", atomically: true, encoding: .utf8)
        try git("add", "--all")
        try git("commit", "-q", "--allow-empty", "-m", "Change \(parts.sequence)")
        let commit = try git("rev-parse", "main")
        let file = folder.file("git.bundle")
        _ = try git(["bundle", "create", "-q", file, "main"] + (parts.base.map { ["^\($0)"] } ?? []))
        let gitBundle = Array(try Data(contentsOf: URL(filePath: file)))

        var sources = [try Self.source(.gitBundle(uid: Self.uid), gitBundle)]
        for (n, bytes) in parts.large.enumerated() where !parts.presumed.contains(n) {
            let oid = BundleDigest.hash(bytes)
            for start in stride(from: 0, to: bytes.count, by: Int(VolumeIndex.segmentBytes)) {
                let end = min(start + Int(VolumeIndex.segmentBytes), bytes.count)
                sources.append(try Self.source(.segment(of: oid, offset: Int64(start)), Array(bytes[start..<end])))
            }
        }
        parts.index(&sources)
        let oid = try #require(GitOID(hex: commit))
        let base = try parts.base.map { try #require(GitOID(hex: $0)) }
        let objects = parts.large.enumerated().map { n, bytes in
            BundleRepository.LargeObject(
                oid: BundleDigest.hash(bytes), sizeBytes: Int64(bytes.count), paths: ["model-\(n).bin"],
                isInBundle: !parts.presumed.contains(n))
        }
        let repository = BundleRepository(
            uid: Self.uid, kind: .model, name: try RepositoryName(parsing: "qwen/qwen3"),
            refs: [.init(name: try #require(ReferenceName("refs/heads/main")), oid: oid, old: base)],
            gitBundle: .init(sha256: BundleDigest.hash(gitBundle), sizeBytes: Int64(gitBundle.count), prerequisites: base.map { [$0] } ?? []),
            objects: objects)
        return try HandmadeBundle(by: identity, of: repository, sources: sources, parts)
    }

    static func source(_ content: VolumeIndex.Content, _ bytes: [UInt8]) throws -> VolumeWriter.Source {
        VolumeWriter.Source(
            entry: VolumeIndex.Entry(
                content: content, length: Int64(bytes.count), storedLength: Int64(bytes.count), encoding: .raw, sha256: BundleDigest.hash(bytes)),
            source: .bytes(bytes))
    }
}

/// A signed bundle in folders that stand for sticks, one a volume.
final class HandmadeBundle {
    let folder: TemporaryFolder
    let manifest: BundleManifest
    let media: [String]
    /// Of each medium, the folder of the bundle.
    let folders: [String]
    var id: String { BundleID(manifest: BundleDigest.hash(manifest.canonicalBytes)).text }
    var commit: String { manifest.repositories[0].refs[0].oid.hex }

    init(by identity: PublisherIdentity, of repository: BundleRepository, sources: [VolumeWriter.Source], _ parts: BundleMaker.Parts) throws {
        folder = try TemporaryFolder("media")
        var shares = [[VolumeWriter.Source]](repeating: [], count: parts.volumes)
        for (n, source) in sources.enumerated() { shares[n * parts.volumes / max(1, sources.count)].append(source) }
        var volumes: [BundleManifest.Volume] = []
        for (n, share) in shares.enumerated() {
            let path = folder.file("volume-\(n + 1)")
            volumes.append(try VolumeWriter(number: n + 1, sources: share).write(to: path) { _ in })
            try Self.changeIndex(of: path, &volumes[n], parts.indexText)
        }
        let carried = repository.objects.filter(\.isInBundle)
        var manifest = BundleManifest(
            nonce: String(repeating: parts.nonce, count: 32), publisher: identity.publisher, stream: "models", sequence: parts.sequence,
            created: parts.created, kind: parts.base == nil && parts.presumed.isEmpty ? .full : .delta, repositories: [repository],
            volumes: volumes,
            media: (1...parts.volumes).map { .init(number: $0, volumes: [$0]) },
            objects: .init(count: carried.count, bytes: carried.reduce(0) { $0 + $1.sizeBytes }))
        parts.manifest(&manifest)
        self.manifest = manifest
        let bytes = manifest.canonicalBytes
        let documents = try identity.sign(manifest, bytes: bytes)
        let name = manifest.folderName(id: BundleID(manifest: BundleDigest.hash(bytes)))
        var (media, folders) = ([String](), [String]())
        for n in volumes.indices {
            let medium = try folder.folder("stick\(n + 1)")
            let inner = "\(medium)/HUBBUNDLE/\(name)"
            for part in ["vol", "trust"] {
                try FileManager.default.createDirectory(atPath: "\(inner)/\(part)", withIntermediateDirectories: true)
            }
            try Data(bytes).write(to: URL(filePath: inner + "/BUNDLE.json"))
            for file in documents.files { try Data(file.bytes).write(to: URL(filePath: "\(inner)/\(file.name)")) }
            try FileManager.default.moveItem(atPath: folder.file("volume-\(n + 1)"), toPath: inner + "/" + BundleManifest.Volume.file(n + 1))
            media.append(medium)
            folders.append(inner)
        }
        self.media = media
        self.folders = folders
    }

    /// Makes a volume that lies, and whose lie is signed: the index follows the header of 512 bytes.
    private static func changeIndex(of path: String, _ volume: inout BundleManifest.Volume, _ change: (String) -> String) throws {
        var bytes = try Data(contentsOf: URL(filePath: path))
        let size = try #require(Int(String(decoding: bytes[124..<135], as: UTF8.self), radix: 8))
        let text = String(decoding: bytes[512..<512 + size], as: UTF8.self)
        let changed = Data(change(text).utf8)
        guard changed != bytes[512..<512 + size] else { return }
        #expect(changed.count == size)
        bytes.replaceSubrange(512..<512 + size, with: changed)
        try bytes.write(to: URL(filePath: path))
        volume.indexSHA256 = BundleDigest.hash(Array(changed))
        volume.sha256 = BundleDigest.hash(Array(bytes))
    }

    func volume(_ number: Int = 1) -> String { "\(folders[number - 1])/\(BundleManifest.Volume.file(number))" }

    /// Where the data of an entry lies, by the begin of its name.
    func place(of name: String) throws -> (volume: Int, offset: Int) {
        for volume in manifest.volumes {
            let reader = try VolumeReader(path: self.volume(volume.number), volume: volume)
            if let n = reader.index.entries.firstIndex(where: { $0.content.name.hasPrefix(name) }) { return (volume.number, Int(reader.offset(of: n))) }
        }
        throw CocoaError(.fileNoSuchFile)
    }

    /// Changes one bit of a file while `work` runs.
    func flipping<Value>(_ path: String, at offset: Int, _ work: () throws -> Value) throws -> Value {
        try Content.flip(path, at: offset)
        let value = try work()
        try Content.flip(path, at: offset)
        return value
    }
}

extension HubProcess {
    /// Imports and expects the exit status; returns what was printed, both streams.
    @discardableResult
    func importing(_ words: [String], status: Int32, sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        let output = try CommandOutput.of(
            [Self.binary ?? "csghub", "bundle", "import"] + words + ["--data", data], environment: ProcessInfo.processInfo.environment)
        #expect(output.status == status, "\(output)", sourceLocation: sourceLocation)
        return output.text
    }

    /// Whether nothing of the bundle is here: no repository, no staged content.
    func hasNothing(of bundle: String) throws -> Bool {
        let repositories = try verb("repository", "list", "--json").stdout
        let staged = (try? FileManager.default.contentsOfDirectory(atPath: data + "/staging/imports")) ?? []
        return !repositories.contains("qwen3") && !staged.contains(bundle)
    }
}
