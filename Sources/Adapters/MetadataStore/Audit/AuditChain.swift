import COpenSSL
import FoundationEssentials
import GRDB
import HubCore

/// The hash chain of the audit log.
///
/// The hash of a row is SHA-256 over the hash of the row before (32 zero bytes for the first) and the fields in this
/// order: sequence, time in milliseconds, actor, action, target, detail, address. Each field is its length in bytes as
/// eight big-endian bytes and then the bytes; numbers are eight big-endian bytes; a missing address is the length `ff
/// ff ff ff ff ff ff ff` alone. So no two rows encode alike, and the check can be repeated with any tool.
enum AuditChain {
    static let first = [UInt8](repeating: 0, count: 32)

    /// A row's fields as they are stored.
    struct Fields {
        var sequence: Int64
        var at: Int64
        var actor: String
        var action: String
        var target: String
        var detail: String
        var address: String?

        init(sequence: Int64, at: Int64, entry: AuditEntry) throws {
            self.sequence = sequence
            self.at = at
            // Hostile text is cut to what the schema holds rather than losing the row.
            actor = entry.actor.bounded(400)
            action = entry.action.bounded(100)
            target = entry.target.bounded(2000)
            address = entry.address?.bounded(200)
            detail = try AuditChain.encode(entry.detail)
        }

        init(_ row: Row) {
            sequence = row["sequence"]
            at = row["at"]
            actor = row["actor"]
            action = row["action"]
            target = row["target"]
            detail = row["detail"]
            address = row["address"]
        }
    }

    /// Adds a row in the transaction of the change that it tells of.
    static func append(_ entry: AuditEntry, at: Int64, in db: Database) throws {
        let last = try db.row("SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1")
        let previous: Data = last?["hash"] ?? Data(first)
        let fields = try Fields(sequence: (last?["sequence"] ?? 0) + 1, at: at, entry: entry)
        try db.run(
            "INSERT INTO audit (sequence, at, actor, action, target, detail, address, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                fields.sequence, at, fields.actor, fields.action, fields.target, fields.detail, fields.address,
                Data(hash(fields, after: Array(previous))),
            ])
    }

    static func hash(_ fields: Fields, after previous: [UInt8]) -> [UInt8] {
        var bytes = previous
        bytes.reserveCapacity(400)
        append(bigEndian: UInt64(bitPattern: fields.sequence), to: &bytes)
        append(bigEndian: UInt64(bitPattern: fields.at), to: &bytes)
        for text in [fields.actor, fields.action, fields.target, fields.detail] { append(text, to: &bytes) }
        if let address = fields.address {
            append(address, to: &bytes)
        } else {
            append(bigEndian: .max, to: &bytes)
        }
        return sha256(bytes)
    }

    static func record(_ row: Row) throws -> AuditRecord {
        let fields = Fields(row)
        let detail = try JSONDecoder().decode([String: String].self, from: Data(fields.detail.utf8))
        let hash: Data = row["hash"]
        return AuditRecord(
            sequence: fields.sequence, at: Date(milliseconds: fields.at),
            entry: AuditEntry(
                actor: fields.actor, action: fields.action, target: fields.target, detail: detail,
                address: fields.address),
            hash: Array(hash))
    }

    private static func encode(_ detail: [String: String]) throws -> String {
        guard !detail.isEmpty else { return "{}" }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var bounded: [String: String] = [:]
        for (key, value) in detail.sorted(by: { $0.key < $1.key }).prefix(40) {
            bounded[key.bounded(60)] = value.bounded(400)
        }
        return String(decoding: try encoder.encode(bounded), as: UTF8.self)
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        let utf8 = text.utf8
        append(bigEndian: UInt64(utf8.count), to: &bytes)
        bytes.append(contentsOf: utf8)
    }

    private static func append(bigEndian number: UInt64, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }

    private static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        let code = EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil)
        precondition(code == 1, "libcrypto has SHA-256")
        return digest
    }
}

extension String {
    /// At most `count` characters; the mark `…` shows that something was cut.
    fileprivate func bounded(_ count: Int) -> String {
        // SQLite's length() counts code points, and stops at a zero byte.
        let scalars = unicodeScalars.filter { $0 != "\0" }
        guard scalars.count > count else {
            return scalars.count == unicodeScalars.count ? self : String(String.UnicodeScalarView(scalars))
        }
        return String(String.UnicodeScalarView(scalars.prefix(count - 1))) + "…"
    }
}
