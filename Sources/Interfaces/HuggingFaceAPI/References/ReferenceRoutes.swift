import GitStore
import HTTPTypes
import HubCore
import Hummingbird
import MetadataStore
import Repositories

/// Branches, tags and what points where. hf-hub-api §5.
enum ReferenceRoutes {
    static var all: [HubRoute] {
        [
            HubRoute(.get, "/api/{kinds}/{repo}/refs") { try await list($0) },
            HubRoute(.post, "/api/{kinds}/{repo}/branch/{branch...}") { try await createBranch($0) },
            HubRoute(.delete, "/api/{kinds}/{repo}/branch/{branch...}") { try await deleteBranch($0) },
            HubRoute(.post, "/api/{kinds}/{repo}/tag/{rev...}") { try await createTag($0) },
            HubRoute(.delete, "/api/{kinds}/{repo}/tag/{rev...}") { try await deleteTag($0) },
            HubRoute(.post, "/api/{kinds}/{repo}/super-squash/{branch...}") { try await squash($0) },
        ]
    }

    private static func list(_ call: HubCall) async throws -> Response {
        let repository = try await call.repository()
        let references = try await call.services.git.references(of: repository).references
        func items(_ prefix: String) -> JSON {
            .array(
                references.filter { $0.name.text.hasPrefix(prefix) }.map { reference in
                    [
                        "name": .string(String(reference.name.text.dropFirst(prefix.utf8.count))),
                        "ref": .string(reference.name.text),
                        "targetCommit": .string((reference.peeled ?? reference.oid).hex),
                    ]
                })
        }
        var answer: JSON = [
            "branches": items("refs/heads/"), "tags": items("refs/tags/"), "converts": items("refs/convert/"),
        ]
        if call.flag("include_prs") { answer = answer.adding("pullRequests", items("refs/pr/")) }
        return call.answer(answer)
    }

    // MARK: - Branches

    private static func createBranch(_ call: HubCall) async throws -> Response {
        struct Form: Decodable {
            let startingPoint: String?
            let emptyBranch: Bool?
            let overwrite: Bool?
        }
        let form = try await call.json(Form.self)
        let repository = try await call.repository(for: .write)
        let text = call.value("branch")
        guard let name = ReferenceName.newBranch(text) else { throw RepositoryError.invalidBranch(text) }
        let view = try await call.viewIfAny(repository, at: form.startingPoint)
        if view == nil, let start = form.startingPoint { throw HubAPIError.revisionNotFound(start) }
        if let view, form.emptyBranch != true {
            try await call.services.git.createReference(name, at: view.commit, in: repository, by: call.caller)
        } else {
            // Of a repository without a commit, or when asked for: a branch that begins with nothing.
            try await call.services.git.createEmptyBranch(name, in: repository, author: call.author, by: call.caller)
        }
        return call.done()
    }

    private static func deleteBranch(_ call: HubCall) async throws -> Response {
        let repository = try await call.repository(for: .write)
        let text = call.value("branch")
        guard text != repository.defaultBranch else {
            throw HubAPIError.forbidden("Cannot delete refs/heads/\(text.shortened): it is the default branch.")
        }
        guard let name = ReferenceName.branch(text) else { throw HubAPIError.revisionNotFound(text) }
        try await delete(name, text, repository, call)
        return call.done()
    }

    private static func delete(_ name: ReferenceName, _ text: String, _ repository: Repository, _ call: HubCall) async throws {
        guard try await call.services.git.deleteReference(name, in: repository, by: call.caller) else {
            throw HubAPIError.revisionNotFound(text)
        }
    }

    // MARK: - Tags

    private static func createTag(_ call: HubCall) async throws -> Response {
        struct Form: Decodable {
            let tag: String
            let message: String?
        }
        let form = try await call.json(Form.self)
        let repository = try await call.repository(for: .write)
        let view = try await call.view(repository, at: call.revision)
        guard let name = ReferenceName.tag(form.tag), !form.tag.hasPrefix("-") else {
            throw HubAPIError.invalidRequest("“\(form.tag.shortened)” is not a valid name of a tag.")
        }
        let message = form.message.flatMap { $0.isEmpty ? nil : String($0.prefix(65_536)) }
        try await call.services.git.createReference(
            name, at: view.commit, message: message, author: call.author, in: repository, by: call.caller)
        return call.done()
    }

    private static func deleteTag(_ call: HubCall) async throws -> Response {
        let repository = try await call.repository(for: .write)
        let text = call.revision
        guard let name = ReferenceName.tag(text) else { throw HubAPIError.revisionNotFound(text) }
        try await delete(name, text, repository, call)
        return call.done()
    }

    // MARK: - History

    private static func squash(_ call: HubCall) async throws -> Response {
        struct Form: Decodable { let message: String? }
        let form = try await call.json(Form.self)
        let repository = try await call.repository(for: .write)
        let text = call.value("branch")
        let message = form.message.flatMap { $0.isEmpty ? nil : $0 } ?? "Super-squash branch '\(text)' using huggingface_hub"
        // A pull request and what a dataset was converted to have histories of their own.
        let isFull = text.hasPrefix("refs/pr/") || text.hasPrefix("refs/convert/")
        guard let name = isFull ? ReferenceName(text) : ReferenceName.branch(text),
            let commit = try await call.services.git.squash(
                name, message: String(message.prefix(65_536)), author: call.author, in: repository, by: call.caller)
        else { throw HubAPIError.revisionNotFound(text) }
        return call.answer(["success": true, "commitId": .string(commit.hex)])
    }
}
