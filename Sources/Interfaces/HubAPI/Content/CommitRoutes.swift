import FoundationEssentials
import HTTPTypes
import HubCore
import Hummingbird
import Identity
import NIOCore
import Repositories
import WebCore

/// Commits that the hub makes from what it is sent, file by file.
///
/// A file comes whole in a line of up to 43 MiB, and takes about 200 MiB while it is decoded. So at most three long lines are
/// held at a time over all requests, one of each account; the others wait their turn, and their clients with them (`BodyLines`).
struct CommitRoutes {
    let services: APIServices
    private let longLines = ReceiveQueue(width: 3, perKey: 1)

    init(services: APIServices) { self.services = services }

    private static let branch = APIParameter(
        "branch", .text(atMost: 255), "Where to commit; the default branch unless told.")

    var routes: [APIRoute] {
        [
            APIRoute(
                method: .post, path: RepositoryRoutes.path + "/commits", operation: "createCommit",
                summary: "Commits a stream of changes on top of a branch, all or nothing.", query: [Self.branch],
                body: .lines(CommitLine.schema), answer: .json(CommitModel.schema), status: .created
            ) { [services, longLines] call in
                try call.json(
                    await CommitReader(services: services, longLines: longLines).commit(call), status: .created)
            }
        ]
    }
}

/// Reads the lines of a commit and hands them to the draft as they come.
private struct CommitReader {
    let services: APIServices
    let longLines: ReceiveQueue

    /// The largest file that may be sent in a line; larger ones are LFS objects.
    static let maximumFileBytes = 32 << 20
    /// Such a file in base64, and the rest of its line.
    private static let maximumLineBytes = maximumFileBytes / 3 * 4 + (64 << 10)

    func commit(_ call: APICall) async throws -> CommitModel {
        let repository = try await services.identity.repository(
            call.repositoryReference(), for: .write, by: call.principal)
        var lines = BodyLines(
            call.request.body, maximumBytes: Self.maximumLineBytes, places: longLines, key: call.principal.auditName)
        defer { lines.giveBack() }
        guard let header = try await lines.next().map(decode)?.header else {
            throw ProblemError(
                .invalid, code: "header_missing", "The first line of a commit is its “header” with the message.")
        }
        let draft = try await services.git.beginCommit(
            to: repository, branch: call.query("branch") ?? repository.defaultBranch,
            expectedParent: parent(of: header),
            by: call.caller)
        while let line = try await lines.next() { try await apply(decode(line), to: draft) }
        let made = try await draft.commit(message: message(of: header), author: CommitAuthor(call.principal))
        return CommitModel(commit: made.oid.hex, branch: made.branch)
    }

    private func apply(_ line: CommitLine, to draft: CommitDraft) async throws {
        if let file = line.file {
            guard let content = Data(base64Encoded: file.content) else {
                throw ProblemError(
                    .invalid, code: "invalid_base64", "The content of \(file.path.shortened) is not Base64.")
            }
            try await draft.add(file.path, content: Array(content), isExecutable: file.isExecutable ?? false)
        } else if let file = line.lfsFile {
            guard let oid = ObjectID(hex: file.oid), file.sizeBytes >= 0 else {
                throw ProblemError(
                    .invalid, code: "invalid_object_id", "The object of \(file.path.shortened) is not a SHA-256 in hex."
                )
            }
            try await draft.add(file.path, pointer: LFSPointer(oid: oid, sizeBytes: file.sizeBytes))
        } else if let deletion = line.delete {
            try await draft.delete(deletion.path)
        } else {
            throw ProblemError(
                .invalid, code: "invalid_line", "Each line after the first has “file”, “lfs_file” or “delete”.")
        }
    }

    private func decode(_ line: ByteBuffer) throws -> CommitLine {
        do {
            return try JSONForm.decode(CommitLine.self, from: line)
        } catch {
            throw ProblemError(
                .invalid, code: "invalid_line", "A line of the commit does not have the documented form.")
        }
    }

    private func parent(of header: CommitLine.Header) throws -> GitOID? {
        guard let text = header.parent else { return nil }
        guard let oid = GitOID(hex: text) else {
            throw ProblemError(.invalid, code: "invalid_parent", "“parent” is not the 40 hex digits of a commit.")
        }
        return oid
    }

    private func message(of header: CommitLine.Header) throws -> String {
        let text = [header.message, header.description ?? ""].filter { !$0.isEmpty }.joined(separator: "\n\n")
        guard !header.message.isEmpty, text.utf8.count <= 128 << 10, !text.utf8.contains(0) else {
            throw ProblemError(.invalid, code: "invalid_message", "A commit needs a message of at most 128 KiB.")
        }
        return text
    }
}
