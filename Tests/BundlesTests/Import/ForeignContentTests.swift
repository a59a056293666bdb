import BundleFormat
import Foundation
import GitStore
import HubCore
import HubTestSupport
import Identity
import MetadataStore
import Testing

@testable import Bundles

/// What a trusted publisher must not get at, or change, by naming it.
@Suite("Content that is not the publisher's")
struct ForeignContentTests {
    private let entry = AuditEntry(actor: "t", action: "t", target: "t")

    private func repository(_ name: String, _ visibility: Visibility, in site: ImportSite) async throws -> Repository {
        let reference = try RepositoryReference(parsing: name)
        if try await site.store.namespace(named: reference.name.owner) == nil {
            _ = try await site.store.createOrganization(NewOrganization(name: reference.name.owner), audit: entry)
        }
        return try await site.store.createRepository(
            NewRepository(reference: reference, visibility: visibility), audit: entry)
    }

    /// Stores an object and links it to a repository, as an upload does.
    private func upload(_ bytes: [UInt8], to repository: Repository, in site: ImportSite) async throws {
        let oid = BundleDigest.hash(bytes)
        let folder = site.folder.file("objects/\(oid.hex.prefix(2))/\(oid.hex.dropFirst(2).prefix(2))")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(filePath: "\(folder)/\(oid.hex)"))
        try await site.store.linkObject(oid, sizeBytes: Int64(bytes.count), repository: repository.id, account: nil)
    }

    /// A repository whose history names `large`.
    private func content(_ source: SourceRepository, _ name: String, large: [[UInt8]]) throws -> BundleContent {
        var files: [String: [UInt8]] = [:]
        for (number, bytes) in large.enumerated() { files["model-\(number).bin"] = bytes }
        let commit = try source.commit(["README.md": "# Model\n"], large: files)
        return BundleContent(
            source: source, name: name, refs: [("refs/heads/main", commit)], gitBundle: try source.bundle(["--all"]),
            large: large)
    }

    /// The same without the bytes of the large files, though the manifest says that they are in it.
    private func empty(_ contents: [BundleContent], sequence: Int64 = 1) throws -> MadeBundle {
        try MadeBundle(
            contents, sequence: sequence,
            index: { sources in
                sources.removeAll { if case .segment = $0.entry.content { true } else { false } }
            })
    }

    @Test("a private object is not linked elsewhere because the bundle names its repository too")
    func privateObject() async throws {
        let site = try ImportSite()
        let secret = made(4_000, 42)
        try await upload(secret, to: repository("models/lab/secret", .private, in: site), in: site)
        let bundle = try empty([
            content(try SourceRepository(), "lab/secret", large: [secret]),
            content(try SourceRepository(uid: "B"), "qwen/open", large: [secret]),
        ])
        let outcome = try await site.take(bundle.media)
        #expect(outcome.record?.state == .staging && outcome.failure != nil)
        #expect(try await site.object(BundleDigest.hash(secret), in: "models/qwen/open") == nil)
    }

    @Test("what signed-in people may read does not become everybody's", arguments: [Visibility.public, .internal])
    func internalObject(_ visibility: Visibility) async throws {
        let site = try ImportSite()
        let large = made(4_000, 42)
        try await upload(large, to: repository("models/lab/open", .internal, in: site), in: site)
        let bundle = try empty([content(try SourceRepository(), "qwen/open", large: [large])])
        let outcome = try await site.take(bundle.media, ImportOptions(visibility: visibility))
        // Internal ones may be spared the copy.
        #expect(outcome.record?.state == (visibility == .public ? .staging : .published))
    }
}
