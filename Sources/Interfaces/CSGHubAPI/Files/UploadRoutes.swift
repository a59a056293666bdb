import GitStore
import HubCore
import HuggingFaceAPI
import Hummingbird
import MetadataStore
import NIOCore
import ObjectStore
import Repositories

/// A file as a form, however large. csghub-api §2.2 (7).
enum UploadRoutes {
    private static let maximumFieldBytes = 8 << 10

    static var all: [HubRoute] {
        [CSGHubAPI.route(.post, "/{kinds}/{repo}/upload_file") { try await upload($0) }]
    }

    /// `requests`, which csghub-sdk sends by, puts the fields before the file.
    private static func upload(_ call: HubCall) async throws -> Response {
        let repository = try await call.repository(for: .write)
        let body = try MultipartReader(call.request)
        var fields: [String: String] = [:]
        while let part = try await body.nextPart() {
            guard part.name == "file" else {
                fields[part.name] = try await body.text(limit: maximumFieldBytes)
                continue
            }
            let path = fields["file_path"].flatMap { $0.isEmpty ? nil : $0 } ?? part.fileName ?? ""
            return try await store(body, path: path, fields, repository, call)
        }
        throw CSGHubError.invalid("The form has no field “file”.")
    }

    private static func store(
        _ body: MultipartReader, path: String, _ fields: [String: String], _ repository: Repository, _ call: HubCall
    ) async throws -> Response {
        let branch = fields["branch"].flatMap { $0.isEmpty ? nil : $0 } ?? repository.defaultBranch
        let view = try await call.viewIfAny(repository, at: branch)
        let rules = try await UploadRules(paths: [path], view: view, kind: repository.kind, gitIgnore: nil, call)
        let draft = try await call.services.git.beginCommit(to: repository, branch: branch, by: call.caller)
        var first: [UInt8] = []
        var isWhole = false
        while first.count <= Int(CommitRoutes.maximumRegularBytes), !isWhole {
            if let chunk = try await body.nextChunk() { first += chunk } else { isWhole = true }
        }
        if isWhole, first.isEmpty || !rules.isLarge(path, sizeBytes: Int64(first.count), sample: nil) {
            try await draft.add(path, content: first)
        } else {
            let stored = try await call.services.objects.put(nil, sizeBytes: nil, body: FileContent(first: first, body: body))
            try await call.services.store.linkObject(
                stored.id, sizeBytes: stored.sizeBytes, repository: repository.id, account: call.principal.account?.id)
            try await draft.add(path, pointer: LFSPointer(oid: stored.id, sizeBytes: stored.sizeBytes))
            var tracking = LargeFileTracking()
            tracking.add(path)
            try await tracking.complete(draft, view, of: repository.kind, call)
        }
        let made = try await draft.commit(
            message: fields["message"].flatMap { $0.isEmpty ? nil : $0 } ?? "Upload \(path)", author: call.author,
            acceptsUnchanged: true)
        return call.envelope(["file_path": .string(path), "commit_id": .string(made.oid.hex)])
    }
}

/// The content of a form's file: what was read of it, then the rest.
private struct FileContent: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let first: [UInt8]
    let body: MultipartReader

    struct AsyncIterator: AsyncIteratorProtocol {
        var first: [UInt8]?
        let body: MultipartReader

        mutating func next() async throws -> ByteBuffer? {
            if let first, !first.isEmpty {
                self.first = nil
                return ByteBuffer(bytes: first)
            }
            return try await body.nextChunk().map { ByteBuffer(bytes: $0) }
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(first: first, body: body) }
}
