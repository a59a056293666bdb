import HubCore
import MetadataStore

/// Who makes a change and from where, for the audit log.
package struct Caller: Hashable, Sendable {
    package let principal: Principal
    /// The client's address, if it came by network.
    package let address: String?

    package init(_ principal: Principal, address: String? = nil) {
        self.principal = principal
        self.address = address
    }

    /// An audit row of something that this caller does.
    package func entry(_ action: String, on target: String, _ detail: [String: String] = [:]) -> AuditEntry {
        AuditEntry(actor: principal.auditName, action: action, target: target, detail: detail, address: address)
    }
}
