import HTTPTypes
import HubCore
import Hummingbird
import Identity
import Repositories
import WebCore

/// Serves Git LFS below `<repository>[.git]/info/lfs/`; passes on everything else. Source: *git-lfs `docs/api/`*.
///
/// | request | what it does |
/// | --- | --- |
/// | `POST objects/batch` | says how to transfer objects |
/// | `GET`, `HEAD`, `PUT objects/<oid>` | transfers one |
/// | `POST objects/verify` | confirms that one is there |
/// | `PUT objects/<oid>/uploads/<session>/<part>` | stores a part; ours |
/// | `POST objects/<oid>/uploads/<session>` | completes an upload in parts; ours |
/// | `POST`, `GET locks`, `POST locks/verify`, `POST locks/<id>/unlock` | locks |
package struct LFSMiddleware: RouterMiddleware {
    package typealias Context = HubContext

    private let identity: Identity
    private let lfs: LFSService

    package init(identity: Identity, lfs: LFSService) {
        self.identity = identity
        self.lfs = lfs
    }

    package func handle(
        _ request: Request, context: HubContext, next: (Request, HubContext) async throws -> Response
    ) async throws -> Response {
        guard let address = GitAddress(path: request.uri.path), case .lfs(let path) = address.service else {
            return try await next(request, context)
        }
        let call = LFSCall(request: request, context: context, address: address, identity: identity, lfs: lfs)
        do {
            return try await respond(to: call, path: path.split(separator: "/", omittingEmptySubsequences: false))
        } catch {
            return LFSProblemResponse.make(for: error, in: context)
        }
    }

    private func respond(to call: LFSCall, path: [Substring]) async throws -> Response {
        switch path {
        case ["objects", "batch"]:
            try require(call, .post)
            return try await LFSBatch(call).answer()
        case ["objects", "verify"]:
            try require(call, .post)
            return try await LFSTransfers(call).verify()
        case ["locks"]:
            try require(call, .get, .post)
            return call.request.method == .post ? try await LFSLocks(call).create() : try await LFSLocks(call).list()
        case ["locks", "verify"]:
            try require(call, .post)
            return try await LFSLocks(call).verify()
        default: return try await respondBelow(path, to: call)
        }
    }

    private func respondBelow(_ path: [Substring], to call: LFSCall) async throws -> Response {
        if path.count == 3, path[0] == "locks", path[2] == "unlock" {
            try require(call, .post)
            return try await LFSLocks(call).unlock(path[1])
        }
        guard path.count >= 2, path[0] == "objects", let oid = ObjectID(hex: path[1]) else {
            throw LFSRequestError.notFound
        }
        switch path.count {
        case 2:
            try require(call, .get, .head, .put)
            return call.request.method == .put
                ? try await LFSTransfers(call).receive(oid) : try await LFSTransfers(call).send(oid)
        case 4 where path[2] == "uploads":
            try require(call, .post)
            return try await LFSParts(call).complete(oid, session: path[3])
        case 5 where path[2] == "uploads":
            try require(call, .put)
            return try await LFSParts(call).receive(oid, session: path[3], number: path[4])
        default: throw LFSRequestError.notFound
        }
    }

    private func require(_ call: LFSCall, _ methods: HTTPRequest.Method...) throws {
        guard methods.contains(call.request.method) else {
            throw LFSRequestError.method(allowed: methods.map(\.rawValue).joined(separator: ", "))
        }
    }
}
