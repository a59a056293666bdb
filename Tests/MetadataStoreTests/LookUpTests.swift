import Testing

@testable import MetadataStore

@Suite("Look-ups")
struct LookUpTests {
    /// All threads look up while tasks that hold the pool's connections wait for a thread to go on.
    @Test("never wait for reads that wait for a thread", .timeLimit(.minutes(1)))
    func amongReads() async throws {
        let test = try TestStore()
        let store = test.store
        let counts = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<64 {
                group.addTask {
                    var count = 0
                    for _ in 0..<100 {
                        count += try await store.read { db in try db.value(Int.self, "SELECT 1") ?? 0 }
                        count += try store.lookUp { db in try db.value(Int.self, "SELECT 1") ?? 0 }
                    }
                    return count
                }
            }
            return try await group.reduce(into: [Int]()) { $0.append($1) }
        }
        #expect(counts == Array(repeating: 200, count: 64))
    }

    @Test("see what was committed before, and are refused after the close")
    func freshness() async throws {
        let test = try TestStore()
        for index in 0..<20 {
            try await test.store.setSetting("key", to: "\(index)", audit: test.entry())
            #expect(try test.store.lookUp { db in try db.value(String.self, "SELECT value FROM settings WHERE key = 'key'") } == "\(index)")
        }
        try test.store.close()
        #expect(throws: MetadataError.closed) { try test.store.lookUp { db in try db.exists("SELECT 1") } }
    }
}
