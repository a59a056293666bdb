import GitStore
import HTTPTypes
import HubCore
import Hummingbird
import Identity
import NIOCore
import Repositories

/// Files as git has them: what is a large object is its pointer here.
struct FileRoutes {
    let services: APIServices

    /// Larger files in git are for git to fetch.
    fileprivate static let maximumBytes: Int64 = 32 << 20

    var routes: [APIRoute] {
        [
            APIRoute(
                method: .get, path: RepositoryRoutes.path + "/file", operation: "downloadFile",
                summary: "Returns a file of a revision as git has it, at most 32 MiB.",
                query: [
                    APIParameter("path", .text(atMost: 4096), "The file's path."),
                    APIParameter(
                        "revision", .text(atMost: 1024), "A branch, tag or commit; the default branch unless told."),
                ], body: nil, answer: .bytes, status: .ok
            ) { [services] call in
                Response(
                    status: .ok,
                    headers: [.contentType: "application/octet-stream", .contentDisposition: "attachment"],
                    body: ResponseBody(byteBuffer: try await file(call, services)))
            }
        ]
    }
}

private func file(_ call: APICall, _ services: APIServices) async throws -> ByteBuffer {
    let repository = try await services.identity.repository(call.repositoryReference(), for: .readContent, by: call.principal)
    let revision = call.query("revision") ?? repository.defaultBranch
    let path = call.query("path") ?? ""
    let snapshot = try await services.git.snapshot(of: repository)
    guard let oid = snapshot.resolve(revision) else { throw RepositoryError.noSuchRevision(revision) }
    let bytes: [UInt8]? = try await services.git.threads.run {
        guard !path.isEmpty, let entry = try snapshot.objects.entry(at: path, in: oid),
            try snapshot.objects.header(of: entry.oid)?.type == .blob
        else { return nil }
        return try snapshot.objects.read(entry.oid, limit: FileRoutes.maximumBytes).bytes
    }
    guard let bytes else {
        throw ProblemError(.missing, code: "file_not_found", "The revision has no file “\(path.shortened)”.")
    }
    return ByteBuffer(bytes: bytes)
}
