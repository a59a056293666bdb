import BundleFormat
import Bundles
import HubCore

/// What a bundle is to be made of, as the command line and collections name it.
struct BundleOrder {
    struct HubRepository: Hashable {
        let reference: RepositoryReference
        /// A branch, tag or commit; `nil` for all refs.
        let revision: String?
    }

    struct Folder: Hashable {
        let path: String
        let reference: RepositoryReference
    }

    struct Attachment: Hashable {
        let reference: RepositoryReference
        let format: String
        let path: String
    }

    var repositories: [HubRepository] = []
    var folders: [Folder] = []
    var caches: [String] = []
    var aliases: [BundleManifest.Alias] = []
    var attachments: [Attachment] = []

    /// The name that an attached file has in the bundle.
    static func name(of path: String) -> String { String(path.split(separator: "/").last ?? "") }

    var isEmpty: Bool { repositories.isEmpty && folders.isEmpty && caches.isEmpty }

    /// Words of `--repository`: `KIND NS/NAME[@REV]` or `models/ns/name[@REV]`, any number of them.
    static func repositories(_ words: [String]) throws -> [HubRepository] {
        var found: [HubRepository] = []
        for text in try references(words) {
            // Names have no `@`; what a branch's name may have follows it.
            let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if parts.count == 2, parts[1].isEmpty { throw CommandFailure(.usage, "\(text) names no revision after the @.") }
            found.append(HubRepository(reference: try RepositoryReference(parsing: parts[0]), revision: parts.count == 2 ? parts[1] : nil))
        }
        return found
    }

    /// Words of `--as`.
    static func names(_ words: [String]) throws -> [RepositoryReference] {
        try references(words).map { try RepositoryReference(parsing: $0) }
    }

    /// Joins a kind with the name after it.
    private static func references(_ words: [String]) throws -> [String] {
        var texts: [String] = []
        var rest = words[...]
        while let word = rest.popFirst() {
            guard RepositoryKind(parsing: word) != nil, !word.contains("/") else {
                texts.append(word)
                continue
            }
            guard let name = rest.popFirst() else { throw CommandFailure(.usage, "A name must follow “\(word)”, as in “model ada/bert”.") }
            texts.append("\(word)/\(name)")
        }
        return texts
    }

    /// Pairs each folder with the name after it.
    static func folders(_ paths: [String], as words: [String]) throws -> [Folder] {
        let names = try names(words)
        guard names.count == paths.count else {
            throw CommandFailure(.usage, "Each --folder needs its --as KIND NS/NAME; there are \(paths.count) folders and \(names.count) names.")
        }
        return zip(paths, names).map { Folder(path: HubLocation.absolute($0), reference: $1) }
    }

    /// Adds what a collection file names, a line each:
    ///
    ///     # models of this quarter
    ///     model Qwen/Qwen3-8B
    ///     dataset ada/corpus@v2
    ///     folder /srv/models/bert as model ada/bert
    ///     cache /home/ada/.cache/huggingface/hub
    ///     alias model gpt2 = openai-community/gpt2
    ///     attach model Qwen/Qwen3-8B spdx-3.0.1+json /srv/sbom/qwen.json
    mutating func add(collection text: String, name: String) throws {
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            do {
                try add(first, Array(words.dropFirst()))
            } catch {
                throw CommandFailure(.badData, "Line \(number + 1) of \(name): \(CommandFailure(error).message)")
            }
        }
    }

    private mutating func add(_ verb: String, _ words: [String]) throws {
        switch verb {
        case "folder":
            guard let keyword = words.lastIndex(of: "as"), keyword > 0 else { throw Self.form("folder PATH as KIND NS/NAME") }
            folders += try Self.folders([words[..<keyword].joined(separator: " ")], as: Array(words[(keyword + 1)...]))
        case "cache":
            guard !words.isEmpty else { throw Self.form("cache PATH") }
            caches.append(HubLocation.absolute(words.joined(separator: " ")))
        case "alias":
            guard words.count == 4, words[2] == "=", let kind = RepositoryKind(parsing: words[0]) else { throw Self.form("alias KIND NAME = NS/NAME") }
            aliases.append(.init(kind: kind, name: words[1], target: try RepositoryName(parsing: words[3])))
        case "attach":
            guard words.count >= 4, let kind = RepositoryKind(parsing: words[0]) else { throw Self.form("attach KIND NS/NAME FORMAT PATH") }
            attachments.append(
                Attachment(
                    reference: RepositoryReference(kind: kind, name: try RepositoryName(parsing: words[1])), format: words[2],
                    path: HubLocation.absolute(words[3...].joined(separator: " "))))
        default: repositories += try Self.repositories([verb] + words)
        }
    }

    private static func form(_ text: String) -> CommandFailure { CommandFailure(.badData, "Write “\(text)”.") }

    /// The order as text, by which an interrupted run is found again.
    var text: String {
        let parts =
            repositories.map { "repository \($0.reference)@\($0.revision ?? "")" } + folders.map { "folder \($0.path) \($0.reference)" }
            + caches.map { "cache \($0)" } + aliases.map { "alias \($0.kind) \($0.name) \($0.target)" }
            + attachments.map { "attach \($0.reference) \($0.format) \($0.path)" }
        return parts.joined(separator: "\n")
    }
}
