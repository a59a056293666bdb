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
        let files = try await files(Set(page.items.map(\.oid)), repository, call)
        let items = page.items.map { link -> JSON in
            [
                "fileOid": .string(link.oid.hex), "oid": .string(link.oid.hex), "size": .integer(link.sizeBytes),
                "filename": .string(files[link.oid]?.path ?? link.oid.hex), "pushedAt": JSON(link.linkedAt),
                "ref": JSON(files[link.oid]?.reference.text),
            ]
        }
        return call.page(items, next: page.next)
    }

    /// A path of each object and the ref that has it: the default branch, else another branch or a pull request.
    private static func files(
        _ objects: Set<ObjectID>, _ repository: Repository, _ call: HubCall
    ) async throws -> [ObjectID: (path: String, reference: ReferenceName)] {
        let snapshot = try await call.services.git.snapshot(of: repository)
        let first = "refs/heads/" + repository.defaultBranch
        let branches = snapshot.state.references.filter { $0.name.isBranch || $0.name.text.hasPrefix("refs/pr/") }
        let ordered = branches.filter { $0.name.text == first } + branches.filter { $0.name.text != first }
        return try await call.services.git.threads.run {
            var files: [ObjectID: (path: String, reference: ReferenceName)] = [:]
            var seen: Set<GitOID> = []
            var left = maximumScannedFiles
            for reference in ordered where left > 0 && files.count < objects.count {
                let tree = try snapshot.objects.rootTree(of: reference.oid)
                // Branches often have the same files.
                guard seen.insert(tree).inserted else { continue }
                let page = try TreeListing(snapshot.objects, tree: tree, isRecursive: true).page(limit: left)
                left -= page.entries.count
                for entry in page.entries where GitFileMode.isRegularFile(entry.mode) {
                    guard let pointer = try pointer(entry.oid, snapshot.objects), objects.contains(pointer.oid),
                        files[pointer.oid] == nil
                    else { continue }
                    files[pointer.oid] = (entry.name, reference.name)
                }
            }
            return files
        }
    }

    private static func pointer(_ blob: GitOID, _ objects: GitObjects) throws -> LFSPointer? {
        let limit = Int64(LFSPointer.maximumByteCount)
        guard let header = try objects.header(of: blob), header.sizeBytes <= limit else { return nil }
        return LFSPointer(parsing: try objects.read(blob, limit: limit).bytes)
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
        try await call.services.identity.require(.write, on: repository, by: call.principal)
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
