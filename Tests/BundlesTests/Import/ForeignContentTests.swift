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
            modelContent(try SourceRepository(), large: [secret], name: "lab/secret"),
            modelContent(try SourceRepository(uid: "B"), large: [secret], name: "qwen/open"),
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
        let bundle = try empty([modelContent(try SourceRepository(), large: [large], name: "qwen/open")])
        let outcome = try await site.take(bundle.media, ImportOptions(visibility: visibility))
        // Internal ones may be spared the copy.
        #expect(outcome.record?.state == (visibility == .public ? .staging : .published))
    }

    @Test("a repository of this site keeps its refs, and its objects do not become the publisher's")
    func localRepository() async throws {
        let site = try ImportSite()
        let source = try SourceRepository()
        let first = try modelContent(source, large: [], name: "lab/secret")
        // The site's own repository, whose history the publisher knows.
        let local = try MadeBundle([first], publisher: "other")
        try await site.publish(local.media)
        let repository = try #require(try await site.repository("models/lab/secret"))
        _ = try await site.store.updateRepository(
            repository.id, RepositoryChange(visibility: .set(.private), isProtected: .set(false)), audit: entry)
        let secret = made(4_000, 42)
        try await upload(secret, to: repository, in: site)
        let old = try source.head()

        let new = try source.commit(["README.md": "# Taken over\n"])
        var next = try modelContent(source, large: [], name: "lab/secret")
        next.refs = [("refs/heads/main", new), ("refs/heads/side", new), ("refs/pr/1", new)]
        let taking = try MadeBundle([next])
        let report = try await site.publish(taking.media)
        #expect(report.repositories.first?.refs.map(\.outcome) == [.keptLocal, .keptLocal])
        #expect(
            try await site.refs("models/lab/secret") == [
                "refs/heads/main": old, "refs/import/\(taking.id)/heads/main": new,
                "refs/import/\(taking.id)/heads/side": new,
            ])
        #expect(try await site.store.origin(of: repository.id)?.publisher == "other")

        // A later bundle of the same publisher has no more of it.
        let theft = try MadeBundle(
            [
                BundleContent(
                    source: try SourceRepository(uid: "B"), name: "qwen/open", refs: [], gitBundle: nil,
                    presumed: [secret])
            ], sequence: 2)
        guard case .parked? = try await site.take(theft.media).failure as? ImportError else {
            throw CocoaError(.featureUnsupported)
        }
        #expect(try await site.repository("models/qwen/open") == nil)
    }

    @Test("another publisher does not move the refs of a repository that it names")
    func otherPublisher() async throws {
        let site = try ImportSite()
        let (mine, theirs) = (try SourceRepository(), try SourceRepository(uid: "B"))
        let content = try modelContent(mine, large: [], name: "qwen/qwen3")
        let first = try MadeBundle([content])
        try await site.publish(first.media)
        let bundle = try MadeBundle(
            [try modelContent(theirs, large: [made(100, 3)], name: "qwen/qwen3")], publisher: "other")
        let preflight = try await site.importer.preflight(ImportOptions(paths: bundle.media), by: site.caller)
        #expect(preflight.first?.notes.contains { $0.contains("did not come from other") } == true)
        let report = try await site.publish(bundle.media)
        #expect(report.repositories.first?.refs.map(\.outcome) == [.keptLocal])
        #expect(
            try await site.refs("models/qwen/qwen3") == [
                "refs/heads/main": try mine.head(), "refs/import/\(bundle.id)/heads/main": try theirs.head(),
            ])
        // The first one's next bundle goes on as if nothing had been.
        let next = try mine.commit(["x.txt": "x\n"])
        let second = try MadeBundle(
            [BundleContent(source: mine, refs: [("refs/heads/main", next)], gitBundle: try mine.bundle(["--all"]))],
            sequence: 2)
        try await site.publish(second.media)
        #expect(try await site.refs("models/qwen/qwen3")["refs/heads/main"] == next)
    }

    @Test("an empty repository of this site is filled, and followed from then on")
    func emptyRepository() async throws {
        let site = try ImportSite()
        let source = try SourceRepository()
        let local = try await repository("models/qwen/qwen3", .private, in: site)
        for sequence in Int64(1)...2 {
            let commit = try source.commit(["n.txt": "\(sequence)\n"])
            let bundle = try MadeBundle(
                [
                    BundleContent(
                        source: source, refs: [("refs/heads/main", commit)], gitBundle: try source.bundle(["--all"]))
                ], sequence: sequence)
            let report = try await site.publish(bundle.media)
            #expect(report.repositories.first?.isNew == false)
            #expect(try await site.refs("models/qwen/qwen3") == ["refs/heads/main": commit])
        }
        #expect(try await site.store.origin(of: local.id)?.publisher == "acme")
    }
}
