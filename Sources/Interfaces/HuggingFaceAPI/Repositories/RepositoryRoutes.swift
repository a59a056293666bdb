import HTTPTypes
import HubCore
import Hummingbird
import Identity
import MetadataStore
import Repositories
import WebCore

/// Creates, removes, moves and sets up repositories. hf-hub-api §2.
enum RepositoryRoutes {
    static var all: [HubRoute] {
        [
            HubRoute(.post, "/api/repos/create") { try await create($0) },
            HubRoute(.delete, "/api/repos/delete") { try await delete($0) },
            HubRoute(.post, "/api/repos/move") { try await move($0) },
            HubRoute(.put, "/api/{kinds}/{repo}/settings") { try await changeSettings($0) },
            // What clients before 0.20 call.
            HubRoute(.put, "/api/repos/{kinds}/{repo}/settings") { try await changeSettings($0) },
            HubRoute(.post, "/api/{kinds}/{repo}/duplicate") { try await RepositoryDuplication($0).respond() },
        ]
    }

    // MARK: - Creating

    private static func create(_ call: HubCall) async throws -> Response {
        let form = try await call.json(CreationForm.self)
        let reference = RepositoryReference(
            kind: try RepositoryKind(hubType: form.type), name: try name(form.name, form.organization, call))
        let visibility = try Visibility(word: form.visibility, isPrivate: form.private) ?? .public
        let repository: Repository
        do {
            repository = try await call.services.repositories.create(reference, visibility: visibility, by: call.caller)
        } catch let error as MetadataError {
            return try await refused(error, reference, call)
        }
        try await FirstCommit(repository: repository, sdk: form.sdk).make(call)
        try await call.services.extensions.created?(call, repository, form)
        return call.answer([
            "url": .string(call.url(of: repository)), "name": .string(repository.name.description),
            "id": .string(HubID.text(of: repository)),
        ])
    }

    /// The client reads `url` of a 409 when it was told that the repository may exist.
    static func refused(
        _ error: MetadataError, _ reference: RepositoryReference, _ call: HubCall
    ) async throws -> Response {
        switch error {
        case .repositoryExists:
            let found = try await call.services.store.repository(reference)?.repository
            let name = found?.name ?? reference.name
            let message = "You already created this \(reference.kind.rawValue) repo: \(name)"
            var response = call.answer(
                ["error": .string(message), "url": .string(call.url(of: RepositoryReference(kind: reference.kind, name: name)))],
                status: .conflict)
            response.headers[.errorMessage] = HubFailure.headerText(message)
            return response
        case .namespaceNotFound(let name): throw IdentityError.creationForbidden(name)
        default: throw error
        }
    }

    /// `name` may be `owner/name`, or `organization` is the owner, or else whoever asks.
    static func name(_ name: String, _ organization: String?, _ call: HubCall) throws -> RepositoryName {
        if name.contains("/"), organization?.isEmpty ?? true { return try RepositoryName(parsing: name) }
        if let organization, !organization.isEmpty {
            return try RepositoryName(owner: NamespaceName(parsing: organization), name: name)
        }
        guard let account = call.principal.account else {
            if call.principal.isAnonymous {
                throw IdentityError.signInRequired(tokenPage: call.services.identity.settings.tokenPage)
            }
            throw HubAPIError.invalidRequest("Say whose repository it is: organization/name.")
        }
        return try RepositoryName(owner: account.name, name: name)
    }

    // MARK: - Changing

    private static func delete(_ call: HubCall) async throws -> Response {
        let form = try await call.json(DeletionForm.self)
        let reference = RepositoryReference(
            kind: try RepositoryKind(hubType: form.type), name: try name(form.name, form.organization, call))
        try await call.services.repositories.delete(reference, by: call.caller)
        return call.done()
    }

    private static func move(_ call: HubCall) async throws -> Response {
        let form = try await call.json(MoveForm.self)
        let reference = RepositoryReference(
            kind: try RepositoryKind(hubType: form.type), name: try RepositoryName(parsing: form.fromRepo))
        let target = try RepositoryName(parsing: form.toRepo)
        do {
            let moved = try await call.services.repositories.rename(reference, to: target, by: call.caller)
            return call.answer(["url": .string(call.url(of: moved)), "name": .string(moved.name.description)])
        } catch let error as MetadataError {
            if case .repositoryExists = error { throw HubAPIError.nameTaken(reference.kind, target) }
            throw error
        }
    }

    private static func changeSettings(_ call: HubCall) async throws -> Response {
        let form = try await call.json(SettingsForm.self)
        var repository = try await call.repository(for: .administer)
        var change = RepositoryChange()
        if let visibility = try Visibility(word: form.visibility, isPrivate: form.private) {
            change.visibility = .set(visibility)
        }
        if let description = form.description { change.description = .set(description.isEmpty ? nil : description) }
        if let gated = form.gated { change.gating = .set(gated.gating) }
        if change.visibility.isSet || change.gating.isSet || change.description.isSet {
            repository = try await call.services.repositories.update(repository.reference, change, by: call.caller)
        }
        try await call.services.extensions.changeSettings?(call, repository, form)
        var answer: JSON = [
            "private": .bool(repository.visibility == .private), "visibility": .string(repository.visibility.hubWord),
        ]
        if let gated = form.gated { answer = answer.adding("gated", gated.json) }
        return call.answer(answer)
    }
}

extension SettingsForm.Gating {
    var gating: Gating {
        switch self {
        case .off: .off
        case .auto: .auto
        case .manual: .manual
        }
    }

    package var json: JSON {
        switch self {
        case .off: false
        case .auto: "auto"
        case .manual: "manual"
        }
    }
}

/// Ids of 24 hex digits, as the Hub gives its records.
enum HubID {
    static func text(of repository: Repository) -> String { String(repository.uid.text.prefix(24)) }
}

extension Principal {
    var isAnonymous: Bool {
        if case .anonymous = self { return true }
        return false
    }
}
