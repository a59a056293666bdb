import FoundationEssentials

/// What the files of a repository say about it, at one commit of its default branch.
///
/// The indexer computes them once a commit; lists, info and pages read them. A wrong file leaves a warning and nothing else.
package struct RepositoryFacts: Hashable, Sendable {
    /// The commit that was read; `nil` for a repository without one.
    package var commit: GitOID?
    /// The time of that commit, or when the repository was created.
    package var lastModified: Date
    /// The front matter of README.md, an object; absent without one.
    package var cardData: JSONText?
    /// What `filter=` sees and cards show, in the Hub's order: library, files, pipeline, languages, `license:x`, `base_model:x`, ….
    package var tags: [String] = []
    package var libraryName: String?
    package var pipelineTag: String?
    /// The card's license in lower case: `apache-2.0`.
    package var license: String?
    package var languages: [String] = []
    package var baseModels: [BaseModel] = []
    /// Ids of datasets that the card names.
    package var datasets: [String] = []
    /// `{"architectures","model_type","tokenizer_config","auto_map",…}` as the Hub shows it.
    package var config: JSONText?
    package var transformersInfo: TransformersInfo?
    package var safetensors: SafetensorsFacts?
    package var gguf: GGUFFacts?
    /// The parameters of the model, from safetensors or GGUF; what `num_parameters` filters.
    package var parameters: Int64?
    /// The space's `sdk`: `gradio`, `docker`, `static`, ….
    package var sdk: String?
    /// The card's title, pretty_name or first heading.
    package var title: String?
    /// The first paragraph of the README as plain text, at most 300 characters.
    package var summary: String?
    /// The configurations of a dataset's card, as the card has them.
    package var datasetConfigs: JSONText?
    /// The bytes of all files at the commit, large objects with their real size.
    package var filesBytes: Int64 = 0
    package var fileCount: Int = 0
    /// Packs and linked large objects: what the repository takes on disk.
    package var usedStorageBytes: Int64 = 0
    package var warnings: [FactsWarning] = []

    /// Lists filter by this many tags of a repository at most.
    package static let maximumTags = 500

    package init(commit: GitOID?, lastModified: Date) {
        self.commit = commit
        self.lastModified = lastModified
    }
}

/// A model that another was made from.
package struct BaseModel: Hashable, Sendable {
    package enum Relation: String, Hashable, Sendable, CaseIterable {
        case adapter, merge, quantized, finetune
    }

    package let id: String
    package let relation: Relation?

    package init(id: String, relation: Relation?) {
        self.id = id
        self.relation = relation
    }
}

/// How transformers loads the model. The client knows no other keys than these.
package struct TransformersInfo: Hashable, Sendable {
    package var autoModel: String
    package var customClass: String?
    package var pipelineTag: String?
    package var processor: String?

    package init(autoModel: String, customClass: String? = nil, pipelineTag: String? = nil, processor: String? = nil) {
        self.autoModel = autoModel
        self.customClass = customClass
        self.pipelineTag = pipelineTag
        self.processor = processor
    }

    package var json: JSONNode {
        .object(
            [
                JSONMember("auto_model", .string(autoModel)), customClass.map { JSONMember("custom_class", .string($0)) },
                pipelineTag.map { JSONMember("pipeline_tag", .string($0)) },
                processor.map { JSONMember("processor", .string($0)) },
            ].compactMap { $0 })
    }
}

/// Parameters by data type, over all shards.
package struct SafetensorsFacts: Hashable, Sendable {
    /// `F32`, `BF16`, …, with the number of elements, in the order of the names.
    package var parameters: [DType]
    package var total: Int64

    package struct DType: Hashable, Sendable {
        package let name: String
        package let count: Int64

        package init(name: String, count: Int64) {
            self.name = name
            self.count = count
        }
    }

    package init(parameters: [DType], total: Int64) {
        self.parameters = parameters
        self.total = total
    }

    package var json: JSONNode {
        [
            "parameters": .object(parameters.map { JSONMember($0.name, .integer($0.count)) }),
            "total": .integer(total),
        ]
    }
}

/// What the first GGUF file of a repository says.
package struct GGUFFacts: Hashable, Sendable {
    /// Elements of all tensors.
    package var total: Int64
    package var architecture: String?
    package var contextLength: Int64?
    /// `Q4_K_M`, from `general.file_type`.
    package var quantization: String?
    package var chatTemplate: String?
    package var bosToken: String?
    package var eosToken: String?

    package init(total: Int64) { self.total = total }

    package var json: JSONNode {
        .object(
            [
                JSONMember("total", .integer(total)), architecture.map { JSONMember("architecture", .string($0)) },
                contextLength.map { JSONMember("context_length", .integer($0)) },
                quantization.map { JSONMember("quantization", .string($0)) },
                chatTemplate.map { JSONMember("chat_template", .string($0)) },
                bosToken.map { JSONMember("bos_token", .string($0)) }, eosToken.map { JSONMember("eos_token", .string($0)) },
            ].compactMap { $0 })
    }
}

/// A file that could not be read as what its name says.
package struct FactsWarning: Hashable, Sendable {
    package let path: String
    package let message: String

    package init(path: String, message: String) {
        self.path = path
        self.message = message
    }
}

/// Numbers of a repository that change without a commit.
package struct RepositoryCounters: Hashable, Sendable {
    /// Of the last 30 days.
    package var downloads: Int64
    package var downloadsAllTime: Int64
    package var likes: Int64
    package var trendingScore: Double

    package init(downloads: Int64 = 0, downloadsAllTime: Int64 = 0, likes: Int64 = 0, trendingScore: Double = 0) {
        self.downloads = downloads
        self.downloadsAllTime = downloadsAllTime
        self.likes = likes
        self.trendingScore = trendingScore
    }
}
