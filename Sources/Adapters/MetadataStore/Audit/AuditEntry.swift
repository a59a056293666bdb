import FoundationEssentials

/// What the audit log keeps of one act.
///
/// It is written in the same transaction as the act itself.
package struct AuditEntry: Hashable, Sendable {
    /// Who did it, as `Principal.auditName` says.
    package var actor: String
    /// What was done: `repository.create`.
    package var action: String
    /// What it was done to: `models/ada/bert`.
    package var target: String
    package var detail: [String: String]
    /// Where the request came from, if it came by network.
    package var address: String?

    package init(actor: String, action: String, target: String, detail: [String: String] = [:], address: String? = nil)
    {
        self.actor = actor
        self.action = action
        self.target = target
        self.detail = detail
        self.address = address
    }
}

/// A row of the audit log.
package struct AuditRecord: Hashable, Sendable {
    /// Counts from 1 without gaps.
    package let sequence: Int64
    package let at: Date
    package let entry: AuditEntry
    /// SHA-256 over the hash of the row before and the fields of this one (`AuditChain`).
    package let hash: [UInt8]
}

/// What a check of the audit log found.
package enum AuditVerification: Hashable, Sendable {
    /// Every row follows from the one before.
    ///
    /// Whoever kept `lastHash` elsewhere can tell that none was cut off since.
    case intact(count: Int64, lastHash: [UInt8])
    /// The first row that does not follow.
    case broken(sequence: Int64, reason: String)
}
