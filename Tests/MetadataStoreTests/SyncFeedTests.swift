import HubCore
import Testing

@testable import MetadataStore

@Suite("The feed for other hubs")
struct SyncFeedTests {
    private let test: TestStore

    init() async throws {
        test = try TestStore()
        try await test.account("ada")
    }

    private func push(_ repository: Repository, _ old: Int?, _ new: Int) async throws {
        let generation = try await test.store.gitState(of: repository.id, prefixes: nil).packGeneration
        _ = try await test.store.applyPush(
            Push(
                repository: repository.id, expectedPackGeneration: generation, pack: Made.pack(new),
                updates: [ReferenceUpdate(name: Made.branch("main"), old: old.map(Made.oid), new: Made.oid(new))], isAtomic: true,
                actor: "ada", account: nil, audit: test.entry()))
    }

    private func feed(after version: Int64 = 0) async throws -> [SyncFeedEntry] {
        try await test.store.syncFeed(after: version, limit: 100)
    }

    @Test("each public push gives the repository's row a higher version, the same state twice does not")
    func pushes() async throws {
        let repository = try await test.repository("models/ada/x", .public)
        try await push(repository, nil, 1)
        try await test.store.extendSyncFeed(with: repository.id, changeLog: "First")
        try await test.store.extendSyncFeed(with: repository.id, changeLog: "Again")
        let first = try #require(try await feed().first)
        #expect((first.name.description, first.changeLog) == ("ada/x", "First"))
        try await push(repository, 1, 2)
        try await test.store.extendSyncFeed(with: repository.id, changeLog: "Second")
        let rows = try await feed()
        #expect(rows.map(\.changeLog) == ["Second"] && rows[0].version > first.version)
        #expect(try await feed(after: rows[0].version).isEmpty)
    }

    @Test("private, deleted and empty repositories and spaces are not told of")
    func hidden() async throws {
        let repositories = [
            try await test.repository("models/ada/private", .private), try await test.repository("models/ada/internal", .internal),
            try await test.repository("spaces/ada/space", .public),
        ]
        for (index, repository) in repositories.enumerated() { try await push(repository, nil, index + 1) }
        _ = try await test.repository("models/ada/empty", .public)
        let deleted = try await test.repository("models/ada/deleted", .public)
        try await push(deleted, nil, 9)
        _ = try await test.store.deleteRepository(deleted.id, audit: test.entry())
        #expect(try await test.store.catchUpSyncFeed(after: nil) == nil)
        #expect(try await feed().isEmpty)
    }

    @Test("what was missed is found at the start, in steps")
    func catchUp() async throws {
        for number in 1...7 { try await push(try await test.repository("datasets/ada/d\(number)", .public), nil, number) }
        var last: RepositoryID?
        repeat { last = try await test.store.catchUpSyncFeed(after: last, span: 2) } while last != nil
        #expect(try await feed().map(\.name.name) == (1...7).map { "d\($0)" })
        let newest = try #require(try await feed().last?.version)
        #expect(try await test.store.catchUpSyncFeed(after: nil) == nil)
        #expect(try await feed(after: newest).isEmpty)
    }

    @Test("a new name is a change, and a repository that is hidden again leaves the feed")
    func changes() async throws {
        let repository = try await test.repository("models/ada/old", .public)
        try await push(repository, nil, 1)
        try await test.store.extendSyncFeed(with: repository.id, changeLog: "")
        let first = try #require(try await feed().first)
        _ = try await test.store.renameRepository(
            repository.id, to: RepositoryName(parsing: "ada/new"), audit: test.entry())
        try await test.store.extendSyncFeed(with: repository.id, changeLog: "Renamed")
        #expect(try await feed(after: first.version).map(\.name.description) == ["ada/new"])
        _ = try await test.store.updateRepository(
            repository.id, RepositoryChange(visibility: .set(.private)), audit: test.entry())
        #expect(try await feed().isEmpty)
    }
}
