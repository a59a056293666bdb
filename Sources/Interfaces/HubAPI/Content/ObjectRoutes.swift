import FoundationEssentials
import HTTPTypes
import HubCore
import Hummingbird
import Identity
import MetadataStore
import NIOCore
import ObjectStore
import Repositories
import WebCore

/// The large objects of a repository, and the check of all that the hub holds.
struct ObjectRoutes {
    let services: APIServices

    private static let path = RepositoryRoutes.path + "/objects"

    var routes: [APIRoute] {
        [
            .taking(
                .post, Self.path + "/missing", "findMissingObjects",
                "Returns which of these objects the repository does not have."
            ) {
                [services] call, body in try await missing(body, call, services)
            },
            APIRoute(
                method: .get, path: Self.path + "/{oid}", operation: "downloadObject",
                summary: "Returns a large object's bytes.",
                query: [], body: nil, answer: .bytes, status: .ok
            ) { [services] call in try await download(call, services) },
            APIRoute(
                method: .put, path: Self.path + "/{oid}", operation: "uploadObject",
                summary:
                    "Stores a large object and links it to the repository; the bytes must have the hash of its name.",
                query: [], body: .bytes, answer: .json(ObjectModel.schema), status: .ok
            ) { [services] call in try call.json(await upload(call, services), status: .ok) },
            .streaming(
                "/objects/verification", "verifyObjects",
                "Checks that each stored object is there with its size, and with `all` that its bytes have its hash.",
                query: [APIParameter("all", .boolean, "Read every byte.")], of: ObjectCheckLine.self
            ) { [services] call in
                try await services.identity.requireSite(.maintain, by: call.principal)
                return ObjectCheck(store: services.store, objects: services.objects, readsAll: call.flag("all")).lines
            },
        ]
    }
}

private func objectID(_ text: String) throws -> ObjectID {
    guard let id = ObjectID(hex: text) else {
        throw ProblemError(
            .invalid, code: "invalid_object_id", "“\(text.shortened)” is not a SHA-256 of 64 lower-case hex digits.")
    }
    return id
}

/// An object that the hub holds for another repository only counts as missing: that its bytes are sent proves that the caller has
/// them.
private func missing(_ body: ObjectListModel, _ call: APICall, _ services: APIServices) async throws -> ObjectListModel
{
    let repository = try await services.identity.repository(call.repositoryReference(), for: .write, by: call.principal)
    let ids = try body.objects.map { try objectID($0.oid) }
    let linked = try await services.store.linkedObjects(among: ids, in: repository.id)
    return ObjectListModel(objects: zip(ids, body.objects).filter { linked[$0.0] == nil }.map(\.1))
}

private func download(_ call: APICall, _ services: APIServices) async throws -> Response {
    let repository = try await services.identity.repository(call.repositoryReference(), for: .readContent, by: call.principal)
    let id = try objectID(call.path("oid"))
    let reader = try await services.lfs.open(id, in: repository)
    return try await ContentResponse(etag: id.hex, sizeBytes: reader.object.sizeBytes).answer(call.request) { range in
        reader.read(range, pieceBytes: ContentResponse.pieceBytes(in: call.context))
    }
}

private func upload(_ call: APICall, _ services: APIServices) async throws -> ObjectModel {
    let repository = try await services.identity.repository(call.repositoryReference(), for: .write, by: call.principal)
    let id = try objectID(call.path("oid"))
    guard let size = call.request.headers[.contentLength].flatMap({ Int64($0) }), size >= 0 else {
        throw ProblemError(.invalid, code: "length_missing", "Send the object with its Content-Length.")
    }
    try await services.lfs.receive(
        id, sizeBytes: size, body: call.request.body, into: repository, account: call.principal.account?.id)
    return ObjectModel(oid: id.hex, sizeBytes: size)
}
