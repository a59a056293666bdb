import Foundation
import HubCore
import Testing

@testable import MetadataStore

@Suite("Lists of repositories")
struct ListTests {
    private func facts(
        _ tags: [String], library: String? = nil, pipeline: String? = nil, parameters: Int64? = nil, modified: Double = 0
    ) -> RepositoryFacts {
        var facts = RepositoryFacts(commit: Made.oid(1), lastModified: Date(timeIntervalSince1970: modified))
        facts.tags = tags
        facts.libraryName = library
        facts.pipelineTag = pipeline
        facts.parameters = parameters
        return facts
    }

    private func names(_ page: RepositoryListPage) -> [String] { page.items.map(\.repository.name.name) }

    @Test("a repository is listed from its creation to its deletion, by who may see it")
    func visibility() async throws {
        let test = try TestStore()
        let (ada, ben) = (try await test.account("ada"), try await test.account("ben"))
        let lab = try await test.organization("lab", admin: ada)
        _ = lab
        let mine = try await test.repository("models/ada/mine", .private)
        _ = try await test.repository("models/ada/shown", .public)
        _ = try await test.repository("models/lab/inner", .internal)
        _ = try await test.repository("models/lab/secret", .private)
        _ = try await test.repository("datasets/ada/set", .public)
        func list(_ scope: VisibilityScope, _ kinds: [RepositoryKind] = [.model]) async throws -> Set<String> {
            try await Set(names(test.store.listRepositories(RepositoryListQuery(kinds: kinds, visibleTo: scope))))
        }
        #expect(try await list(.publicOnly) == ["shown"])
        #expect(try await list(.nothing).isEmpty)
        #expect(try await list(.account(ben.id)) == ["shown", "inner"])
        #expect(try await list(.account(ada.id)) == ["shown", "inner", "mine", "secret"])
        #expect(try await list(.everything, []) == ["shown", "inner", "mine", "secret", "set"])
        #expect(try await list(.token(ada.id, repositories: [mine.id])) == ["mine"])
        #expect(try await list(.token(ben.id, repositories: [mine.id])).isEmpty)
        try await test.store.setCollaborator(ben.id, of: mine.id, role: .read, audit: test.entry())
        #expect(try await list(.account(ben.id)) == ["shown", "inner", "mine"])

        _ = try await test.store.updateRepository(mine.id, RepositoryChange(visibility: .set(.public)), audit: test.entry())
        #expect(try await list(.publicOnly) == ["shown", "mine"])
        _ = try await test.store.deleteRepository(mine.id, audit: test.entry())
        #expect(try await list(.everything) == ["shown", "inner", "secret"])
        _ = try await test.store.undeleteRepository(mine.id, audit: test.entry())
        #expect(try await list(.publicOnly) == ["shown", "mine"])
    }

    @Test("what is kept of a list is forgotten with the next change")
    func kept() async throws {
        let test = try TestStore()
        let store = test.store
        let ada = try await test.account("ada")
        let one = try await test.repository("models/ada/one", .public)
        func list(_ part: String = "") async throws -> [RepositoryListItem] {
            var query = RepositoryListQuery(kinds: [.model], visibleTo: .publicOnly)
            query.detail = .listed
            query.nameParts = [part]
            // The second answer comes from memory.
            _ = try await store.listRepositories(query)
            return try await store.listRepositories(query).items
        }
        #expect(try await list("on").map(\.repository.id) == [one.id])
        _ = try await store.updateRepository(one.id, RepositoryChange(description: .set("new")), audit: test.entry())
        #expect(try await list().map(\.repository.description) == ["new"])
        try await store.saveFacts(facts(["x"], library: "timm"), searchText: "", of: one.id, rules: 1)
        #expect(try await list().map(\.facts.tags) == [["x"]])
        #expect(try await list().map(\.facts.libraryName) == ["timm"])
        #expect(try await store.like(one.id, by: ada.id))
        store.countDownload(of: one.id)
        try await store.writeDownloads()
        #expect(try await list().map(\.counters.likes) == [1])
        #expect(try await list().map(\.counters.downloads) == [1])
        let two = try await test.repository("models/ada/two", .public)
        #expect(try await list("ada/").count == 2)
        #expect(try await list("tw").map(\.repository.id) == [two.id])
        _ = try await store.renameRepository(two.id, to: RepositoryName(parsing: "ada/three"), audit: test.entry())
        #expect(try await list("tw").isEmpty)
        #expect(try await list("three").map(\.repository.name.name) == ["three"])
        _ = try await store.updateRepository(two.id, RepositoryChange(visibility: .set(.private)), audit: test.entry())
        #expect(try await list("three").isEmpty)
        _ = try await store.deleteRepository(one.id, audit: test.entry())
        #expect(try await list("on").isEmpty)
    }

    @Test("the last use of a token is no change that lists forget for")
    func changeCount() async throws {
        let test = try TestStore()
        let ada = try await test.account("ada")
        let token = try await test.store.createToken(
            NewToken(account: ada.id, name: "t", scope: .read, hash: [UInt8](repeating: 7, count: 32)), audit: test.entry())
        let before = test.store.changeCount
        try await test.store.touchToken(token.id, at: test.clock.now)
        #expect(test.store.changeCount == before)
        _ = try await test.repository("models/ada/one")
        #expect(test.store.changeCount > before)
    }

    @Test("tags, library, pipeline, owner and size must all match")
    func filters() async throws {
        let test = try TestStore()
        try await test.account("ada")
        try await test.account("ben")
        let made: [(String, RepositoryFacts)] = [
            ("models/ada/a", facts(["x", "y"], library: "transformers", pipeline: "text-generation", parameters: 6_000_000_000)),
            ("models/ada/b", facts(["x"], library: "diffusers", parameters: 7_000_000_000)),
            ("models/ben/c", facts(["x", "y", "z"], library: "transformers", parameters: 128_000_000_000)),
            ("models/ben/d", facts(["Y"])),
        ]
        for (name, facts) in made {
            let repository = try await test.repository(name, .public)
            try await test.store.saveFacts(facts, searchText: "", of: repository.id, rules: 1)
        }
        func list(_ change: (inout RepositoryListQuery) throws -> Void) async throws -> [String] {
            var query = RepositoryListQuery(kinds: [.model], visibleTo: .publicOnly, order: .created)
            try change(&query)
            let page = try await test.store.listRepositories(query)
            #expect(page.total == page.items.count)
            return names(page)
        }
        #expect(try await list { _ in } == ["d", "c", "b", "a"])
        #expect(try await list { $0.tags = ["x"] } == ["c", "b", "a"])
        #expect(try await list { $0.tags = ["y", "x"] } == ["c", "a"])
        #expect(try await list { $0.tags = ["y", "unknown"] } == [])
        #expect(try await list { $0.library = "transformers" } == ["c", "a"])
        #expect(try await list { $0.pipelineTag = "text-generation" } == ["a"])
        #expect(try await list { $0.owner = try NamespaceName(parsing: "BEN") } == ["d", "c"])
        #expect(try await list { $0.parameters = 6_000_000_000...128_000_000_000 } == ["c", "b", "a"])
        #expect(try await list { $0.parameters = 6_000_000_001...127_000_000_000 } == ["b"])
        #expect(try await list { $0.parameters = 7_000_000_000...7_000_000_000 } == ["b"])
        #expect(try await list { $0.parameters = 0...Int64.max } == ["c", "b", "a"])
        #expect(try await list { $0.isGated = true } == [])
        #expect(try await list { $0.isGated = false } == ["d", "c", "b", "a"])
        #expect(try await list { $0.nameParts = ["a/", "A"] } == ["b", "a"])

        let counts = try await test.store.tagCounts(of: .model, visibleTo: .publicOnly)
        #expect(counts.first == TagCount(tag: "x", count: 3))
        #expect(counts.contains(TagCount(tag: "y", count: 2)) && counts.contains(TagCount(tag: "Y", count: 1)))
    }

    @Test("new facts take the place of old ones in every filter")
    func replacement() async throws {
        let test = try TestStore()
        try await test.account("ada")
        let repository = try await test.repository("models/ada/a", .public)
        try await test.store.saveFacts(facts(["old", "kept"]), searchText: "apples", of: repository.id, rules: 1)
        try await test.store.saveFacts(facts(["kept", "new"]), searchText: "pears", of: repository.id, rules: 1)
        func count(_ tag: String? = nil, text: String? = nil) async throws -> Int {
            var query = RepositoryListQuery(visibleTo: .everything)
            query.tags = tag.map { [$0] } ?? []
            query.text = text
            return try await test.store.listRepositories(query).total
        }
        #expect(try await count("old") == 0)
        #expect(try await count("kept") == 1)
        #expect(try await count("new") == 1)
        #expect(try await count(text: "apples") == 0)
        #expect(try await count(text: "pears") == 1)
        #expect(try await test.store.facts(of: repository.id)?.tags == ["kept", "new"])
        _ = try await test.store.renameRepository(
            repository.id, to: RepositoryName(parsing: "ada/quince"), audit: test.entry())
        #expect(try await count(text: "quince") == 1)
        #expect(try await test.store.tagCounts(of: .model, visibleTo: .everything).count == 2)
    }

    @Test("a space is found by the models and datasets that its card links to")
    func spaces() async throws {
        let test = try TestStore()
        try await test.account("ada")
        let repository = try await test.repository("spaces/ada/app", .public)
        var facts = facts(["gradio"])
        facts.baseModels = [BaseModel(id: "ada/m", relation: nil)]
        facts.datasets = ["ada/d"]
        try await test.store.saveFacts(facts, searchText: "", of: repository.id, rules: 1)
        var query = RepositoryListQuery(kinds: [.space], visibleTo: .publicOnly)
        query.tags = ["model:ada/m", "dataset:ada/d"]
        #expect(try await names(test.store.listRepositories(query)) == ["app"])
        query.tags = ["model:ada/other"]
        #expect(try await test.store.listRepositories(query).total == 0)
        #expect(try await test.store.facts(of: repository.id)?.tags == ["gradio"])
    }

    @Test("pages follow each other without loss, in every order")
    func paging() async throws {
        let test = try TestStore()
        try await test.account("ada")
        var generator = SystemRandomNumberGenerator()
        for number in 0..<60 {
            let repository = try await test.repository("\(number % 2 == 0 ? "models" : "datasets")/ada/r\(number)", .public)
            // Equal keys on purpose, so that ids decide.
            let modified = Double(Int.random(in: 0..<8, using: &generator))
            try await test.store.saveFacts(
                facts(number % 3 == 0 ? ["t"] : ["u"], modified: modified), searchText: "", of: repository.id, rules: 1)
            for _ in 0..<Int.random(in: 0..<4, using: &generator) { test.store.countDownload(of: repository.id) }
        }
        try await test.store.writeDownloads()
        for order in RepositoryListQuery.Order.allCases {
            for tags in [[], ["t"]] {
                var query = RepositoryListQuery(visibleTo: .everything, order: order, limit: 7)
                query.tags = tags
                var seen: [RepositoryListItem] = []
                repeat {
                    let page = try await test.store.listRepositories(query)
                    #expect(page.total == (tags.isEmpty ? 60 : 20))
                    seen += page.items
                    query.after = page.next
                } while query.after != nil
                #expect(Set(seen.map(\.repository.id)).count == (tags.isEmpty ? 60 : 20))
                let keys = seen.map { key($0, order) }
                #expect(zip(keys, keys.dropFirst()).allSatisfy { $0 >= $1 })
            }
        }
    }

    private func key(_ item: RepositoryListItem, _ order: RepositoryListQuery.Order) -> Double {
        switch order {
        case .created: item.repository.createdAt.timeIntervalSince1970
        case .modified: item.facts.lastModified.timeIntervalSince1970
        case .likes: Double(item.counters.likes)
        case .downloads: Double(item.counters.downloads)
        case .trending, .relevance: item.counters.trendingScore
        }
    }

    @Test("a month's downloads and the trend forget old days")
    func downloads() async throws {
        let test = try TestStore()
        try await test.account("ada")
        let repository = try await test.repository("models/ada/a", .public)
        for _ in 0..<5 { test.store.countDownload(of: repository.id) }
        try await test.store.writeDownloads()
        var counters = try await test.store.counters(of: repository.id)
        #expect(counters == RepositoryCounters(downloads: 5, downloadsAllTime: 5, trendingScore: 5))
        test.clock.advance(by: 3 * 86_400)
        test.store.countDownload(of: repository.id)
        try await test.store.writeDownloads()
        try await test.store.rollDayCounts()
        counters = try await test.store.counters(of: repository.id)
        #expect(counters.downloads == 6)
        #expect(abs(counters.trendingScore - (1 + 5 * 4.0 / 7)) < 0.01)
        test.clock.advance(by: 29 * 86_400)
        try await test.store.rollDayCounts()
        counters = try await test.store.counters(of: repository.id)
        #expect(counters == RepositoryCounters(downloads: 1, downloadsAllTime: 6))
        // The last day has fallen out and its row is gone; the next pass finds none.
        test.clock.advance(by: 3 * 86_400)
        try await test.store.rollDayCounts()
        #expect(try await test.store.counters(of: repository.id).downloads == 0)
    }

    @Test("a download of a purged repository is forgotten")
    func purged() async throws {
        let test = try TestStore()
        test.store.countDownload(of: RepositoryID(99))
        try await test.store.writeDownloads()
    }

    @Test("stale facts are found: missing, of other rules, of another commit")
    func stale() async throws {
        let test = try TestStore()
        try await test.account("ada")
        let repository = try await test.repository("models/ada/a", .public)
        #expect(try await test.store.staleFacts(after: nil, rules: 1).repositories == [repository.id])
        var empty = facts([])
        empty.commit = nil
        try await test.store.saveFacts(empty, searchText: "", of: repository.id, rules: 1)
        #expect(try await test.store.staleFacts(after: nil, rules: 1).repositories.isEmpty)
        #expect(try await test.store.staleFacts(after: nil, rules: 2).repositories == [repository.id])
        let push = Push(
            repository: repository.id, expectedPackGeneration: 0, pack: Made.pack(1),
            updates: [ReferenceUpdate(name: Made.branch("main"), old: nil, new: Made.oid(1))], actor: "ada", audit: test.entry())
        _ = try await test.store.applyPush(push)
        #expect(try await test.store.staleFacts(after: nil, rules: 1).repositories == [repository.id])
        try await test.store.saveFacts(facts([]), searchText: "", of: repository.id, rules: 1)
        #expect(try await test.store.staleFacts(after: nil, rules: 1).repositories.isEmpty)
    }

    @Test("facts come back as they were kept")
    func roundTrip() async throws {
        let test = try TestStore()
        try await test.account("ada")
        let repository = try await test.repository("models/ada/a", .public)
        var facts = facts(["a", "b"], library: "transformers", pipeline: "fill-mask", parameters: 12, modified: 1000)
        facts.cardData = JSONText(["license": "mit"])
        facts.languages = ["en", "zh"]
        facts.baseModels = [BaseModel(id: "x/y", relation: .quantized), BaseModel(id: "z/z", relation: nil)]
        facts.datasets = ["squad"]
        facts.config = JSONText(["architectures": ["BertModel"]])
        facts.transformersInfo = TransformersInfo(autoModel: "AutoModel", pipelineTag: "fill-mask", processor: "AutoTokenizer")
        facts.safetensors = SafetensorsFacts(parameters: [.init(name: "F32", count: 12)], total: 12)
        facts.gguf = GGUFFacts(total: 12)
        facts.gguf?.architecture = "llama"
        facts.sdk = "docker"
        facts.title = "A title"
        facts.summary = "Text"
        facts.datasetConfigs = JSONText([["config_name": "default"]])
        facts.filesBytes = 5
        facts.fileCount = 2
        facts.usedStorageBytes = 9
        facts.warnings = [FactsWarning(path: "README.md", message: "odd")]
        try await test.store.saveFacts(facts, searchText: "", of: repository.id, rules: 1)
        #expect(try await test.store.facts(of: repository.id) == facts)
        #expect(try await test.store.listItem(of: repository.id)?.facts == facts)
    }
}
