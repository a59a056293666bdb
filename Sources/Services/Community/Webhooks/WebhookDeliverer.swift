import FoundationEssentials
import HubCore
import Identity
import Logging
import MetadataStore
import Repositories
import ServiceLifecycle

/// Sends what is in the queue of webhooks, again and later if it does not arrive.
///
/// Only to hosts that the site setting `webhook-targets` allows, judged by the address that is really connected to. An answer below
/// 300 is success; anything else, redirects too, is tried again after growing pauses, and given up after the last.
struct WebhookDeliverer: Service {
    /// The pause after each failure; after the last one it is given up.
    static let pauses: [Double] = [10, 60, 300, 1800, 7200, 21_600]
    private static let batch = 40
    private static let concurrent = 8
    /// How long the queue is left alone when nothing new comes.
    private static let rest: Duration = .seconds(5)

    let store: MetadataStore
    let webhooks: Webhooks
    let transport: any WebhookTransport
    let bell: WebhookBell
    let logger: Logger
    let clock: @Sendable () -> Date

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    for await _ in AsyncTicks(interval: Self.rest) { bell.ring() }
                }
                for await _ in bell.rings {
                    while await round(), !Task.isCancelled {}
                }
                group.cancelAll()
            }
        }
    }

    /// Tries what is due.
    ///
    /// - Returns: whether there may be more.
    @discardableResult
    func round() async -> Bool {
        do {
            let due = try await store.dueDeliveries(limit: Self.batch)
            guard !due.isEmpty else { return false }
            let (targets, authorities) = try await (webhooks.targets(), webhooks.authorities())
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, delivery) in due.enumerated() {
                    if index >= Self.concurrent { try await group.next() }
                    group.addTask { try await deliver(delivery, targets, authorities) }
                }
                try await group.waitForAll()
            }
            return due.count == Self.batch
        } catch is CancellationError {
            return false
        } catch {
            logger.warning("Could not deliver webhooks: \(error)")
            return false
        }
    }

    private func deliver(_ delivery: WebhookDelivery, _ targets: AllowedTargets, _ authorities: TrustedAuthorities) async throws {
        let reason: String
        do {
            let status = try await send(delivery, targets, authorities)
            if (200..<300).contains(status) { return try await store.finishDelivery(delivery.id) }
            reason = "the answer was \(status)"
        } catch let error as Refused {
            // Trying again would not help.
            logger.notice(
                "Webhook \(delivery.webhook.publicID) was not sent: \(error.rawValue)",
                metadata: ["webhook.id": "\(delivery.webhook.publicID)"])
            return try await store.finishDelivery(delivery.id)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            reason = "\(error)"
        }
        try await postpone(delivery, reason)
    }

    private func postpone(_ delivery: WebhookDelivery, _ reason: String) async throws {
        let metadata: Logger.Metadata = [
            "webhook.id": "\(delivery.webhook.publicID)", "webhook.attempts": "\(delivery.attempts + 1)",
        ]
        guard delivery.attempts < Self.pauses.count else {
            logger.notice("Gave up a delivery of webhook \(delivery.webhook.publicID): \(reason)", metadata: metadata)
            return try await store.finishDelivery(delivery.id)
        }
        logger.info("Webhook \(delivery.webhook.publicID) did not arrive: \(reason)", metadata: metadata)
        try await store.postponeDelivery(delivery.id, until: clock().addingTimeInterval(Self.pauses[delivery.attempts]))
    }

    private enum Refused: String, Error {
        case target = "The administrator allows no such address (setting webhook-targets)."
        case secret = "Its secret cannot be read."
        case url = "Its address is not valid."
    }

    private func send(
        _ delivery: WebhookDelivery, _ targets: AllowedTargets, _ authorities: TrustedAuthorities
    ) async throws -> Int {
        guard let address = try? WebhookAddress(parsing: delivery.webhook.url) else { throw Refused.url }  // Was valid once.
        guard targets.mayAllow(address.host) else { throw Refused.target }
        let addresses: [IPAddress]
        if let literal = IPAddress(address.host) {
            addresses = [literal]
        } else {
            addresses = try await transport.addresses(of: address.host)
        }
        guard let allowed = addresses.first(where: { targets.allow(address.host, at: $0) }) else {
            guard addresses.isEmpty else { throw Refused.target }
            throw ProblemError(.unavailable, code: "no_address", "the host has no address")
        }
        return try await transport.post(try request(delivery, address, authorities), to: allowed)
    }

    private func request(
        _ delivery: WebhookDelivery, _ address: WebhookAddress, _ authorities: TrustedAuthorities
    ) throws -> WebhookRequest {
        let body = Array(delivery.payload.utf8)
        var headers: [(name: String, value: String)] = [
            ("Host", address.authority), ("Content-Type", "application/json"), ("Content-Length", String(body.count)),
            ("User-Agent", "csghub/\(HubVersion.text)"), ("X-Webhook-Id", delivery.webhook.publicID),
            ("X-Webhook-Delivery", String(delivery.id)), ("Connection", "close"),
        ]
        if delivery.webhook.secret != nil {
            guard let secret = try? webhooks.secret(of: delivery.webhook) else { throw Refused.secret }  // Logged there.
            headers.append(("X-Webhook-Secret", secret))
            headers.append(("X-Hub-Signature-256", "sha256=" + Hex.encode(Digest.hmac(body, key: Array(secret.utf8)))))
        }
        return WebhookRequest(address: address, headers: headers, body: body, authorities: authorities)
    }
}
