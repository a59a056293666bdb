import FoundationEssentials
import GitStore
import HubCore
import HuggingFaceAPI
import Hummingbird
import MetadataStore
import Repositories

/// Files one by one. csghub-api §2.2 (5) and §5.2 (4, 5).
enum RawFileRoutes {
    /// The longest file that is given as a JSON text.
    private static let maximumTextBytes: Int64 = 10 << 20
    private static let maximumListed = 50_000
    private static let maximumBodyBytes = 16 << 20

    static var all: [HubRoute] {
        [
            CSGHubAPI.route(.get, "/{kinds}/{repo}/raw/{path...}") { try await read($0) },
            CSGHubAPI.route(.post, "/{kinds}/{repo}/raw/{path...}") { try await write($0) },
            CSGHubAPI.route(.put, "/{kinds}/{repo}/raw/{path...}") { try await write($0) },
            CSGHubAPI.route(.delete, "/{kinds}/{repo}/raw/{path...}") { try await remove($0) },
            CSGHubAPI.route(.get, "/{kinds}/{repo}/all_files") { try await list($0) },
        ]
    }

    private static func read(_ call: HubCall) async throws -> Response {
        let repository = try await call.repositoryForContent()
        let path = call.value("path")
        guard let view = try await call.viewIfAny(repository, at: call.query("ref")),
            let file = try await view.file(at: path, call.services), !file.isFolder
        else { throw CSGHubError.fileNotFound(path) }
        guard file.blobBytes <= maximumTextBytes else { throw CSGHubError.fileTooLong(path, limit: maximumTextBytes) }
        let objects = view.objects
        let bytes = try await call.services.git.threads.run { try objects.read(file.oid, limit: maximumTextBytes).bytes }
        return call.envelope(.string(String(decoding: bytes, as: UTF8.self)))
    }

    // MARK: Changing

    private struct Form: Decodable {
        let message: String?
        let branch: String?
        let new_branch: String?
        let content: String?
    }

    /// Makes or replaces a file, on a new branch when `new_branch` names one that is not there.
    private static func write(_ call: HubCall) async throws -> Response {
        let repository = try await call.repository(for: .write)
        let form = try await call.json(Form.self, limit: maximumBodyBytes)
        guard let content = Data(base64Encoded: form.content ?? "", options: .ignoreUnknownCharacters) else {
            throw CSGHubError.invalid("The content is not Base64.")
        }
        let branch = try await branch(form, repository, call)
        let draft = try await call.services.git.beginCommit(to: repository, branch: branch, by: call.caller)
        try await draft.add(call.value("path"), content: Array(content))
        return try await finish(draft, form.message ?? "Change \(call.value("path"))", call)
    }

    private static func remove(_ call: HubCall) async throws -> Response {
        let repository = try await call.repository(for: .write)
        let form = try await call.json(Form.self)
        let branch = form.branch.flatMap { $0.isEmpty ? nil : $0 } ?? repository.defaultBranch
        let draft = try await call.services.git.beginCommit(to: repository, branch: branch, by: call.caller)
        try await draft.delete(call.value("path"))
        return try await finish(draft, form.message ?? "Delete \(call.value("path"))", call)
    }

    private static func finish(_ draft: CommitDraft, _ message: String, _ call: HubCall) async throws -> Response {
        let made = try await draft.commit(message: message, author: call.author, acceptsUnchanged: true)
        return call.envelope(["commit_id": .string(made.oid.hex)])
    }

    /// The branch to commit to; a new one begins where the old one is.
    private static func branch(_ form: Form, _ repository: Repository, _ call: HubCall) async throws -> String {
        let old = form.branch.flatMap { $0.isEmpty ? nil : $0 } ?? repository.defaultBranch
        guard let new = form.new_branch, !new.isEmpty, new != old else { return old }
        guard let name = ReferenceName.newBranch(new) else { throw RepositoryError.invalidBranch(new) }
        let snapshot = try await call.services.git.snapshot(of: repository)
        guard snapshot.state.reference(name) == nil else { return new }
        guard let start = try await call.viewIfAny(repository, at: old)?.commit else { return new }
        try await call.services.git.createReference(name, at: start, in: repository, by: call.caller)
        return new
    }

    // MARK: Listing

    private static func list(_ call: HubCall) async throws -> Response {
        let repository = try await call.repository()
        guard let view = try await call.viewIfAny(repository, at: call.query("ref")) else { return call.envelope([]) }
        let entries = try await call.services.git.threads.run {
            let tree = try view.objects.rootTree(of: view.commit)
            return try TreeListing(view.objects, tree: tree, isRecursive: true).page(limit: maximumListed).entries
                .filter { !$0.isTree }
        }
        let commit = try await call.services.git.threads.run { CommitText(try view.objects.commit(view.commit)) }
        let files = try await view.files(entries, call.services)
        return call.envelope(.array(files.map { item($0, commit, repository) }))
    }

    /// The commit is the revision's, not the one that last changed the file: nobody reads more than its time.
    private static func item(_ file: FileEntry, _ commit: CommitText, _ repository: Repository) -> JSON {
        let name = file.path.split(separator: "/").last.map(String.init) ?? file.path
        return [
            "name": .string(name), "type": "file", "size": .integer(file.sizeBytes), "path": .string(file.path),
            "mode": .string(String(file.mode, radix: 8)), "sha": .string(file.oid.hex), "lfs": .bool(file.pointer != nil),
            "lfs_sha256": .string(file.pointer?.oid.hex ?? ""), "lfs_relative_path": .string(file.pointer?.oid.hex ?? ""),
            "lfs_pointer_size": .integer(file.pointer == nil ? 0 : file.blobBytes),
            "commit": ["message": .string(commit.title), "committer_date": .string(HubTime.text(seconds: commit.seconds))],
        ]
    }
}
