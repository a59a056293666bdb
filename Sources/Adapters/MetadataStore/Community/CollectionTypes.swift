import FoundationEssentials
import HubCore

package typealias CollectionID = Identifier<RepositoryCollection>

/// Repositories and other things that somebody put together under a title.
package struct RepositoryCollection: Hashable, Sendable, Identifiable {
    package let id: CollectionID
    /// 24 hex digits at the end of its slug.
    package let publicID: String
    package let owner: NamespaceName
    package let ownerID: NamespaceOwner
    package let title: String
    package let description: String?
    /// A color's name.
    package let theme: String
    package let isPrivate: Bool
    /// Among the collections of its owner.
    package let position: Int
    package let updatedAt: Date
}

/// Something in a collection.
package struct CollectionItem: Hashable, Sendable {
    /// A repository, or the name of a thing of another kind.
    package enum Content: Hashable, Sendable {
        case repository(Repository)
        case other(type: String, id: String)
    }

    /// 24 hex digits.
    package let id: String
    package let content: Content
    package let note: String?
    package let position: Int
}

/// What changes of a collection.
package struct CollectionChange: Sendable {
    package var title: String?
    package var description: String?
    package var theme: String?
    package var isPrivate: Bool?
    package var position: Int?

    package init(
        title: String? = nil, description: String? = nil, theme: String? = nil, isPrivate: Bool? = nil, position: Int? = nil
    ) {
        self.title = title
        self.description = description
        self.theme = theme
        self.isPrivate = isPrivate
        self.position = position
    }
}

/// A question for a list of collections, last changed first.
package struct CollectionQuery: Sendable {
    package var owner: NamespaceName?
    /// Only those with this repository.
    package var repository: RepositoryID?
    /// Whose private ones are shown too: an account and its organizations. All for an administrator.
    package var viewer: Viewer
    package var after: String?
    package var limit: Int

    package enum Viewer: Sendable {
        case visitor
        case account(AccountID)
        case everything
    }

    package init(
        owner: NamespaceName? = nil, repository: RepositoryID? = nil, viewer: Viewer, after: String? = nil, limit: Int = 20
    ) {
        self.owner = owner
        self.repository = repository
        self.viewer = viewer
        self.after = after
        self.limit = limit
    }
}

/// Why a change of a collection was refused by the store.
package enum CollectionRecordError: Error, Equatable {
    package static let maximumItems = 1000
    package static let maximumPerNamespace = 1000

    case notFound
    case itemNotFound
    /// There is one with that title; its slug.
    case titleTaken(RepositoryCollection)
    case hasItem
    case full
    case tooMany
}

extension CollectionRecordError: Refusal {
    package var problem: Problem {
        switch self {
        case .notFound: Problem(.missing, code: "collection_not_found", "There is no such collection, or you may not see it.")
        case .itemNotFound: Problem(.missing, code: "item_not_found", "There is no such item in this collection.")
        case .titleTaken(let collection):
            Problem(
                .conflict, code: "collection_exists",
                "“\(collection.owner)” already has a collection “\(collection.title.shortened)”.")
        case .hasItem: Problem(.conflict, code: "item_exists", "The collection has this item already.")
        case .tooMany:
            Problem(
                .tooLarge, code: "too_many_collections",
                "An account or organization has at most \(Self.maximumPerNamespace) collections.")
        case .full: Problem(.tooLarge, code: "collection_full", "A collection has at most \(Self.maximumItems) items.")
        }
    }
}
