import FoundationEssentials
import HubCore

package typealias WebhookID = Identifier<Webhook>

/// An address that is told what happens to repositories that somebody watches.
package struct Webhook: Hashable, Sendable, Identifiable {
    package let id: WebhookID
    /// 24 hex digits.
    package let publicID: String
    package let account: AccountID
    package let url: String
    /// Sealed.
    package let secret: [UInt8]?
    package let watches: [WebhookWatch]
    package let domains: Set<WebhookDomain>
    package let isDisabled: Bool
}

/// What of a repository is told.
package enum WebhookDomain: String, Hashable, Sendable, CaseIterable {
    case repo, discussion
}

/// A repository, or all of an account or an organization.
package struct WebhookWatch: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case user, org, model, dataset, space, code
    }

    package let kind: Kind
    package let name: String

    package init(kind: Kind, name: String) {
        self.kind = kind
        self.name = name
    }
}

/// A webhook to be made, or what one is to become; what is `nil` stays.
package struct WebhookForm: Sendable {
    package var url: String?
    package var secret: [UInt8]?
    package var watches: [WebhookWatch]?
    package var domains: Set<WebhookDomain>?

    package init(url: String?, secret: [UInt8]?, watches: [WebhookWatch]?, domains: Set<WebhookDomain>?) {
        self.url = url
        self.secret = secret
        self.watches = watches
        self.domains = domains
    }
}

/// Something that is still to be sent.
package struct WebhookDelivery: Hashable, Sendable {
    package let id: Int64
    package let webhook: Webhook
    /// JSON.
    package let payload: String
    /// How often it was tried already.
    package let attempts: Int
}

package enum WebhookRecordError: Error, Equatable {
    package static let maximumPerAccount = 100

    case notFound
    case tooMany
}

extension WebhookRecordError: Refusal {
    package var problem: Problem {
        switch self {
        case .notFound: Problem(.missing, code: "webhook_not_found", "You have no such webhook.")
        case .tooMany:
            Problem(.tooLarge, code: "too_many_webhooks", "An account has at most \(Self.maximumPerAccount) webhooks.")
        }
    }
}
