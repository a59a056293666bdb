import GitStore
import HubCore
import Hummingbird
import Repositories

/// Lists of files. hf-hub-api §5.
enum TreeRoutes {
    /// Entries of a page, and of one whose last changes are asked for.
    private static let maximumPage = 1000
    private static let maximumExpandedPage = 100
    private static let maximumPaths = 1000

    static var all: [HubRoute] {
        [
            HubRoute(.get, "/api/{kinds}/{repo}/tree/{rev}/{path...?}") { try await tree($0) },
            HubRoute(.post, "/api/{kinds}/{repo}/paths-info/{rev...}") { try await pathsInfo($0) },
        ]
    }

    private static func tree(_ call: HubCall) async throws -> Response {
        let repository = try await call.repository()
        let cursor = try call.cursor.map { try TreeCursor($0) }
        // All pages show the commit of the first.
        let view = try await call.view(repository, at: cursor?.commit.hex ?? call.revision)
        let folder = call.value("path")
        let isExpanded = call.flag("expand")
        let maximum = isExpanded ? maximumExpandedPage : maximumPage
        let limit = call.limit(default: maximum, maximum: maximum)
        let isRecursive = call.flag("recursive")
        let page = try await call.services.git.threads.run {
            guard let entry = try view.objects.entry(at: folder, in: view.commit), entry.isTree else {
                throw HubAPIError.entryNotFound(path: folder, revision: call.revision, commit: view.commit)
            }
            return try TreeListing(
                view.objects, tree: entry.oid, folder: Array(folder.utf8), isRecursive: isRecursive
            ).page(after: cursor?.path, limit: limit)
        }
        let items = try await items(try await view.files(page.entries, call.services), isExpanded, view, call)
        let next = page.hasMore ? page.entries.last.map { TreeCursor(commit: view.commit, path: $0.path).text } : nil
        return call.page(items, next: next)
    }

    /// A form, or JSON as other clients than Python's send it. Paths that are not there are left out.
    private static func pathsInfo(_ call: HubCall) async throws -> Response {
        struct Form: Decodable {
            let paths: [String]?
            let expand: Bool?
        }
        let repository = try await call.repository()
        let paths: [String]
        let isExpanded: Bool
        if call.hasJSONBody {
            let form = try await call.json(Form.self)
            (paths, isExpanded) = (form.paths ?? [], form.expand ?? false)
        } else {
            let form = try await call.form()
            paths = form.filter { $0.name == "paths" || $0.name == "paths[]" }.map(\.value)
            isExpanded = HubCall.isTrue(form.first { $0.name == "expand" }?.value)
        }
        guard paths.count <= maximumPaths else { throw HubAPIError.tooMany("paths", limit: maximumPaths) }
        let view = try await call.view(repository, at: call.revision)
        let entries = try await call.services.git.threads.run {
            try Set(paths).sorted().compactMap { path -> ListedEntry? in
                let path = path.hasSuffix("/") ? String(path.dropLast()) : path
                guard !path.isEmpty, let entry = try view.objects.entry(at: path, in: view.commit) else { return nil }
                return ListedEntry(path: Array(path.utf8), mode: entry.mode, oid: entry.oid)
            }
        }
        return call.answer(
            .array(try await items(try await view.files(entries, call.services), isExpanded, view, call)))
    }

    private static func items(
        _ files: [FileEntry], _ isExpanded: Bool, _ view: RevisionView, _ call: HubCall
    ) async throws -> [JSON] {
        let objects = files.compactMap(\.pointer?.oid)
        let hashes =
            objects.isEmpty ? [:] : try await call.services.extensions.xetHashes?(view.repository, objects) ?? [:]
        var json = FileJSON(xetHashes: hashes)
        if isExpanded { json.lastCommits = try await lastCommits(of: files.map(\.path), view, call) }
        return files.map(json.item)
    }

    private static func lastCommits(
        of paths: [String], _ view: RevisionView, _ call: HubCall
    ) async throws -> [String: GitObjects.NamedCommit] {
        try await call.services.git.threads.run {
            let last = try view.objects.lastChanges(of: paths, at: view.commit)
            var commits: [GitOID: GitCommit] = [:]
            for oid in Set(last.values) { commits[oid] = try view.objects.commit(oid) }
            return last.compactMapValues { oid in commits[oid].map { GitObjects.NamedCommit(oid: oid, commit: $0) } }
        }
    }
}

/// Where a page of a tree begins: `<commit>:<path of the last entry, in hex>`.
struct TreeCursor {
    let commit: GitOID
    let path: [UInt8]

    init(commit: GitOID, path: [UInt8]) {
        self.commit = commit
        self.path = path
    }

    init(_ text: String) throws {
        guard text.utf8.count < 10_000, let colon = text.firstIndex(of: ":"), let commit = GitOID(hex: text[..<colon]),
            let path = Hex.decode(text[text.index(after: colon)...]), !path.isEmpty
        else { throw HubAPIError.invalidRequest("The cursor is not one that this hub gave; start the list again.") }
        self.commit = commit
        self.path = path
    }

    var text: String { "\(commit):\(Hex.encode(path))" }
}
