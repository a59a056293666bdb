import FoundationEssentials
import GRDB

extension MetadataStore {
    private static let verifyBatch = 2_000

    /// Writes down an act that changes nothing else.
    package func appendAudit(_ entry: AuditEntry) async throws {
        try await change(entry) { _, _ in }
    }

    /// Oldest first, those whose `sequence` is greater than `after`.
    package func auditEntries(after sequence: Int64 = 0, limit: Int = 100) async throws -> [AuditRecord] {
        let limit = ListLimit.clamp(limit)
        return try await read { db in
            try db.rows("SELECT * FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?", [sequence, limit])
                .map(AuditChain.record)
        }
    }

    /// Newest first, those whose `sequence` is less than `before`.
    package func latestAuditEntries(before sequence: Int64? = nil, limit: Int = 100) async throws -> [AuditRecord] {
        let limit = ListLimit.clamp(limit)
        return try await read { db in
            try db.rows(
                "SELECT * FROM audit WHERE sequence < ? ORDER BY sequence DESC LIMIT ?", [sequence ?? Int64.max, limit]
            ).map(AuditChain.record)
        }
    }

    /// Computes every hash again, some thousands of rows at a time, up to what the log held at the start.
    package func verifyAuditChain(
        progress: @Sendable (_ checked: Int64, _ total: Int64) -> Void = { _, _ in }
    ) async throws -> AuditVerification {
        let (total, issued) = try await read { db -> (Int64, Int64) in
            let total = try db.value(Int64.self, "SELECT max(sequence) FROM audit") ?? 0
            let issued = try db.value(Int64.self, "SELECT seq FROM sqlite_sequence WHERE name = 'audit'") ?? 0
            return (total, issued)
        }
        guard issued <= total else {
            return .broken(
                sequence: total + 1, reason: "Rows up to \(issued) were written; those after \(total) are missing.")
        }
        var checked: Int64 = 0
        var hash = AuditChain.first
        while checked < total {
            try Task.checkCancellation()
            let (start, previous) = (checked, hash)
            let step = try await read { db in try Self.verify(db, after: start, previous: previous, upTo: total) }
            switch step {
            case .broken: return step
            case .intact(let sequence, let lastHash): (checked, hash) = (sequence, lastHash)
            }
            progress(checked, total)
        }
        return .intact(count: total, lastHash: hash)
    }

    private static func verify(
        _ db: Database, after start: Int64, previous: [UInt8], upTo total: Int64
    ) throws -> AuditVerification {
        var (sequence, hash) = (start, previous)
        let rows = try Row.fetchCursor(
            db.cachedStatement(
                sql: "SELECT * FROM audit WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?"),
            arguments: [start, total, verifyBatch])
        while let row = try rows.next() {
            let fields = AuditChain.Fields(row)
            guard fields.sequence == sequence + 1 else {
                return .broken(sequence: sequence + 1, reason: "Row \(sequence + 1) is missing.")
            }
            let expected = AuditChain.hash(fields, after: hash)
            let stored: Data = row["hash"]
            guard Array(stored) == expected else {
                return .broken(
                    sequence: fields.sequence, reason: "Row \(fields.sequence) does not follow from the one before.")
            }
            (sequence, hash) = (fields.sequence, expected)
        }
        guard sequence > start else { return .broken(sequence: start + 1, reason: "Row \(start + 1) is missing.") }
        return .intact(count: sequence, lastHash: hash)
    }
}
