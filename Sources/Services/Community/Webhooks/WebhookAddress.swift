import FoundationEssentials
import HubCore

/// Where a webhook is sent to: `https://hooks.example:8443/path?query`.
///
/// http or https, no user name, no fragment, at most 2,000 bytes.
package struct WebhookAddress: Hashable, Sendable {
    package let usesTLS: Bool
    /// A name or an address, without brackets.
    package let host: String
    package let port: Int
    /// What follows the host, for the request line.
    package let target: String

    package init(parsing text: String) throws(WebhookError) {
        guard text.utf8.count <= 2000, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
            let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            ["http", "https"].contains(scheme), parts.user == nil, parts.password == nil, parts.fragment == nil,
            let named = parts.host, !named.isEmpty
        else { throw .invalidURL }
        usesTLS = scheme == "https"
        let bare = named.hasPrefix("[") && named.hasSuffix("]") ? String(named.dropFirst().dropLast()) : named
        // A dot at the end would name the same host in another way than the administrator did.
        host = bare.hasSuffix(".") ? String(bare.dropLast()) : bare
        guard !host.isEmpty else { throw .invalidURL }
        port = parts.port ?? (usesTLS ? 443 : 80)
        guard (1...65_535).contains(port) else { throw .invalidURL }
        let path = parts.percentEncodedPath
        target = (path.isEmpty ? "/" : path) + (parts.percentEncodedQuery.map { "?\($0)" } ?? "")
    }

    /// For the `Host` header.
    package var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (usesTLS ? 443 : 80) ? name : "\(name):\(port)"
    }
}

/// Why a webhook was refused.
package enum WebhookError: Error, Equatable {
    package static let maximumWatches = 100
    package static let maximumSecretBytes = 500

    case invalidURL
    case noURL
    case invalidWatch(String)
    case tooManyWatches
    case noWatches
    case invalidDomain(String)
    case secretTooLong
    case noAccount
}

extension WebhookError: Refusal {
    package var problem: Problem {
        switch self {
        case .invalidURL:
            Problem(.invalid, code: "invalid_url", "A webhook needs an address such as https://hooks.example/path.")
        case .noURL:
            Problem(.invalid, code: "no_url", "Give the address that the webhook is sent to; this hub runs no jobs.")
        case .invalidWatch(let name):
            Problem(
                .invalid, code: "invalid_watch",
                "“\(name.shortened)” cannot be watched: name a user, an org, or a model, dataset or space as owner/name.")
        case .tooManyWatches:
            Problem(.invalid, code: "too_many_watches", "A webhook watches at most \(Self.maximumWatches) things.")
        case .noWatches: Problem(.invalid, code: "no_watches", "Say what the webhook watches.")
        case .invalidDomain(let word):
            Problem(.invalid, code: "invalid_domain", "“\(word.shortened)” is no domain; use repo and discussion.")
        case .secretTooLong:
            Problem(.invalid, code: "secret_too_long", "A secret has at most \(Self.maximumSecretBytes) printable characters.")
        case .noAccount: Problem(.invalid, code: "no_account", "Only accounts have webhooks.")
        }
    }
}
