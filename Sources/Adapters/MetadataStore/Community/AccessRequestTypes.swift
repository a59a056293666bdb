import FoundationEssentials
import HubCore

package typealias AccessRequestID = Identifier<AccessRequest>

/// What became of a request for the files of a gated repository.
package enum AccessRequestStatus: String, Codable, Hashable, Sendable, CaseIterable {
    case pending, accepted, rejected
}

/// Somebody's request for the files of a gated repository, or that they were let in unasked.
package struct AccessRequest: Hashable, Sendable, Identifiable {
    package let id: AccessRequestID
    package let repository: RepositoryID
    package let account: Account
    package let status: AccessRequestStatus
    /// What the form asked, an object of names and answers; `null` of somebody who was let in unasked.
    package let fields: JSONText
    package let rejectionReason: String?
    package let requestedAt: Date
    package let decidedAt: Date?

    package var wasAsked: Bool { fields.text != "null" }
}
