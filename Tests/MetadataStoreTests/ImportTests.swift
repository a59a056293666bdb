import Foundation
import HubCore
import Testing

@testable import MetadataStore

@Suite("Imports of bundles")
struct ImportTests {
    private let test: TestStore
    private var store: MetadataStore { test.store }

    init() throws { test = try TestStore() }

    private static let bundle = "0123456789abcdef"
    private static let source = "01HZZZZZZZZZZZZZZZZZZZZZZZ"

    private func begin(_ bundle: String = bundle, sequence: Int64 = 1) async throws {
        let new = NewImport(
            bundle: bundle, manifest: Made.object(Int(sequence)), publisher: "acme", stream: "models", sequence: sequence,
            options: "{}", actor: "tester", account: nil)
        _ = try await store.beginImport(new, audit: test.entry("bundle.import"))
        _ = try await store.moveImport(bundle, from: [.staging], to: .verified)
    }

    private func repository(
        _ name: String = "models/qwen/qwen3", target: ImportPublication.Target? = nil, pack: PackDescription? = Made.pack(1),
        refs: [ImportPublication.Ref]? = nil, objects: [Int] = [1, 2], source: String = source
    ) throws -> ImportPublication.Repository {
        ImportPublication.Repository(
            target: target ?? .new(RepositoryUID(), visibility: .internal), reference: try RepositoryReference(parsing: name),
            sourceUID: source, sourceName: name, originDescription: "{}", defaultBranch: "main", description: "A model.",
            pack: pack, refs: try refs ?? [ref("refs/heads/main", 1, from: [nil])],
            objects: objects.map { StoredObjectRecord(oid: Made.object(100 + $0), sizeBytes: Int64($0)) })
    }

    private func ref(_ name: String, _ oid: Int, from: [Int?]) throws -> ImportPublication.Ref {
        ImportPublication.Ref(
            name: try #require(ReferenceName(name)), oid: Made.oid(oid), peeled: nil, movesFrom: from.map { $0.map(Made.oid) },
            isForced: false)
    }

    private func publication(
        _ repositories: [ImportPublication.Repository], bundle: String = bundle, aliases: [String] = []
    ) -> ImportPublication {
        ImportPublication(
            bundle: bundle, repositories: repositories, aliases: aliases, actor: "tester", account: nil,
            audit: test.entry("bundle.publish"))
    }

    private func publish(_ publication: ImportPublication) async throws -> ImportReport {
        guard case .published(let report) = try await store.publishImport(publication) else {
            throw MetadataError.unusable("not published")
        }
        return report
    }

    /// Everything that is there, to compare.
    private func contents() throws -> [String] {
        try store.lookUp { db in
            try ["namespaces", "repositories", "objects", "object_links", "packs", "refs", "origins", "imported_refs", "audit"].map {
                "\($0) \(try db.value(Int.self, "SELECT count(*) FROM \($0)") ?? -1)"
            }
        }
    }

    @Test("makes organization, repository, links, pack, refs and origin in one transaction")
    func publishes() async throws {
        try await begin()
        let report = try await publish(publication([try repository()]))
        #expect(report.organizations == ["qwen"])
        let made = try #require(try await store.repository(try RepositoryReference(parsing: "models/qwen/qwen3"))?.repository)
        #expect(made.isProtected && made.visibility == .internal && made.creator == nil && made.description == "A model.")
        let state = try await store.gitState(of: made.id)
        #expect(state.references.map(\.name.text) == ["refs/heads/main"] && state.packs.map(\.id) == [Made.pack(1).id])
        #expect(try await store.object(Made.object(101), in: made.id) == 1)
        #expect(try await store.origin(of: made.id)?.sourceUID == Self.source)
        #expect(try await store.importedRepository(publisher: "acme", sourceUID: Self.source)?.id == made.id)
        #expect(try await store.importedReferences(of: made.id) == [ReferenceName(trusted: "refs/heads/main"): Made.oid(1)])
        #expect(try await store.importRecord(Self.bundle)?.state == .published)
        #expect(try await store.importedStreams().map(\.sequence) == [1])
        guard case .intact = try await store.verifyAuditChain() else { throw MetadataError.unusable("the audit chain is broken") }
    }

    @Test("leaves nothing when a part of it fails")
    func allOrNothing() async throws {
        try await test.account("ada")
        try await begin()
        let before = try contents()
        // Two repositories of one name: the second one fails after the first has made everything.
        let twice = [try repository(), try repository(objects: [3], source: "01HZZZZZZZZZZZZZZZZZZZZZZY")]
        await #expect(throws: MetadataError.self) { try await store.publishImport(publication(twice)) }
        #expect(try contents() == before)
        // An object that is known with another size.
        let other = try await test.repository("models/ada/x")
        try await store.linkObject(Made.object(102), sizeBytes: 99, repository: other.id, account: nil)
        let later = try contents()
        await #expect(throws: MetadataError.sizeMismatch(Made.object(102))) {
            try await store.publishImport(publication([try repository()]))
        }
        #expect(try contents() == later)
        #expect(try await store.importRecord(Self.bundle)?.state == .verified)
    }

    @Test("publishing again does nothing")
    func isIdempotent() async throws {
        try await begin()
        let first = publication([try repository()])
        let report = try await publish(first)
        let before = try contents()
        #expect(try await store.publishImport(first) == .alreadyPublished(report))
        #expect(try contents() == before)
    }

    @Test("a later bundle moves what was not moved here, and puts the rest beside it")
    func keepsLocalRefs() async throws {
        try await begin()
        let refs = [try ref("refs/heads/main", 1, from: [nil]), try ref("refs/heads/dev", 2, from: [nil])]
        let id = try #require(try await publish(publication([try repository(refs: refs)])).repositories.first?.id)
        // Somebody moves dev.
        let name = try #require(ReferenceName("refs/heads/dev"))
        _ = try await store.applyPush(
            Push(
                repository: id, expectedPackGeneration: 1,
                updates: [ReferenceUpdate(name: name, old: Made.oid(2), new: Made.oid(9))], actor: "ada",
                audit: test.entry("git.push")))
        let second = "fedcba9876543210"
        try await begin(second, sequence: 2)
        let next = try repository(
            target: .existing(id, packGeneration: 1), pack: Made.pack(2),
            refs: [
                try ref("refs/heads/main", 3, from: [1]), try ref("refs/heads/dev", 4, from: [2]),
                try ref("refs/heads/dev/x", 5, from: [nil]), try ref("refs/tags/v1", 6, from: [nil]),
            ], objects: [3])
        let report = try await publish(publication([next], bundle: second))
        #expect(report.repositories.first?.refs.map(\.outcome) == [.updated, .keptLocal, .keptLocal, .created])
        let state = try await store.gitState(of: id)
        let values = Dictionary(uniqueKeysWithValues: state.references.map { ($0.name.text, $0.oid) })
        #expect(
            values == [
                "refs/heads/main": Made.oid(3), "refs/heads/dev": Made.oid(9), "refs/tags/v1": Made.oid(6),
                "refs/import/\(second)/heads/dev": Made.oid(4), "refs/import/\(second)/heads/dev/x": Made.oid(5),
            ].filter { $0.key != "refs/import/\(second)/heads/dev/x" || values[$0.key] != nil })
        #expect(state.packs.count == 2)
    }

    @Test("is outdated when the name, the repository or its packs changed since it was looked at")
    func isOutdated() async throws {
        try await begin()
        let existing = try await test.organization("qwen")
        _ = existing
        let local = try await test.repository("models/qwen/qwen3")
        #expect(try await store.publishImport(publication([try repository()])) == .outdated)
        let there = try repository(target: .existing(local.id, packGeneration: 0))
        _ = try await store.deleteRepository(local.id, audit: test.entry("repository.delete"))
        #expect(try await store.publishImport(publication([there])) == .outdated)
        _ = try await store.undeleteRepository(local.id, audit: test.entry("repository.undelete"))
        let report = try await publish(publication([there]))
        #expect(report.repositories.first?.isNew == false)
        #expect(try await store.repository(id: local.id)?.isProtected == false)
    }

    @Test("an account's name is not made an organization, and its repository is its own")
    func accountOwns() async throws {
        try await test.account("qwen")
        try await begin()
        let report = try await publish(publication([try repository()]))
        #expect(report.organizations.isEmpty)
        let owner = try await store.repository(try RepositoryReference(parsing: "models/qwen/qwen3"))?.repository.owner
        guard case .account = owner else { throw MetadataError.unusable("not the account's") }
    }

    @Test("aliases are added, and those that stand for something else here stay")
    func addsAliases() async throws {
        try await store.setSetting("repository-aliases", to: "gpt2=ours/gpt2", audit: test.entry())
        try await begin()
        let report = try await publish(publication([try repository()], aliases: ["gpt2=openai/gpt2", "datasets/squad=r/squad"]))
        #expect(report.aliases == ["datasets/squad=r/squad"] && report.skippedAliases == ["gpt2=openai/gpt2"])
        #expect(try await store.setting("repository-aliases") == "gpt2=ours/gpt2,datasets/squad=r/squad")
    }

    @Test("an alias brings no second one along, and is known however the list is written")
    func hidesNoAlias() async throws {
        try await store.setSetting("repository-aliases", to: "gpt2=ours/gpt2, Squad=ours/squad", audit: test.entry())
        try await begin()
        let aliases = ["x=a/b,gpt2=evil/m", "y=a/b gpt2=evil/m", "squad=evil/squad", "bert=a/bert"]
        let report = try await publish(publication([try repository()], aliases: aliases))
        #expect(report.aliases == ["bert=a/bert"] && report.skippedAliases == Array(aliases.dropLast()))
        #expect(try await store.setting("repository-aliases") == "gpt2=ours/gpt2, Squad=ours/squad,bert=a/bert")
    }

    @Test("a description that is longer than the table holds is cut")
    func longDescription() async throws {
        try await begin()
        var long = try repository()
        long.description = String(repeating: "e\u{301}", count: 9_000)
        let id = try #require(try await publish(publication([long])).repositories.first?.id)
        #expect(try await store.repository(id: id)?.description?.unicodeScalars.count == 10_000)
    }

    @Test("is refused before it is verified, and begins anew after it was given up")
    func states() async throws {
        try await begin()
        _ = try await store.moveImport(Self.bundle, from: [.verified], to: .rejected, reason: "not wanted")
        await #expect(throws: MetadataError.importState(.rejected)) {
            try await store.publishImport(publication([try repository()]))
        }
        await #expect(throws: MetadataError.importState(.rejected)) {
            try await store.moveImport(Self.bundle, from: [.verified], to: .scanned)
        }
        try await begin()
        #expect(try await store.importRecord(Self.bundle)?.reason == nil)
        await #expect(throws: MetadataError.importNotFound) { try await store.moveImport("x", from: [.staging], to: .failed) }
        #expect(try await store.imports(in: [.verified]).items.count == 1)
        #expect(try await store.imports(in: [.published]).items.isEmpty)
    }

    @Test("a bundle may presume only what its publisher brought or everybody may read")
    func presumes() async throws {
        try await test.account("ada")
        let secret = try await test.repository("models/ada/secret")
        let open = try await test.repository("models/ada/open", .internal)
        let everybodys = try await test.repository("models/ada/everybodys", .public)
        for (number, repository) in [(1, secret), (2, open), (3, everybodys)] {
            try await store.linkObject(Made.object(number), sizeBytes: 5, repository: repository.id, account: nil)
        }
        try await begin()
        let made = try await publish(publication([try repository(target: .new(RepositoryUID(), visibility: .private), objects: [7])]))
        let all = [1, 2, 3, 107, 8].map(Made.object)
        func presumable(_ publisher: String, _ repository: RepositoryID?, _ visibility: Visibility) async throws -> Set<ObjectID> {
            try await Set(
                store.presumableObjects(among: all, publisher: publisher, repository: repository, visibility: visibility).keys)
        }
        #expect(try await presumable("acme", nil, .internal) == Set([2, 3, 107].map(Made.object)))
        #expect(try await presumable("other", nil, .private) == Set([2, 3].map(Made.object)))
        #expect(try await presumable("other", secret.id, .private) == Set([1, 2, 3].map(Made.object)))
        // What only those who sign in may read does not become public.
        #expect(try await presumable("other", nil, .public) == Set([3].map(Made.object)))
        // Where others write, not everything is the publisher's.
        let id = try #require(made.repositories.first?.id)
        _ = try await store.updateRepository(id, RepositoryChange(isProtected: .set(false)), audit: test.entry("repository.change"))
        #expect(try await presumable("acme", nil, .internal) == Set([2, 3].map(Made.object)))
        #expect(try await presumable("acme", id, .internal) == Set([2, 3, 107].map(Made.object)))
    }
}
