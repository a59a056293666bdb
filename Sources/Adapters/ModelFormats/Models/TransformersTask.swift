import HubCore

/// How transformers loads a model and what for, from its `config.json`, as the Hub derives it.
package enum TransformersTask {
    private struct Rule {
        let suffix: String
        let autoModel: String
        let pipeline: String?
        let processor: String?

        init(_ suffix: String, _ autoModel: String, _ pipeline: String?, _ processor: String?) {
            self.suffix = suffix
            self.autoModel = autoModel
            self.pipeline = pipeline
            self.processor = processor
        }
    }

    // The first that fits counts, so longer suffixes come before the ones that they end in.
    private static let rules: [Rule] = [
        Rule("ForCausalLM", "AutoModelForCausalLM", "text-generation", "AutoTokenizer"),
        Rule("LMHeadModel", "AutoModelForCausalLM", "text-generation", "AutoTokenizer"),
        Rule("ForMaskedLM", "AutoModelForMaskedLM", "fill-mask", "AutoTokenizer"),
        Rule("ForSequenceClassification", "AutoModelForSequenceClassification", "text-classification", "AutoTokenizer"),
        Rule("ForTokenClassification", "AutoModelForTokenClassification", "token-classification", "AutoTokenizer"),
        Rule("ForVisualQuestionAnswering", "AutoModelForVisualQuestionAnswering", "visual-question-answering", "AutoProcessor"),
        Rule("ForDocumentQuestionAnswering", "AutoModelForDocumentQuestionAnswering", "document-question-answering", "AutoProcessor"),
        Rule("ForTableQuestionAnswering", "AutoModelForTableQuestionAnswering", "table-question-answering", "AutoTokenizer"),
        Rule("ForQuestionAnswering", "AutoModelForQuestionAnswering", "question-answering", "AutoTokenizer"),
        Rule("ForMultipleChoice", "AutoModelForMultipleChoice", "multiple-choice", "AutoTokenizer"),
        Rule("ForSpeechSeq2Seq", "AutoModelForSpeechSeq2Seq", "automatic-speech-recognition", "AutoProcessor"),
        Rule("ForCTC", "AutoModelForCTC", "automatic-speech-recognition", "AutoProcessor"),
        Rule("ForAudioClassification", "AutoModelForAudioClassification", "audio-classification", "AutoFeatureExtractor"),
        Rule("ForZeroShotObjectDetection", "AutoModelForZeroShotObjectDetection", "zero-shot-object-detection", "AutoProcessor"),
        Rule("ForObjectDetection", "AutoModelForObjectDetection", "object-detection", "AutoImageProcessor"),
        Rule("ForImageClassification", "AutoModelForImageClassification", "image-classification", "AutoImageProcessor"),
        Rule("ForVideoClassification", "AutoModelForVideoClassification", "video-classification", "AutoImageProcessor"),
        Rule("ForSemanticSegmentation", "AutoModelForSemanticSegmentation", "image-segmentation", "AutoImageProcessor"),
        Rule("ForInstanceSegmentation", "AutoModelForInstanceSegmentation", "image-segmentation", "AutoImageProcessor"),
        Rule("ForUniversalSegmentation", "AutoModelForUniversalSegmentation", "image-segmentation", "AutoImageProcessor"),
        Rule("ForDepthEstimation", "AutoModelForDepthEstimation", "depth-estimation", "AutoImageProcessor"),
        Rule("ForMaskedImageModeling", "AutoModelForMaskedImageModeling", nil, "AutoImageProcessor"),
        Rule("ForVision2Seq", "AutoModelForVision2Seq", "image-to-text", "AutoProcessor"),
        Rule("ForMaskGeneration", "AutoModelForMaskGeneration", "mask-generation", "AutoProcessor"),
        Rule("ForPreTraining", "AutoModelForPreTraining", nil, "AutoTokenizer"),
    ]

    private static let speechModels: Set<String> = ["whisper", "speech_to_text", "seamless_m4t", "seamless_m4t_v2", "moonshine"]
    private static let translationModels: Set<String> = ["marian", "m2m_100", "nllb-moe"]
    private static let textToTextModels: Set<String> = [
        "t5", "mt5", "umt5", "longt5", "bart", "mbart", "pegasus", "pegasus_x", "led", "blenderbot", "blenderbot-small",
        "bigbird_pegasus", "switch_transformers", "plbart", "prophetnet", "mvp", "fsmt", "t5gemma",
    ]
    private static let musicModels: Set<String> = ["musicgen", "musicgen_melody"]
    private static let zeroShotImageModels: Set<String> = ["clip", "siglip", "siglip2", "align", "altclip", "chinese_clip", "clipseg"]

    /// `nil` for a config that is none of transformers'.
    package static func info(config: JSONNode, fileNames: Set<String>) -> TransformersInfo? {
        let modelType = config["model_type"]?.string
        let architecture = config["architectures"]?.strings.first
        guard modelType != nil || architecture != nil else { return nil }
        var info = standard(architecture: architecture ?? "", modelType: modelType ?? "")
        if let custom = custom(config, architecture: architecture) {
            info.autoModel = custom.autoModel
            info.customClass = custom.className
        }
        if info.processor == "AutoTokenizer", fileNames.isDisjoint(with: tokenizerFiles) { info.processor = nil }
        return info
    }

    private static let tokenizerFiles: Set<String> = [
        "tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "spiece.model", "tokenizer.model", "sentencepiece.bpe.model",
        "merges.txt",
    ]

    private static func standard(architecture: String, modelType: String) -> TransformersInfo {
        if let rule = rules.first(where: { architecture.hasSuffix($0.suffix) }) {
            return TransformersInfo(autoModel: rule.autoModel, pipelineTag: rule.pipeline, processor: rule.processor)
        }
        if architecture.hasSuffix("ForConditionalGeneration") { return conditional(modelType) }
        if zeroShotImageModels.contains(modelType) {
            return TransformersInfo(
                autoModel: "AutoModelForZeroShotImageClassification", pipelineTag: "zero-shot-image-classification",
                processor: "AutoProcessor")
        }
        return TransformersInfo(autoModel: "AutoModel", pipelineTag: "feature-extraction", processor: "AutoTokenizer")
    }

    private static func conditional(_ modelType: String) -> TransformersInfo {
        if speechModels.contains(modelType) {
            return TransformersInfo(
                autoModel: "AutoModelForSpeechSeq2Seq", pipelineTag: "automatic-speech-recognition", processor: "AutoProcessor")
        }
        if translationModels.contains(modelType) {
            return TransformersInfo(autoModel: "AutoModelForSeq2SeqLM", pipelineTag: "translation", processor: "AutoTokenizer")
        }
        if textToTextModels.contains(modelType) {
            return TransformersInfo(autoModel: "AutoModelForSeq2SeqLM", pipelineTag: "text2text-generation", processor: "AutoTokenizer")
        }
        if musicModels.contains(modelType) {
            return TransformersInfo(autoModel: "AutoModelForTextToWaveform", pipelineTag: "text-to-audio", processor: "AutoProcessor")
        }
        // What is left reads pictures and writes text: llava, qwen2_vl, gemma3, ….
        return TransformersInfo(autoModel: "AutoModelForImageTextToText", pipelineTag: "image-text-to-text", processor: "AutoProcessor")
    }

    /// The class that the repository brings itself, from `auto_map`.
    private static func custom(_ config: JSONNode, architecture: String?) -> (autoModel: String, className: String)? {
        let entries = (config["auto_map"]?.members ?? []).compactMap { member -> (String, String)? in
            guard member.name.hasPrefix("AutoModel"), member.name.utf8.count <= 100, let value = member.value.strings.first,
                value.utf8.count <= 300
            else { return nil }
            return (member.name, value)
        }
        let own = entries.first { entry in architecture.map { entry.1.hasSuffix("." + $0) } ?? false }
        return (own ?? entries.first { $0.0 != "AutoModel" } ?? entries.first).map { (autoModel: $0.0, className: $0.1) }
    }
}
