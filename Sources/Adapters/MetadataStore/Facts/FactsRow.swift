import FoundationEssentials
import GRDB
import HubCore

/// Reads and writes rows of `facts`.
enum FactsRow {
    /// What every list shows, in the order of `facts`.
    static let listedColumns = """
        f.repository_id, f.commit_oid, f.last_modified, f.used_storage_bytes, f.files_bytes, f.file_count, f.parameters,
        f.library_name, f.pipeline_tag, f.license, f.sdk, f.title, f.summary, f.tags
        """
    private static let otherColumns = """
        f.languages, f.datasets, f.base_models, f.transformers_info, f.safetensors, f.gguf, f.warnings, f.config, f.dataset_configs
        """

    /// The card comes last, where it is wanted, since it may be large.
    static func columns(_ detail: RepositoryListQuery.Detail, withCard: Bool) -> String {
        listedColumns + (detail == .whole ? ", " + otherColumns : "") + (withCard ? ", f.card_data" : "")
    }

    /// `columns` from the column `first` on; `nil` when the indexer has not been there yet.
    ///
    /// By place and not by name: to find a name, GRDB makes each column's name lower-case, which took a third of a list's time.
    static func facts(_ row: Row, from first: Int, _ detail: RepositoryListQuery.Detail, withCard: Bool) -> RepositoryFacts? {
        guard row[first] as Int64? != nil else { return nil }
        var facts = RepositoryFacts(commit: row[first + 1], lastModified: Date(milliseconds: row[first + 2]))
        facts.usedStorageBytes = row[first + 3]
        facts.filesBytes = row[first + 4]
        facts.fileCount = row[first + 5]
        facts.parameters = row[first + 6]
        facts.libraryName = row[first + 7]
        facts.pipelineTag = row[first + 8]
        facts.license = row[first + 9]
        facts.sdk = row[first + 10]
        facts.title = row[first + 11]
        facts.summary = row[first + 12]
        facts.tags = lines(row[first + 13])
        if detail == .whole { readOthers(row, from: first + 14, into: &facts) }
        if withCard { facts.cardData = text(row, first + (detail == .whole ? 23 : 14)) }
        return facts
    }

    private static func readOthers(_ row: Row, from first: Int, into facts: inout RepositoryFacts) {
        facts.languages = lines(row[first])
        facts.datasets = lines(row[first + 1])
        facts.baseModels = json(row, first + 2).map(FactsJSON.baseModels) ?? []
        facts.transformersInfo = json(row, first + 3).flatMap(FactsJSON.transformersInfo)
        facts.safetensors = json(row, first + 4).flatMap(FactsJSON.safetensors)
        facts.gguf = json(row, first + 5).flatMap(FactsJSON.gguf)
        facts.warnings = json(row, first + 6).map(FactsJSON.warnings) ?? []
        facts.config = text(row, first + 7)
        facts.datasetConfigs = text(row, first + 8)
    }

    static func save(_ facts: RepositoryFacts, of repository: RepositoryID, rules: Int, in db: Database) throws {
        try db.run(
            """
            INSERT OR REPLACE INTO facts (repository_id, rules, commit_oid, last_modified, used_storage_bytes, files_bytes, file_count,
                parameters, library_name, pipeline_tag, license, sdk, title, summary, tags, languages, datasets, base_models,
                transformers_info, safetensors, gguf, warnings, config, dataset_configs, card_data)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                repository, rules, facts.commit, facts.lastModified.milliseconds, facts.usedStorageBytes, facts.filesBytes,
                facts.fileCount, facts.parameters, facts.libraryName, facts.pipelineTag, facts.license, facts.sdk, facts.title,
                facts.summary, text(facts.tags), text(facts.languages), text(facts.datasets), FactsJSON.text(facts.baseModels),
                facts.transformersInfo?.json.text, facts.safetensors?.json.text, facts.gguf?.json.text,
                FactsJSON.text(facts.warnings), facts.config?.text, facts.datasetConfigs?.text, facts.cardData?.text,
            ])
    }

    static func lines(_ text: String) -> [String] { text.utf8.split(separator: 0x0a).map { String(Substring($0)) } }

    private static func text(_ lines: [String]) -> String {
        lines.map { $0.replacing("\n", with: " ") }.joined(separator: "\n")
    }

    private static func text(_ row: Row, _ column: Int) -> JSONText? {
        (row[column] as String?).map(JSONText.init(trusted:))
    }

    private static func json(_ row: Row, _ column: Int) -> JSONNode? { text(row, column)?.node }
}

/// The small parts of facts that are kept as JSON.
enum FactsJSON {
    static func text(_ models: [BaseModel]) -> String? {
        guard !models.isEmpty else { return nil }
        return JSONNode.array(models.map { ["id": .string($0.id), "relation": JSONNode($0.relation?.rawValue)] }).text
    }

    static func baseModels(_ node: JSONNode) -> [BaseModel] {
        (node.elements ?? []).compactMap { element in
            guard let id = element["id"]?.string else { return nil }
            return BaseModel(id: id, relation: element["relation"]?.string.flatMap(BaseModel.Relation.init(rawValue:)))
        }
    }

    static func text(_ warnings: [FactsWarning]) -> String? {
        guard !warnings.isEmpty else { return nil }
        return JSONNode.array(warnings.map { ["path": .string($0.path), "message": .string($0.message)] }).text
    }

    static func warnings(_ node: JSONNode) -> [FactsWarning] {
        (node.elements ?? []).compactMap { element in
            guard let path = element["path"]?.string, let message = element["message"]?.string else { return nil }
            return FactsWarning(path: path, message: message)
        }
    }

    static func transformersInfo(_ node: JSONNode) -> TransformersInfo? {
        node["auto_model"]?.string.map { model in
            TransformersInfo(
                autoModel: model, customClass: node["custom_class"]?.string, pipelineTag: node["pipeline_tag"]?.string,
                processor: node["processor"]?.string)
        }
    }

    static func safetensors(_ node: JSONNode) -> SafetensorsFacts? {
        guard let total = node["total"]?.integer else { return nil }
        let parameters = (node["parameters"]?.members ?? []).compactMap { member in
            member.value.integer.map { SafetensorsFacts.DType(name: member.name, count: $0) }
        }
        return SafetensorsFacts(parameters: parameters, total: total)
    }

    static func gguf(_ node: JSONNode) -> GGUFFacts? {
        guard let total = node["total"]?.integer else { return nil }
        var facts = GGUFFacts(total: total)
        facts.architecture = node["architecture"]?.string
        facts.contextLength = node["context_length"]?.integer
        facts.quantization = node["quantization"]?.string
        facts.chatTemplate = node["chat_template"]?.string
        facts.bosToken = node["bos_token"]?.string
        facts.eosToken = node["eos_token"]?.string
        return facts
    }
}
