import Community
import HTTPTypes
import HubCore
import Identity
import MetadataStore

/// Who gets at the files of a gated repository. Ours; the Hub API has the same in its own words.
struct AccessRoutes {
    let services: APIServices

    private static let path = RepositoryRoutes.path + "/access-requests"

    var routes: [APIRoute] {
        [
            .answering(
                .get, Self.path, "listAccessRequests", "Lists requests for the files of a gated repository, oldest first.",
                query: APIParameter.paging + [
                    APIParameter("status", .words(of: AccessRequestStatus.self), "Only these; `pending` unless told.")
                ]
            ) { [services] call in
                let status = call.query("status").flatMap { AccessRequestStatus(rawValue: $0) } ?? .pending
                let page = try await services.access.list(
                    for: seen(call, services), status, after: call.cursor, limit: call.limit, by: call.principal)
                return ListPage(items: page.items.map(AccessRequestModel.init), next: page.next)
            },
            .taking(
                .post, Self.path, "requestAccess",
                "Asks for the files of a gated repository; an automatic gate lets in at once."
            ) { [services] call, body in
                AccessRequestModel(
                    try await services.access.ask(
                        for: seen(call, services), fields: (body as NewAccessRequestModel).answers ?? [:], by: call.caller))
            },
            .taking(
                .put, Self.path + "/{account}", "decideAccess", "Lets an account in, rejects it, or takes back what was decided."
            ) { [services] call, body in
                let decision = body as AccessDecisionModel
                return AccessRequestModel(
                    try await services.access.set(
                        decision.status, for: call.name("account"), to: seen(call, services), reason: decision.reason,
                        by: call.caller))
            },
        ]
    }
}

/// The repository, if the caller may see it; `AccessRequests` asks for the rest.
private func seen(_ call: APICall, _ services: APIServices) async throws -> Repository {
    try await services.identity.repository(call.repositoryReference(), for: .read, by: call.principal)
}
