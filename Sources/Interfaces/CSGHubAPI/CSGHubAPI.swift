import HTTPTypes
import HuggingFaceAPI
import Hummingbird

/// The calls of csghub-sdk's native client, and of a CSGHub that takes this hub as its upstream, below `/api/v1`.
///
/// Source: *csghub-sdk* 0.9.3 and *csghub-server* `api/router`. Most of csghub-sdk speaks the Hub API below `/hf` and `/csg`; these
/// are the rest.
package enum CSGHubAPI {
    /// For the Hub API's table; refusals have the form that these clients know.
    package static var routes: [HubRoute] {
        RepositoryRoutes.all + BranchRoutes.all + RawFileRoutes.all + UploadRoutes.all + CommitRoutes.all + SyncRoutes.all
            + AccountRoutes.all + unknown
    }

    /// Everything else below `/api/v1` is refused in the same form.
    private static var unknown: [HubRoute] {
        [HTTPRequest.Method.get, .post, .put, .patch, .delete].map { method in
            route(method, "/{rest...}") { _ in throw CSGHubError.noSuchAddress }
        }
    }

    /// A route below `/api/v1`.
    static func route(
        _ method: HTTPRequest.Method, _ pattern: String, respond: @escaping HubRoute.Responder
    ) -> HubRoute {
        HubRoute(method, "/api/v1" + pattern, refusals: CSGHubFailure.response, respond: respond)
    }
}
