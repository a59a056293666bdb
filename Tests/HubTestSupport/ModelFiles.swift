/// Small model files made in code.
package enum ModelFiles {
    /// A safetensors file of these tensors; the values are zeros and can be left out.
    package static func safetensors(
        _ tensors: [(name: String, type: String, shape: [Int])], valueBytes: Int = 16, metadata: String = #"{"format":"pt"}"#
    ) -> [UInt8] {
        let entries = tensors.map { tensor in
            #""\#(tensor.name)":{"dtype":"\#(tensor.type)","shape":\#(tensor.shape),"data_offsets":[0,\#(valueBytes)]}"#
        }
        return safetensors(header: "{" + ([#""__metadata__":\#(metadata)"#] + entries).joined(separator: ",") + "}", valueBytes: valueBytes)
    }

    package static func safetensors(header: String, valueBytes: Int = 0) -> [UInt8] {
        little(UInt64(header.utf8.count)) + Array(header.utf8) + [UInt8](repeating: 0, count: valueBytes)
    }

    /// A value of a GGUF file's metadata.
    package enum Value {
        case text(String)
        case number(UInt32)
        case texts([String])
        case floats([Float])
    }

    package static func gguf(
        _ pairs: [(String, Value)], tensors: [(name: String, shape: [UInt64])] = [], version: UInt32 = 3
    ) -> [UInt8] {
        var bytes = Array("GGUF".utf8) + little(version) + little(UInt64(tensors.count)) + little(UInt64(pairs.count))
        for (key, value) in pairs {
            bytes += string(key)
            switch value {
            case .text(let text): bytes += little(UInt32(8)) + string(text)
            case .number(let number): bytes += little(UInt32(4)) + little(number)
            case .texts(let texts): bytes += little(UInt32(9)) + little(UInt32(8)) + little(UInt64(texts.count)) + texts.flatMap(string)
            case .floats(let floats):
                bytes += little(UInt32(9)) + little(UInt32(6)) + little(UInt64(floats.count)) + floats.flatMap { little($0.bitPattern) }
            }
        }
        for tensor in tensors {
            bytes += string(tensor.name) + little(UInt32(tensor.shape.count)) + tensor.shape.flatMap { little($0) }
            bytes += little(UInt32(0)) + little(UInt64(0))
        }
        return bytes
    }

    package static func little(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }

    private static func string(_ text: String) -> [UInt8] { little(UInt64(text.utf8.count)) + Array(text.utf8) }
}

/// Files that are wrong in ways that somebody has thought of, and random changes of good ones.
package enum PoisonedFiles {
    package struct File: Sendable {
        package let path: String
        package let bytes: [UInt8]
    }

    /// `count` files: all of `designed`, then mutations of good ones.
    package static func corpus(count: Int, _ mutator: inout Mutator) -> [File] {
        var files = designed
        let good = good
        while files.count < count {
            let origin = good[mutator.below(good.count)]
            files.append(File(path: origin.path, bytes: mutator.mutate(origin.bytes)))
        }
        return Array(files.prefix(count))
    }

    package static let good: [File] = [
        File(
            path: "README.md",
            bytes: Array(
                """
                ---
                license: mit
                language: [en, zh]
                tags: &t [a, b]
                base_model: x/y
                other: *t
                configs:
                - config_name: default
                  data_files: "*.csv"
                ---
                # A model

                It does something that a paragraph is needed for. [Link](https://arxiv.org/abs/2309.00071)
                """.utf8)),
        File(
            path: "model.safetensors",
            bytes: ModelFiles.safetensors([("a", "F32", [2, 3]), ("b", "BF16", [4, 5, 6])])),
        File(
            path: "model.gguf",
            bytes: ModelFiles.gguf(
                [
                    ("general.architecture", .text("llama")), ("llama.context_length", .number(4096)),
                    ("tokenizer.ggml.tokens", .texts(["a", "b", "c"])), ("tokenizer.ggml.scores", .floats([1, 2, 3])),
                    ("general.file_type", .number(15)), ("tokenizer.chat_template", .text("{{ x }}")),
                ], tensors: [("t", [10, 20]), ("u", [7])])),
        File(path: "config.json", bytes: Array(#"{"architectures":["BertForMaskedLM"],"model_type":"bert","auto_map":{"AutoModel":"m.M"}}"#.utf8)),
        File(
            path: "model.safetensors.index.json",
            bytes: Array(#"{"metadata":{"total_size":5},"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}"#.utf8)),
        File(path: "tokenizer_config.json", bytes: Array(#"{"chat_template":"{{ x }}","bos_token":{"content":"<s>"}}"#.utf8)),
    ]

    private static let designed: [File] = cards + safetensors + gguf + json

    private static var cards: [File] {
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
            + (1...12).map { level in
                let (name, before) = (letter(level), letter(level - 1))
                return "\(name): &\(name) [\((0..<10).map { _ in "*\(before)" }.joined(separator: ","))]\n"
            }.joined()
        let large = "a: &a \"\(String(repeating: "x", count: 100_000))\"\nb: [\((0..<5000).map { _ in "*a" }.joined(separator: ","))]\n"
        let yamls = [
            bomb, large, "a: &a [*a]\n", "a: *missing\n", "? [a, b]\n: c\n", "? *x\n: y\n", "a: 1\na: 2\n", "\ta: b\n", "a: [\n", "a: }\n",
            String(repeating: "[", count: 5000), String(repeating: "a:\n ", count: 3000), String(repeating: "{a: ", count: 500),
            "- just\n- a list\n", "just a text\n", "", "\u{0}", "a: \u{1}\n", "license: [[[mit]]]\ntags: {a: b}\nlanguage: 7\n",
            "tags: [\(String(repeating: "x,", count: 100_000))]\n", "!!python/object:os.system x\n", "<<: 5\n", "<<: [*a]\n",
            "license: \"\(String(repeating: "l", count: 10_000))\"\n", "tags: [\"a\\nb\", \"\\0\", \" \", \"é\"]\n", "%YAML 9.9\n",
            "base_model: [../../etc/passwd, \"a b\", a/b/c, ok/ok]\n", "pipeline_tag: [a]\nlibrary_name: {}\ndatasets: 3\n",
            "a: |\n" + String(repeating: "  text\n", count: 50_000), "a: !!binary x\nb: !<tag:x> y\n",
        ]
        let framed = yamls.map { File(path: "README.md", bytes: Array("---\n\($0)\n---\nBody\n".utf8)) }
        let raw: [[UInt8]] = [
            Array("---\n".utf8), Array("---\nlicense: mit\n".utf8), [0xff, 0xfe, 0x00], [UInt8](repeating: 0x3c, count: 400_000),
            [UInt8](repeating: 0x5b, count: 400_000), Array("---\nlicense: \u{FEFF}mit\n---\n".utf8), Array("---\r\na: b\r\n---\r\n".utf8),
            Array("---\na: ".utf8) + [0xc3, 0x28] + Array("\n---\n".utf8), Array(String(repeating: "](", count: 200_000).utf8),
            Array(String(repeating: "<!--", count: 100_000).utf8), Array(String(repeating: "arxiv.org/abs/", count: 30_000).utf8),
        ]
        return framed + raw.map { File(path: "README.md", bytes: $0) }
    }

    private static func letter(_ number: Int) -> String { String(UnicodeScalar(UInt8(ascii: "a") + UInt8(number))) }

    private static var safetensors: [File] {
        let headers = [
            "", "{", "{}", "[]", "null", #"{"a":1}"#, #"{"a":{"dtype":"F32"}}"#, #"{"a":{"shape":[1]}}"#,
            #"{"a":{"dtype":"F32","shape":[-1]}}"#, #"{"a":{"dtype":"F32","shape":[9223372036854775807,2]}}"#,
            #"{"a":{"dtype":"F32","shape":[99999999999999999999]}}"#, #"{"a":{"dtype":"F32","shape":[1.5]}}"#,
            #"{"a":{"dtype":"\#(String(repeating: "F", count: 100))","shape":[1]}}"#, #"{"a":{"dtype":7,"shape":[1]}}"#,
            #"{"a":{"dtype":"F32","shape":[1]}"#, #"{"a":{"dtype":"F32","shape":[1]}}x"#, #"{"a\u0000":{"dtype":"F32","shape":[]}}"#,
            "{" + (0..<100).map { #""\#($0)":{"dtype":"T\#($0)","shape":[1]}"# }.joined(separator: ",") + "}",
            #"{"__metadata__":\#(String(repeating: "[", count: 10_000))"#, #"{"a":{"dtype":"F32","shape":\#(String(repeating: "[", count: 100))"#,
        ]
        let raw: [[UInt8]] = [
            [], [1, 2, 3], [UInt8](repeating: 0xff, count: 8), [UInt8](repeating: 0xff, count: 100),
            ModelFiles.little(UInt64(1000)) + Array("{}".utf8), ModelFiles.little(UInt64.max / 2) + Array("{}".utf8),
        ]
        return (headers.map { ModelFiles.safetensors(header: $0) } + raw).map { File(path: "model.safetensors", bytes: $0) }
    }

    private static var gguf: [File] {
        let magic = Array("GGUF".utf8)
        let files: [[UInt8]] = [
            [], magic, magic + ModelFiles.little(UInt32(1)), magic + ModelFiles.little(UInt32(3)), Array("FUGG".utf8),
            magic + ModelFiles.little(UInt32(3)) + ModelFiles.little(UInt64.max) + ModelFiles.little(UInt64.max),
            magic + ModelFiles.little(UInt32(3)) + ModelFiles.little(UInt64(0)) + ModelFiles.little(UInt64(1)) + ModelFiles.little(UInt64.max),
            magic + ModelFiles.little(UInt32(3)) + ModelFiles.little(UInt64(0)) + ModelFiles.little(UInt64(1)) + ModelFiles.little(UInt64(1))
                + [0x61] + ModelFiles.little(UInt32(9)) + ModelFiles.little(UInt32(9)) + ModelFiles.little(UInt64(1000)),
            magic + ModelFiles.little(UInt32(3)) + ModelFiles.little(UInt64(0)) + ModelFiles.little(UInt64(1)) + ModelFiles.little(UInt64(1))
                + [0x61] + ModelFiles.little(UInt32(9)) + ModelFiles.little(UInt32(8)) + ModelFiles.little(UInt64.max),
            magic + ModelFiles.little(UInt32(3)) + ModelFiles.little(UInt64(0)) + ModelFiles.little(UInt64(1)) + ModelFiles.little(UInt64(1))
                + [0x61] + ModelFiles.little(UInt32(99)),
            ModelFiles.gguf([], tensors: [("t", [UInt64.max, UInt64.max])]), ModelFiles.gguf([], tensors: [("t", [1 << 40, 1 << 40])]),
            ModelFiles.gguf([], tensors: [("t", [UInt64](repeating: 1, count: 100))]),
            ModelFiles.gguf([("general.architecture", .text(String(repeating: "x", count: 300_000)))]),
            ModelFiles.gguf([("tokenizer.ggml.tokens", .texts([String](repeating: "", count: 100_000)))]),
        ]
        return files.map { File(path: "model.gguf", bytes: $0) }
    }

    private static var json: [File] {
        let texts = [
            "", "{", "[]", "5", "\"x\"", String(repeating: "[", count: 100_000), String(repeating: #"{"a":"#, count: 100_000),
            #"{"architectures":5,"model_type":[]}"#, #"{"architectures":["\#(String(repeating: "A", count: 100_000))"]}"#, "{\"a\":1e999}",
            #"{"auto_map":{"AutoModel":5}}"#, #"{"quantization_config":[1,2]}"#, "{\"a\":\"\\ud800\"}", "{\"a\":\"\u{1}\"}", "\u{0}",
        ]
        let names = ["config.json", "tokenizer_config.json", "adapter_config.json", "model_index.json", "model.safetensors.index.json"]
        let indexes = [#"{"weight_map":{}}"#, #"{"weight_map":{"a":"../x"}}"#, #"{"weight_map":{"a":"gone.safetensors"}}"#, #"{"weight_map":[1]}"#]
        return names.flatMap { name in texts.map { File(path: name, bytes: Array($0.utf8)) } }
            + indexes.map { File(path: "model.safetensors.index.json", bytes: Array($0.utf8)) }
    }
}
