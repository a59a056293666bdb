import HTTPTypes
import HubCore
import Hummingbird
import Identity
import MetadataStore
import NIOCore
import ObjectStore
import Repositories
import WebCore

/// The hub's own API below `/api/hub/v1`, which the command line speaks and `openapi.json` describes.
///
/// Add a route to the list of its folder (`AccountRoutes` and so on): the router and the document both come from these lists.
package struct HubAPI: Sendable {
    private let identity: Identity
    package let routes: [APIRoute]
    private let document: ByteBuffer

    package init(_ services: APIServices) throws {
        identity = services.identity
        let described =
            SiteRoutes(services: services).routes + AccountRoutes(identity: services.identity).routes
            + OrganizationRoutes(identity: services.identity).routes + TokenRoutes(services: services).routes
            + RepositoryRoutes(services: services).routes
            + CollaboratorRoutes(services: services).routes
            + ExportRoutes(services: services).routes + ObjectRoutes(services: services).routes
            + SettingRoutes(identity: services.identity).routes
            + AuditRoutes(identity: services.identity).routes
        let document = try JSONForm.encode(
            OpenAPIDocument(routes: described + [Self.documentRoute(ByteBuffer())], version: HubVersion.text).json,
            isPretty: true)
        self.document = document
        routes = described + [Self.documentRoute(document)]
    }

    /// Adds the routes to the hub's router.
    package func addRoutes(to router: Router<HubContext>) {
        for route in routes {
            router.on(RouterPath(OpenAPIDocument.basePath + route.path), method: route.method) { request, context in
                await answer(request, context, by: route)
            }
        }
    }

    private func answer(_ request: Request, _ context: HubContext, by route: APIRoute) async -> Response {
        do {
            let principal = try await identity.principal(of: request, in: context, door: .api)
            let call = APICall(request: request, context: context, principal: principal)
            try call.checkQuery(of: route)
            return try await route.respond(call)
        } catch {
            return ProblemResponse.make(for: error, in: context)
        }
    }

    private static func documentRoute(_ document: ByteBuffer) -> APIRoute {
        APIRoute(
            method: .get, path: "/openapi.json", operation: "getDocument", summary: "Returns this document.", query: [],
            body: nil,
            answer: .json(.any), status: .ok
        ) { _ in
            Response(
                status: .ok, headers: [.contentType: "application/json; charset=utf-8"],
                body: ResponseBody(byteBuffer: document))
        }
    }
}

/// What the API works with.
package struct APIServices: Sendable {
    package let identity: Identity
    package let store: MetadataStore
    package let repositories: RepositoryService

    package let objects: FileObjectStore
    package let site: SiteFacts

    package init(
        identity: Identity, store: MetadataStore, repositories: RepositoryService,
        objects: FileObjectStore, site: SiteFacts
    ) {
        self.identity = identity
        self.store = store
        self.repositories = repositories

        self.objects = objects
        self.site = site
    }
}
