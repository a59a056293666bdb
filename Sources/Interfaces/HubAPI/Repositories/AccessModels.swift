import FoundationEssentials
import HubCore
import MetadataStore

/// Who gets at the files of a repository that others only see.
package enum Gate: String, Codable, Sendable, CaseIterable {
    /// Whoever may read the repository.
    case none
    /// Whoever asked.
    case automatic
    /// Whoever asked and was let in.
    case manual

    init(_ gating: Gating) {
        switch gating {
        case .off: self = .none
        case .auto: self = .automatic
        case .manual: self = .manual
        }
    }

    var gating: Gating {
        switch self {
        case .none: .off
        case .automatic: .auto
        case .manual: .manual
        }
    }
}

package struct AccessRequestModel: APIModel {
    package let account: String
    @OrNull package var fullName: String? = nil
    @OrNull package var email: String? = nil
    package let status: AccessRequestStatus
    package let answers: [String: String]
    @OrNull package var reason: String? = nil
    package let requestedAt: Date
    @OrNull package var decidedAt: Date? = nil

    init(_ request: AccessRequest) {
        account = request.account.name.text
        _fullName = OrNull(wrappedValue: request.account.fullName)
        _email = OrNull(wrappedValue: request.account.email)
        status = request.status
        let pairs = (request.fields.node?.members ?? []).compactMap { member in member.value.string.map { (member.name, $0) } }
        answers = Dictionary(pairs) { _, last in last }
        _reason = OrNull(wrappedValue: request.rejectionReason)
        requestedAt = request.requestedAt
        _decidedAt = OrNull(wrappedValue: request.decidedAt)
    }

    package static var schema: Schema {
        .object(
            "AccessRequest", "What became of somebody's request for the files of a gated repository.",
            [
                .required("account", .text, ""),
                .required("full_name", .nullable(.text), ""),
                .required("email", .nullable(.text), ""),
                .required("status", .words(of: AccessRequestStatus.self), "`accepted` lets in."),
                .required("answers", .map(.text), "What the account said when it asked, by question."),
                .required("reason", .nullable(.text), "Why it was rejected."),
                .required("requested_at", .time, "When it asked, or was let in unasked."),
                .required("decided_at", .nullable(.time), ""),
            ])
    }
}

package struct NewAccessRequestModel: APIModel {
    package let answers: [String: String]?

    package static var schema: Schema {
        .object(
            "NewAccessRequest", "A request of the caller for the files of a gated repository.",
            [.optional("answers", .nullable(.map(.text(atMost: 4000))), "What the repository's page asks for, by question.")])
    }
}

package struct AccessDecisionModel: APIModel {
    package let status: AccessRequestStatus
    package let reason: String?

    package init(status: AccessRequestStatus, reason: String? = nil) {
        self.status = status
        self.reason = reason
    }

    package static var schema: Schema {
        .object(
            "AccessDecision", "What is to become of a request.",
            [
                .required(
                    "status", .words(of: AccessRequestStatus.self),
                    "`accepted` lets the account in, asked or not; `pending` takes back what was decided."),
                .optional("reason", .nullable(.text(atMost: 1000)), "Told to the account that is rejected."),
            ])
    }
}
