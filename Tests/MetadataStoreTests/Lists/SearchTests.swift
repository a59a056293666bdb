import Foundation
import HubCore
import Testing

@testable import MetadataStore

@Suite("Search")
struct SearchTests {
    private func words(_ text: String, _ purpose: SearchWords.Purpose = .document) -> [String] {
        var found: [String] = []
        Array(text.utf8).withUnsafeBufferPointer { bytes in
            var words = SearchWords(bytes, for: purpose)
            words.forEach { word, range, isColocated in
                #expect(range.lowerBound < range.upperBound && range.upperBound <= bytes.count)
                found.append(String(decoding: word, as: UTF8.self))
                return true
            }
        }
        return found
    }

    @Test(
        "text becomes words",
        arguments: [
            ("Qwen2.5-7B-Instruct", ["qwen2", "5", "7b", "instruct"]), ("Llama-3-8B", ["llama", "3", "llama3", "8b"]),
            ("Café Žižek", ["cafe", "zizek"]), ("ＡＢ１", ["ab1"]), ("", []), ("--", []),
            ("机器学习", ["机器", "器学", "学习", "习"]), ("猫", ["猫"]), ("AI模型!", ["ai", "模型", "型"]),
            ("モデル", ["モデ", "デル", "ル"]), ("한국어", ["한국", "국어", "어"]), ("Модель", ["модель"]),
        ])
    func documents(text: String, expected: [String]) {
        #expect(words(text) == expected)
    }

    @Test("a query has no lone last ideograph unless it is all there is")
    func queries() {
        #expect(words("机器学习", .query) == ["机器", "器学", "学习"])
        #expect(words("猫", .query) == ["猫"])
    }

    @Test("any bytes are taken")
    func mutations() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            bytes.withUnsafeBufferPointer { buffer in
                var words = SearchWords(buffer, for: Bool.random(using: &generator) ? .query : .document)
                var last = 0
                words.forEach { word, range, isColocated in
                    #expect(!word.isEmpty && word.count <= SearchWords.maximumWordBytes + 8)
                    #expect(range.lowerBound >= 0 && range.upperBound <= bytes.count && (isColocated || range.lowerBound >= last - 4))
                    last = range.lowerBound
                    return true
                }
            }
        }
    }

    @Test("Chinese words of two characters, unfinished words and accents are found; wrong ones are not")
    func matches() async throws {
        let test = try TestStore()
        try await test.account("ada")
        let texts = [
            "models/ada/one": "这是一个中文机器学习模型，用于情感分析。", "models/ada/two": "A sentiment model for café reviews",
            "models/ada/Llama-3-8B": "large language model", "models/ada/猫": "",
        ]
        for (name, text) in texts where !name.contains("猫") {
            let repository = try await test.repository(name, .public)
            try await test.store.saveFacts(
                RepositoryFacts(commit: nil, lastModified: Date()), searchText: text, of: repository.id, rules: 1)
        }
        func find(_ text: String) async throws -> Set<String> {
            var query = RepositoryListQuery(visibleTo: .everything, order: .relevance)
            query.text = text
            return Set(try await test.store.listRepositories(query).items.map(\.repository.name.name))
        }
        #expect(try await find("情感") == ["one"])
        #expect(try await find("机器学习") == ["one"])
        #expect(try await find("器习") == [])
        #expect(try await find("析") == ["one"])
        #expect(try await find("中") == ["one"])
        #expect(try await find("cafe senti") == ["two"])
        #expect(try await find("senti cafe") == [])
        #expect(try await find("llama3") == ["Llama-3-8B"])
        #expect(try await find("llama-3") == ["Llama-3-8B"])
        #expect(try await find("llama 8b") == ["Llama-3-8B"])
        #expect(try await find("LLA") == ["Llama-3-8B"])
        #expect(try await find("model") == ["two", "Llama-3-8B"])
        for hostile in ["\"", "*", "NEAR(", "a OR b", "title:x", "-x", "^x", "\0", "\" OR \"", String(repeating: "x ", count: 500)] {
            _ = try await find(hostile)
        }
    }

    @Test("parts of names are found as a scan finds them")
    func names() async throws {
        let test = try TestStore()
        try await test.account("ada")
        try await test.account("bob")
        var generator = SystemRandomNumberGenerator()
        var all: [(name: String, id: RepositoryID)] = []
        for number in 0..<300 {
            let suffix = String((0..<3).map { _ in "abAB1-_".randomElement(using: &generator) ?? "a" })
            let name = "\(Bool.random(using: &generator) ? "ada" : "bob")/x\(suffix)\(number)"
                .replacing("--", with: "a-").replacing("--", with: "b")
            let repository = try await test.repository("models/\(name)", .public)
            all.append((name.lowercased(), repository.id))
        }
        for parts in [["a"], ["1"], ["da/x"], ["ab", "1"], ["B/X"], ["29"], ["zzz"], ["/"], ["x", "b", "2"], ["a\n"]] {
            var query = RepositoryListQuery(visibleTo: .everything, limit: 1000)
            query.nameParts = parts
            let found = Set(try await test.store.listRepositories(query).items.map(\.repository.id))
            let expected = Set(all.filter { entry in parts.allSatisfy { entry.name.contains($0.lowercased()) } }.map(\.id))
            #expect(found == expected, "\(parts)")
        }
    }
}

@Suite("Sets of repositories")
struct RepositorySetTests {
    @Test("sets do as Swift's sets, and parts come back as they were stored")
    func operations() {
        var generator = SystemRandomNumberGenerator()
        for density in [3, 200, 5000] {
            let (left, right) = (random(density, &generator), random(density, &generator))
            var (a, b, c) = (RepositorySet(left), RepositorySet(left), RepositorySet(left))
            a.formIntersection(RepositorySet(right))
            b.formUnion(RepositorySet(right))
            c.subtract(RepositorySet(right))
            #expect(a.ids == left.intersection(right).sorted())
            #expect(b.ids == left.union(right).sorted())
            #expect(c.ids == left.subtracting(right).sorted())
            #expect(b.count == left.union(right).count)
            var part = SetPart()
            left.forEach { part.insert(Int($0)) }
            var loaded = RepositorySet()
            part.stored.withUnsafeBytes { loaded.load($0, part: 2) }
            #expect(loaded.ids == left.sorted().map { $0 + 2 * 65_536 })
            #expect(part.stored.withUnsafeBytes { SetPart(stored: $0) }.count == left.count)
        }
    }

    private func random(_ count: Int, _ generator: inout SystemRandomNumberGenerator) -> Set<Int64> {
        Set((0..<count).map { _ in Int64.random(in: 0..<65_536, using: &generator) })
    }

    @Test("sizes lie in their bucket")
    func buckets() {
        var last: Int64 = 0
        for bucket in 1..<126 {
            guard let bounds = ListCandidates.bounds(of: bucket) else { continue }
            #expect(Term.sizeBucket(bounds.lowerBound) == bucket)
            #expect(Term.sizeBucket(bounds.upperBound) == bucket)
            #expect(bounds.lowerBound == last + 1)
            last = bounds.upperBound
        }
        #expect(last == .max)
    }
}
