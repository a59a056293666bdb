import GitStore
import HubCore
import Hummingbird
import MetadataStore
import Repositories

/// What there is to know of one repository. hf-hub-api §3.
enum InfoRoutes {
    static var all: [HubRoute] {
        [
            HubRoute(.get, "/api/{kinds}/{repo}") { try await info($0, at: nil) },
            HubRoute(.get, "/api/{kinds}/{repo}/revision/{rev...}") { try await info($0, at: $0.revision) },
        ]
    }

    private static func info(_ call: HubCall, at revision: String?) async throws -> Response {
        let repository = try await call.repository()
        let expand = call.queries("expand").flatMap { $0.split(separator: ",").map(String.init) }
        try RepositoryJSON.check(expand)
        // A client that has just pushed sees what it pushed.
        try await call.services.facts.current(of: repository)
        guard var item = try await call.services.store.listItem(of: repository.id) else {
            throw MetadataError.repositoryNotFound
        }
        let needsFiles = expand.isEmpty || expand.contains("siblings")
        if let revision {
            let commit = try await call.view(repository, at: revision).commit
            if commit != item.facts.commit { item.facts = try await call.services.facts.facts(of: repository, at: commit) }
        }
        var json = RepositoryJSON(item, call)
        if revision != nil || needsFiles || expand.contains("sha") {
            let view = try await view(repository, at: revision, call)
            json.commit = view?.commit
            if needsFiles { json.siblings = try await siblings(of: view, withBlobs: call.flag("blobs"), call) }
        }
        return call.answer(expand.isEmpty ? json.info : json.expanded(expand))
    }

    /// A repository without a commit has info all the same, unless a revision is asked for.
    private static func view(_ repository: Repository, at revision: String?, _ call: HubCall) async throws -> RevisionView? {
        guard let revision else { return try await call.viewIfAny(repository, at: nil) }
        return try await call.view(repository, at: revision)
    }

    static func siblings(of view: RevisionView?, withBlobs: Bool, _ call: HubCall) async throws -> JSON {
        guard let view else { return [] }
        let entries = try await call.services.git.threads.run {
            let tree = try view.objects.rootTree(of: view.commit)
            return try TreeListing(view.objects, tree: tree, isRecursive: true).page(limit: .max).entries.filter {
                !$0.isTree && !$0.isGitlink
            }
        }
        guard withBlobs else { return .array(entries.map { ["rfilename": .string($0.name)] }) }
        return .array(try await view.files(entries, call.services).map(FileJSON.sibling))
    }
}
