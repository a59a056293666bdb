import FoundationEssentials
import GRDB
import HubCore

/// Reads and writes rows of imports.
enum ImportRow {
    static func find(_ bundle: String, in db: Database) throws -> ImportRecord? {
        try db.row("SELECT * FROM imports WHERE bundle = ?", [bundle]).map(record)
    }

    static func record(_ row: Row) throws -> ImportRecord {
        guard let state = ImportState(rawValue: row["state"]) else {
            throw MetadataError.unusable("An import has a state that this version does not know.")
        }
        let report: String? = row["report"]
        return ImportRecord(
            id: row["id"], bundle: row["bundle"], manifest: row["manifest_sha256"], publisher: row["publisher"],
            stream: row["stream"], sequence: row["sequence"], state: state, options: row["options"],
            reasonCode: row["reason_code"], reason: row["reason"],
            report: try report.map { try JSONDecoder().decode(ImportReport.self, from: Data($0.utf8)) },
            receipt: row["receipt"], actor: row["actor"], account: row["account_id"], createdAt: row.date("created_at"),
            updatedAt: row.date("updated_at"), publishedAt: row.optionalDate("published_at"))
    }

    static func text(_ report: ImportReport) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(report), as: UTF8.self)
    }
}
