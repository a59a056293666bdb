import GitStore
import HTTPTypes
import HubCore
import Hummingbird
import Identity
import MetadataStore
import NIOCore
import Repositories

/// What offline bundles are made of: a repository's history as a git bundle, and the large objects that it names.
struct BundleSourceRoutes {
    let services: APIServices

    private static let maximumBodyBytes = 16 << 20

    var routes: [APIRoute] {
        [
            APIRoute(
                method: .post, path: RepositoryRoutes.path + "/export/bundle", operation: "exportGitBundle",
                summary: "Returns refs with their history as a git bundle.", query: [], body: .json(BundleSourceModel.schema),
                answer: .bytes, status: .ok
            ) { [services] call in
                let source = try await Source(call, services)
                let bundle = try await services.git.bundle(
                    source.selection, snapshot: source.snapshot, fairKey: "bundle")
                return Response(
                    status: .ok, headers: [.contentType: "application/octet-stream"],
                    body: ResponseBody { writer in
                        try await writer.write(bundle.header)
                        for try await event in bundle.pack {
                            if case .data(let bytes) = event { try await writer.write(bytes) }
                        }
                        try await writer.finish(nil)
                    })
            },
            APIRoute(
                method: .post, path: RepositoryRoutes.path + "/export/objects", operation: "listBundleObjects",
                summary: "Streams the large objects that the files in a git bundle name.", query: [],
                body: .json(BundleSourceModel.schema), answer: .lines(BundleObjectLine.schema), status: .ok
            ) { [services] call in
                let source = try await Source(call, services)
                return LineStream<BundleObjectLine> { send in
                    let pointers = try await services.git.pointers(source.selection, snapshot: source.snapshot)
                    for start in stride(from: 0, to: pointers.count, by: 500) {
                        let some = pointers[start..<min(start + 500, pointers.count)]
                        let stored = try await services.store.linkedObjects(
                            among: some.map(\.pointer.oid), in: source.snapshot.repository.id)
                        for found in some {
                            try await send(
                                BundleObjectLine(
                                    oid: found.pointer.oid.hex, sizeBytes: found.pointer.sizeBytes,
                                    isStored: stored[found.pointer.oid] == found.pointer.sizeBytes, path: objectPath(found.pointer.oid),
                                    file: found.path))
                        }
                    }
                }.response(for: call)
            },
        ]
    }

    /// What the body asks for, in one view of the repository.
    private struct Source {
        let snapshot: GitSnapshot
        let selection: GitBundleSelection

        init(_ call: APICall, _ services: APIServices) async throws {
            let repository = try await services.identity.repository(
                call.repositoryReference(), for: .readContent, by: call.principal)
            let body = try JSONForm.decodeChecked(
                BundleSourceModel.self, from: await call.collectBody(upTo: BundleSourceRoutes.maximumBodyBytes))
            let references = try body.references.map { reference in
                guard let name = ReferenceName(reference.name), let oid = GitOID(hex: reference.oid) else {
                    throw ProblemError(.invalid, code: "invalid_reference", "“\(reference.name.shortened)” is no ref with an object.")
                }
                return (name: name, oid: oid)
            }
            snapshot = try await services.git.snapshot(of: repository)
            selection = try await services.git.bundleSelection(
                of: snapshot, references: references, haves: body.haves.compactMap { GitOID(hex: $0) })
        }
    }
}
