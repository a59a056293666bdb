import HTTPTypes
import HubCore
import Identity
import MetadataStore
import Repositories

/// Repositories as things: their names, owners and settings.
struct RepositoryRoutes {
    let services: APIServices

    static let path = "/repositories/{kind}/{namespace}/{name}"

    private static let filters = [
        APIParameter("kind", .words(of: RepositoryKind.self), "Only this kind."),
        APIParameter("owner", .text(atMost: 96), "Only those of this account or organization."),
        APIParameter("deleted", .boolean, "Deleted ones too, for administrators."),
    ]

    var routes: [APIRoute] {
        [
            .answering(
                .get, "/repositories", "listRepositories", "Lists the repositories that the caller may read.",
                query: APIParameter.paging + Self.filters
            ) { [services] call in try await list(call, services) },
            .taking(.post, "/repositories", "createRepository", "Creates an empty repository.", status: .created) {
                [services] call, body in try await create(body, call, services)
            },
            .answering(.get, Self.path, "getRepository", "Returns a repository; an old name leads to the new one.") {
                [services] call in
                RepositoryModel(
                    try await services.identity.repository(call.repositoryReference(), for: .read, by: call.principal))
            },
            .taking(.patch, Self.path, "changeRepository", "Changes visibility, gate, default branch or description.") {
                [services] call, body in try await change(body, call, services)
            },
            .quiet(
                .delete, Self.path, "deleteRepository", "Deletes a repository; it can be restored until it is purged."
            ) {
                [services] call in try await services.repositories.delete(call.repositoryReference(), by: call.caller)
            },
            .answering(
                .post, Self.path + "/undelete", "undeleteRepository",
                "Restores the repository last deleted under this name."
            ) {
                [services] call in
                RepositoryModel(try await services.repositories.undelete(call.repositoryReference(), by: call.caller))
            },
            .taking(
                .post, Self.path + "/rename", "renameRepository", "Renames a repository or moves it to another owner."
            ) {
                [services] call, body in try await rename(body, call, services)
            },
        ]
    }
}

private func list(_ call: APICall, _ services: APIServices) async throws -> ListPage<RepositoryModel> {
    var owner: NamespaceOwner?
    if let text = call.query("owner") {
        let name = try NamespaceName(parsing: text)
        guard let namespace = try await services.store.namespace(named: name) else {
            throw MetadataError.namespaceNotFound(name)
        }
        owner = namespace.owner
    }
    let page = try await services.repositories.list(
        kind: call.query("kind").flatMap { RepositoryKind(parsing: $0) }, owner: owner,
        includesDeleted: call.flag("deleted"),
        after: call.cursor, limit: call.limit, by: call.principal)
    return ListPage(items: page.items.map(RepositoryModel.init), next: page.next)
}

private func create(_ body: NewRepositoryModel, _ call: APICall, _ services: APIServices) async throws
    -> RepositoryModel
{
    let name = try RepositoryName(owner: NamespaceName(parsing: body.namespace), name: body.name)
    return RepositoryModel(
        try await services.repositories.create(
            RepositoryReference(kind: body.kind, name: name), visibility: body.visibility ?? .private,
            defaultBranch: body.defaultBranch ?? "main", description: body.description, by: call.caller))
}

private func change(_ patch: RepositoryPatch, _ call: APICall, _ services: APIServices) async throws -> RepositoryModel
{
    let change = RepositoryChange(
        visibility: patch.visibility.map { .set($0) } ?? .keep,
        gating: patch.gate.map { .set($0.gating) } ?? .keep,
        isProtected: patch.isProtected.map { .set($0) } ?? .keep,
        defaultBranch: patch.defaultBranch.map { .set($0) } ?? .keep,
        description: patch.description.change)
    return RepositoryModel(try await services.repositories.update(call.repositoryReference(), change, by: call.caller))
}

private func rename(_ move: RepositoryMove, _ call: APICall, _ services: APIServices) async throws -> RepositoryModel {
    let reference = try call.repositoryReference()
    let owner =
        try move.namespace.map { text throws(NameError) in try NamespaceName(parsing: text) } ?? reference.name.owner
    let name = try RepositoryName(owner: owner, name: move.name ?? reference.name.name)
    return RepositoryModel(try await services.repositories.rename(reference, to: name, by: call.caller))
}

/// Who else may use one repository.
struct CollaboratorRoutes {
    let services: APIServices

    private static let path = RepositoryRoutes.path + "/collaborators"

    var routes: [APIRoute] {
        [
            .answering(
                .get, Self.path, "listCollaborators", "Lists the collaborators of a repository.",
                query: APIParameter.paging
            ) {
                [services] call in
                let repository = try await administered(call, services)
                let all = try await services.identity.collaborators(of: repository, by: call.principal)
                return ListPage(
                    items: all.map { CollaboratorModel(account: $0.account.name.text, role: $0.role) }, next: nil)
            },
            .taking(.put, Self.path + "/{account}", "setCollaborator", "Adds a collaborator or changes its role.") {
                [services] call, body in
                let (role, name) = ((body as CollaboratorRoleModel).role, try call.name("account"))
                let repository = try await administered(call, services)
                try await services.identity.setCollaborator(name, of: repository, role: role, by: call.caller)
                return CollaboratorModel(account: name.text, role: role)
            },
            .quiet(.delete, Self.path + "/{account}", "removeCollaborator", "Removes a collaborator.") {
                [services] call in
                let repository = try await administered(call, services)
                try await services.identity.removeCollaborator(call.name("account"), of: repository, by: call.caller)
            },
        ]
    }
}

private func administered(_ call: APICall, _ services: APIServices) async throws -> Repository {
    try await services.identity.repository(call.repositoryReference(), for: .administer, by: call.principal)
}
