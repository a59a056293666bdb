import Repositories
import ServiceLifecycle

/// Follows what happens to repositories and puts it into the queue.
struct WebhookFollower: Service {
    let queue: WebhookQueue
    let events: RepositoryEvents

    func run() async throws {
        for await event in events.listen().cancelOnGracefulShutdown() { await queue.add(event) }
    }
}
