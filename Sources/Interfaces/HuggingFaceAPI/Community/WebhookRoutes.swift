import Community
import HTTPTypes
import HubCore
import Hummingbird
import MetadataStore
import WebCore

/// Webhooks of the account. hf-hub-api §10.
struct WebhookRoutes: Sendable {
    let community: Community

    private static let list = "/api/settings/webhooks"
    private static let one = list + "/{id}"

    private var webhooks: Webhooks { community.webhooks }

    var all: [HubRoute] {
        [
            HubRoute(.get, Self.list) { call in
                call.answer(.array(try await webhooks.list(by: call.principal).map(json)))
            },
            HubRoute(.post, Self.list) { call in
                let form = try await call.json(Form.self).form
                return try await answer(try await webhooks.create(form, by: call.caller), call)
            },
            HubRoute(.get, Self.one) { call in
                try await answer(try await webhooks.find(call.value("id"), by: call.principal), call)
            },
            HubRoute(.post, Self.one) { call in
                let form = try await call.json(Form.self).form
                return try await answer(try await webhooks.update(call.value("id"), form, by: call.caller), call)
            },
            HubRoute(.delete, Self.one) { call in
                try await webhooks.delete(call.value("id"), by: call.caller)
                return call.done()
            },
            HubRoute(.post, Self.one + "/enable") { try await set(isDisabled: false, $0) },
            HubRoute(.post, Self.one + "/disable") { try await set(isDisabled: true, $0) },
        ]
    }

    private func set(isDisabled: Bool, _ call: HubCall) async throws -> Response {
        try await answer(try await webhooks.set(call.value("id"), isDisabled: isDisabled, by: call.caller), call)
    }

    /// A webhook that nothing will be sent to is kept, and the client prints why nothing comes.
    private func answer(_ webhook: Webhook, _ call: HubCall) async throws -> Response {
        var response = call.answer(["webhook": try json(webhook)])
        if !webhook.isDisabled, try await !webhooks.isAllowed(webhook) {
            response.headers[.hubWarning] =
                "Webhooks; This hub sends nothing to that address until its administrator allows the host by the setting "
                + "webhook-targets."
        }
        return response
    }

    private func json(_ webhook: Webhook) throws -> JSON {
        [
            "id": .string(webhook.publicID), "url": .string(webhook.url),
            "watched": .array(
                webhook.watches.map { ["type": .string($0.kind.rawValue), "name": .string($0.name)] }),
            "domains": JSON(WebhookDomain.allCases.filter(webhook.domains.contains).map(\.rawValue)),
            "secret": JSON(try webhooks.secret(of: webhook)), "disabled": .bool(webhook.isDisabled),
        ]
    }

    private struct Form: Decodable {
        struct Watch: Decodable {
            let type: String
            let name: String
        }

        let url: String?
        let secret: String?
        let watched: [Watch]?
        let domains: [String]?

        var form: Webhooks.Form {
            get throws {
                let watches = try watched?.map { watch in
                    guard let kind = WebhookWatch.Kind(rawValue: watch.type) else {
                        throw WebhookError.invalidWatch("\(watch.type) \(watch.name)")
                    }
                    return WebhookWatch(kind: kind, name: watch.name)
                }
                return Webhooks.Form(url: url, secret: secret, watches: watches, domains: domains)
            }
        }
    }
}

extension HTTPField.Name {
    /// `topic; text`, which huggingface_hub prints once.
    static let hubWarning = literal("X-HF-Warning")
}
