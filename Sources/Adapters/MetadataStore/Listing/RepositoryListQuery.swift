import FoundationEssentials
import HubCore

/// A question for a list of repositories by what their files and readers say of them.
///
/// All conditions must hold. Every combination is answered from indexes in a few milliseconds among 100,000 repositories.
package struct RepositoryListQuery: Sendable {
    /// Descending, the newer repository first among equals.
    package enum Order: String, Sendable, CaseIterable {
        case created, modified, likes, downloads, trending
        /// The best matches of `text` first; as `trending` without a text or when too many match to rank them all.
        case relevance
    }

    /// How much is read of each repository's facts.
    package enum Detail: Sendable {
        /// Commit, times, sizes, library, pipeline, license, sdk, title, summary and tags. What else `RepositoryFacts` has stays empty.
        case listed
        case whole
    }

    package static let maximumLimit = 1000

    /// Empty means all.
    package var kinds: [RepositoryKind]
    package var visibleTo: VisibilityScope
    /// The owner's name. Nothing is listed when nobody has it.
    package var owner: NamespaceName?
    /// Each must be a part of `owner/name`, without case. At most `maximumParts` are taken.
    package var nameParts: [String] = []
    /// Full-text search over name, title, tags, description and README. Of more than 5,000 matches the newest are taken.
    package var text: String?
    package var tags: [String] = []
    package var library: String?
    package var pipelineTag: String?
    package var sdk: String?
    package var isGated: Bool?
    package var parameters: ClosedRange<Int64>?
    package var order: Order
    /// `RepositoryListPage.next` of the page before; belongs to the same query.
    package var after: String?
    /// 1 to `maximumLimit`.
    package var limit: Int
    package var detail = Detail.whole
    /// Also read the cards, which may be large.
    package var includesCardData = false

    static let maximumParts = 16
    static let maximumTags = 64

    package init(
        kinds: [RepositoryKind] = [], visibleTo: VisibilityScope, order: Order = .modified, after: String? = nil, limit: Int = 30
    ) {
        self.kinds = kinds
        self.visibleTo = visibleTo
        self.order = order
        self.after = after
        self.limit = limit
    }
}

/// A repository with what lists show of it.
package struct RepositoryListItem: Sendable {
    package let repository: Repository
    /// Empty facts as long as the indexer has not been there.
    package var facts: RepositoryFacts
    package let counters: RepositoryCounters
}

/// A page of a list.
package struct RepositoryListPage: Sendable {
    package let items: [RepositoryListItem]
    /// What to pass as `after`; `nil` on the last page.
    package let next: String?
    /// How many repositories the whole list has.
    package let total: Int
}

/// A tag and how many repositories that a visitor may see have it.
package struct TagCount: Hashable, Sendable {
    package let tag: String
    package let count: Int
}
