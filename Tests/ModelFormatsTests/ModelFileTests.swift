import HubCore
import HubTestSupport
import Testing

@testable import ModelFormats

@Suite("Model files")
struct ModelFileTests {
    private func safetensors(_ bytes: [UInt8]) async throws -> SafetensorsFacts {
        try await SafetensorsHeader.read(MemoryBytes(bytes)).facts
    }

    @Test("safetensors headers count elements by type")
    func counts() async throws {
        let file = ModelFiles.safetensors([("a", "F32", [2, 3]), ("b", "BF16", [4]), ("c", "F32", []), ("d", "I64", [0, 9])])
        let facts = try await safetensors(file)
        #expect(facts.json.text == #"{"parameters":{"BF16":4,"F32":7,"I64":0},"total":11}"#)
        #expect(try await safetensors(ModelFiles.safetensors(header: "{}   \n")).total == 0)
    }

    @Test("an index names its shards once, and only beside it")
    func index() throws {
        let index = try SafetensorsIndex(parsing: Array(#"{"metadata":{"x":[{}]},"weight_map":{"a":"2","b":"1","c":"2"}}"#.utf8))
        #expect(index.shards == ["1", "2"])
        for text in [#"{"weight_map":{"a":"../x"}}"#, #"{"weight_map":{}}"#, "{}", "[", #"{"weight_map":{"a":5}}"#] {
            #expect(throws: FormatError.self) { try SafetensorsIndex(parsing: Array(text.utf8)) }
        }
    }

    @Test("GGUF files tell their architecture, context, quantization and size", arguments: [2, 3] as [UInt32])
    func gguf(version: UInt32) async throws {
        let file = ModelFiles.gguf(
            [
                ("general.architecture", .text("llama")), ("llama.context_length", .number(8192)), ("general.file_type", .number(15)),
                ("tokenizer.ggml.tokens", .texts((0..<40_000).map { "token\($0)" })), ("tokenizer.ggml.scores", .floats([1, 2])),
                ("tokenizer.chat_template", .text("{{ messages }}")),
            ], tensors: [("a", [100, 200]), ("b", [7])], version: version)
        let facts = try await GGUFHeader.read(MemoryBytes(file)).facts
        #expect(facts.total == 20_007)
        #expect(facts.architecture == "llama" && facts.contextLength == 8192 && facts.quantization == "Q4_K_M")
        #expect(facts.chatTemplate == "{{ messages }}")
    }

    @Test("architectures tell the auto class and the task")
    func tasks() throws {
        let cases: [(String, String?)] = [
            (#"{"architectures":["Qwen2ForCausalLM"],"model_type":"qwen2"}"#, "AutoModelForCausalLM text-generation AutoTokenizer"),
            (#"{"architectures":["BertForMaskedLM"],"model_type":"bert"}"#, "AutoModelForMaskedLM fill-mask AutoTokenizer"),
            (#"{"architectures":["GPT2LMHeadModel"]}"#, "AutoModelForCausalLM text-generation AutoTokenizer"),
            (#"{"architectures":["T5ForConditionalGeneration"],"model_type":"t5"}"#, "AutoModelForSeq2SeqLM text2text-generation AutoTokenizer"),
            (#"{"architectures":["WhisperForConditionalGeneration"],"model_type":"whisper"}"#, "AutoModelForSpeechSeq2Seq automatic-speech-recognition AutoProcessor"),
            (#"{"architectures":["Qwen2VLForConditionalGeneration"],"model_type":"qwen2_vl"}"#, "AutoModelForImageTextToText image-text-to-text AutoProcessor"),
            (#"{"architectures":["CLIPModel"],"model_type":"clip"}"#, "AutoModelForZeroShotImageClassification zero-shot-image-classification AutoProcessor"),
            (#"{"architectures":["BertModel"],"model_type":"bert"}"#, "AutoModel feature-extraction AutoTokenizer"),
            (#"{"dim":5}"#, nil),
        ]
        for (config, expected) in cases {
            let info = TransformersTask.info(config: try JSONParser.parse(config), fileNames: ["tokenizer.json"])
            let text = info.map { "\($0.autoModel) \($0.pipelineTag ?? "-") \($0.processor ?? "-")" }
            #expect(text == expected)
        }
        let custom = try JSONParser.parse(
            #"{"architectures":["OwnForCausalLM"],"auto_map":{"AutoConfig":"c.C","AutoModelForCausalLM":"modeling.OwnForCausalLM"}}"#)
        let info = TransformersTask.info(config: custom, fileNames: [])
        #expect(info?.customClass == "modeling.OwnForCausalLM" && info?.processor == nil)
    }

    @Test("any bytes are taken: what is wrong is refused, nothing else happens")
    func mutations() async throws {
        var mutator = Mutator()
        for file in PoisonedFiles.corpus(count: Mutator.cases(1500), &mutator) {
            do {
                switch file.path {
                case "README.md":
                    let card = Card(parsing: file.bytes)
                    #expect((card.data?.utf8.count ?? 0) < 8 << 20, "seed \(mutator.seed)")
                    #expect(CardText(markdown: card.body).text.utf8.count <= CardText.maximumBytes + 4, "seed \(mutator.seed)")
                case "model.safetensors": #expect(try await safetensors(file.bytes).total >= 0, "seed \(mutator.seed)")
                case "model.gguf": #expect(try await GGUFHeader.read(MemoryBytes(file.bytes)).total >= 0, "seed \(mutator.seed)")
                case "model.safetensors.index.json": _ = try SafetensorsIndex(parsing: file.bytes)
                default: _ = TransformersTask.info(config: try JSONParser.parse(file.bytes), fileNames: [])
                }
            } catch is FormatError {
                // Refused in words.
            } catch is JSONError {
                // As above.
            }
        }
    }
}
