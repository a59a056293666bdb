import HTTPTypes
import HubCore
import Hummingbird
import Identity
import WebCore

/// Answers the calls of Hugging Face clients, at the root and below `/hf`, `/csg` and `/ms`; passes on what is none of them.
///
/// Paths are matched as they came, percent-encoded: `feat%2Fx` is one part, a branch. Source: *huggingface_hub* 2.4.0 and older ones.
package struct HuggingFaceAPI: RouterMiddleware {
    package typealias Context = HubContext

    private let services: HubServices
    private let table: RouteTable

    /// - Parameter routes: those of other areas, which the API serves beside its own.
    package init(_ services: HubServices, routes: [HubRoute] = []) {
        self.services = services
        table = RouteTable(Self.ownRoutes + routes)
    }

    private static var ownRoutes: [HubRoute] {
        AccountRoutes.all + RepositoryRoutes.all + InfoRoutes.all + TreeRoutes.all + ResolveRoutes.all + HistoryRoutes.all + LargeFileRoutes.all
            + ReferenceRoutes.all + CommitRoutes.all + PreuploadRoutes.all + ListRoutes.all + OverviewRoutes.all
    }

    package func handle(
        _ request: Request, context: HubContext, next: (Request, HubContext) async throws -> Response
    ) async throws -> Response {
        let path = HubPath(request.uri.path)
        var failure = HubFailure(request: request, context: context, prefix: path.prefix)
        let response: Response?
        do {
            switch try await find(request.method, path) {
            case .found(let route, let match):
                failure.match = match
                do {
                    response = try await respond(to: request, context: context, route: route, match: match, path: path)
                } catch {
                    guard let refusals = route.refusals else { throw error }
                    return failure.withRequestID(refusals(error, request, context))
                }
            case .otherMethods(let allowed): throw HubAPIError.methodNotAllowed(allowed)
            case .nothing where path.isOfHubAPI: throw HubAPIError.noSuchAddress
            case .nothing: response = nil
            }
        } catch {
            return failure.response(for: error)
        }
        // What others refuse they say in their own form.
        guard let response else { return try await next(request, context) }
        return failure.withRequestID(response)
    }

    /// A one-part id is looked for where an address can be read in both ways and the site has an alias of that name.
    private func find(_ method: HTTPRequest.Method, _ path: HubPath) async throws -> RouteTable.Finding {
        let whole = table.find(method, path, repositoryParts: 2)
        guard case .found(_, let match) = whole else {
            let short = table.find(method, path, repositoryParts: 1)
            if case .nothing = short { return whole }
            if case .otherMethods = whole, case .otherMethods = short { return whole }
            return short
        }
        guard let owner = match.repository?.owner,
            case .found(let route, let shorter) = table.find(method, path, repositoryParts: 1),
            try await services.aliases.name(for: owner, kind: match.kind) != nil
        else { return whole }
        return .found(route, shorter)
    }

    private func respond(
        to request: Request, context: HubContext, route: HubRoute, match: RouteMatch, path: HubPath
    ) async throws -> Response {
        let principal = try await services.identity.principal(of: request, in: context, door: .api)
        let call = HubCall(
            request: request, context: context, principal: principal, services: services, match: match, path: path,
            queryItems: HubCall.queryItems(of: request))
        try call.checkOrigin()
        var response = try await route.respond(call)
        if request.method == .head, route.method == .get { response.body = .init() }
        return response
    }
}
