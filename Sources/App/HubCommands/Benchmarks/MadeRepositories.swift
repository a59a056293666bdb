import FoundationEssentials
import HubCore
import MetadataStore

/// Repositories as a large site has them, made from their number: names, tags, texts and sizes that repeat as real ones do.
struct MadeRepositories {
    static let owners = 2_000

    private var state: UInt64

    init(seed: UInt64 = 7) { state = seed }

    private mutating func below(_ bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(bound))
    }

    /// Small numbers are much commoner than large ones.
    private mutating func skewed(_ bound: Int) -> Int { below(below(bound) + 1) }

    private mutating func one<Item>(of items: [Item]) -> Item { items[skewed(items.count)] }

    static func owner(_ number: Int) -> String { "owner\(number)" }

    mutating func repository(_ number: Int) -> (new: NewRepository, facts: RepositoryFacts, text: String) {
        let kind: RepositoryKind = number % 10 < 6 ? .model : number % 10 < 9 ? .dataset : .space
        let family = one(of: Self.families)
        let name = "\(family)-\(one(of: Self.sizes))-\(one(of: Self.suffixes))-\(number)"
        let visibility: Visibility = number % 20 == 0 ? .private : number % 20 == 1 ? .internal : .public
        let owner = NamespaceName(trusted: Self.owner(skewed(Self.owners)))
        let reference = RepositoryReference(kind: kind, name: RepositoryName(trustedOwner: owner.text, name: name))
        var facts = RepositoryFacts(commit: nil, lastModified: Date(timeIntervalSince1970: Double(1_700_000_000 + below(60_000_000))))
        let license = one(of: Self.licenses)
        facts.license = license
        facts.languages = [one(of: Self.languages)]
        facts.cardData = JSONText(["license": .string(license), "language": .array(facts.languages.map(JSONNode.string))])
        switch kind {
        case .model: addModel(family, to: &facts)
        case .dataset:
            facts.tags = ["task_categories:\(one(of: Self.pipelines))", "language:\(facts.languages[0])", "format:parquet"]
        case .space, .code: facts.tags = [one(of: ["gradio", "docker", "static"])]
        }
        facts.tags += ["license:\(license)", "region:us"]
        facts.title = "\(family) \(number)"
        facts.summary = text(words: 20)
        facts.fileCount = 5 + below(20)
        facts.usedStorageBytes = Int64(below(1 << 40))
        return (NewRepository(reference: reference, visibility: visibility), facts, text(words: 40 + below(160)))
    }

    private mutating func addModel(_ family: String, to facts: inout RepositoryFacts) {
        let library = one(of: Self.libraries)
        let pipeline = one(of: Self.pipelines)
        facts.libraryName = library
        facts.pipelineTag = pipeline
        facts.parameters = Int64(1 + below(700)) * 100_000_000
        facts.baseModels = [BaseModel(id: "base/\(family)", relation: .finetune)]
        facts.config = JSONText(["architectures": [.string(family + "ForCausalLM")], "model_type": .string(family)])
        facts.tags = [
            library, one(of: ["safetensors", "pytorch", "gguf", "onnx"]), family, pipeline, facts.languages[0],
            "own-\(below(20_000))", "base_model:base/\(family)", "base_model:finetune:base/\(family)", "dataset:data/\(below(3000))",
        ]
    }

    private mutating func text(words count: Int) -> String {
        var text = ""
        for _ in 0..<count {
            let word = below(20)
            if word == 0 { text += one(of: Self.chinese) + "，" } else if word < 8 { text += one(of: Self.words) + " " } else {
                text += Self.word(skewed(20_000)) + " "
            }
        }
        return text
    }

    /// Another word of letters for each number.
    static func word(_ number: Int) -> String {
        var (text, rest) = ("", number + 700)
        while rest > 0 {
            text.unicodeScalars.append(Unicode.Scalar(UInt8(ascii: "a") + UInt8(rest % 26)))
            rest /= 26
        }
        return text
    }

    private static let families = [
        "qwen2", "llama", "mistral", "bert", "gemma", "phi", "deepseek", "yi", "t5", "gpt2", "whisper", "clip", "vit", "roberta", "baichuan",
        "internlm", "falcon", "bloom", "chatglm", "stable-diffusion",
    ]
    private static let sizes = ["7b", "1.5b", "0.5b", "13b", "70b", "3b", "32b", "base", "large", "small"]
    private static let suffixes = ["instruct", "chat", "gguf", "lora", "awq", "finetuned", "v2", "dpo", "merged", "int4"]
    private static let licenses = ["apache-2.0", "mit", "other", "cc-by-4.0", "llama3", "gpl-3.0", "cc-by-nc-4.0", "openrail"]
    private static let languages = ["en", "zh", "fr", "de", "es", "ja", "ko", "ru", "ar", "pt", "it", "nl", "vi", "th"]
    private static let libraries = ["transformers", "diffusers", "peft", "gguf", "sentence-transformers", "timm", "keras", "nemo"]
    private static let pipelines = [
        "text-generation", "text-classification", "text-to-image", "fill-mask", "feature-extraction", "translation",
        "automatic-speech-recognition", "image-classification", "question-answering", "summarization",
    ]
    private static let chinese = ["机器学习", "情感分析", "大语言模型", "中文", "翻译", "语音识别", "图像分类", "微调", "数据集", "问答系统"]
    private static let words = [
        "model", "training", "the", "data", "language", "with", "fine-tuned", "dataset", "for", "evaluation", "license", "sentiment",
        "analysis", "results", "accuracy", "inference", "tokenizer", "weights", "benchmark", "quantized",
    ]
}
