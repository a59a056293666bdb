import HubCore
import ModelFormats

/// The tags of a repository, in the Hub's order, each once.
struct TagRules {
    private(set) var tags: [String] = []
    private var seen: Set<String> = []

    private mutating func add(_ tag: String?) {
        guard let tag = tag.flatMap(CardFields.clean), tags.count < RepositoryFacts.maximumTags, seen.insert(tag).inserted else {
            return
        }
        tags.append(tag)
    }

    private mutating func add(_ list: [String], prefix: String = "") { list.forEach { add(prefix + $0) } }

    static func model(_ facts: RepositoryFacts, findings: FileFindings, rules: ModelRules) -> [String] {
        let card = CardFields(findings.card?.data)
        var rule = TagRules()
        rule.add(facts.libraryName)
        rule.add(rules.formats)
        rule.add(findings.config?["model_type"]?.string)
        rule.add(facts.pipelineTag)
        rule.add(card.texts("tags"))
        if facts.transformersInfo?.customClass != nil { rule.add("custom_code") }
        if rules.isConversational { rule.add("conversational") }
        if let quantization = findings.config?["quantization_config"]?["quant_method"]?.string { rule.add(quantization) }
        rule.add(facts.languages)
        rule.add(facts.datasets, prefix: "dataset:")
        rule.add(Papers.tags(in: findings.card?.body ?? ""))
        for base in facts.baseModels {
            rule.add("base_model:\(base.id)")
            if let relation = base.relation { rule.add("base_model:\(relation.rawValue):\(base.id)") }
        }
        rule.addCommon(card)
        return rule.tags
    }

    private static let datasetFields = [
        "task_categories", "task_ids", "annotations_creators", "language_creators", "multilinguality", "source_datasets",
    ]

    static func dataset(_ facts: RepositoryFacts, findings: FileFindings) -> [String] {
        let card = CardFields(findings.card?.data)
        var rule = TagRules()
        for field in datasetFields { rule.add(card.texts(field), prefix: field + ":") }
        rule.add(facts.languages, prefix: "language:")
        rule.add(card.licenses, prefix: "license:")
        rule.add(card.texts("size_categories"), prefix: "size_categories:")
        let forms = DatasetForms(findings.files)
        rule.add(forms.formats, prefix: "format:")
        rule.add(forms.modalities, prefix: "modality:")
        if !forms.formats.isEmpty { rule.add("library:datasets") }
        rule.add(Papers.tags(in: findings.card?.body ?? ""))
        rule.addCommon(card)
        rule.add(card.texts("tags"))
        return rule.tags
    }

    static func space(_ facts: RepositoryFacts, findings: FileFindings) -> [String] {
        let card = CardFields(findings.card?.data)
        var rule = TagRules()
        rule.add(facts.sdk)
        rule.add(card.texts("tags"))
        // What lists of spaces find by `models=` and `datasets=`.
        rule.add(facts.baseModels.map(\.id), prefix: "model:")
        rule.add(card.texts("datasets"), prefix: "dataset:")
        rule.addCommon(card)
        return rule.tags
    }

    private mutating func addCommon(_ card: CardFields) {
        add(card.licenses, prefix: "license:")
        add("region:us")
    }
}

/// How the data of a dataset is written, by the extensions of its files.
struct DatasetForms {
    private static let formatOf: [String: String] = [
        "parquet": "parquet", "csv": "csv", "tsv": "csv", "json": "json", "jsonl": "json", "ndjson": "json", "txt": "text",
        "arrow": "arrow", "tar": "webdataset",
    ]
    private static let modalityOf: [String: String] = [
        "txt": "text", "csv": "tabular", "tsv": "tabular", "jpg": "image", "jpeg": "image", "png": "image", "webp": "image",
        "tif": "image", "tiff": "image", "bmp": "image", "gif": "image", "wav": "audio", "mp3": "audio", "flac": "audio",
        "ogg": "audio", "m4a": "audio", "mp4": "video", "mkv": "video", "avi": "video", "webm": "video", "mov": "video",
        "pdf": "document", "ply": "3d", "glb": "3d", "obj": "3d",
    ]

    let formats: [String]
    let modalities: [String]

    init(_ files: RepositoryFiles) {
        var formats = Set(files.extensions.keys.compactMap { Self.formatOf[$0] })
        // A lone JSON file at the root describes, it is no data.
        if files.extensions["json"] == 1, files.kept.contains(where: { $0.path == "dataset_infos.json" }) { formats.remove("json") }
        let modalities = Set(files.extensions.keys.compactMap { Self.modalityOf[$0] })
        if formats.isEmpty {
            if modalities.contains("image") { formats.insert("imagefolder") }
            if modalities.contains("audio") { formats.insert("audiofolder") }
            if modalities.contains("video") { formats.insert("videofolder") }
        }
        self.formats = formats.sorted()
        self.modalities = modalities.sorted()
    }
}

/// Papers on arXiv that a text names by address.
enum Papers {
    private static let maximum = 20

    static func tags(in text: String) -> [String] {
        let bytes = Array(text.utf8.prefix(512 << 10))
        let mark = Array("arxiv.org/".utf8)
        var tags: [String] = []
        var index = 0
        while tags.count < maximum, index + mark.count < bytes.count {
            guard bytes[index] == mark[0], bytes[index...].starts(with: mark) else {
                index += 1
                continue
            }
            index += mark.count
            if let number = number(bytes, after: index), !tags.contains("arxiv:" + number) { tags.append("arxiv:" + number) }
        }
        return tags
    }

    /// `abs/2309.00071`, `pdf/2309.00071v2`.
    private static func number(_ bytes: [UInt8], after start: Int) -> String? {
        var index = start
        guard bytes[index...].starts(with: "abs/".utf8) || bytes[index...].starts(with: "pdf/".utf8) else { return nil }
        index += 4
        let digits = bytes[index...].prefix(10).prefix { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
        let text = String(decoding: digits, as: UTF8.self)
        return text.wholeMatch(of: /\d{4}\.\d{4,5}/) == nil ? nil : text
    }
}
