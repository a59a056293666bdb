import BundleFormat
import HubCore
import MetadataStore
import Testing

@testable import Bundles

@Suite("Gates, origins and signatures of imported models")
struct ImportedFactsTests {
    private struct Model {
        let source: SourceRepository
        let large = made(5000)
        let commit: GitOID
        var files: [(path: String, sha256: ObjectID)] {
            [("README.md", BundleDigest.hash(Array("# Model\n".utf8))), ("model.bin", BundleDigest.hash(large))]
        }

        init() throws {
            source = try SourceRepository()
            // .gitattributes is what the specification leaves out.
            commit = try source.commit(
                ["README.md": "# Model\n", ".gitattributes": "*.bin filter=lfs\n"], large: ["model.bin": large])
        }

        func bundle(
            signature: [UInt8]? = nil, sequence: Int64 = 1, _ change: (inout BundleRepository) -> Void = { _ in }
        ) throws -> MadeBundle {
            var content = BundleContent(
                source: source, refs: [("refs/heads/main", try source.head())], gitBundle: try source.bundle(["--all"]), large: [large])
            content.attachments = signature.map { [("model.sig", $0)] } ?? []
            return try MadeBundle([content], sequence: sequence) { manifest in
                for index in manifest.repositories[0].attachments.indices { manifest.repositories[0].attachments[index].format = "oms" }
                change(&manifest.repositories[0])
            }
        }
    }

    @Test("a repository that is gated where it came from arrives gated, and one that is here keeps its gate")
    func gated() async throws {
        let site = try ImportSite()
        let model = try Model()
        let bundle = try model.bundle {
            $0.license = .init(spdx: "LicenseRef-x", isGated: true)
            $0.upstream = .init(kind: "huggingface", url: "https://hf.example/qwen/qwen3", revision: "abc", fetched: "2026-11-01T00:00:00Z")
        }
        let preflight = try #require(try await site.importer.preflight(ImportOptions(paths: bundle.media), by: site.caller).first)
        #expect(preflight.repositories[0].isGated && preflight.notes.contains { $0.contains("arrive gated") })
        try await site.publish(bundle.media)
        let repository = try #require(try await site.repository("models/qwen/qwen3"))
        #expect(repository.gating == .manual)
        #expect(try await site.audit("repository.create").first?.detail["gate"] == "manual")
        let origin = OriginDescription(try #require(try await site.store.origin(of: repository.id)))
        #expect(origin.isGated && origin.upstream?.kind == "huggingface" && origin.upstream?.revision == "abc")
        #expect(origin.upstream?.fetched == "2026-11-01T00:00:00Z" && origin.upstream?.url == "https://hf.example/qwen/qwen3")
        // An administrator opened it; a later bundle does not close it again.
        _ = try await site.store.updateRepository(
            repository.id, RepositoryChange(gating: .set(.off)), audit: AuditEntry(actor: "t", action: "t", target: "t"))
        try model.source.commit(["more.txt": "more\n"])
        let next = try model.bundle(sequence: 2) { $0.license = .init(isGated: true) }
        let second = try #require(try await site.importer.preflight(ImportOptions(paths: next.media), by: site.caller).first)
        #expect(second.notes.contains { $0.contains("restricted where these came from and not here: models/qwen/qwen3") })
        try await site.publish(next.media)
        #expect(try await site.repository("models/qwen/qwen3")?.gating == .off)
    }

    @Test("a signature by the publisher over exactly the files of the commit is verified")
    func verified() async throws {
        let site = try ImportSite()
        let model = try Model()
        let signature = try ModelSignature.make(name: "qwen3", files: model.files, key: site.trust.modelKey)
        let bundle = try model.bundle(signature: signature)
        let preflight = try #require(try await site.importer.preflight(ImportOptions(paths: bundle.media), by: site.caller).first)
        #expect(preflight.repositories[0].hasModelSignature)
        #expect(try await site.publish(bundle.media).repositories[0].modelSignature == .verified)
        #expect(try await site.importer.receipt(of: bundle.id).contains(#""model_signature":"verified""#))
        // The same attachment in a later bundle need not be staged again and is checked all the same.
        let next = try model.bundle(signature: signature, sequence: 2)
        #expect(try await site.publish(next.media).repositories[0].modelSignature == .verified)
    }

    @Test("a signature by the publisher over other files stops the bundle", arguments: ["changed", "missing", "extra"])
    func wrong(_ fault: String) async throws {
        let site = try ImportSite()
        let model = try Model()
        var files = model.files
        switch fault {
        case "changed": files[1].sha256 = BundleDigest.hash([9])
        case "missing": files.append(("config.json", BundleDigest.hash([9])))
        default: files.removeFirst()
        }
        let signature = try ModelSignature.make(name: "qwen3", files: files, key: site.trust.modelKey)
        let bundle = try model.bundle(signature: signature)
        let outcome = try await site.take(bundle.media)
        let failure = try #require(outcome.failure as? ImportError)
        #expect(failure.problem.code == "wrong_model_signature" && failure.problem.kind == .unprocessable)
        #expect(failure.problem.message.contains(["changed": "model.bin has other", "missing": "config.json is missing", "extra": "README.md was not"][fault] ?? "?"))
        #expect(outcome.record?.state == .failed)
        #expect(try await site.repository("models/qwen/qwen3") == nil)
    }

    @Test("a signature by somebody else is carried and proves nothing")
    func unknown() async throws {
        let site = try ImportSite()
        let model = try Model()
        let signature = try ModelSignature.make(name: "qwen3", files: [("x", BundleDigest.hash([9]))], key: .make(.p256))
        let bundle = try model.bundle(signature: signature)
        let report = try await site.publish(bundle.media)
        #expect(report.repositories[0].modelSignature == .unknownKey)
        #expect(try await site.object(BundleDigest.hash(signature), in: "models/qwen/qwen3") == signature)
    }

    @Test("a signature of a tree with a link in it is told to be unchecked")
    func links() async throws {
        let site = try ImportSite()
        let model = try Model()
        let blob = try model.source.git(["rev-parse", "HEAD:README.md"])
        try model.source.git(["update-index", "--add", "--cacheinfo", "120000,\(blob),link"])
        try model.source.git(["commit", "-q", "-m", "Link"])
        let signature = try ModelSignature.make(name: "qwen3", files: model.files, key: site.trust.modelKey)
        let bundle = try model.bundle(signature: signature)
        let report = try await site.publish(bundle.media)
        #expect(report.repositories[0].modelSignature == .unchecked)
    }
}
