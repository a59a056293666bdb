import Bundles
import Community
import HTTPTypes
import HubCore
import Hummingbird
import Identity
import MetadataStore
import NIOCore
import ObjectStore
import Repositories
import Synchronization
import WebCore

/// The hub's own API below `/api/hub/v1`, which the command line speaks and `openapi.json` describes.
///
/// Add a route to the list of its folder (`AccountRoutes` and so on): the router and the document both come from these lists.
package struct HubAPI: Sendable {
    private let identity: Identity
    package let routes: [APIRoute]

    package init(_ services: APIServices) {
        identity = services.identity
        let document = DocumentText()
        let routes =
            SiteRoutes(services: services).routes + ClientRoutes(authority: services.site.authority).routes + AccountRoutes(identity: services.identity).routes
            + OrganizationRoutes(identity: services.identity).routes + TokenRoutes(services: services).routes
            + RepositoryRoutes(services: services).routes + CollaboratorRoutes(services: services).routes
            + AccessRoutes(services: services).routes + ExportRoutes(services: services).routes
            + BundleSourceRoutes(services: services).routes + ReferenceRoutes(services: services).routes
            + ObjectRoutes(services: services).routes
            + CommitRoutes(services: services).routes + FileRoutes(services: services).routes
            + ImportRoutes(services: services).routes
            + TrustRoutes(trust: services.trust).routes + PublisherRoutes(trust: services.trust).routes
            + ModelSignatureRoutes(services: services).routes
            + SettingRoutes(identity: services.identity).routes + AuditRoutes(identity: services.identity).routes
            + [Self.documentRoute(document)]
        document.routes.withLock { $0 = routes }
        self.routes = routes
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
            try call.checkOrigin()
            try call.checkQuery(of: route)
            return try await route.respond(call)
        } catch {
            return ProblemResponse.make(for: error, in: context)
        }
    }

    private static func documentRoute(_ document: DocumentText) -> APIRoute {
        APIRoute(
            method: .get, path: "/openapi.json", operation: "getDocument", summary: "Returns this document.", query: [],
            body: nil, answer: .json(.any), status: .ok
        ) { _ in
            Response(
                status: .ok, headers: [.contentType: "application/json; charset=utf-8"],
                body: ResponseBody(byteBuffer: try document.bytes()))
        }
    }
}

/// The text of the document, made when it is first asked for: the hub starts sooner without it.
private final class DocumentText: Sendable {
    let routes = Mutex<[APIRoute]>([])
    private let made = Mutex<ByteBuffer?>(nil)

    func bytes() throws -> ByteBuffer {
        try made.withLock { made in
            if let made { return made }
            let document = OpenAPIDocument(routes: routes.withLock { $0 }, version: HubVersion.text)
            let bytes = try JSONForm.encode(document.json, isPretty: true)
            made = bytes
            return bytes
        }
    }
}

/// What the API works with.
package struct APIServices: Sendable {
    package let identity: Identity
    package let store: MetadataStore
    package let repositories: RepositoryService
    package let access: AccessRequests
    package let git: GitService
    package let lfs: LFSService
    package let objects: FileObjectStore
    package let imports: BundleImporter
    package let importQueue: ImportQueue
    package let trust: TrustServices
    package let site: SiteFacts

    package init(
        identity: Identity, store: MetadataStore, repositories: RepositoryService, access: AccessRequests, git: GitService,
        lfs: LFSService, objects: FileObjectStore, imports: BundleImporter, importQueue: ImportQueue, trust: TrustServices,
        site: SiteFacts
    ) {
        self.identity = identity
        self.store = store
        self.repositories = repositories
        self.access = access
        self.git = git
        self.lfs = lfs
        self.objects = objects
        self.imports = imports
        self.importQueue = importQueue
        self.trust = trust
        self.site = site
    }
}
