import HubCore
import HuggingFaceAPI
import MetadataStore
import WebCore

/// A repository as CSGHub describes it. Source: csghub-server `common/types/model.go`; what a syncing CSGHub reads is in csghub-api §5.2.
struct RepositoryItem {
    private let item: RepositoryListItem
    private let endpoint: String

    init(_ item: RepositoryListItem, _ call: HubCall) {
        self.item = item
        endpoint = "\(call.context.origin)"
    }

    private var repository: Repository { item.repository }
    private var facts: RepositoryFacts { item.facts }

    func json(canWrite: Bool) -> JSON {
        let path = repository.name.description
        let gitURL = "\(endpoint)/\(repository.kind.gitPathPart)/\(path).git"
        let owner = repository.name.owner.text
        var json: JSON = [
            "id": .integer(repository.id.rawValue), "repository_id": .integer(repository.id.rawValue),
            "name": .string(repository.name.name), "nickname": .string(facts.title ?? repository.name.name),
            "description": .string(repository.description ?? facts.summary ?? ""), "path": .string(path),
            "likes": .integer(item.counters.likes), "downloads": .integer(item.counters.downloads),
            "default_branch": .string(repository.defaultBranch), "private": .bool(repository.visibility == .private),
            "license": .string(facts.license ?? ""), "tags": .array(tags), "readme": "",
            "repository": ["http_clone_url": .string(gitURL), "ssh_clone_url": ""],
            // No mail addresses: whoever reads the repository may read this.
            "user": ["username": .string(owner), "nickname": .string(owner), "email": "", "avatar": ""],
            "namespace": ["path": .string(owner), "type": .string(isOrganization ? "organization" : "user"), "avatar": ""],
            "created_at": JSON(repository.createdAt), "updated_at": JSON(facts.lastModified),
            "source": "local", "sync_status": "completed", "hf_path": "", "ms_path": "", "csg_path": "", "github_path": "",
            "user_likes": false, "can_write": .bool(canWrite), "can_manage": .bool(canWrite), "sensitive_check_status": "Pass",
            "scores": [], "status": "",
        ]
        if repository.kind == .model {
            json = json.adding("base_model", JSON(facts.baseModels.map(\.id))).adding("metadata", metadata)
        }
        return json
    }

    private var isOrganization: Bool {
        if case .organization = repository.owner { return true }
        return false
    }

    /// Billions of parameters, as CSGHub counts them.
    private var metadata: JSON {
        let config = facts.config?.node
        return [
            "model_params": .number(Double(facts.parameters ?? 0) / 1e9),
            "tensor_type": .string(facts.safetensors?.parameters.max { $0.count < $1.count }?.name ?? ""),
            "architecture": .string(facts.gguf?.architecture ?? config?["architectures"]?.strings.first ?? ""),
            "model_type": .string(config?["model_type"]?.string ?? ""),
            "class_name": .string(config?["architectures"]?.strings.first ?? ""),
            "mini_gpu_memory_gb": 0, "mini_gpu_finetune_gb": 0,
        ]
    }

    /// The Hub's tags sorted into CSGHub's categories.
    private var tags: [JSON] {
        facts.tags.filter { !$0.hasPrefix("region:") }.map { tag in
            let (category, name) = sorted(tag)
            return [
                "name": .string(name), "category": .string(category), "group": "", "built_in": false,
                "show_name": .string(name),
            ]
        }
    }

    private func sorted(_ tag: String) -> (category: String, name: String) {
        if tag.hasPrefix("license:") { return ("license", String(tag.dropFirst(8))) }
        if tag.hasPrefix("language:") { return ("language", String(tag.dropFirst(9))) }
        if tag.hasPrefix("task_categories:") { return ("task", String(tag.dropFirst(16))) }
        if tag.hasPrefix("size_categories:") { return ("size", String(tag.dropFirst(16))) }
        if tag == facts.pipelineTag { return ("task", tag) }
        if tag == facts.libraryName { return ("framework", tag) }
        if facts.languages.contains(tag) { return ("language", tag) }
        return ("other", tag)
    }
}

extension Principal {
    /// Nobody who has signed in.
    var isVisitor: Bool {
        if case .anonymous = self { return true }
        return false
    }
}
