import HubCore
import Hummingbird
import Identity
import MetadataStore

/// Lists of repositories and their tags. hf-hub-api §7.
enum ListRoutes {
    static var all: [HubRoute] {
        [
            HubRoute(.get, "/api/{kinds}") { try await list($0) },
            HubRoute(.get, "/api/models-tags-by-type") { try await tags($0, of: .model) },
            HubRoute(.get, "/api/datasets-tags-by-type") { try await tags($0, of: .dataset) },
            HubRoute(.get, "/api/spaces-tags-by-type") { try await tags($0, of: .space) },
            HubRoute(.get, "/api/spaces/semantic-search") { try await searchSpaces($0) },
        ]
    }

    private static func list(_ call: HubCall) async throws -> Response {
        try await call.list { scope in
            let form = try ListForm(call)
            let page = try await call.services.store.listRepositories(form.query(visibleTo: scope))
            return call.page(try await form.items(page.items, call), next: page.next)
        }
    }

    private static func searchSpaces(_ call: HubCall) async throws -> Response {
        try await call.list { scope in
            var query = RepositoryListQuery(
                kinds: [.space], visibleTo: scope, order: .relevance, limit: call.limit(default: 25, maximum: 100))
            query.text = call.query("q")
            query.sdk = call.query("sdk")
            query.detail = .listed
            let page = try await call.services.store.listRepositories(query)
            return call.answer(.array(page.items.map { space($0, call) }))
        }
    }

    private static func space(_ item: RepositoryListItem, _ call: HubCall) -> JSON {
        RepositoryJSON(item, call).listed(isFull: true, withCard: false, withConfig: false)
            .adding("title", .string(item.facts.title ?? item.repository.name.name))
            .adding("shortDescription", JSON(item.facts.summary)).adding("runtime", RepositoryJSON.stopped)
    }

    /// The tags that the caller's repositories have, sorted by what they mean.
    private static func tags(_ call: HubCall, of kind: RepositoryKind) async throws -> Response {
        try await call.list { scope in
            let counts = try await call.services.store.tagCounts(of: kind, visibleTo: scope)
            var groups: [String: [JSON]] = [:]
            for count in counts {
                let (type, label) = TagType.of(count.tag)
                groups[type, default: []].append([
                    "type": .string(type), "id": .string(count.tag), "label": .string(label), "count": JSON(count.count),
                ])
            }
            return call.answer(.object(groups.sorted { $0.key < $1.key }.map { JSONMember($0.key, .array($0.value)) }))
        }
    }
}

/// What a tag is about.
enum TagType {
    /// Tags with a prefix of their own.
    private static let prefixes: Set<Substring> = [
        "license", "dataset", "region", "base_model", "language", "task_categories", "task_ids", "size_categories", "format",
        "modality", "library", "arxiv", "benchmark", "multilinguality", "annotations_creators", "language_creators", "source_datasets",
        "doi", "deploy", "sdk",
    ]

    static func of(_ tag: String) -> (type: String, label: String) {
        if let colon = tag.firstIndex(of: ":"), prefixes.contains(tag[..<colon]) {
            return (String(tag[..<colon]), String(tag[tag.index(after: colon)...]))
        }
        if ModelWords.libraries.contains(tag) { return ("library", tag) }
        if ModelWords.pipelines.contains(tag) { return ("pipeline_tag", tag) }
        let isLanguage = (2...3).contains(tag.utf8.count) && tag.utf8.allSatisfy { (0x61...0x7a).contains($0) }
        return (isLanguage ? "language" : "other", tag)
    }
}

/// Words that the Hub knows of models.
enum ModelWords {
    static let libraries: Set<String> = [
        "transformers", "diffusers", "safetensors", "gguf", "pytorch", "tf", "jax", "onnx", "openvino", "peft", "sentence-transformers",
        "timm", "keras", "tensorboard", "adapter-transformers", "flair", "spacy", "espnet", "nemo", "speechbrain", "fastai",
        "stable-baselines3", "ml-agents", "setfit", "sklearn", "mlx", "coreml", "tflite", "rust", "transformers.js", "llama.cpp",
        "vllm", "paddlepaddle", "paddlenlp", "open_clip", "bertopic", "allennlp", "fasttext", "stanza", "asteroid", "trl",
    ]
    static let pipelines: Set<String> = [
        "text-generation", "text-classification", "token-classification", "question-answering", "summarization", "translation",
        "fill-mask", "feature-extraction", "sentence-similarity", "zero-shot-classification", "table-question-answering",
        "text-to-image", "image-to-text", "image-to-image", "image-classification", "image-segmentation", "object-detection",
        "depth-estimation", "image-feature-extraction", "zero-shot-image-classification", "zero-shot-object-detection",
        "mask-generation", "text-to-video", "video-classification", "image-to-video", "text-to-3d", "image-to-3d",
        "unconditional-image-generation", "image-text-to-text", "visual-question-answering", "document-question-answering",
        "video-text-to-text", "any-to-any", "visual-document-retrieval", "text-to-speech", "text-to-audio",
        "automatic-speech-recognition", "audio-to-audio", "audio-classification", "audio-text-to-text", "voice-activity-detection",
        "tabular-classification", "tabular-regression", "time-series-forecasting", "reinforcement-learning", "robotics",
        "graph-ml", "text-ranking", "keypoint-detection", "text2text-generation", "conversational", "other",
    ]
}
