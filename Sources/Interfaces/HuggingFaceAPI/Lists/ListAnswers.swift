import HubCore
import Hummingbird
import Identity
import MetadataStore
import Synchronization
import WebCore

/// Lists as they were answered since the last change of the hub, so that what many ask is made once.
///
/// A list depends on the question, on what the caller may see and on the database, and on nothing else. When anything changes, all
/// of it is forgotten; so a list is never older than the last change that was acknowledged before it was asked for.
package final class ListAnswers: Sendable {
    struct Question: Hashable {
        /// The path as the client wrote it, with its query, after the endpoint that links lead back to.
        let address: String
        let scope: VisibilityScope
    }

    /// All answers together take no more, and none more than an eighth.
    static let maximumBytes = 8 << 20

    private struct State {
        var changeCount: UInt64 = 0
        var answers: [Question: Response] = [:]
        var bytes = 0
    }

    private let store: MetadataStore
    private let state = Mutex(State())

    init(store: MetadataStore) { self.store = store }

    /// The answer that is kept, or the one that `make` makes.
    func answer(_ question: Question, make: () async throws -> Response) async throws -> Response {
        // Taken before anything is read: what changes from here on makes the answer one of the past.
        let changeCount = store.changeCount
        let known = state.withLock { $0.changeCount == changeCount ? $0.answers[question] : nil }
        if let known { return known }
        let response = try await make()
        keep(response, to: question, changeCount)
        return response
    }

    private func keep(_ response: Response, to question: Question, _ changeCount: UInt64) {
        guard let length = response.body.contentLength, length <= Self.maximumBytes / 8 else { return }
        // The question, the headers and the places in memory.
        let size = length + question.address.utf8.count + 1024
        state.withLock { state in
            if state.changeCount < changeCount { state = State(changeCount: changeCount) }
            guard state.changeCount == changeCount, state.answers[question] == nil else { return }
            if state.bytes + size > Self.maximumBytes { state = State(changeCount: changeCount) }
            state.answers[question] = response
            state.bytes += size
        }
    }
}

extension HubCall {
    /// Answers a list from memory when nothing has changed since it was made.
    func list(_ make: @Sendable (VisibilityScope) async throws -> Response) async throws -> Response {
        let scope = try await services.identity.visibilityScope(of: principal)
        let question = ListAnswers.Question(address: "\(context.origin)\(request.uri.string)", scope: scope)
        return try await services.listAnswers.answer(question) { try await make(scope) }
    }
}
