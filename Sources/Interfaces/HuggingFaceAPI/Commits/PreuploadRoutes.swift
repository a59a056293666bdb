import FoundationEssentials
import GitStore
import HubCore
import Hummingbird
import Repositories

/// How files of a commit are to be sent. hf-hub-api §6 a and b.
enum PreuploadRoutes {
    private static let maximumFiles = 1_000
    private static let maximumBodyBytes = 16 << 20

    static var all: [HubRoute] {
        [
            HubRoute(.post, "/api/{kinds}/{repo}/preupload/{rev...}") { try await preupload($0) },
            HubRoute(.post, "/api/validate-yaml") { try await CardValidation($0).respond() },
        ]
    }

    private struct Form: Decodable {
        struct File: Decodable {
            let path: String
            /// The first 512 bytes in Base64.
            let sample: String?
            let size: Int64?
        }

        let files: [File]
        let gitIgnore: String?
    }

    private static func preupload(_ call: HubCall) async throws -> Response {
        let target = try await CommitTarget(call, opensRequest: call.flag("create_pr"))
        if call.flag("create_pr") || target.reference.text.hasPrefix("refs/pr/"), let account = call.principal.account {
            // The caller may open a pull request or commit to this one, so it may upload what goes into it.
            call.services.lfs.proposals.note(account.id, in: target.repository.id)
        }
        let form = try await call.json(Form.self, limit: maximumBodyBytes)
        guard form.files.count <= maximumFiles else { throw HubAPIError.tooMany("files", limit: maximumFiles) }
        guard form.files.allSatisfy({ $0.size ?? 0 >= 0 }) else {
            throw HubAPIError.invalidRequest("The size of a file is a number of bytes.")
        }
        let view = try await call.viewIfAny(target.repository, at: target.reference.text)
        let rules = try await UploadRules(
            paths: form.files.map(\.path), view: view, kind: target.repository.kind, gitIgnore: form.gitIgnore, call)
        let present = try await present(form.files.map(\.path), view, call)
        let files = form.files.map { file -> JSON in
            let isLarge = rules.isLarge(file.path, sizeBytes: file.size ?? 0, sample: file.sample)
            let answer: JSON = [
                "path": .string(file.path), "uploadMode": isLarge ? "lfs" : "regular",
                "shouldIgnore": .bool(rules.ignores(file.path)),
            ]
            // Equal to that of the local file, it tells the client that nothing has changed.
            guard let entry = present[file.path], (entry.pointer != nil) == isLarge else { return answer }
            return answer.adding("oid", .string(entry.etag))
        }
        return call.answer(["files": .array(files)])
    }

    private static func present(
        _ paths: [String], _ view: RevisionView?, _ call: HubCall
    ) async throws -> [String: FileEntry] {
        guard let view else { return [:] }
        let entries = try await call.services.git.threads.run {
            try Set(paths).compactMap { path -> ListedEntry? in
                guard !path.isEmpty, let entry = try view.objects.entry(at: path, in: view.commit), !entry.isTree else {
                    return nil
                }
                return ListedEntry(path: Array(path.utf8), mode: entry.mode, oid: entry.oid)
            }
        }
        let files = try await view.files(entries, call.services)
        return Dictionary(files.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
    }
}

/// Which files are large and which are left out, by the repository's own files.
package struct UploadRules: Sendable {
    private static let maximumFileBytes: Int64 = 1 << 20
    /// Folders whose `.gitattributes` are looked for in one call.
    private static let maximumFolders = 2_000

    private var attributes = GitAttributes()
    private let ignored: IgnoreRules

    /// - Parameters:
    ///   - view: the branch that the files are for; `nil` when it has no commit yet.
    ///   - gitIgnore: rules of the client's own instead of the repository's.
    package init(paths: [String], view: RevisionView?, kind: RepositoryKind, gitIgnore: String?, _ call: HubCall) async throws {
        guard let view else {
            attributes.add(LargeFilePatterns.attributes(for: kind), in: "")
            ignored = IgnoreRules(gitIgnore ?? "")
            return
        }
        var folders: Set<String> = [""]
        for path in paths {
            let parts = path.split(separator: "/").dropLast()
            for depth in 0..<parts.count where folders.count < Self.maximumFolders {
                folders.insert(parts.prefix(depth + 1).joined(separator: "/"))
            }
        }
        let wanted = folders
        let (texts, own) = try await call.services.git.threads.run { () throws -> ([String: String], String) in
            var texts: [String: String] = [:]
            for folder in wanted {
                let path = folder.isEmpty ? GitAttributes.fileName : "\(folder)/\(GitAttributes.fileName)"
                texts[folder] = try Self.text(at: path, view)
            }
            return (texts, try gitIgnore ?? Self.text(at: IgnoreRules.fileName, view) ?? "")
        }
        for (folder, text) in texts { attributes.add(text, in: folder) }
        ignored = IgnoreRules(own)
    }

    package func ignores(_ path: String) -> Bool { ignored.ignores(path) }

    /// Whether `.gitattributes` names it as large; without a commit, what the first one says.
    func isTracked(_ path: String) -> Bool { attributes.isLargeFile(path) }

    /// By `.gitattributes`, by size, or by its first bytes. An empty file is never large.
    package func isLarge(_ path: String, sizeBytes: Int64, sample: String?) -> Bool {
        if sizeBytes == 0 { return false }
        if attributes.isLargeFile(path) || sizeBytes > LargeFilePatterns.thresholdBytes { return true }
        guard let sample, sample.utf8.count <= 4_096, let bytes = Data(base64Encoded: sample) else { return false }
        return Self.isBinary(bytes, isWhole: Int64(bytes.count) == sizeBytes)
    }

    /// A NUL, or no UTF-8; a character that the sample cuts off at its end does not count.
    private static func isBinary(_ bytes: Data, isWhole: Bool) -> Bool {
        if bytes.contains(0) { return true }
        for cut in 0...(isWhole ? 0 : 3) where String(validating: bytes.dropLast(cut), as: UTF8.self) != nil { return false }
        return true
    }

    private static func text(at path: String, _ view: RevisionView) throws -> String? {
        guard let entry = try view.objects.entry(at: path, in: view.commit), GitFileMode.isRegularFile(entry.mode),
            let header = try view.objects.header(of: entry.oid), header.sizeBytes <= maximumFileBytes
        else { return nil }
        return String(decoding: try view.objects.read(entry.oid, limit: maximumFileBytes).bytes, as: UTF8.self)
    }
}
