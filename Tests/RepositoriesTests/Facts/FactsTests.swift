import Foundation
import HubCore
import HubTestSupport
import Logging
import MetadataStore
import ServiceLifecycle
import Testing

@testable import Repositories

@Suite("Facts of repositories")
struct FactsTests {
    @Test("a language model is known by its card, its configuration and the header of its large file")
    func languageModel() async throws {
        let site = try await FactsSite()
        let weights = ModelFiles.safetensors([("a", "BF16", [1000, 2000]), ("b", "F32", [10])], valueBytes: 500_000)
        let facts = try await site.facts(
            "models/ada/qwen",
            [
                "README.md": """
                ---
                license: Apache-2.0
                language: [en, zh]
                tags: [chat]
                base_model: Qwen/Qwen2.5-7B
                datasets: [squad, ada/own]
                ---
                # Qwen of Ada

                A model that answers questions of all kinds. See https://arxiv.org/abs/2309.00071.
                """,
                "config.json": #"{"architectures":["Qwen2ForCausalLM"],"model_type":"qwen2"}"#,
                "tokenizer_config.json": #"{"chat_template":"{{ x }}","eos_token":"<e>"}"#, "tokenizer.json": "{}",
            ], large: ["model.safetensors": weights])
        #expect(
            facts.tags == [
                "transformers", "safetensors", "qwen2", "text-generation", "chat", "conversational", "en", "zh", "dataset:squad",
                "dataset:ada/own", "arxiv:2309.00071", "base_model:Qwen/Qwen2.5-7B", "base_model:finetune:Qwen/Qwen2.5-7B",
                "license:apache-2.0", "region:us",
            ])
        #expect(facts.libraryName == "transformers" && facts.pipelineTag == "text-generation" && facts.license == "apache-2.0")
        #expect(facts.safetensors?.json.text == #"{"parameters":{"BF16":2000000,"F32":10},"total":2000010}"#)
        #expect(facts.transformersInfo?.autoModel == "AutoModelForCausalLM")
        #expect(
            facts.config?.text
                == #"{"architectures":["Qwen2ForCausalLM"],"model_type":"qwen2","tokenizer_config":{"eos_token":"<e>","chat_template":"{{ x }}"}}"#)
        #expect(facts.title == "Qwen of Ada" && facts.summary?.hasPrefix("A model that") == true)
        #expect(facts.fileCount == 5 && facts.filesBytes > Int64(weights.count) && facts.usedStorageBytes > Int64(weights.count))
        #expect(facts.warnings.isEmpty)
        try await site.close()
    }

    @Test("shards, GGUF files, adapters, pipelines and datasets")
    func others() async throws {
        let site = try await FactsSite()
        let shard = ModelFiles.safetensors([("a", "F16", [100])])
        let sharded = try await site.facts(
            "models/ada/sharded",
            ["model.safetensors.index.json": #"{"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors"}}"#],
            large: ["model-1.safetensors": shard, "model-2.safetensors": shard])
        #expect(sharded.safetensors?.total == 200 && sharded.parameters == 200)

        let gguf = ModelFiles.gguf(
            [("general.architecture", .text("llama")), ("tokenizer.chat_template", .text("x"))], tensors: [("t", [50])])
        let quantized = try await site.facts(
            "models/ada/gguf", ["README.md": "---\nbase_model: a/b\n---\n"],
            large: ["q-00001-of-00002.gguf": gguf, "q-00002-of-00002.gguf": ModelFiles.gguf([], tensors: [("u", [7])])])
        #expect(quantized.gguf?.total == 57 && quantized.libraryName == "gguf" && quantized.pipelineTag == "text-generation")
        #expect(quantized.tags.contains("base_model:quantized:a/b") && quantized.tags.contains("conversational"))

        let adapter = try await site.facts(
            "models/ada/lora", ["adapter_config.json": #"{"base_model_name_or_path":"a/b","task_type":"CAUSAL_LM"}"#],
            large: ["adapter_model.safetensors": shard])
        #expect(adapter.libraryName == "peft" && adapter.tags.contains("base_model:adapter:a/b") && adapter.safetensors == nil)

        let diffusers = try await site.facts("models/ada/sd", ["model_index.json": #"{"_class_name":"StableDiffusionPipeline"}"#])
        #expect(diffusers.libraryName == "diffusers" && diffusers.pipelineTag == "text-to-image")

        let dataset = try await site.facts(
            "datasets/ada/set",
            [
                "README.md": "---\nlanguage: fr\ntask_categories: [question-answering]\nsize_categories: [n<1K]\npretty_name: Set\n"
                    + "configs:\n- config_name: default\n---\n",
                "data/train.csv": "a,b\n",
            ])
        #expect(
            dataset.tags == [
                "task_categories:question-answering", "language:fr", "size_categories:n<1K", "format:csv", "modality:tabular",
                "library:datasets", "region:us",
            ])
        #expect(dataset.title == "Set" && dataset.datasetConfigs != nil)

        let space = try await site.facts("spaces/ada/app", ["README.md": "---\nsdk: gradio\nmodels: [ada/sd]\n---\n", "app.py": ""])
        #expect(space.sdk == "gradio" && space.tags == ["gradio", "model:ada/sd", "region:us"])
        try await site.close()
    }

    @Test("facts of any revision are made without touching the kept ones")
    func revisions() async throws {
        let site = try await FactsSite()
        let repository = try await site.repository("models/ada/a")
        #expect(try await site.facts.current(of: repository).commit == nil)
        try await site.commit(["README.md": Array("---\ntags: [one]\n---\n".utf8)], to: repository)
        let first = try await site.facts.current(of: repository)
        try await site.commit(["README.md": Array("---\ntags: [two]\n---\n".utf8)], to: repository)
        let second = try await site.facts.current(of: repository)
        #expect(first.tags.contains("one") && second.tags.contains("two"))
        let again = try await site.facts.facts(of: repository, at: try #require(first.commit))
        #expect(again.tags == first.tags)
        #expect(try await site.store.facts(of: repository.id)?.commit == second.commit)
        try await site.close()
    }

    @Test("the service follows pushes, catches up at start and survives a poisoned corpus that changes nothing else", .timeLimit(.minutes(4)))
    func poisoned() async throws {
        let site = try await FactsSite()
        var mutator = Mutator()
        let healthy = try await site.facts("models/ada/healthy", ["README.md": "---\nlicense: mit\n---\nAn ordinary model for tests."])
        let corpus = PoisonedFiles.corpus(count: Mutator.isFull ? 2000 : 500, &mutator)
        // Half of them are there before the service starts.
        for (number, file) in corpus.prefix(corpus.count / 2).enumerated() { try await push(file, number, to: site) }
        let (indexed, indexing) = AsyncStream.makeStream(of: Void.self)
        var settings = FactsIndexer.Settings()
        settings.indexed = { _ in indexing.yield() }
        let indexer = FactsIndexer(facts: site.facts, settings: settings, logger: Logger(label: "test"))
        let group = ServiceGroup(services: [indexer], logger: Logger(label: "test"))
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            for (number, file) in corpus.enumerated().dropFirst(corpus.count / 2) { try await push(file, number, to: site) }
            try await allIndexed(site, indexed)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        let time = (ContinuousClock.now - start) / .seconds(1)
        print("indexed \(corpus.count) repositories with wrong files in \(time) s, seed \(mutator.seed)")
        var query = RepositoryListQuery(visibleTo: .publicOnly, limit: 1000)
        let page = try await site.store.listRepositories(query)
        #expect(page.total == corpus.count + 1, "seed \(mutator.seed)")
        #expect(page.items.allSatisfy { $0.facts.commit != nil && $0.facts.fileCount == 1 }, "seed \(mutator.seed)")
        #expect(page.items.filter { !$0.facts.warnings.isEmpty }.count > corpus.count / 4, "seed \(mutator.seed)")
        query.nameParts = ["healthy"]
        query.includesCardData = true
        #expect(try await site.store.listRepositories(query).items.map(\.facts) == [healthy])
        try await site.close()
    }

    private func allIndexed(_ site: FactsSite, _ indexed: AsyncStream<Void>) async throws {
        for await _ in indexed {
            if try await site.store.staleFacts(after: nil, rules: FactsRules.version).repositories.isEmpty { return }
        }
    }

    private func push(_ file: PoisonedFiles.File, _ number: Int, to site: FactsSite) async throws {
        let repository = try await site.repository("models/ada/poison\(number)")
        let isLarge = number % 3 == 0 && !file.bytes.isEmpty
        try await site.commit(isLarge ? [:] : [file.path: file.bytes], large: isLarge ? [file.path: file.bytes] : [:], to: repository)
    }
}
