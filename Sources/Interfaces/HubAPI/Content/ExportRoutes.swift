import HTTPTypes
import HubCore
import Hummingbird
import Identity
import MetadataStore
import NIOCore
import ObjectStore
import WebCore

/// What a repository consists of, so that it can be taken away as an ordinary bare repository.
struct ExportRoutes {
    let services: APIServices
    private let files = FileIO()

    init(services: APIServices) { self.services = services }

    private static let path = RepositoryRoutes.path + "/export"

    var routes: [APIRoute] {
        [
            .streaming(
                Self.path, "exportRepository", "Streams the refs, packs and large objects of a repository.",
                of: ExportLine.self
            ) { [services] call in
                let repository = try await services.identity.repository(
                    call.repositoryReference(), for: .readContent, by: call.principal)
                return manifest(of: repository, services)
            },
            APIRoute(
                method: .get, path: Self.path + "/packs/{file}", operation: "downloadPack",
                summary: "Returns a pack (`<id>.pack`) or its index (`<id>.idx`).", query: [], body: nil,
                answer: .bytes,
                status: .ok
            ) { [services, files] call in
                let repository = try await services.identity.repository(
                    call.repositoryReference(), for: .readContent, by: call.principal)
                let path = try await packPath(call.path("file"), of: repository, services)
                return Response(
                    status: .ok, headers: [.contentType: "application/octet-stream"],
                    body: try await files.loadFile(
                        path: "\(services.site.dataDirectory)/\(path)", context: call.context))
            },
        ]
    }
}

/// Packs and large objects first come and then stay, so a list made now is good for as long as the sweep's grace.
private func manifest(of repository: Repository, _ services: APIServices) -> LineStream<ExportLine> {
    LineStream { send in
        let state = try await services.store.gitState(of: repository.id)
        let head = "refs/heads/" + repository.defaultBranch
        try await send(ExportLine(
                repository: .init(
                    repository: repository.reference.description, head: head, uid: repository.uid.text,
                    address: services.site.externalAddresses.first.map { "\($0)/\(repository.reference)" },
                    origin: try await services.store.origin(of: repository.id).map { .init($0) })))
        for reference in state.references {
            try await send(
                ExportLine(
                    reference: .init(
                        name: reference.name.text, oid: reference.oid.hex,
                        peeled: reference.peeled?.hex)))
        }
        for pack in state.packs {
            try await send(
                ExportLine(
                    pack: .init(
                        id: pack.id.description, sizeBytes: pack.sizeBytes, path: packPath(pack.id, of: repository.uid))
                ))
        }
        var cursor: String?
        repeat {
            let page = try await services.store.objects(in: repository.id, after: cursor)
            for object in page.items {
                try await send(
                    ExportLine(
                        object: .init(oid: object.oid.hex, sizeBytes: object.sizeBytes, path: objectPath(object.oid))))
            }
            cursor = page.next
        } while cursor != nil
    }
}

/// A file of a pack that a row of this repository names.
private func packPath(_ file: String, of repository: Repository, _ services: APIServices) async throws -> String {
    let parts = file.split(separator: ".", omittingEmptySubsequences: false)
    let packs = try await services.store.gitState(of: repository.id, prefixes: []).packs
    guard parts.count == 2, parts[1] == "pack" || parts[1] == "idx",
        let pack = packs.first(where: { $0.id.description == parts[0] })
    else {
        throw ProblemError(.missing, code: "pack_not_found", "The repository has no such pack; begin the export again.")
    }
    return "\(packPath(pack.id, of: repository.uid)).\(parts[1])"
}

private func packPath(_ id: PackID, of uid: RepositoryUID) -> String {
    "git/\(uid.text.prefix(2))/\(uid).git/objects/pack/pack-\(id)"
}

func objectPath(_ oid: ObjectID) -> String {
    "objects/\(oid.hex.prefix(2))/\(oid.hex.dropFirst(2).prefix(2))/\(oid)"
}
