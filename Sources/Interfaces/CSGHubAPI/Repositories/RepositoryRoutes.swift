import GitStore
import HubCore
import HuggingFaceAPI
import Hummingbird
import Identity
import MetadataStore
import Repositories

/// Making, listing and describing repositories. csghub-api §2.2 (4, 6) and §5.2 (3).
enum RepositoryRoutes {
    static var all: [HubRoute] {
        [
            CSGHubAPI.route(.post, "/{kinds}") { try await create($0) },
            CSGHubAPI.route(.get, "/{kinds}") { try await list($0) },
            CSGHubAPI.route(.get, "/{kinds}/{repo}") { try await describe($0) },
            CSGHubAPI.route(.get, "/space_resources") { $0.envelope(spaceResources) },
        ]
    }

    /// What csghub-sdk asks for before it makes a space; spaces are kept here, not run yet.
    private static let spaceResources: JSON = [
        ["id": 1, "name": "No compute", "resources": "{}", "is_available": true, "type": "cpu", "pay_mode": "free"]
    ]

    private struct CreationForm: Decodable {
        let namespace: String
        let name: String
        let nickname: String?
        let default_branch: String?
        let `private`: Bool?
        let license: String?
        let description: String?
        let sdk: String?
    }

    private static func create(_ call: HubCall) async throws -> Response {
        let form = try await call.json(CreationForm.self)
        let name = try RepositoryName(owner: NamespaceName(parsing: form.namespace), name: form.name)
        let description = [form.description, form.nickname].compactMap(\.self).first { !$0.isEmpty && $0 != form.name }
        let branch = form.default_branch.flatMap { $0.isEmpty ? nil : $0 } ?? "main"
        let repository = try await call.services.repositories.create(
            RepositoryReference(kind: call.kind, name: name), visibility: form.private ?? true ? .private : .public,
            defaultBranch: branch, description: description, by: call.caller)
        try await begin(repository, license: form.license, sdk: form.sdk, call)
        return call.envelope(try await item(repository, call))
    }

    /// The first commit: the client clones the default branch next, which must be there.
    private static func begin(_ repository: Repository, license: String?, sdk: String?, _ call: HubCall) async throws {
        let draft = try await call.services.git.beginCommit(
            to: repository, branch: repository.defaultBranch, by: call.caller)
        try await draft.add(
            GitAttributes.fileName, content: Array(LargeFilePatterns.attributes(for: repository.kind).utf8))
        var lines: [String] = []
        if let license, isWord(license) { lines.append("license: \(license)") }
        if repository.kind == .space { lines.append("sdk: \(sdk.flatMap { isWord($0) ? $0 : nil } ?? "static")") }
        if !lines.isEmpty {
            try await draft.add("README.md", content: Array("---\n\(lines.joined(separator: "\n"))\n---\n".utf8))
        }
        _ = try await draft.commit(message: "initial commit", author: call.author)
    }

    /// Fit for a line of YAML as it is.
    private static func isWord(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) || "-.+_".utf8.contains($0) }
            && text.utf8.first.map { (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) } ?? false
    }

    private static func describe(_ call: HubCall) async throws -> Response {
        let repository = try await call.repository()
        return call.envelope(try await item(repository, call))
    }

    private static func item(_ repository: Repository, _ call: HubCall) async throws -> JSON {
        guard let item = try await call.services.store.listItem(of: repository.id, includesCardData: false) else {
            throw MetadataError.repositoryNotFound
        }
        return RepositoryItem(item, call).json(
            canWrite: try await call.services.identity.may(.write, on: repository, by: call.principal))
    }

    /// Pages are numbered, so those before are read over; the last that is reached is `maximumListed` items in.
    private static func list(_ call: HubCall) async throws -> Response {
        let orders: [String: RepositoryListQuery.Order] = [
            "trending": .trending, "recently_update": .modified, "most_download": .downloads, "most_favorite": .likes,
        ]
        var query = RepositoryListQuery(
            kinds: [call.kind], visibleTo: try await call.services.identity.visibilityScope(of: call.principal),
            order: orders[call.query("sort") ?? ""] ?? .modified, limit: RepositoryListQuery.maximumLimit)
        query.nameParts = call.queries("search").filter { !$0.isEmpty }
        let page = call.page
        guard page.start < maximumListed else { throw CSGHubError.tooMany("listed repositories", limit: maximumListed) }
        var listed = try await call.services.store.listRepositories(query)
        var passed = 0
        while page.start >= passed + listed.items.count, let next = listed.next {
            passed += listed.items.count
            query.after = next
            listed = try await call.services.store.listRepositories(query)
        }
        var items = Array(listed.items.dropFirst(page.start - passed).prefix(page.size))
        if items.count < page.size, let next = listed.next {
            query.after = next
            query.limit = page.size - items.count
            items += try await call.services.store.listRepositories(query).items
        }
        return call.envelope(.array(items.map { RepositoryItem($0, call).json(canWrite: false) }), total: listed.total)
    }

    private static let maximumListed = 20_000
}
