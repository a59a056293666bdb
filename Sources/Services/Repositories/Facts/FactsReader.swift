import FoundationEssentials
import GitStore
import HubCore
import MetadataStore
import ModelFormats
import ObjectStore

/// Everything that the files of a commit say, before the rules make facts of it.
struct FileFindings: Sendable {
    var kind = RepositoryKind.model
    var files = RepositoryFiles()
    var card: Card?
    var text: CardText?
    /// `config.json`, `tokenizer_config.json`, `adapter_config.json`, `model_index.json`, at the root.
    var config: JSONNode?
    var tokenizerConfig: JSONNode?
    var adapterConfig: JSONNode?
    var diffusersIndex: JSONNode?
    /// `chat_template.jinja`.
    var chatTemplate: String?
    var safetensors: SafetensorsFacts?
    var gguf: GGUFFacts?
    var warnings: [FactsWarning] = []
}

/// Reads what the facts of a commit need: the tree, some small files, the headers of model files.
///
/// What one file does wrong becomes a warning. Of large files only headers are read, at most `maximumHeaderBytes` of all of them.
struct FactsReader {
    static let maximumWarnings = 50
    static let maximumConfigBytes: Int64 = 4 << 20
    static let maximumTemplateBytes: Int64 = 1 << 20
    static let maximumHeaderBytes: Int64 = 512 << 20
    static let maximumGGUFParts = 100

    private let contents: FileContents
    private var findings = FileFindings()

    init(_ contents: FileContents) { self.contents = contents }

    static func read(_ commit: GitOID, contents: FileContents) async throws -> FileFindings {
        var reader = FactsReader(contents)
        reader.findings.kind = contents.repository.kind
        let objects = contents.objects
        reader.findings.files = try await contents.threads.run { try RepositoryFiles.read(commit, in: objects) }
        if reader.findings.files.isCutOff { reader.warn("", "The repository has more files or folders than are counted.") }
        try await reader.readCard()
        guard contents.repository.kind == .model else { return reader.findings }
        try await reader.readConfigs()
        try await reader.readSafetensors()
        try await reader.readGGUF()
        return reader.findings
    }

    private mutating func warn(_ path: String, _ message: String) {
        guard findings.warnings.count < Self.maximumWarnings else { return }
        findings.warnings.append(FactsWarning(path: String(path.prefix(500)), message: String(message.prefix(500))))
    }

    /// Does something with a file; what is wrong with the file is a warning.
    private mutating func attempt<Value>(_ file: RepositoryFile, _ body: (RepositoryFile) async throws -> Value) async throws -> Value? {
        do {
            return try await body(file)
        } catch let error as FormatError {
            warn(file.path, error.message)
        } catch let error as JSONError {
            warn(file.path, error.problem.message)
        } catch let error as LFSError {
            warn(file.path, error.problem.message)
        } catch let error as ObjectStoreError {
            warn(file.path, error.problem.message)
        } catch let error as GitStoreError where error.isAboutContent {
            warn(file.path, error.problem.message)
        }
        return nil
    }

    // MARK: - Small files

    private mutating func readCard() async throws {
        let names = ["README.md", "readme.md", "Readme.md", "README.MD"]
        guard let file = names.lazy.compactMap({ [files = findings.files] in files[$0] }).first else { return }
        let contents = contents
        let bytes = try await attempt(file) { try await contents.read($0, limit: Card.maximumBytes) }
        guard let bytes else { return }
        let card = Card(parsing: bytes)
        if let problem = card.problem { warn(file.path, problem.message) }
        findings.text = CardText(markdown: card.body)
        findings.card = card
    }

    private mutating func readConfigs() async throws {
        findings.config = try await json("config.json")
        findings.tokenizerConfig = try await json("tokenizer_config.json")
        findings.adapterConfig = try await json("adapter_config.json")
        findings.diffusersIndex = try await json("model_index.json")
        guard let file = findings.files["chat_template.jinja"] else { return }
        let contents = contents
        findings.chatTemplate = try await attempt(file) { file in
            String(decoding: try await contents.read(file, limit: Self.maximumTemplateBytes), as: UTF8.self)
        }
    }

    private mutating func json(_ name: String) async throws -> JSONNode? {
        guard let file = findings.files[name] else { return nil }
        let contents = contents
        return try await attempt(file) { file in
            let node = try JSONParser.parse(try await contents.read(file, limit: Self.maximumConfigBytes))
            guard case .object = node else { throw FormatError("The file is no JSON object.") }
            return node
        }
    }

    // MARK: - Model files

    private mutating func readSafetensors() async throws {
        let shards = try await safetensorsFiles()
        var sum: SafetensorsHeader?
        var left = Self.maximumHeaderBytes
        for file in shards {
            try Task.checkCancellation()
            let contents = contents
            let header = try await attempt(file) { try await SafetensorsHeader.read(try await contents.source(of: $0)) }
            // A model without one of its shards has no number of parameters.
            guard let header else { return }
            left -= header.headerBytes
            guard left > 0 else { return warn(file.path, "The headers of all shards together are too large.") }
            let soFar = sum
            sum = try await attempt(file) { _ in
                guard var soFar else { return header }
                try soFar.add(header)
                return soFar
            }
            guard sum != nil else { return }
        }
        findings.safetensors = sum?.facts
    }

    /// The one model file at the root, or the shards that an index at the root names.
    private mutating func safetensorsFiles() async throws -> [RepositoryFile] {
        let files = findings.files
        if let whole = files["model.safetensors"] { return [whole] }
        let atRoot = files.kept.filter(\.isAtRoot)
        let index = files["model.safetensors.index.json"] ?? atRoot.first { $0.path.hasSuffix(".safetensors.index.json") }
        guard let index else {
            let single = atRoot.filter { $0.path.hasSuffix(".safetensors") }
            return single.count == 1 && !single[0].path.hasPrefix("adapter_") ? single : []
        }
        let contents = contents
        let shards = try await attempt(index) { file in
            let shards = try SafetensorsIndex(parsing: try await contents.read(file, limit: SafetensorsIndex.maximumBytes)).shards
            let byPath = Dictionary(atRoot.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
            return try shards.map { name in
                guard let file = byPath[name] else { throw FormatError("The index names \(name.shortened), which is not there.") }
                return file
            }
        }
        return shards ?? []
    }

    private mutating func readGGUF() async throws {
        let all = findings.files.kept.filter { $0.path.hasSuffix(".gguf") }
        let models = all.filter { !$0.path.lowercased().contains("mmproj") }
        guard let first = models.first ?? all.first else { return }
        var sum: GGUFHeader?
        for file in GGUFParts.parts(of: first, among: all).prefix(Self.maximumGGUFParts) {
            try Task.checkCancellation()
            let contents = contents
            let soFar = sum
            sum = try await attempt(file) { file in
                let header = try await GGUFHeader.read(try await contents.source(of: file))
                guard var soFar else { return header }
                try soFar.add(header)
                return soFar
            }
            guard sum != nil else { return }
        }
        findings.gguf = sum?.facts
    }
}

/// The files of a model that `gguf-split` has cut: `name-00001-of-00003.gguf`.
enum GGUFParts {
    static func parts(of first: RepositoryFile, among files: [RepositoryFile]) -> [RepositoryFile] {
        guard let match = first.path.firstMatch(of: /-00001-of-(\d{5})\.gguf$/) else { return [first] }
        let stem = first.path[..<match.range.lowerBound]
        let end = "-of-\(match.output.1).gguf"
        return files.filter { $0.path.hasPrefix(stem + "-") && $0.path.hasSuffix(end) && $0.path.utf8.count == first.path.utf8.count }
    }
}

extension GitStoreError {
    /// About what is stored, not about the hub's condition.
    fileprivate var isAboutContent: Bool {
        switch self {
        case .missing, .tooLarge, .malformed, .corrupt, .unexpectedType: true
        default: false
        }
    }
}
