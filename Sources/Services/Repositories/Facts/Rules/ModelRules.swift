import HubCore
import ModelFormats

/// What a model is, by its files and its card, as the Hub derives it.
struct ModelRules {
    private let findings: FileFindings
    private let card: CardFields
    private let names: Set<String>

    init(_ findings: FileFindings) {
        self.findings = findings
        card = CardFields(findings.card?.data)
        names = findings.files.rootNames
    }

    var transformersInfo: TransformersInfo? {
        guard let config = findings.config else { return nil }
        return TransformersTask.info(config: config, fileNames: names)
    }

    // MARK: - Library

    /// The card's, else the one whose files are there.
    var library: String? { card.text("library_name") ?? libraryByFiles }

    private var libraryByFiles: String? {
        if names.contains("adapter_config.json") { return "peft" }
        if names.contains("model_index.json") { return "diffusers" }
        if names.contains("config_setfit.json") { return "setfit" }
        if names.contains("modules.json") || names.contains("config_sentence_transformers.json") { return "sentence-transformers" }
        if names.contains("open_clip_config.json") { return "open_clip" }
        if let config = findings.config {
            if config["pretrained_cfg"] != nil { return "timm" }
            if config["model_type"] != nil || config["architectures"] != nil { return "transformers" }
        }
        if findings.files.has("nemo") { return "nemo" }
        if names.contains("saved_model.pb") || findings.files.has("keras") { return "keras" }
        if findings.files.has("gguf") { return "gguf" }
        return nil
    }

    /// Tags of the forms that the weights have.
    var formats: [String] {
        let files = findings.files
        let has: (Bool, String) -> String? = { $0 ? $1 : nil }
        return [
            has(
                names.contains { $0.hasPrefix("pytorch_model") } || files.has("pt") || files.has("pth") || files.has("ckpt")
                    || names.contains("adapter_model.bin"), "pytorch"),
            has(names.contains("tf_model.h5"), "tf"), has(names.contains("flax_model.msgpack"), "jax"),
            has(names.contains("rust_model.ot"), "rust"), has(files.has("onnx"), "onnx"),
            has(files.has("safetensors"), "safetensors"), has(files.has("gguf"), "gguf"),
            has(files.has("mlmodel") || files.has("mlpackage"), "coreml"), has(files.has("tflite"), "tflite"),
            has(names.contains("openvino_model.xml"), "openvino"),
            has(names.contains { $0.hasPrefix("events.out.tfevents") } || names.contains("runs"), "tensorboard"),
            has(names.contains("modules.json"), "sentence-transformers"),
        ].compactMap { $0 }
    }

    // MARK: - Pipeline

    var pipeline: String? {
        if let own = card.text("pipeline_tag") { return own }
        switch library {
        case "diffusers": return diffusersPipeline
        case "sentence-transformers", "setfit":
            return library == "setfit" ? "text-classification" : "sentence-similarity"
        case "peft": return adapterPipeline
        case "timm": return "image-classification"
        case "open_clip": return "zero-shot-image-classification"
        default: break
        }
        if let info = transformersInfo { return info.pipelineTag }
        return findings.gguf?.chatTemplate != nil ? "text-generation" : nil
    }

    private var diffusersPipeline: String {
        let name = findings.diffusersIndex?["_class_name"]?.string ?? ""
        let isVideo = name.contains("Video") || name.contains("Animate") || name.hasPrefix("Wan") || name.hasPrefix("CogVideo")
        if isVideo { return name.contains("ImageToVideo") || name.contains("StableVideoDiffusion") ? "image-to-video" : "text-to-video" }
        if name.contains("Audio") || name.contains("Music") { return "text-to-audio" }
        if name.contains("Img2Img") || name.contains("Inpaint") || name.contains("Upscale") || name.contains("Edit") {
            return "image-to-image"
        }
        return "text-to-image"
    }

    private var adapterPipeline: String? {
        switch findings.adapterConfig?["task_type"]?.string {
        case "CAUSAL_LM": "text-generation"
        case "SEQ_CLS": "text-classification"
        case "TOKEN_CLS": "token-classification"
        case "QUESTION_ANS": "question-answering"
        case "SEQ_2_SEQ_LM": "text2text-generation"
        case "FEATURE_EXTRACTION": "feature-extraction"
        default: nil
        }
    }

    // MARK: - Chat

    var chatTemplate: String? {
        if let template = findings.chatTemplate { return template }
        let own = findings.tokenizerConfig?["chat_template"]
        // Several templates are a list of {name, template}.
        return own?.string ?? own?.elements?.first?["template"]?.string ?? findings.gguf?.chatTemplate
    }

    var isConversational: Bool {
        chatTemplate != nil && ["text-generation", "image-text-to-text", "any-to-any", "text2text-generation"].contains(pipeline)
    }

    // MARK: - Base models

    var baseModels: [BaseModel] {
        var ids = card.baseModels
        if ids.isEmpty, let own = findings.adapterConfig?["base_model_name_or_path"]?.string, Self.isRepositoryID(own) { ids = [own] }
        guard !ids.isEmpty else { return [] }
        let relation = relation(count: ids.count)
        return ids.filter(Self.isRepositoryID).map { BaseModel(id: $0, relation: relation) }
    }

    private func relation(count: Int) -> BaseModel.Relation {
        if let own = card.text("base_model_relation").flatMap({ BaseModel.Relation(rawValue: $0.lowercased()) }) { return own }
        if findings.adapterConfig != nil || library == "peft" { return .adapter }
        let tags = Set(card.texts("tags").map { $0.lowercased() })
        if count > 1 || !tags.isDisjoint(with: ["merge", "mergekit"]) { return .merge }
        let isQuantized =
            findings.files.has("gguf") || findings.config?["quantization_config"] != nil
            || !tags.isDisjoint(with: ["gptq", "awq", "exl2", "quantized", "bnb", "4-bit", "8-bit"])
        return isQuantized ? .quantized : .finetune
    }

    /// `name` or `owner/name`, as ids of the Hub are.
    static func isRepositoryID(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return (1...2).contains(parts.count)
            && parts.allSatisfy { part in
                !part.isEmpty && part.utf8.count <= 96 && !part.hasPrefix(".")
                    && part.utf8.allSatisfy { byte in
                        switch byte {
                        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
                        default: false
                        }
                    }
            }
    }

    // MARK: - Config

    private static let maximumTemplate = 64 << 10

    /// The parts of the configuration files that the Hub shows.
    var config: JSONNode? {
        var members: [JSONMember] = []
        if let config = findings.config {
            for name in ["architectures", "model_type"] {
                if let value = config[name] { members.append(JSONMember(name, value)) }
            }
            if let map = config["auto_map"], map.utf8.count <= 4096 { members.append(JSONMember("auto_map", map)) }
            if let quantization = config["quantization_config"] {
                let kept = ["bits", "load_in_4bit", "load_in_8bit", "quant_method", "bnb_4bit_quant_type", "fmt"]
                    .compactMap { name in quantization[name].map { JSONMember(name, $0) } }
                    .filter { $0.value.elements == nil && $0.value.members == nil }
                members.append(JSONMember("quantization_config", .object(kept)))
            }
        }
        if let tokenizer = tokenizerConfig { members.append(JSONMember("tokenizer_config", tokenizer)) }
        if let template = findings.chatTemplate { members.append(JSONMember("chat_template_jinja", Self.template(template))) }
        if let name = findings.diffusersIndex?["_class_name"]?.string {
            members.append(JSONMember("diffusers", ["_class_name": .string(name.shortened)]))
        }
        if let adapter = findings.adapterConfig {
            let kept = ["base_model_name_or_path", "task_type", "peft_type"].compactMap { name in
                adapter[name]?.string.map { JSONMember(name, .string(String($0.prefix(300)))) }
            }
            members.append(JSONMember("peft", .object(kept)))
        }
        return members.isEmpty ? nil : .object(members)
    }

    private var tokenizerConfig: JSONNode? {
        guard let tokenizer = findings.tokenizerConfig else { return nil }
        var members: [JSONMember] = []
        for name in ["bos_token", "eos_token", "pad_token", "unk_token", "mask_token", "sep_token", "cls_token"] {
            let token = tokenizer[name]?.string ?? tokenizer[name]?["content"]?.string
            if let token { members.append(JSONMember(name, .string(String(token.prefix(200))))) }
        }
        if let template = tokenizer["chat_template"] {
            if let text = template.string { members.append(JSONMember("chat_template", Self.template(text))) }
            if template.elements != nil, template.utf8.count <= Self.maximumTemplate {
                members.append(JSONMember("chat_template", template))
            }
        }
        return .object(members)
    }

    private static func template(_ text: String) -> JSONNode {
        .string(text.utf8.count <= maximumTemplate ? text : String(decoding: text.utf8.prefix(maximumTemplate), as: UTF8.self))
    }
}
