import BundleFormat
import Foundation
import GitStore
import HubCore
import HubTestSupport
import Testing

@testable import Bundles

@Suite("Snapshots of folders and caches")
struct SnapshotTests {
    private let folder: TemporaryFolder
    private let reference: RepositoryReference

    init() throws {
        folder = try TemporaryFolder("snapshot")
        reference = RepositoryReference(kind: .model, name: try RepositoryName(parsing: "Qwen/Qwen3-8B"))
    }

    private func write(_ text: String, to path: String) throws {
        let url = URL(filePath: folder.file(path))
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    private static let commit = "0123456789abcdef0123456789abcdef01234567"

    /// A cache of huggingface_hub with one revision of one model.
    private func makeCache() throws -> String {
        let large = String(repeating: "weights ", count: 100)
        let hash = BundleDigest.hash(Array(large.utf8)).hex
        let repository = "hub/models--Qwen--Qwen3-8B"
        try write(large, to: "\(repository)/blobs/\(hash)")
        try write("{}", to: "\(repository)/blobs/9e26dfeeb6e641a33dae4961196235bdb965b21b")
        try write(Self.commit, to: "\(repository)/refs/main")
        try FileManager.default.createDirectory(atPath: folder.file("\(repository)/snapshots/\(Self.commit)/sub"), withIntermediateDirectories: true)
        for (name, target) in [("model.safetensors", "../../blobs/\(hash)"), ("sub/config.json", "../../../blobs/9e26dfeeb6e641a33dae4961196235bdb965b21b")] {
            try FileManager.default.createSymbolicLink(
                atPath: folder.file("\(repository)/snapshots/\(Self.commit)/\(name)"), withDestinationPath: target)
        }
        return folder.file(repository)
    }

    @Test("a cache of huggingface_hub gives its repositories with their upstream commits")
    func cache() throws {
        let repository = try makeCache()
        let found: [Snapshot?] = [
            try Snapshot.all(inCache: folder.path).first, try Snapshot.all(inCache: folder.file("hub")).first,
            try Snapshot.of(folder: repository, as: reference), try Snapshot.of(folder: "\(repository)/snapshots/\(Self.commit)", as: reference),
        ]
        for snapshot in found {
            let snapshot = try #require(snapshot)
            #expect(snapshot.reference == reference)
            #expect(snapshot.upstream?.kind == "huggingface" && snapshot.upstream?.revision == Self.commit)
            #expect(snapshot.files.map(\.path) == ["model.safetensors", "sub/config.json"])
            #expect(snapshot.files.map(\.isLarge) == [true, false])
            #expect(snapshot.files[0].sizeBytes == 800 && snapshot.files[0].source.contains("/blobs/"))
        }
    }

    @Test("a link out of the cache, or to nothing, is refused", arguments: ["/etc/passwd", "../../../../x", "../../blobs/none"])
    func links(target: String) throws {
        let repository = try makeCache()
        try write("x", to: "x")
        try FileManager.default.createSymbolicLink(atPath: "\(repository)/snapshots/\(Self.commit)/bad", withDestinationPath: target)
        #expect(throws: CreationError.self) { try Snapshot.of(folder: repository, as: reference) }
    }

    @Test("a folder of --local-dir keeps the upstream commit and leaves its metadata out")
    func localDirectory() throws {
        try write("{}", to: "local/config.json")
        let later = Date().timeIntervalSince1970 + 10
        try write("\(Self.commit)\n9e26dfeeb6e641a33dae4961196235bdb965b21b\n\(later)\n", to: "local/.cache/huggingface/download/config.json.metadata")
        try write("*", to: "local/.cache/huggingface/.gitignore")
        let snapshot = try Snapshot.of(folder: folder.file("local"), as: reference)
        #expect(snapshot.files.map(\.path) == ["config.json"])
        #expect(snapshot.upstream?.revision == Self.commit)
    }

    @Test("a file that was changed after its download has no upstream commit")
    func changedFile() throws {
        try write("{}", to: "local/config.json")
        try write("\(Self.commit)\n9e26dfeeb6e641a33dae4961196235bdb965b21b\n1000.5\n", to: "local/.cache/huggingface/download/config.json.metadata")
        #expect(try Snapshot.of(folder: folder.file("local"), as: reference).upstream?.revision == nil)
    }

    @Test("a cache of ModelScope gives its repositories with their revisions")
    func modelScope() throws {
        try write("{}", to: "ms/hub/models/Qwen/Qwen2___5-7B/config.json")
        try write("x", to: "ms/hub/models/Qwen/Qwen2___5-7B/.msc")
        try write("Revision:v1.0.1,CreatedAt:1700000000", to: "ms/hub/models/Qwen/Qwen2___5-7B/.mv")
        let snapshot = try #require(try Snapshot.all(inCache: folder.file("ms")).first)
        #expect(snapshot.reference.name.description == "Qwen/Qwen2.5-7B")
        #expect(snapshot.files.map(\.path) == ["config.json"])
        #expect(snapshot.upstream == .init(kind: "modelscope", revision: "v1.0.1", fetched: "2023-11-14T22:13:20Z"))
    }

    @Test("a folder with a link, a FIFO or nothing is refused")
    func refusals() throws {
        _ = try folder.folder("empty")
        #expect(throws: CreationError.self) { try Snapshot.of(folder: folder.file("empty"), as: reference) }
        try write("a", to: "linked/a")
        try FileManager.default.createSymbolicLink(atPath: folder.file("linked/b"), withDestinationPath: "a")
        #expect(throws: CreationError.self) { try Snapshot.of(folder: folder.file("linked"), as: reference) }
        #expect(throws: CreationError.self) { try Snapshot.of(folder: folder.file("none"), as: reference) }
    }

    // MARK: - As a repository

    private func add(_ path: String, knowledge: TargetKnowledge = TargetKnowledge(), time: Int64 = 1_700_000_000) throws -> BundleContents {
        let state = try CreationFolder(path: folder.file("state"))
        let repositories = try SnapshotRepositories(state, threads: GitThreads(count: 1))
        var contents = BundleContents()
        try repositories.add(
            Snapshot.of(folder: folder.file(path), as: reference), to: &contents, knowledge: knowledge,
            work: CreationFolder(path: folder.file("work")), time: time
        ) { _ in }
        return contents
    }

    private func manifest(_ contents: BundleContents) -> BundleManifest {
        BundleManifest(
            nonce: String(repeating: "0", count: 32), publisher: "p", stream: "s", sequence: 1, created: "", kind: .full,
            repositories: contents.repositories, volumes: [], media: [], objects: .init(count: 0, bytes: 0))
    }

    @Test("the next snapshot of a name is a commit on the last, and a delta of it has only what is new")
    func history() throws {
        try write("---\nlicense: mit\n---\n", to: "m/README.md")
        try write(String(repeating: "a", count: 5000), to: "m/a.safetensors")
        let first = try add("m")
        let repository = try #require(first.repositories.first)
        #expect(repository.objects.map(\.paths) == [["a.safetensors"]])
        #expect(repository.license?.spdx == "MIT")
        #expect(repository.gitBundle?.prerequisites == [])
        // The same again makes the same commit, whenever it is made.
        #expect(try add("m", time: 1_800_000_000).repositories.first?.refs == repository.refs)

        try write(String(repeating: "b", count: 6000), to: "m/b.safetensors")
        var knowledge = TargetKnowledge()
        knowledge.add(manifest(first))
        let second = try #require(try add("m", knowledge: knowledge, time: 1_700_000_100).repositories.first)
        #expect(second.refs.first?.old == repository.refs.first?.oid)
        #expect(second.gitBundle?.prerequisites == repository.refs.map(\.oid))
        #expect(second.objects.filter(\.isInBundle).map(\.paths) == [["b.safetensors"]])
        #expect(second.objects.count == 2)
        #expect(second.uid == repository.uid && BundleRepository.isUID(second.uid))

        var all = TargetKnowledge()
        all.add(manifest(try add("m")))
        #expect(try add("m", knowledge: all).repositories.isEmpty)
    }

    @Test("git reads the bundle, and each large file has its pointer and its rule")
    func bundle() throws {
        try write("x", to: "m/odd name.json")
        try Data(count: 11 << 20).write(to: URL(filePath: folder.file("m/big.txt")))
        let contents = try add("m")
        let item = try #require(contents.items.first { if case .gitBundle = $0.content { true } else { false } })
        let clone = try CommandOutput.of(
            ["git", "clone", "-q", item.path, folder.file("clone")],
            environment: ProcessInfo.processInfo.environment.merging(["GIT_LFS_SKIP_SMUDGE": "1"]) { $1 })
        #expect(clone.succeeded, "\(clone)")
        let pointer = try String(contentsOfFile: folder.file("clone/big.txt"), encoding: .utf8)
        #expect(LFSPointer(parsing: Array(pointer.utf8))?.sizeBytes == 11 << 20)
        let filter = try CommandOutput.of(["git", "check-attr", "filter", "big.txt"], in: folder.file("clone"))
        #expect(filter.line.hasSuffix("filter: lfs"))
        #expect(try String(contentsOfFile: folder.file("clone/odd name.json"), encoding: .utf8) == "x")
    }

    @Test("content that is not what the cache promises is refused")
    func damagedCache() throws {
        let repository = try makeCache()
        let blobs = try FileManager.default.contentsOfDirectory(atPath: repository + "/blobs").filter { $0.count == 64 }
        try Data("other".utf8).write(to: URL(filePath: "\(repository)/blobs/\(blobs[0])"))
        #expect(throws: CreationError.self) { try add("hub/models--Qwen--Qwen3-8B") }
    }

    @Test("a pointer in the place of a large file is refused")
    func pointers() throws {
        try write(LFSPointer(oid: BundleDigest.hash([1]), sizeBytes: 9).text, to: "p/model.gguf.txt")
        #expect(throws: CreationError.self) { try add("p") }
    }
}
