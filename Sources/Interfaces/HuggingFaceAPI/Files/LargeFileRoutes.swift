import GitStore
import HubCore
import Hummingbird
import Identity
import MetadataStore
import Repositories

/// The large objects of a repository, whatever files they are of. hf-hub-api §5.
enum LargeFileRoutes {
    private static let maximumObjects = 1_000
    /// Names are looked for among so many files.
    private static let maximumScannedFiles = 100_000

    static var all: [HubRoute] {
        [
            HubRoute(.get, "/api/{kinds}/{repo}/lfs-files") { try await list($0) },
            HubRoute(.post, "/api/{kinds}/{repo}/lfs-files/batch") { try await delete($0) },
            HubRoute(.post, "/api/{kinds}/{repo}/lfs-files/duplicate") { try await duplicate($0) },
        ]
    }

    private static func list(_ call: HubCall) async throws -> Response {
        let repository = try await call.repository(for: .write)
        let limit = call.limit(default: maximumObjects, maximum: maximumObjects)
        let page = try await call.services.store.objectLinks(of: repository.id, after: call.cursor, limit: limit)
        let names = try await names(Set(page.items.map(\.oid)), repository, call)
        let items = page.items.map { link -> JSON in
            [
                "fileOid": .string(link.oid.hex), "oid": .string(link.oid.hex), "size": .integer(link.sizeBytes),
                "filename": .string(names[link.oid] ?? link.oid.hex), "pushedAt": JSON(link.linkedAt),
                "ref": names[link.oid] == nil ? .null : .string("refs/heads/" + repository.defaultBranch),
            ]
        }
        return call.page(items, next: page.next)
    }

    /// The paths of objects on the default branch.
    private static func names(
        _ objects: Set<ObjectID>, _ repository: Repository, _ call: HubCall
    ) async throws -> [ObjectID: String] {
        guard !objects.isEmpty, let view = try await call.viewIfAny(repository, at: nil) else { return [:] }
        return try await call.services.git.threads.run {
            let tree = try view.objects.rootTree(of: view.commit)
            let page = try TreeListing(view.objects, tree: tree, isRecursive: true).page(limit: maximumScannedFiles)
            var names: [ObjectID: String] = [:]
            let limit = Int64(LFSPointer.maximumByteCount)
            for entry in page.entries where GitFileMode.isRegularFile(entry.mode) {
                guard let header = try view.objects.header(of: entry.oid), header.sizeBytes <= limit,
                    let pointer = LFSPointer(parsing: try view.objects.read(entry.oid, limit: limit).bytes),
                    objects.contains(pointer.oid), names[pointer.oid] == nil
                else { continue }
                names[pointer.oid] = entry.name
            }
            return names
        }
    }

    /// For good: the repository loses the objects and, unless told otherwise, their files in all of its history.
    private static func delete(_ call: HubCall) async throws -> Response {
        struct Form: Decodable {
            struct Deletions: Decodable {
                let sha: [String]
                let rewriteHistory: Bool?
            }
            let deletions: Deletions
        }
        let form = try await call.json(Form.self).deletions
        let repository = try await call.repository(for: .administer)
        guard form.sha.count <= maximumObjects else { throw HubAPIError.tooMany("objects", limit: maximumObjects) }
        let oids = form.sha.compactMap { ObjectID(hex: $0) }
        guard oids.count == form.sha.count else {
            throw HubAPIError.invalidRequest("A large file is named by the fileOid that lfs-files lists.")
        }
        if form.rewriteHistory ?? true {
            try await call.services.git.removeFromHistory(Set(oids), of: repository, by: call.caller)
        }
        try await call.services.store.unlinkObjects(
            oids, of: repository.id,
            audit: call.caller.entry(
                "repository.objects.delete", on: repository.reference.description, ["objects": String(oids.count)]))
        return call.done()
    }

    /// Gives another repository objects of this one, for a commit there that names them: the caller reads here and writes there.
    private static func duplicate(_ call: HubCall) async throws -> Response {
        struct Form: Decodable {
            struct Target: Decodable {
                let type: String?
                let name: String
            }
            struct File: Decodable { let sha256: String }
            let target: Target
            let files: [File]
        }
        let form = try await call.json(Form.self)
        let source = try await call.repositoryForContent()
        let reference = RepositoryReference(
            kind: try RepositoryKind(hubType: form.target.type), name: try RepositoryName(parsing: form.target.name))
        let target = try await call.services.identity.repository(reference, for: .write, by: call.principal)
        guard form.files.count <= maximumObjects else { throw HubAPIError.tooMany("files", limit: maximumObjects) }
        let oids = form.files.compactMap { ObjectID(hex: $0.sha256) }
        let sizes = try await call.services.lfs.sizes(of: oids, in: source)
        var failed: [JSON] = []
        for file in form.files {
            guard let oid = ObjectID(hex: file.sha256), let size = sizes[oid] else {
                failed.append(["sha256": .string(file.sha256.shortened), "error": "This repository has no such large file."])
                continue
            }
            try await call.services.store.linkObject(
                oid, sizeBytes: size, repository: target.id, account: call.principal.account?.id)
        }
        return call.answer(["failed": .array(failed)])
    }
}
