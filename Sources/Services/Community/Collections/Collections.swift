import HubCore
import Identity
import MetadataStore

/// Collections of repositories. They belong to an account or an organization; whoever may create repositories there keeps them.
package struct Collections: Sendable {
    package static let maximumTitleCharacters = 60
    package static let maximumTextBytes = 1500
    package static let themes: Set<String> = ["orange", "blue", "green", "purple", "pink", "indigo"]

    private let store: MetadataStore
    private let identity: Identity

    package init(store: MetadataStore, identity: Identity) {
        self.store = store
        self.identity = identity
    }

    // MARK: Reading

    package func list(
        owner: NamespaceName?, containing reference: RepositoryReference?, after: String?, limit: Int, by principal: Principal
    ) async throws -> Page<RepositoryCollection> {
        let viewer: CollectionQuery.Viewer
        switch try await identity.visibilityScope(of: principal) {
        case .nothing: throw IdentityError.signInRequired(tokenPage: identity.settings.tokenPage)
        case .publicOnly, .token: viewer = .visitor
        case .account(let id): viewer = .account(id)
        case .everything: viewer = .everything
        }
        var query = CollectionQuery(owner: owner, viewer: viewer, after: after, limit: limit)
        if let reference {
            query.repository = try await identity.repository(reference, for: .read, by: principal).id
        }
        return try await store.collections(query)
    }

    /// By the 24 hex digits at the end of any slug that it has had.
    package func find(_ publicID: String, by principal: Principal) async throws -> RepositoryCollection {
        let scope = try await identity.visibilityScope(of: principal)
        if case .nothing = scope { throw IdentityError.signInRequired(tokenPage: identity.settings.tokenPage) }
        guard let collection = try await store.collection(publicID), try await isVisible(collection, in: scope) else {
            throw CollectionRecordError.notFound
        }
        return collection
    }

    private func isVisible(_ collection: RepositoryCollection, in scope: VisibilityScope) async throws -> Bool {
        guard collection.isPrivate, scope != .everything else { return true }
        guard case .account(let id) = scope else { return false }
        return try await isOf(id, collection.ownerID)
    }

    private func isOf(_ account: AccountID, _ owner: NamespaceOwner) async throws -> Bool {
        switch owner {
        case .account(let id): id == account
        case .organization(let id): try await store.organizationRole(of: account, in: id) != nil
        }
    }

    /// The items that the one who asks may see.
    package func items(
        of collection: RepositoryCollection, limit: Int = CollectionRecordError.maximumItems, by principal: Principal
    ) async throws -> [CollectionItem] {
        let scope = try await identity.visibilityScope(of: principal)
        var visible: [CollectionItem] = []
        for item in try await store.items(of: collection.id, limit: limit) {
            switch item.content {
            case .repository(let repository):
                guard try await identity.may(.read, on: repository, by: principal) else { continue }
            case .other("collection", let slug):
                // Its title stands in its slug.
                guard let other = try await store.collection(String(slug.suffix(24))), try await isVisible(other, in: scope) else {
                    continue
                }
            case .other: break
            }
            visible.append(item)
        }
        return visible
    }

    // MARK: Changing

    package func create(
        title: String, description: String?, isPrivate: Bool, owner: NamespaceName, by caller: Caller
    ) async throws -> RepositoryCollection {
        _ = try await identity.requireCreation(in: owner, by: caller.principal)
        return try await store.createCollection(
            title: try Self.title(title), description: try Self.text(description), isPrivate: isPrivate, owner: owner,
            audit: caller.entry("collection.create", on: owner.text, ["title": title.shortened]))
    }

    package func update(
        _ collection: RepositoryCollection, _ change: CollectionChange, by caller: Caller
    ) async throws -> RepositoryCollection {
        _ = try await identity.requireCreation(in: collection.owner, by: caller.principal)
        var change = change
        change.title = try change.title.map(Self.title)
        change.description = try Self.text(change.description)
        if let theme = change.theme, !Self.themes.contains(theme) { throw CollectionError.unknownTheme(theme) }
        if let position = change.position { change.position = min(max(position, 0), 100_000) }
        return try await store.updateCollection(
            collection.id, change, audit: caller.entry("collection.update", on: collection.owner.text, ["id": collection.publicID]))
    }

    package func delete(_ collection: RepositoryCollection, by caller: Caller) async throws {
        _ = try await identity.requireCreation(in: collection.owner, by: caller.principal)
        try await store.deleteCollection(
            collection.id, audit: caller.entry("collection.delete", on: collection.owner.text, ["id": collection.publicID]))
    }

    package func add(
        _ item: CollectionItem.Content, note: String?, to collection: RepositoryCollection, by caller: Caller
    ) async throws {
        _ = try await identity.requireCreation(in: collection.owner, by: caller.principal)
        if case .other(let type, let id) = item {
            guard ["paper", "collection"].contains(type) else { throw CollectionError.unknownType(type) }
            guard (1...300).contains(id.utf8.count), id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
                throw CollectionError.invalidItem
            }
        }
        try await store.addItem(item, note: try Self.text(note), to: collection.id)
    }

    package func update(
        item: String, of collection: RepositoryCollection, note: String?, position: Int?, by caller: Caller
    ) async throws {
        _ = try await identity.requireCreation(in: collection.owner, by: caller.principal)
        try await store.updateItem(item, of: collection.id, note: try Self.text(note), position: position)
    }

    package func delete(item: String, of collection: RepositoryCollection, by caller: Caller) async throws {
        _ = try await identity.requireCreation(in: collection.owner, by: caller.principal)
        try await store.deleteItem(item, of: collection.id)
    }

    private static func title(_ text: String) throws(CollectionError) -> String {
        let title = text.trimmed
        guard (1...maximumTitleCharacters).contains(title.count), title.utf8.count <= 600 else { throw .invalidTitle }
        return title
    }

    private static func text(_ text: String?) throws(CollectionError) -> String? {
        guard (text?.utf8.count ?? 0) <= maximumTextBytes else { throw .textTooLong }
        return text
    }
}

extension RepositoryCollection {
    /// `owner/title-as-slug-<24 hex>`.
    package var slug: String {
        var words = ""
        for character in title.lowercased() {
            if character.isASCII, character.isLetter || character.isNumber {
                words.append(character)
            } else if !words.isEmpty, !words.hasSuffix("-") {
                words.append("-")
            }
        }
        if words.isEmpty { words = "collection" }
        return "\(owner)/\(words)\(words.hasSuffix("-") ? "" : "-")\(publicID)"
    }
}

/// Why a collection was refused.
package enum CollectionError: Error, Equatable {
    case invalidTitle
    case textTooLong
    case unknownTheme(String)
    case unknownType(String)
    case invalidItem
}

extension CollectionError: Refusal {
    package var problem: Problem {
        switch self {
        case .invalidTitle:
            Problem(
                .invalid, code: "invalid_title",
                "A collection's title has 1 to \(Collections.maximumTitleCharacters) characters.")
        case .textTooLong:
            Problem(.invalid, code: "text_too_long", "A description or a note has at most \(Collections.maximumTextBytes) bytes.")
        case .unknownTheme(let theme):
            Problem(
                .invalid, code: "unknown_theme",
                "“\(theme.shortened)” is no theme; use \(Collections.themes.sorted().joined(separator: ", ")).")
        case .unknownType(let type):
            Problem(
                .invalid, code: "unknown_type",
                "“\(type.shortened)” cannot be in a collection here; use model, dataset, space, paper or collection.")
        case .invalidItem: Problem(.invalid, code: "invalid_item", "That is no id of an item.")
        }
    }
}
