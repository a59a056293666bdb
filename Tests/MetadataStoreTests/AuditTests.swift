import Foundation
import GRDB
import HubCore
import Testing

@testable import MetadataStore

@Suite("Audit log")
struct AuditTests {
    private func filled() async throws -> TestStore {
        let test = try TestStore()
        for index in 0..<20 {
            var entry = test.entry("step.\(index)")
            entry.detail = ["n": "\(index)", "ü": "é\"\n"]
            entry.address = index.isMultiple(of: 2) ? "192.0.2.1" : nil
            try await test.store.appendAudit(entry)
        }
        return test
    }

    /// Runs SQL as somebody would who has the file and no triggers in the way.
    private func tamper(_ test: TestStore, _ sql: String) throws -> MetadataStore {
        try test.store.close()
        let queue = try DatabaseQueue(path: test.path)
        try queue.write { db in
            try db.execute(sql: "DROP TRIGGER audit_is_not_updated; DROP TRIGGER audit_is_not_deleted; \(sql)")
        }
        try queue.close()
        return try MetadataStore(path: test.path)
    }

    @Test("rows come back as they were written, in a chain that holds")
    func intact() async throws {
        let test = try await filled()
        let records = try await test.store.auditEntries(after: 5, limit: 3)
        #expect(records.map(\.sequence) == [6, 7, 8])
        #expect(records[0].entry.detail == ["n": "5", "ü": "é\"\n"] && records[0].entry.address == nil)
        #expect(try await test.store.latestAuditEntries(before: 20, limit: 2).map(\.sequence) == [19, 18])
        let last = try await test.store.latestAuditEntries(limit: 1)
        #expect(try await test.store.verifyAuditChain() == .intact(count: 20, lastHash: last[0].hash))
    }

    @Test("an empty log is intact")
    func empty() async throws {
        let test = try TestStore()
        #expect(try await test.store.verifyAuditChain() == .intact(count: 0, lastHash: AuditChain.first))
    }

    @Test("SQL can neither change nor delete a row")
    func appendOnly() async throws {
        let test = try await filled()
        for sql in ["UPDATE audit SET actor = 'x' WHERE sequence = 3", "DELETE FROM audit WHERE sequence = 20"] {
            await #expect(throws: MetadataError.self) {
                try await test.store.write { db, _ in try db.execute(sql: sql) }
            }
        }
    }

    @Test(
        "tampering with the file is found",
        arguments: [
            ("UPDATE audit SET actor = 'eve' WHERE sequence = 7", 7),
            ("UPDATE audit SET at = at + 1 WHERE sequence = 1", 1),
            ("UPDATE audit SET address = '' WHERE sequence = 2", 2),
            ("UPDATE audit SET target = action, action = target WHERE sequence = 9", 9),
            ("DELETE FROM audit WHERE sequence = 10", 10),
            ("DELETE FROM audit WHERE sequence = 1", 1),
            ("DELETE FROM audit WHERE sequence > 15", 16),
            ("UPDATE audit SET sequence = sequence + 100 WHERE sequence = 20", 20),
        ])
    func tampering(_ sql: String, _ sequence: Int64) async throws {
        let test = try await filled()
        let store = try tamper(test, sql)
        guard case .broken(let found, _) = try await store.verifyAuditChain() else {
            Issue.record("not found: \(sql)")
            return
        }
        #expect(found == sequence)
        try store.close()
    }

    @Test("a change that fails leaves no row, and the chain has no gap")
    func failing() async throws {
        let test = try TestStore()
        try await test.account("ada")
        await #expect(throws: MetadataError.self) { try await test.account("ADA") }
        try await test.account("ben")
        #expect(try await test.store.auditEntries().map(\.sequence) == [1, 2])
    }

    @Test("hostile text is cut, never refused")
    func hostile() async throws {
        let test = try TestStore()
        let long = String(repeating: "ü\u{0}", count: 30_000)
        let detail = Dictionary(uniqueKeysWithValues: (0..<200).map { ("\($0)" + long, long) })
        try await test.store.appendAudit(
            AuditEntry(actor: long, action: long, target: long, detail: detail, address: long))
        #expect(try await test.store.auditEntries().count == 1)
        guard case .intact = try await test.store.verifyAuditChain() else {
            Issue.record("the chain is broken")
            return
        }
    }
}
