import GitStore
import HubCore
import HuggingFaceAPI
import Hummingbird
import MetadataStore
import Repositories

/// Branches and tags of a repository. csghub-api §2.2 (3).
enum BranchRoutes {
    static var all: [HubRoute] {
        [
            CSGHubAPI.route(.get, "/{kinds}/{repo}/branches") { try await list("refs/heads/", $0) },
            CSGHubAPI.route(.get, "/{kinds}/{repo}/tags") { try await list("refs/tags/", $0) },
        ]
    }

    /// csghub-sdk looks for its branch in the first answer, so all are given unless a page is asked for.
    private static func list(_ prefix: String, _ call: HubCall) async throws -> Response {
        let repository = try await call.repository()
        let snapshot = try await call.services.git.snapshot(of: repository)
        let all = snapshot.references.filter { $0.name.text.hasPrefix(prefix) }
        let shown = call.query("page") == nil && call.query("per") == nil ? all[...] : call.page.slice(all)
        let items = try await call.services.git.threads.run {
            try shown.map { try item($0, String($0.name.text.dropFirst(prefix.count)), snapshot.objects) }
        }
        return call.envelope(.array(items), total: all.count)
    }

    private static func item(_ reference: Reference, _ name: String, _ objects: GitObjects) throws -> JSON {
        let target = try objects.peel(reference.oid)
        var item: JSON = ["name": .string(name), "message": ""]
        guard try objects.header(of: target)?.type == .commit else { return item }
        let text = CommitText(try objects.commit(target))
        item = item.adding(
            "commit",
            [
                "id": .string(target.hex), "committer_name": .string(text.author), "author_name": .string(text.author),
                "message": .string(text.title),
            ])
        return item
    }
}
