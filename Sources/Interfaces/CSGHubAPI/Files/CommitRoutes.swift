import FoundationEssentials
import GitStore
import HubCore
import HuggingFaceAPI
import Hummingbird
import Repositories

/// How files are to be sent, and commits of them. csghub-api §2.2 (8, 13).
enum CommitRoutes {
    private static let maximumFiles = 1_000
    /// csghub-sdk sends up to 75 files in one body, which must be held whole; larger files are to come by LFS.
    static let maximumRegularBytes: Int64 = 512 << 10
    private static let maximumBodyBytes = 64 << 20

    static var all: [HubRoute] {
        [
            CSGHubAPI.route(.post, "/{kinds}/{repo}/preupload/{rev...}") { try await preupload($0) },
            CSGHubAPI.route(.post, "/{kinds}/{repo}/commit/{rev...}") { try await commit($0) },
        ]
    }

    private struct PreuploadForm: Decodable {
        struct File: Decodable {
            let path: String
            let size: Int64?
        }

        let files: [File]
    }

    private static func preupload(_ call: HubCall) async throws -> Response {
        let repository = try await call.repository(for: .write)
        let form = try await call.json(PreuploadForm.self)
        guard form.files.count <= maximumFiles else { throw CSGHubError.tooMany("files", limit: maximumFiles) }
        let view = try await call.viewIfAny(repository, at: call.revision)
        let rules = try await UploadRules(
            paths: form.files.map(\.path), view: view, kind: repository.kind, gitIgnore: nil, call)
        var answers: [JSON] = []
        for file in form.files {
            let present = file.path.isEmpty ? nil : try await view?.file(at: file.path, call.services)
            let isLarge =
                rules.isLarge(file.path, sizeBytes: file.size ?? 0, sample: nil) || (file.size ?? 0) > maximumRegularBytes
            answers.append([
                "path": .string(file.path), "uploadMode": isLarge ? "lfs" : "regular",
                "shouldIgnore": .bool(rules.ignores(file.path)), "isDir": .bool(present?.isFolder ?? false),
                "oid": .string(present.map { $0.isFolder ? "" : $0.etag } ?? ""),
            ])
        }
        return call.envelope(["files": .array(answers)])
    }

    private struct CommitForm: Decodable {
        struct File: Decodable {
            let path: String
            let action: String?
            /// Base64; of a large file its pointer.
            let content: String?
        }

        let message: String?
        let files: [File]
    }

    private static func commit(_ call: HubCall) async throws -> Response {
        let repository = try await call.repository(for: .write)
        let form = try await call.json(CommitForm.self, limit: maximumBodyBytes)
        guard form.files.count <= maximumFiles else { throw CSGHubError.tooMany("files", limit: maximumFiles) }
        let draft = try await call.services.git.beginCommit(to: repository, branch: call.revision, by: call.caller)
        let view = try await call.viewIfAny(repository, at: call.revision)
        var tracking = LargeFileTracking()
        for file in form.files {
            switch file.action ?? "create" {
            case "create", "update":
                // csghub-sdk breaks its lines.
                // csghub-sdk breaks its lines.
                guard let content = Data(base64Encoded: file.content ?? "", options: .ignoreUnknownCharacters) else {
                    throw CSGHubError.invalid("The content of \(file.path.shortened) is not Base64.")
                }
                if file.path == GitAttributes.fileName { tracking.replace(with: String(decoding: content, as: UTF8.self)) }
                if let pointer = LFSPointer(parsing: Array(content)) {
                    try await draft.add(file.path, pointer: pointer)
                    tracking.add(file.path)
                } else {
                    try await draft.add(file.path, content: Array(content))
                }
            case "delete": try await draft.delete(file.path)
            case let other: throw CSGHubError.invalid("“\(other.shortened)” is no action; use create, update or delete.")
            }
        }
        try await tracking.complete(draft, view, of: repository.kind, call)
        let made = try await draft.commit(
            message: form.message ?? "Upload with csghub-sdk", author: call.author, acceptsUnchanged: true)
        return call.envelope(["commit_id": .string(made.oid.hex)])
    }
}
