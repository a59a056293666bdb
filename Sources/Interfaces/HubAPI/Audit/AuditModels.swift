import FoundationEssentials
import HubCore
import MetadataStore

package struct AuditModel: APIModel {
    package let sequence: Int64
    package let at: Date
    package let actor: String
    package let action: String
    package let target: String
    package let detail: [String: String]
    @OrNull package var address: String? = nil
    package let hash: String

    init(_ record: AuditRecord) {
        sequence = record.sequence
        at = record.at
        actor = record.entry.actor
        action = record.entry.action
        target = record.entry.target
        detail = record.entry.detail
        _address = OrNull(wrappedValue: record.entry.address)
        hash = Hex.encode(record.hash)
    }

    package static var schema: Schema {
        .object(
            "AuditRecord", "A row of the audit log.",
            [
                .required("sequence", .count, "Counts from 1 without gaps."),
                .required("at", .time, ""),
                .required("actor", .text, "Who did it."),
                .required("action", .text, "As in `repository.create`."),
                .required("target", .text, "What it was done to."),
                .required("detail", .map(.text), ""),
                .required("address", .nullable(.text), "Where the request came from, if by network."),
                .required("hash", .text, "SHA-256 over the hash of the row before and this row."),
            ])
    }
}

/// A line of the check of the audit log.
package struct AuditCheckLine: APIModel {
    package enum Event: String, Codable, Sendable, CaseIterable {
        case progress, summary
    }

    package let event: Event
    package let checkedRows: Int64
    @OrNull package var totalRows: Int64? = nil
    @OrNull package var isIntact: Bool? = nil
    @OrNull package var lastHash: String? = nil
    @OrNull package var brokenAt: Int64? = nil
    @OrNull package var message: String? = nil

    package static var schema: Schema {
        .object(
            "AuditCheckLine", "A line of a check of the audit log. The last one has the event `summary`.",
            [
                .required("event", .words(of: Event.self), ""),
                .required("checked_rows", .count, "So far."),
                .required("total_rows", .nullable(.count), ""),
                .required("is_intact", .nullable(.boolean), "Of the summary."),
                .required(
                    "last_hash", .nullable(.text), "Of the summary: keep it elsewhere to notice rows cut off later."),
                .required("broken_at", .nullable(.count), "The first row that does not follow from the one before."),
                .required("message", .nullable(.text), "For people."),
            ])
    }
}
