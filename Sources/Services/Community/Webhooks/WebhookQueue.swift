import HubCore
import Identity
import Logging
import MetadataStore
import Repositories

/// Puts what happened into the queue of those webhooks that watch it and whose owners may see it.
struct WebhookQueue: Sendable {
    let store: MetadataStore
    let identity: Identity
    let git: GitService
    let bell: WebhookBell
    let logger: Logger

    // MARK: Repositories

    func add(_ event: RepositoryEvent) async {
        switch event.what {
        case .created, .restored: await add("create", "repo", event.repository)
        case .deleted: await add("delete", "repo", event.repository)
        case .moved(let old): await move(event.repository, from: old)
        case .settingsChanged: await add("update", "repo.config", event.repository)
        case .pushed(let updates):
            await add("update", "repo.content", event.repository) { $0.updates = updates }
        }
    }

    private func move(_ repository: Repository, from old: RepositoryReference) async {
        await add("move", "repo", repository) { $0.former = old }
    }

    // MARK: Discussions

    func add(_ notice: DiscussionNotice, in repository: Repository) async {
        switch notice {
        case .opened(let discussion):
            await add("create", "discussion", repository, .discussion) { $0.discussion = discussion }
        case .changed(let discussion):
            await add("update", "discussion", repository, .discussion) { $0.discussion = discussion }
        case .commented(let discussion, let event):
            await add("create", "discussion.comment", repository, .discussion) {
                $0.discussion = discussion
                $0.comment = event
            }
        case .commentChanged(let discussion, let event):
            await add("update", "discussion.comment", repository, .discussion) {
                $0.discussion = discussion
                $0.comment = event
            }
        }
    }

    // MARK: The queue

    /// A failure is logged: what happened stays done, whether or not somebody can be told.
    private func add(
        _ action: String, _ scope: String, _ repository: Repository, _ domain: WebhookDomain = .repo,
        _ fill: (inout WebhookPayload) -> Void = { _ in }
    ) async {
        do {
            var webhooks: [Webhook] = []
            for webhook in try await store.webhooks(watching: repository, domain)
            where try await mayTell(webhook, of: repository) { webhooks.append(webhook) }
            guard !webhooks.isEmpty else { return }
            let state = try await git.references(of: repository)
            let head = state.reference(ReferenceName(trusted: "refs/heads/" + state.defaultBranch))?.oid
            var payload = WebhookPayload(action, scope, repository, head: head, base: identity.settings.externalURL)
            fill(&payload)
            try await store.enqueueDeliveries(webhooks.map { ($0.id, payload.text(for: $0)) })
            bell.ring()
        } catch {
            logger.warning("Could not tell webhooks of \(repository.reference): \(error)")
        }
    }

    /// Whether the owner of the webhook may read the repository now; of a deleted one, whether they might have.
    private func mayTell(_ webhook: Webhook, of repository: Repository) async throws -> Bool {
        guard let account = try await store.account(id: webhook.account) else { return false }
        if repository.deletedAt != nil {
            return repository.visibility != .private
                ? !account.isDisabled : try await identity.may(.administer, on: repository, by: .account(account))
        }
        return try await identity.may(.read, on: repository, by: .account(account))
    }
}

/// Wakes the delivery when something was put into the queue.
final class WebhookBell: Sendable {
    let rings: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (rings, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    func ring() { continuation.yield() }
}
