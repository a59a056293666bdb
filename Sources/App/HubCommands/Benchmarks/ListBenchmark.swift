import FoundationEssentials
import HubCore
import MetadataStore

/// Measures lists and searches on a store with many made repositories.
struct ListBenchmark {
    struct Figure: Codable, Sendable {
        let query: String
        let readers: Int
        let found: Int
        let medianMilliseconds: Double
        let p99Milliseconds: Double
        let queriesPerSecond: Double
    }

    struct Case: Sendable {
        let name: String
        let query: RepositoryListQuery
    }

    private static let width = 512

    let store: MetadataStore

    // MARK: - Filling

    /// Makes the repositories, each with facts and counters, by the calls that the hub uses; returns how many were written a second.
    func fill(_ count: Int, progress: (Int) -> Void) async throws -> Double {
        let entry = AuditEntry(actor: "benchmark", action: "benchmark.fill", target: "lists")
        try await inParallel(MadeRepositories.owners) { number in
            _ = try await store.createAccount(
                NewAccount(name: NamespaceName(trusted: MadeRepositories.owner(number))), audit: entry)
        }
        let clock = ContinuousClock()
        let start = clock.now
        var maker = MadeRepositories()
        for first in stride(from: 0, to: count, by: Self.width) {
            let made = (first..<min(first + Self.width, count)).map { maker.repository($0) }
            try await inParallel(made.count) { index in
                let (new, facts, text) = made[index]
                let repository = try await store.createRepository(new, audit: entry)
                try await store.saveFacts(facts, searchText: text, of: repository.id, rules: 1)
                for _ in 0..<(index * index % 97) { store.countDownload(of: repository.id) }
            }
            progress(min(first + Self.width, count))
        }
        let rate = Double(count) / ((clock.now - start) / .seconds(1))
        try await store.writeDownloads()
        return rate
    }

    private func inParallel(_ count: Int, _ body: @escaping @Sendable (Int) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<count {
                if number >= Self.width { try await group.next() }
                group.addTask { try await body(number) }
            }
            try await group.waitForAll()
        }
    }

    // MARK: - Asking

    func cases(limit: Int = 100) async throws -> [Case] {
        let account = try await store.account(named: NamespaceName(trusted: MadeRepositories.owner(3)))
        let scope = account.map { VisibilityScope.account($0.id) } ?? .publicOnly
        func made(
            _ name: String, _ order: RepositoryListQuery.Order = .trending, _ kinds: [RepositoryKind] = [.model],
            limit: Int = limit, _ change: (inout RepositoryListQuery) -> Void = { _ in }
        ) -> Case {
            var query = RepositoryListQuery(kinds: kinds, visibleTo: scope, order: order, limit: limit)
            change(&query)
            return Case(name: name, query: query)
        }
        var cases = [
            made("first page"), made("by downloads", .downloads), made("by last change", .modified), made("datasets by likes", .likes, [.dataset]),
            made("all kinds by creation", .created, []), made("1,000 a page", .downloads, limit: 1000),
            made("an owner") { $0.owner = NamespaceName(trusted: MadeRepositories.owner(0)) },
            made("a common tag", .downloads) { $0.tags = ["transformers"] },
            made("a tag of few", .downloads) { $0.tags = ["own-5"] },
            made("four tags", .likes) { $0.tags = ["transformers", "zh", "text-generation", "license:mit"] },
            made("tags that exclude each other") { $0.tags = ["gguf", "diffusers", "peft"] },
            made("pipeline and library", .modified) {
                $0.pipelineTag = "translation"
                $0.library = "keras"
            },
            made("6B to 8B parameters", .downloads) { $0.parameters = 6_000_000_000...8_000_000_000 },
            made("not gated") { $0.isGated = false },
        ]
        for part in ["qwen2-7b", "7", "zzz", "owner1/"] { cases.append(made("name has \(part)", .downloads) { $0.nameParts = [part] }) }
        for text in ["sentiment analysis", "情感分析", "qwen2.5 7b", "\(MadeRepositories.word(17)) \(MadeRepositories.word(230))", "llama chat", "model", "quantiz", "a"] {
            cases.append(made("text \(text)", .relevance, []) { $0.text = text })
        }
        cases.append(made("text and tag", .downloads) {
            $0.text = "sentiment"
            $0.tags = ["transformers"]
        })
        let deep = made("a later page", .downloads)
        var query = deep.query
        for _ in 0..<20 {
            guard let next = try await store.listRepositories(query).next else { break }
            query.after = next
        }
        return cases + [Case(name: deep.name, query: query)]
    }

    /// Each query `rounds` times, one at a time.
    func alone(_ cases: [Case], rounds: Int) async throws -> [Figure] {
        var figures: [Figure] = []
        for item in cases {
            var times: [Double] = []
            var found = 0
            for round in 0...rounds {
                let start = ContinuousClock.now
                found = try await store.listRepositories(item.query).total
                // The first one warms the caches.
                if round > 0 { times.append((ContinuousClock.now - start) / .milliseconds(1)) }
            }
            figures.append(Self.figure(item.name, readers: 1, found: found, times, seconds: times.reduce(0, +) / 1000))
        }
        return figures
    }

    /// All queries in turn by many readers at once.
    func together(_ cases: [Case], readers: Int, rounds: Int) async throws -> Figure {
        let start = ContinuousClock.now
        let times = try await withThrowingTaskGroup(of: [Double].self) { group in
            for reader in 0..<readers {
                group.addTask {
                    var times: [Double] = []
                    for round in 0..<rounds {
                        for index in cases.indices {
                            let item = cases[(index + reader + round) % cases.count]
                            let start = ContinuousClock.now
                            _ = try await store.listRepositories(item.query)
                            times.append((ContinuousClock.now - start) / .milliseconds(1))
                        }
                    }
                    return times
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        return Self.figure("all in turn", readers: readers, found: 0, times, seconds: (ContinuousClock.now - start) / .seconds(1))
    }

    private static func figure(_ name: String, readers: Int, found: Int, _ times: [Double], seconds: Double) -> Figure {
        let sorted = times.sorted()
        return Figure(
            query: name, readers: readers, found: found, medianMilliseconds: sorted[sorted.count / 2],
            p99Milliseconds: sorted[min(sorted.count - 1, sorted.count * 99 / 100)], queriesPerSecond: Double(times.count) / max(seconds, 1e-9))
    }
}
