import FoundationEssentials
import GitStore
import HubCore
import HuggingFaceAPI
import Hummingbird
import Identity
import MetadataStore
import Repositories
import WebCore

/// What a CSGHub asks its upstream for. csghub-api §5.2 (1), §5.3 (3, 6).
enum SyncRoutes {
    private static let pageSize = 100

    static var all: [HubRoute] {
        [
            CSGHubAPI.route(.get, "/sync/version/latest") { try await versions($0) },
            CSGHubAPI.route(.get, "/accounting/multisync/quota") { try await quota($0) },
            CSGHubAPI.route(.get, "/{kinds}/{repo}/diff") { try await difference($0) },
        ]
    }

    /// `{"versions":[{"version":…,"repo_path":"ada/bert","repo_type":"model",…}],"has_more":false}`, ascending.
    private static func versions(_ call: HubCall) async throws -> Response {
        try await call.requireReader()
        let after = try call.query("cur").map { text in
            guard let number = Int64(text), number >= 0 else { throw CSGHubError.invalid("“cur” is the last version that was seen.") }
            return number
        }
        let entries = try await call.services.store.syncFeed(after: after ?? 0, limit: pageSize)
        let items = entries.map { entry -> JSON in
            [
                "version": .integer(entry.version), "source_id": 0, "repo_path": .string(entry.name.description),
                "repo_type": .string(entry.kind.rawValue), "last_modify_time": JSON(entry.modifiedAt),
                "change_log": .string(entry.changeLog),
            ]
        }
        return call.envelope(["versions": .array(items), "has_more": .bool(entries.count == pageSize)])
    }

    /// Nothing is counted or limited here.
    private static func quota(_ call: HubCall) async throws -> Response {
        try await call.requireReader()
        return call.envelope([
            "repo_count_limit": 1_000_000_000, "repo_count_used": 0, "speed_limit": 0, "traffic_limit": 0, "traffic_used": 0,
        ])
    }

    /// The paths that differ between a commit and the default branch.
    private static func difference(_ call: HubCall) async throws -> Response {
        let repository = try await call.repository()
        guard let left = call.query("left_commit_id"), let old = try await call.viewIfAny(repository, at: left) else {
            throw RepositoryError.noSuchRevision(call.query("left_commit_id") ?? "")
        }
        let new = try await call.view(repository, at: call.query("right_commit_id"))
        let (before, after) = try await call.services.git.threads.run { (try files(old), try files(new)) }
        var (added, modified, removed): ([String], [String], [String]) = ([], [], [])
        for (path, oid) in after where before[path] != oid {
            if before[path] == nil { added.append(path) } else { modified.append(path) }
        }
        for path in before.keys where after[path] == nil { removed.append(path) }
        return call.envelope([
            ["added": JSON(added.sorted()), "removed": JSON(removed.sorted()), "modified": JSON(modified.sorted())]
        ])
    }

    private static func files(_ view: RevisionView) throws -> [String: GitOID] {
        let tree = try view.objects.rootTree(of: view.commit)
        let page = try TreeListing(view.objects, tree: tree, isRecursive: true).page(limit: 200_000)
        return Dictionary(page.entries.filter { !$0.isTree }.map { ($0.name, $0.oid) }, uniquingKeysWith: { first, _ in first })
    }
}

extension HubCall {
    /// Whoever may read what is public here.
    func requireReader() async throws {
        guard try await services.identity.visibilityScope(of: principal) == .nothing else { return }
        throw IdentityError.signInRequired(tokenPage: services.identity.settings.tokenPage)
    }
}
