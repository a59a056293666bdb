import HTTPTypes
import HubCore
import Hummingbird
import Identity
import Repositories
import WebCore

/// Serves the content-addressed store of Xet clients below `/cas/g<generation>/`; passes on everything else.
///
/// Source: *Xet specification, "CAS API"*, and what hf-xet 1.8.0 sends.
///
/// | request | what it does |
/// | --- | --- |
/// | `POST v1/xorbs/<any>/<hash>` | stores a xorb; `HEAD` tells its length |
/// | `POST v1/shards`, `v2/shards` | registers files; v2 with lines of progress |
/// | `GET v1/reconstructions/<hash>`, `v2/…` | says how to put a file together |
/// | `HEAD v1/files/<hash>` | tells a file's length |
/// | `GET v1/chunks/<any>/<hash>` | says what the hub has around a chunk |
/// | `GET xorbdata/<hash>?grant=…` | bytes of a xorb, by a signed link; ours |
///
/// Everything else there is 404, which clients take as "not offered": direct uploads to a storage (`xorb-grants`), telemetry.
package struct XetMiddleware: RouterMiddleware {
    package typealias Context = HubContext

    private static let prefix = "/cas/"

    private let xet: XetService

    package init(xet: XetService) { self.xet = xet }

    /// Where the store is, for clients that came by this request.
    package static func address(of xet: XetService, in context: HubContext) -> String {
        "\(context.origin)\(prefix)g\(xet.generation)"
    }

    package func handle(
        _ request: Request, context: HubContext, next: (Request, HubContext) async throws -> Response
    ) async throws -> Response {
        let path = request.uri.path
        guard path.hasPrefix(Self.prefix) else { return try await next(request, context) }
        do {
            var parts = path.dropFirst(Self.prefix.count).split(separator: "/", omittingEmptySubsequences: false)
            guard parts.first == "g\(xet.generation)"[...] else { throw XetRequestError.otherGeneration }
            parts.removeFirst()
            return try await respond(to: XetCall(request: request, context: context, xet: xet), parts)
        } catch {
            return XetProblemResponse.make(for: error, in: context)
        }
    }

    private func respond(to call: XetCall, _ path: [Substring]) async throws -> Response {
        switch (call.request.method, path.count) {
        case (.post, 2) where path == ["v1", "shards"]: return try await XetUploads(call).registerShard()
        case (.post, 2) where path == ["v2", "shards"]: return try await XetUploads(call).registerShardWithProgress()
        case (.post, 4) where path[0] == "v1" && path[1] == "xorbs":
            return try await XetUploads(call).receiveXorb(hash(path[3]))
        case (.head, 4) where path[0] == "v1" && path[1] == "xorbs":
            return try await XetDownloads(call).lengthOfXorb(hash(path[3]))
        case (.get, 4) where path[0] == "v1" && path[1] == "chunks":
            return try await XetDownloads(call).deduplication(hash(path[3]))
        case (.get, 3) where path[1] == "reconstructions" && (path[0] == "v1" || path[0] == "v2"):
            return try await XetDownloads(call).reconstruction(hash(path[2]), form: path[0] == "v1" ? .first : .second)
        case (.head, 3) where path[0] == "v1" && path[1] == "files":
            return try await XetDownloads(call).lengthOfFile(hash(path[2]))
        case (.get, 2) where path[0] == "xorbdata", (.head, 2) where path[0] == "xorbdata":
            return try await XetDownloads(call).bytesOfXorb(hash(path[1]))
        default: throw XetRequestError.notFound
        }
    }

    private func hash(_ text: Substring) throws -> XetHash {
        guard let hash = XetHash(hex: text) else { throw XetRequestError.invalidHash(String(text)) }
        return hash
    }
}

/// One request to the store.
struct XetCall: Sendable {
    let request: Request
    let context: HubContext
    let xet: XetService

    /// Who asks, by the Xet token, if it allows this now.
    func access(for right: XetRight) async throws -> XetAccess {
        guard case .bearer(let text) = AuthorizationHeader(of: request) else { throw XetError.invalidToken }
        return try await xet.access(text, for: right)
    }

    func answer(_ form: some Encodable) -> Response {
        var response = Response.json(form, contentType: "application/json")
        response.headers[.cacheControl] = "no-store"
        return response
    }
}
