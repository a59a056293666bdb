import Foundation
import GRDB
import HubCore
import Synchronization
import Testing

@testable import MetadataStore

@Suite("Group commit")
struct GroupCommitTests {
    /// Holds the writer until everything in `body` has been queued, so that it makes one batch.
    private func batch(
        _ test: TestStore, _ count: Int, _ work: @escaping @Sendable (Database, Int) throws -> Void
    ) async throws -> [(any Error)?] {
        let gate = Gate()
        test.store.pool.asyncWriteWithoutTransaction { _ in gate.wait() }
        let results = await withTaskGroup(of: (Int, (any Error)?).self) { group in
            for index in 0..<count {
                group.addTask {
                    do {
                        try await test.store.write { db, _ in try work(db, index) }
                        return (index, nil)
                    } catch {
                        return (index, error)
                    }
                }
            }
            group.addTask {
                while test.store.committer.waitingCount < count { await Task.yield() }
                gate.open()
                return (-1, nil)
            }
            var errors = [(any Error)?](repeating: nil, count: count)
            for await (index, error) in group where index >= 0 { errors[index] = error }
            return errors
        }
        return results
    }

    private func count(_ test: TestStore) async throws -> Int {
        try await test.store.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM settings") ?? 0 }
    }

    private static func insert(_ db: Database, _ index: Int) throws {
        try db.run("INSERT INTO settings (key, value, updated_at) VALUES (?, 'x', 0)", ["key\(index)"])
    }

    @Test("a change that breaks a constraint undoes itself only")
    func constraint() async throws {
        let test = try TestStore()
        let errors = try await batch(test, 100) { db, index in
            try Self.insert(db, index)
            if index.isMultiple(of: 4) {
                try db.run("INSERT INTO settings (key, value, updated_at) VALUES ('', 'x', 0)")
            }
        }
        #expect(errors.enumerated().allSatisfy { ($0.element != nil) == $0.offset.isMultiple(of: 4) })
        #expect(try await count(test) == 75)
    }

    @Test("a change that ends the whole transaction takes nobody with it")
    func rollback() async throws {
        let test = try TestStore()
        try await test.store.pool.writeWithoutTransaction { db in
            try db.execute(
                sql: """
                    CREATE TEMP TRIGGER ends BEFORE INSERT ON settings WHEN new.value = 'end'
                    BEGIN SELECT RAISE(ROLLBACK, 'ended'); END
                    """)
        }
        let errors = try await batch(test, 50) { db, index in
            if index == 20 {
                try db.run("INSERT INTO settings (key, value, updated_at) VALUES ('end', 'end', 0)")
            } else {
                try Self.insert(db, index)
            }
        }
        #expect(errors.enumerated().allSatisfy { ($0.element != nil) == ($0.offset == 20) })
        #expect(try await count(test) == 49)
    }

    @Test("a change that commits or rolls back by itself is refused, the others are kept")
    func ownTransaction() async throws {
        let test = try TestStore()
        let errors = try await batch(test, 10) { db, index in
            try Self.insert(db, index)
            if index == 3 { try db.execute(sql: "ROLLBACK") }
        }
        #expect(errors.enumerated().allSatisfy { ($0.element != nil) == ($0.offset == 3) })
        #expect(try await count(test) == 9)
    }

    @Test("a verdict that rests on an undone change is asked again")
    func dependent() async throws {
        let test = try TestStore()
        let runs = Mutex(0)
        // 0 takes the name, 1 is refused it, 2 ends the transaction and with it both verdicts; then 0 and 1 run again.
        let errors = try await batch(test, 3) { db, index in
            runs.withLock { $0 += 1 }
            if index == 2 { return try db.execute(sql: "ROLLBACK") }
            try db.run("INSERT INTO settings (key, value, updated_at) VALUES ('name', ?, 0)", ["\(index)"])
        }
        #expect(errors.filter { $0 != nil }.count == 2 && errors[2] != nil)
        #expect(try await count(test) == 1)
        #expect(runs.withLock { $0 } >= 3)
    }

    @Test("cancelling one caller interrupts nobody")
    func cancellation() async throws {
        let test = try TestStore()
        let gate = Gate()
        test.store.pool.asyncWriteWithoutTransaction { _ in gate.wait() }
        let cancelled = Task { try await test.store.write { db, _ in try Self.insert(db, 0) } }
        let other = Task { try await test.store.write { db, _ in try Self.insert(db, 1) } }
        while test.store.committer.waitingCount < 2 { await Task.yield() }
        cancelled.cancel()
        gate.open()
        try await other.value
        try await cancelled.value
        #expect(try await count(test) == 2)
    }

    @Test("many waiting changes share fsyncs")
    func shares() async throws {
        let test = try TestStore()
        let errors = try await batch(test, 1_000) { db, index in try Self.insert(db, index) }
        #expect(errors.allSatisfy { $0 == nil })
        #expect(try await count(test) == 1_000)
    }
}

/// Lets one thread wait for another.
final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func wait() { semaphore.wait() }
    func open() { semaphore.signal() }
}
