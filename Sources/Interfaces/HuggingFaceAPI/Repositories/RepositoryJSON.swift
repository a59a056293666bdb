import HubCore
import MetadataStore
import Repositories

/// A repository as info and lists show it. hf-hub-api §3 and §7.
struct RepositoryJSON {
    let item: RepositoryListItem
    let endpoint: String
    /// Whether the content-addressed store takes uploads.
    let hasXet: Bool
    /// The commit that was asked for, or the one that the facts are of.
    var commit: GitOID?
    var siblings: JSON?

    init(_ item: RepositoryListItem, _ call: HubCall) {
        self.item = item
        endpoint = call.endpoint
        hasXet = call.services.extensions.xetHashes != nil
        commit = item.facts.commit
    }

    private var repository: Repository { item.repository }
    private var facts: RepositoryFacts { item.facts }

    // MARK: - Whole

    /// What repository info shows without `expand`.
    var info: JSON {
        object(identity + names(Self.common + Self.ofInfo[repository.kind, default: []]))
    }

    /// An item of a list without `expand`.
    func listed(isFull: Bool, withCard: Bool, withConfig: Bool) -> JSON {
        var wanted = Self.listed + (repository.kind == .space ? ["sdk"] : [])
        if isFull { wanted += ["author", "sha", "lastModified", "gated", "disabled"] }
        if withCard { wanted.append("cardData") }
        if withConfig { wanted.append("config") }
        if isFull { wanted.append("siblings") }
        return object(identity + names(wanted))
    }

    /// Only `_id`, `id` and these.
    func expanded(_ properties: [String]) -> JSON { object(Array(identity.prefix(2)) + names(properties)) }

    private var identity: [JSONMember] {
        let id: JSON = .string(repository.name.description)
        let base = [JSONMember("_id", .string(HubID.text(of: repository))), JSONMember("id", id)]
        return repository.kind == .model ? base + [JSONMember("modelId", id)] : base
    }

    private func names(_ names: [String]) -> [JSONMember] {
        names.compactMap { name in property(name).map { JSONMember(name, $0) } }
    }

    private func object(_ members: [JSONMember]) -> JSON { .object(members) }

    // MARK: - Properties

    private static let listed = [
        "private", "likes", "downloads", "trendingScore", "tags", "pipeline_tag", "library_name", "createdAt", "lastModified",
    ]
    private static let common = [
        "author", "sha", "lastModified", "createdAt", "private", "gated", "disabled", "downloads", "downloadsAllTime", "likes",
        "trendingScore", "usedStorage", "tags", "cardData",
    ]
    private static let ofInfo: [RepositoryKind: [String]] = [
        .model: [
            "library_name", "pipeline_tag", "config", "transformersInfo", "safetensors", "gguf", "model-index", "mask_token",
            "widgetData", "spaces", "siblings",
        ],
        .dataset: ["description", "citation", "paperswithcode_id", "siblings"],
        .space: ["sdk", "subdomain", "host", "runtime", "models", "datasets", "siblings"],
        .code: ["description", "siblings"],
    ]
    /// All that `expand` takes; what a repository does not have is left out of the answer.
    static let known = Set(
        common + ofInfo.values.flatMap { $0 } + [
            "baseModels", "childrenModelCount", "evalResults", "inference", "inferenceProviderMapping", "mainSize", "region",
            "resourceGroup", "xetEnabled", "securityRepoStatus",
        ])

    static func check(_ properties: [String]) throws(HubAPIError) {
        for property in properties where !known.contains(property) { throw .unknownProperty(property) }
    }

    private func property(_ name: String) -> JSON? {
        switch name {
        case "author": .string(repository.name.owner.text)
        case "sha": commit.map { .string($0.hex) }
        case "lastModified": JSON(facts.lastModified)
        case "createdAt": JSON(repository.createdAt)
        case "private": .bool(repository.visibility == .private)
        case "gated": gated
        case "disabled": false
        case "downloads": .integer(item.counters.downloads)
        case "downloadsAllTime": .integer(item.counters.downloadsAllTime)
        case "likes": .integer(item.counters.likes)
        case "trendingScore": .number(item.counters.trendingScore)
        case "usedStorage": .integer(facts.usedStorageBytes)
        case "tags": JSON(facts.tags)
        case "cardData": facts.cardData.map(JSON.raw)
        case "siblings": siblings
        case "xetEnabled": .bool(hasXet)
        case "region": "us"
        default: modelProperty(name) ?? otherProperty(name)
        }
    }

    private var gated: JSON {
        switch repository.gating {
        case .off: false
        case .auto, .manual: .string(repository.gating.rawValue)
        }
    }

    private func modelProperty(_ name: String) -> JSON? {
        switch name {
        case "library_name": facts.libraryName.map(JSON.string)
        case "pipeline_tag": facts.pipelineTag.map(JSON.string)
        case "config": facts.config.map(JSON.raw)
        case "transformersInfo": facts.transformersInfo?.json
        case "safetensors": facts.safetensors?.json
        case "gguf": facts.gguf?.json
        case "model-index": card?["model-index"]
        case "mask_token": facts.config?.node?["tokenizer_config"]?["mask_token"]
        case "widgetData": card?["widget"]
        case "spaces": repository.kind == .model ? [] : nil
        case "baseModels": baseModels
        default: nil
        }
    }

    private func otherProperty(_ name: String) -> JSON? {
        switch name {
        case "description": repository.description.map(JSON.string) ?? facts.summary.map(JSON.string)
        case "citation", "paperswithcode_id": card?[name] ?? (repository.kind == .dataset ? .null : nil)
        case "sdk": facts.sdk.map(JSON.string)
        case "subdomain": .string(subdomain)
        case "host": .string(endpoint)
        case "runtime": repository.kind == .space ? Self.stopped : nil
        case "models", "datasets": card?[name] ?? []
        default: nil
        }
    }

    private var card: JSON? { facts.cardData?.node }

    private var subdomain: String {
        repository.name.description.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "-" }.reduce(into: "") { $0.append($1) }
    }

    private var baseModels: JSON? {
        guard let first = facts.baseModels.first else { return nil }
        return [
            "relation": JSON(first.relation?.rawValue),
            "models": .array(facts.baseModels.map { ["id": .string($0.id)] }),
        ]
    }

    /// Apps of spaces do not run here, and the state says so.
    static let stopped: JSON = [
        "stage": "STOPPED", "hardware": ["current": .null, "requested": .null], "storage": .null, "gcTimeout": .null,
        "replicas": ["current": 0, "requested": 0],
    ]
}
