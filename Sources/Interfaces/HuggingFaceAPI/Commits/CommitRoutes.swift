import GitStore
import HubCore
import Hummingbird
import Identity
import MetadataStore
import Repositories

/// Commits that clients make file by file. hf-hub-api §6 d.
enum CommitRoutes {
    static var all: [HubRoute] {
        [HubRoute(.post, "/api/{kinds}/{repo}/commit/{rev...}") { try await CommitRequest($0).respond() }]
    }
}

/// One commit: reads its lines as they come and hands the files on.
private struct CommitRequest {
    private static let maximumChanges = 50_000
    /// Smaller files wait in memory until their line ends, larger ones on disk.
    private static let memoryBytes = 1 << 20

    private let call: HubCall

    init(_ call: HubCall) { self.call = call }

    func respond() async throws -> Response {
        var body = CommitBody(call.request.body)
        do {
            return try await answer(&body)
        } catch let error as GitStoreError {
            await body.drain()
            if case .treeEdit(.missingPath(let path)) = error { throw HubAPIError.deletesMissingFile(path) }
            throw error
        } catch RepositoryError.headMoved {
            await body.drain()
            throw HubAPIError.parentMoved
        } catch {
            await body.drain()
            throw error
        }
    }

    private func answer(_ body: inout CommitBody) async throws -> Response {
        let opensRequest = call.flag("create_pr")
        let target = try await CommitTarget(call, opensRequest: opensRequest)
        guard case .line(.header(let header)) = try await body.next() else { throw CommitBodyError.noHeader }
        let draft = try await call.services.git.beginCommit(
            to: target.repository, reference: target.reference, expectedParent: try await parent(header, target),
            by: call.caller)
        let tracking = try await fill(draft, from: &body, target.repository)
        let view = try await call.viewIfAny(target.repository, at: target.reference.text)
        try await tracking.complete(draft, view, of: target.repository.kind, call)
        let message = message(of: header)
        guard opensRequest else {
            let made = try await draft.commit(message: message, author: call.author, acceptsUnchanged: true)
            return answer(made, target.repository, request: nil)
        }
        guard let requests = call.services.extensions.pullRequests else {
            throw HubAPIError.invalidRequest("This hub has no pull requests.")
        }
        let request = try await requests.open(
            title: header.summary.isEmpty ? "Commit" : header.summary, description: header.description,
            base: target.reference, in: target.repository, call: call)
        let made = try await draft.commit(
            message: message, author: call.author, acceptsUnchanged: true, target: request.reference)
        return answer(made, target.repository, request: request)
    }

    private func answer(_ made: CommitResult, _ repository: Repository, request: OpenedPullRequest?) -> Response {
        let page = call.url(of: repository)
        var answer: JSON = [
            "success": true, "commitOid": .string(made.oid.hex), "commitUrl": .string("\(page)/commit/\(made.oid)"),
            "hookOutput": "",
        ]
        if let request { answer = answer.adding("pullRequestUrl", .string("\(page)/discussions/\(request.number)")) }
        return call.answer(answer)
    }

    // MARK: - Lines

    /// - Returns: the large files that it has.
    private func fill(
        _ draft: CommitDraft, from body: inout CommitBody, _ repository: Repository
    ) async throws -> LargeFileTracking {
        var tracking = LargeFileTracking()
        var waiting: [UInt8] = []
        var file: DraftFile?
        while let event = try await body.next() {
            switch event {
            case .content(let bytes):
                waiting += bytes
                guard waiting.count > Self.memoryBytes else { continue }
                if file == nil { file = try await draft.makeFile() }
                try await file?.append(waiting)
                waiting = []
            case .line(let line):
                if case .largeFile(let path, _, _) = line { tracking.add(path) }
                if case .file(let path) = line {
                    if path == GitAttributes.fileName { tracking.replace(with: file == nil ? text(waiting) : nil) }
                    try await add(path, file, waiting, to: draft)
                } else {
                    try await apply(line, to: draft, repository)
                }
                (file, waiting) = (nil, [])
                guard await draft.changeCount <= Self.maximumChanges else {
                    throw CommitBodyError.tooManyChanges(limit: Self.maximumChanges)
                }
            }
        }
        return tracking
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private func add(_ path: String, _ file: DraftFile?, _ rest: [UInt8], to draft: CommitDraft) async throws {
        guard let file else { return try await draft.add(path, content: rest) }
        try await file.append(rest)
        try await draft.add(path, file: file)
    }

    private func apply(_ line: CommitLine, to draft: CommitDraft, _ repository: Repository) async throws {
        switch line {
        case .header: throw CommitBodyError.secondHeader
        case .file: break
        case .deletion(let path, _): try await draft.delete(path.hasSuffix("/") ? String(path.dropLast()) : path)
        case .largeFile(let path, let oid, let said):
            // A copy says no size: it is that of the object, which the repository must have.
            let stored = said == nil ? try await call.services.lfs.sizes(of: [oid], in: repository)[oid] : said
            guard let size = stored else { throw RepositoryError.missingObject(path: path, oid: oid) }
            try await draft.add(path, pointer: LFSPointer(oid: oid, sizeBytes: size))
        }
    }

    // MARK: - Header

    private func message(of header: CommitLine.Header) -> String {
        let parts = [header.summary, header.description].filter { !$0.isEmpty }
        return parts.isEmpty ? "Upload with huggingface_hub" : parts.joined(separator: "\n\n")
    }

    /// The commit that the branch must be at; it may be abbreviated.
    private func parent(_ header: CommitLine.Header, _ target: CommitTarget) async throws -> GitOID? {
        guard let text = header.parentCommit, !text.isEmpty else { return nil }
        guard let view = try await call.viewIfAny(target.repository, at: text) else { throw HubAPIError.parentMoved }
        return view.commit
    }
}

/// Where a commit goes, and that the caller may put it there.
struct CommitTarget {
    let repository: Repository
    let reference: ReferenceName

    init(_ call: HubCall, opensRequest: Bool) async throws {
        let revision = call.revision
        let isRequest = revision.hasPrefix("refs/pr/")
        repository = try await call.repository(for: opensRequest || isRequest ? .discuss : .write)
        let state = try await call.services.git.references(of: repository)
        let branch = ["None", "HEAD", ""].contains(revision) ? repository.defaultBranch : revision
        let short = branch.hasPrefix("refs/heads/") ? String(branch.dropFirst(11)) : branch
        guard let reference = isRequest ? ReferenceName(revision) : ReferenceName.newBranch(short) else {
            throw HubAPIError.revisionNotFound(revision)
        }
        self.reference = reference
        // The first commit makes the default branch; no commit makes another.
        guard state.reference(reference) != nil || (reference.text == "refs/heads/" + repository.defaultBranch) else {
            throw HubAPIError.revisionNotFound(revision)
        }
        guard isRequest else { return }
        guard !opensRequest else {
            throw HubAPIError.invalidRequest("A pull request cannot be made on top of another one.")
        }
        if let requests = call.services.extensions.pullRequests {
            try await requests.requireCommit(to: reference, in: repository, call: call)
        } else {
            try await call.services.identity.require(.write, on: repository, by: call.principal)
        }
    }
}
