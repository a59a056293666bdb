import GitStore
import HTTPTypes
import HubCore
import Hummingbird
import MetadataStore
import NIOCore
import Repositories

/// Makes a repository with all branches, tags and large objects of another. hf-hub-api §2.
struct RepositoryDuplication {
    private let call: HubCall

    init(_ call: HubCall) { self.call = call }

    func respond() async throws -> Response {
        let form = try await call.json(DuplicationForm.self)
        let source = try await call.repositoryForContent()
        let name =
            try form.repository.map { try RepositoryRoutes.name($0, nil, call) }
            ?? RepositoryRoutes.name(source.name.name, nil, call)
        let reference = RepositoryReference(kind: source.kind, name: name)
        let visibility = try Visibility(word: form.visibility, isPrivate: form.private) ?? source.visibility
        let copy: Repository
        do {
            copy = try await call.services.repositories.create(
                reference, visibility: visibility, defaultBranch: source.defaultBranch, description: source.description,
                by: call.caller)
        } catch let error as MetadataError {
            return try await RepositoryRoutes.refused(error, reference, call)
        }
        try await call.services.store.copyObjectLinks(
            from: source.id, to: copy.id, account: call.principal.account?.id)
        try await call.services.git.copyContent(of: source, to: copy, by: call.caller)
        return call.answer([
            "url": .string(call.url(of: copy)), "name": .string(copy.name.description), "filesCopyPending": false,
        ])
    }
}
