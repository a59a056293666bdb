import Community
import HTTPTypes
import HubCore
import Hummingbird
import Identity
import MetadataStore
import WebCore

/// Collections. hf-hub-api §10.
struct CollectionRoutes: Sendable {
    /// How many items of each collection a list shows.
    private static let listedItems = 4

    let community: Community

    private static let one = "/api/collections/{owner}/{slug}"

    var all: [HubRoute] {
        [
            HubRoute(.get, "/api/collections") { try await list($0) },
            HubRoute(.post, "/api/collections") { try await create($0) },
            HubRoute(.get, Self.one) { call in try await answer(try await find(call), call) },
            HubRoute(.patch, Self.one) { try await update($0) },
            HubRoute(.delete, Self.one) { try await delete($0) },
            HubRoute(.post, Self.one + "/items") { try await add($0) },
            HubRoute(.patch, Self.one + "/items/{item}") { try await updateItem($0) },
            HubRoute(.delete, Self.one + "/items/{item}") { try await deleteItem($0) },
        ]
    }

    // MARK: Reading

    /// Entries have no `position`: the client gives each its own and takes no second one.
    private func list(_ call: HubCall) async throws -> Response {
        let owner = call.query("owner").flatMap { $0.isEmpty ? nil : NamespaceName(trusted: $0) }
        var reference: RepositoryReference?
        if let item = call.query("item"), !item.isEmpty {
            // What is no repository is in no list by it.
            guard let parsed = try? RepositoryReference(parsing: item) else { return call.page([], next: nil) }
            reference = parsed
        }
        let page = try await community.collections.list(
            owner: owner, containing: reference, after: call.cursor, limit: call.limit(default: 20, maximum: 100),
            by: call.principal)
        var items: [JSON] = []
        for collection in page.items { items.append(try await json(collection, itemLimit: Self.listedItems, call)) }
        return call.page(items, next: page.next)
    }

    private func find(_ call: HubCall) async throws -> RepositoryCollection {
        let id = call.value("slug").suffix(24).lowercased()
        guard id.utf8.count == 24, Hex.decode(id) != nil else { throw CollectionRecordError.notFound }
        return try await community.collections.find(id, by: call.principal)
    }

    private func answer(_ collection: RepositoryCollection, _ call: HubCall) async throws -> Response {
        call.answer(try await whole(collection, call))
    }

    private func whole(_ collection: RepositoryCollection, _ call: HubCall) async throws -> JSON {
        try await json(collection, itemLimit: CollectionRecordError.maximumItems, call)
            .adding("position", JSON(collection.position))
    }

    private func json(_ collection: RepositoryCollection, itemLimit: Int, _ call: HubCall) async throws -> JSON {
        let items = try await community.collections.items(of: collection, limit: itemLimit, by: call.principal)
        return [
            "slug": .string(collection.slug), "title": .string(collection.title), "description": JSON(collection.description),
            "owner": ["name": .string(collection.owner.text), "type": .string(ownerType(collection))],
            "items": .array(items.map { Self.json($0) }), "lastUpdated": JSON(collection.updatedAt),
            "private": .bool(collection.isPrivate), "gating": false, "theme": .string(collection.theme), "upvotes": 0,
            "isUpvotedByUser": false, "shareUrl": .string("\(call.endpoint)/collections/\(collection.slug)"),
        ]
    }

    private func ownerType(_ collection: RepositoryCollection) -> String {
        switch collection.ownerID {
        case .account: "user"
        case .organization: "org"
        }
    }

    private static func json(_ item: CollectionItem) -> JSON {
        let note: JSON = item.note.map { ["text": .string($0), "html": .string($0.escapedHTML)] } ?? .null
        switch item.content {
        case .repository(let repository):
            return [
                "_id": .string(item.id), "id": .string(repository.name.description), "type": .string(repository.kind.rawValue),
                "repoType": .string(repository.kind.rawValue), "author": .string(repository.name.owner.text),
                "private": .bool(repository.visibility == .private), "lastModified": JSON(repository.updatedAt),
                "position": JSON(item.position), "note": note,
            ]
        case .other("collection", let id):
            return [
                "_id": .string(item.id), "id": .string(String(id.suffix(24))), "slug": .string(id), "type": "collection",
                "position": JSON(item.position), "note": note,
            ]
        case .other(let type, let id):
            return [
                "_id": .string(item.id), "id": .string(id), "type": .string(type), "position": JSON(item.position), "note": note,
            ]
        }
    }

    // MARK: Changing

    private struct Creation: Decodable {
        struct Item: Decodable {
            let id: String
            let type: String
        }

        let title: String
        let namespace: String?
        let `private`: Bool?
        let description: String?
        let item: Item?
    }

    private func create(_ call: HubCall) async throws -> Response {
        let form = try await call.json(Creation.self)
        guard let owner = form.namespace.map({ NamespaceName(trusted: $0) }) ?? call.principal.account?.name else {
            throw HubAPIError.invalidRequest("Say whose collection it is: namespace.")
        }
        do {
            let collection = try await community.collections.create(
                title: form.title, description: form.description, isPrivate: form.private ?? false, owner: owner,
                by: call.caller)
            if let item = form.item {
                let content = try await content(type: item.type, id: item.id, call)
                try await community.collections.add(content, note: nil, to: collection, by: call.caller)
            }
            return try await answer(collection, call)
        } catch CollectionRecordError.titleTaken(let collection) {
            // The client reads the slug when it was told that the collection may exist.
            let problem = CollectionRecordError.titleTaken(collection).problem
            var response = call.answer(
                ["error": .string(problem.message), "slug": .string(collection.slug)], status: .conflict)
            response.headers[.errorMessage] = HubFailure.headerText(problem.message)
            return response
        }
    }

    private struct Update: Decodable {
        let title: String?
        let description: String?
        let theme: String?
        let `private`: Bool?
        let position: Int?
    }

    private func update(_ call: HubCall) async throws -> Response {
        let form = try await call.json(Update.self)
        let change = CollectionChange(
            title: form.title, description: form.description, theme: form.theme, isPrivate: form.private,
            position: form.position)
        let changed = try await community.collections.update(try await find(call), change, by: call.caller)
        return call.answer(["success": true, "data": try await whole(changed, call)])
    }

    private func delete(_ call: HubCall) async throws -> Response {
        try await community.collections.delete(try await find(call), by: call.caller)
        return call.done()
    }

    // MARK: Items

    private struct NewItem: Decodable {
        let item: Creation.Item
        let note: String?
    }

    private func add(_ call: HubCall) async throws -> Response {
        let form = try await call.json(NewItem.self)
        let collection = try await find(call)
        let content = try await content(type: form.item.type, id: form.item.id, call)
        try await community.collections.add(content, note: form.note, to: collection, by: call.caller)
        return try await answer(try await find(call), call)
    }

    /// Only what the caller may see can be collected.
    private func content(type: String, id: String, _ call: HubCall) async throws -> CollectionItem.Content {
        if type == "collection" {
            let collection = try await community.collections.find(id.suffix(24).lowercased(), by: call.principal)
            return .other(type: type, id: collection.slug)
        }
        guard let kind = RepositoryKind(rawValue: type) else { return .other(type: type, id: id) }
        let reference = RepositoryReference(kind: kind, name: try RepositoryName(parsing: id))
        return .repository(try await call.services.identity.repository(reference, for: .read, by: call.principal))
    }

    private struct ItemUpdate: Decodable {
        let note: String?
        let position: Int?
    }

    private func updateItem(_ call: HubCall) async throws -> Response {
        let form = try await call.json(ItemUpdate.self)
        try await community.collections.update(
            item: call.value("item"), of: try await find(call), note: form.note, position: form.position, by: call.caller)
        return call.done()
    }

    private func deleteItem(_ call: HubCall) async throws -> Response {
        try await community.collections.delete(item: call.value("item"), of: try await find(call), by: call.caller)
        return call.done()
    }
}

extension String {
    /// The text as HTML that shows it as it was written: nothing of it is markup.
    var escapedHTML: String {
        let safe = replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
        return "<p>" + safe.replacing("\n", with: "<br>\n") + "</p>"
    }
}
