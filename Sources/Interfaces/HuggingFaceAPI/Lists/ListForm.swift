import HubCore
import MetadataStore

/// What a list is asked for, in the words of clients of every age.
struct ListForm {
    private static let standardPage = 100

    private var template: RepositoryListQuery
    private let expand: [String]
    private let isFull: Bool
    private let withCard: Bool
    private let withConfig: Bool
    /// A condition that no repository here meets.
    private let isEmpty: Bool

    init(_ call: HubCall) throws {
        expand = call.queries("expand").flatMap { $0.split(separator: ",").map(String.init) }
        try RepositoryJSON.check(expand)
        isFull = call.flag("full")
        withCard = call.flag("cardData") || (isFull && call.kind != .model)
        withConfig = call.flag("config")
        // Nothing here is served by an inference provider.
        isEmpty = !call.queries("inference_provider").isEmpty || call.query("inference") != nil
        template = RepositoryListQuery(
            kinds: [call.kind], visibleTo: .nothing, order: try Self.order(call), after: call.cursor,
            limit: call.limit(default: Self.standardPage, maximum: RepositoryListQuery.maximumLimit))
        template.owner = call.query("author").map { NamespaceName(trusted: $0) }
        template.nameParts = call.queries("search").filter { !$0.isEmpty }
        template.tags = Self.tags(call)
        template.pipelineTag = call.query("pipeline_tag")
        template.library = call.query("library")
        template.isGated = call.query("gated").map { HubCall.isTrue($0) }
        template.parameters = try call.query("num_parameters").flatMap { try ParameterRange.parse($0) }
        template.detail = expand.isEmpty && !withConfig ? .listed : .whole
        template.includesCardData = withCard || expand.contains { ["cardData", "model-index", "widgetData", "models", "datasets"].contains($0) }
    }

    func query(visibleTo scope: VisibilityScope) -> RepositoryListQuery {
        var query = template
        query.visibleTo = isEmpty ? .nothing : scope
        return query
    }

    func items(_ items: [RepositoryListItem], _ call: HubCall) async throws -> [JSON] {
        let needsFiles = isFull || expand.contains("siblings")
        var found: [JSON] = []
        for item in items {
            var json = RepositoryJSON(item, call)
            if needsFiles {
                let view = try await call.viewIfAny(item.repository, at: nil)
                json.siblings = try await InfoRoutes.siblings(of: view, withBlobs: false, call)
            }
            found.append(
                expand.isEmpty
                    ? json.listed(isFull: isFull, withCard: withCard, withConfig: withConfig) : json.expanded(expand))
        }
        return found
    }

    private static func order(_ call: HubCall) throws -> RepositoryListQuery.Order {
        switch call.query("sort") {
        case nil, "", "trendingScore", "trending_score", "trending": .trending
        case "createdAt", "created_at": .created
        case "lastModified", "last_modified", "updated": .modified
        case "likes": .likes
        case "downloads": .downloads
        case let other?:
            throw HubAPIError.invalidRequest(
                "Lists are sorted by createdAt, lastModified, likes, downloads or trendingScore, not by “\(other.shortened)”.")
        }
    }

    /// `filter` and what clients before 0.30 send by name.
    private static func tags(_ call: HubCall) -> [String] {
        var tags = (call.queries("filter") + call.queries("tags")).flatMap { $0.split(separator: ",").map(String.init) }
        tags += call.queries("language").map { call.kind == .dataset ? "language:\($0)" : $0 }
        tags += call.queries("license").map { "license:\($0)" }
        if call.kind == .space {
            tags += call.queries("datasets").map { "dataset:\($0)" } + call.queries("models").map { "model:\($0)" }
        }
        return tags.filter { !$0.isEmpty }
    }
}

/// `min:6B,max:128B`: how many parameters a model may have.
enum ParameterRange {
    static func parse(_ text: String) throws -> ClosedRange<Int64> {
        var (low, high): (Int64, Int64) = (0, .max)
        for part in text.split(separator: ",") {
            let sides = part.split(separator: ":")
            guard sides.count == 2, let number = number(sides[1]) else { throw refusal(text) }
            switch sides[0] {
            case "min": low = number
            case "max": high = number
            default: throw refusal(text)
            }
        }
        guard low <= high else { throw refusal(text) }
        return low...high
    }

    private static func number(_ text: Substring) -> Int64? {
        let units: [Character: Double] = ["K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12]
        let unit = text.last.flatMap { units[Character($0.uppercased())] }
        guard let value = Double(unit == nil ? text : text.dropLast()), value >= 0, value.isFinite else { return nil }
        let scaled = value * (unit ?? 1)
        return scaled < 9e18 ? Int64(scaled) : nil
    }

    private static func refusal(_ text: String) -> HubAPIError {
        .invalidRequest("“\(text.shortened)” is no range of parameters; write min:6B,max:128B.")
    }
}
