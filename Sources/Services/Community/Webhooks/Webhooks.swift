import HubCore
import Identity
import MetadataStore

/// The webhooks of an account. They tell what its owner may see, and only addresses that the administrator allows.
package struct Webhooks: Sendable {
    private let store: MetadataStore
    private let identity: Identity
    private let box: SecretBox

    init(store: MetadataStore, identity: Identity, box: SecretBox) {
        self.store = store
        self.identity = identity
        self.box = box
    }

    /// What a webhook is to be, as clients give it.
    package struct Form: Sendable {
        package var url: String?
        package var secret: String?
        package var watches: [WebhookWatch]?
        package var domains: [String]?

        package init(url: String?, secret: String?, watches: [WebhookWatch]?, domains: [String]?) {
            self.url = url
            self.secret = secret
            self.watches = watches
            self.domains = domains
        }
    }

    package func list(by principal: Principal) async throws -> [Webhook] {
        try await store.webhooks(of: try await account(principal))
    }

    package func find(_ id: String, by principal: Principal) async throws -> Webhook {
        try await store.webhook(id, of: try await account(principal))
    }

    package func create(_ form: Form, by caller: Caller) async throws -> Webhook {
        let account = try await account(caller.principal)
        guard let url = form.url else { throw WebhookError.noURL }
        guard let watches = form.watches, !watches.isEmpty else { throw WebhookError.noWatches }
        return try await store.createWebhook(
            try record(form), for: account,
            audit: caller.entry("webhook.create", on: try WebhookAddress(parsing: url).authority, [:]))
    }

    package func update(_ id: String, _ form: Form, by caller: Caller) async throws -> Webhook {
        let account = try await account(caller.principal)
        return try await store.updateWebhook(
            id, of: account, try record(form), audit: caller.entry("webhook.update", on: id.shortened))
    }

    package func set(_ id: String, isDisabled: Bool, by caller: Caller) async throws -> Webhook {
        let account = try await account(caller.principal)
        return try await store.setWebhook(
            id, of: account, isDisabled: isDisabled,
            audit: caller.entry(isDisabled ? "webhook.disable" : "webhook.enable", on: id.shortened))
    }

    package func delete(_ id: String, by caller: Caller) async throws {
        let account = try await account(caller.principal)
        try await store.deleteWebhook(id, of: account, audit: caller.entry("webhook.delete", on: id.shortened))
    }

    /// The secret as its owner gave it.
    package func secret(of webhook: Webhook) throws -> String? {
        try webhook.secret.map { String(decoding: try box.open($0, context: Self.secretContext), as: UTF8.self) }
    }

    /// Whether the administrator allows what it is sent to; if not, nothing is sent.
    package func isAllowed(_ webhook: Webhook) async throws -> Bool {
        let address = try WebhookAddress(parsing: webhook.url)
        return try await targets().mayAllow(address.host)
    }

    func targets() async throws -> AllowedTargets {
        let text = try await store.setting(SiteSetting.webhookTargets.key) ?? SiteSetting.webhookTargets.defaultValue
        // A text that was stored was checked; nothing is allowed by one that cannot be read.
        return AllowedTargets(text) ?? .nothing
    }

    func authorities() async throws -> TrustedAuthorities {
        try await store.setting(SiteSetting.webhookAuthorities.key).flatMap { TrustedAuthorities($0) } ?? .none
    }

    private static let secretContext = "webhook"

    /// A token needs the scope `write`, since the secrets are shown.
    private func account(_ principal: Principal) async throws -> AccountID {
        guard let account = principal.account else {
            guard case .anonymous = principal else { throw WebhookError.noAccount }
            throw IdentityError.signInRequired(tokenPage: identity.settings.tokenPage)
        }
        _ = try await identity.requireCreation(in: account.name, by: principal)
        return account.id
    }

    private func record(_ form: Form) throws -> WebhookForm {
        if let url = form.url { _ = try WebhookAddress(parsing: url) }
        if let secret = form.secret {
            // It travels in a header.
            guard secret.utf8.count <= WebhookError.maximumSecretBytes, secret.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
                throw WebhookError.secretTooLong
            }
        }
        try form.watches?.forEach(check)
        guard (form.watches?.count ?? 0) <= WebhookError.maximumWatches else { throw WebhookError.tooManyWatches }
        let domains = try form.domains.map { words in
            Set(
                try words.map { word in
                    guard let domain = WebhookDomain(rawValue: word) else { throw WebhookError.invalidDomain(word) }
                    return domain
                })
        }
        let secret = try form.secret.flatMap { $0.isEmpty ? nil : $0 }
            .map { try box.seal(Array($0.utf8), context: Self.secretContext) }
        return WebhookForm(url: form.url, secret: secret, watches: form.watches, domains: domains)
    }

    private func check(_ watch: WebhookWatch) throws {
        do {
            switch watch.kind {
            case .user, .org: _ = try NamespaceName(parsing: watch.name)
            case .model, .dataset, .space, .code: _ = try RepositoryName(parsing: watch.name)
            }
        } catch {
            throw WebhookError.invalidWatch(watch.name)
        }
    }
}
