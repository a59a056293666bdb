import FoundationEssentials
import HubCore
import ModelFormats

/// Makes facts of what the files say.
enum FactsRules {
    /// Grows when the rules change what facts hold, so that all repositories are looked at again.
    static let version = 1

    static func facts(_ findings: FileFindings, commit: GitOID, at date: Date) -> RepositoryFacts {
        let card = CardFields(findings.card?.data)
        var facts = RepositoryFacts(commit: commit, lastModified: date)
        facts.cardData = findings.card?.data.map { JSONText($0) }
        facts.license = card.licenses.first
        facts.languages = card.languages
        facts.datasets = card.texts("datasets").filter(ModelRules.isRepositoryID)
        facts.title = card.title ?? findings.text?.title
        facts.summary = card.text("short_description") ?? findings.text?.summary
        facts.filesBytes = findings.files.bytes
        facts.fileCount = findings.files.count
        facts.warnings = findings.warnings
        switch findings.kind {
        case .model: addModel(findings, to: &facts)
        case .dataset:
            facts.datasetConfigs = card.configs.map { JSONText($0) }
            facts.tags = TagRules.dataset(facts, findings: findings)
        case .space, .code:
            facts.sdk = findings.kind == .space ? card.text("sdk")?.lowercased() : nil
            facts.baseModels = card.texts("models").filter(ModelRules.isRepositoryID).map { BaseModel(id: $0, relation: nil) }
            facts.tags = TagRules.space(facts, findings: findings)
        }
        return facts
    }

    private static func addModel(_ findings: FileFindings, to facts: inout RepositoryFacts) {
        let rules = ModelRules(findings)
        facts.libraryName = rules.library
        facts.transformersInfo = rules.transformersInfo
        facts.pipelineTag = rules.pipeline
        facts.baseModels = rules.baseModels
        facts.config = rules.config.map { JSONText($0) }
        facts.safetensors = findings.safetensors
        facts.gguf = findings.gguf
        facts.parameters = findings.safetensors?.total ?? findings.gguf?.total
        facts.tags = TagRules.model(facts, findings: findings, rules: rules)
    }
}
