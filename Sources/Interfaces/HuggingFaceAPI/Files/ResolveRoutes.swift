import GitStore
import HTTPTypes
import HubCore
import Hummingbird
import NIOCore
import ObjectStore
import Repositories
import WebCore

/// Files by their path, for downloads. hf-hub-api §4.
enum ResolveRoutes {
    static var all: [HubRoute] {
        [HTTPRequest.Method.get, .head].flatMap { method in
            [
                HubRoute(method, "/{kinds?}/{repo}/resolve/{rev}/{path...}") { try await resolve($0) },
                HubRoute(method, "/{kinds?}/{repo}/raw/{rev}/{path...}") { try await raw($0) },
            ]
        }
    }

    /// `GET` and `HEAD`: the content, whole or a range, of what may be a large object.
    private static func resolve(_ call: HubCall) async throws -> Response {
        let repository = try await call.repositoryForContent()
        let view = try await call.view(repository, at: call.revision)
        let file = try await file(call, view)
        var response: Response
        if let pointer = file.pointer {
            response = try await large(call, file, pointer, view)
        } else {
            response = try await small(call, file, view)
        }
        response.headers[.repositoryCommit] = view.commit.hex
        response.headers[.contentSecurityPolicy] = sandbox
        response.headers[.contentDisposition] = disposition(file.path)
        if call.request.method == .get, response.status == .ok || response.status == .partialContent {
            call.services.downloads.count(
                repository.id, by: call.principal.account?.name.key ?? call.context.remoteAddress)
        }
        return response
    }

    /// The file as git has it: of a large object the pointer.
    private static func raw(_ call: HubCall) async throws -> Response {
        let repository = try await call.repositoryForContent()
        let view = try await call.view(repository, at: call.revision)
        let file = try await file(call, view)
        var response = try await small(call, file, view)
        response.headers[.repositoryCommit] = view.commit.hex
        response.headers[.contentSecurityPolicy] = sandbox
        return response
    }

    /// What users stored is no page of the hub, whatever a browser makes of it.
    static let sandbox = "default-src 'none'; frame-ancestors 'none'; sandbox"

    private static func file(_ call: HubCall, _ view: RevisionView) async throws -> FileEntry {
        let path = call.value("path")
        guard let file = try await view.file(at: path, call.services), !file.isFolder else {
            throw HubAPIError.entryNotFound(path: path, revision: view.revision, commit: view.commit)
        }
        return file
    }

    private static func small(_ call: HubCall, _ file: FileEntry, _ view: RevisionView) async throws -> Response {
        let content = ContentResponse(
            etag: file.oid.hex, sizeBytes: file.blobBytes, contentType: MediaType.of(file.path, isLarge: false))
        let (objects, threads) = (view.objects, call.services.git.threads)
        var response = try await content.answer(call.request) { range in
            try await threads.run { try objects.blob(file.oid, range: range, threads: threads) }
        }
        response.headers[.cacheControl] = "private, no-transform"
        return response
    }

    private static func large(
        _ call: HubCall, _ file: FileEntry, _ pointer: LFSPointer, _ view: RevisionView
    ) async throws -> Response {
        let repository = view.repository
        let content = ContentResponse(
            etag: pointer.oid.hex, sizeBytes: pointer.sizeBytes, contentType: MediaType.of(file.path, isLarge: true))
        let pieceBytes = ContentResponse.pieceBytes(in: call.context)
        let lfs = call.services.lfs
        var response = try await content.answer(call.request) { range in
            try await lfs.open(pointer.oid, in: repository).read(range, pieceBytes: pieceBytes)
        }
        response.headers[.cacheControl] = "private, no-transform"
        response.headers[.linkedETag] = content.etag
        response.headers[.linkedSize] = String(pointer.sizeBytes)
        try await addXet(to: &response, call, pointer, view)
        return response
    }

    /// Where the content-addressed store has it too, clients that can are told.
    private static func addXet(
        to response: inout Response, _ call: HubCall, _ pointer: LFSPointer, _ view: RevisionView
    ) async throws {
        let repository = view.repository
        guard let hashes = call.services.extensions.xetHashes,
            let hash = try await hashes(repository, [pointer.oid])[pointer.oid]
        else { return }
        let base = "\(call.endpoint)/api/\(repository.kind.gitPathPart)/\(repository.name)"
        response.headers[.xetHash] = hash
        response.headers[.link] = "<\(base)/xet-read-token/\(view.commit)>; rel=\"xet-auth\""
    }

    /// RFC 6266; the name in ASCII and, where that is not all of it, in UTF-8.
    private static func disposition(_ path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        var plain = ""
        for scalar in name.unicodeScalars {
            plain.unicodeScalars.append(
                (0x20...0x7e).contains(scalar.value) && scalar != "\"" && scalar != "\\" ? scalar : "_")
        }
        return "inline; filename*=UTF-8''\(name.percentEncoded); filename=\"\(plain)\";"
    }
}

extension HTTPField.Name {
    package static let repositoryCommit = literal("X-Repo-Commit")
    package static let linkedETag = literal("X-Linked-ETag")
    package static let linkedSize = literal("X-Linked-Size")
    package static let xetHash = literal("X-Xet-Hash")
}
