import HubCore
import HuggingFaceAPI
import Hummingbird
import Identity
import MetadataStore

/// Accounts and their tokens. csghub-api §1.
enum AccountRoutes {
    static var all: [HubRoute] {
        [
            CSGHubAPI.route(.get, "/user/{name}") { try await account($0) },
            CSGHubAPI.route(.get, "/user/{name}/tokens") { try await tokens($0) },
        ]
    }

    private static func account(_ call: HubCall) async throws -> Response {
        try await call.requireReader()
        guard let account = try await call.services.store.account(named: NamespaceName(parsing: call.value("name"))) else {
            throw MetadataError.accountNotFound
        }
        let isOwn = call.principal.account?.id == account.id
        return call.envelope([
            "id": .integer(account.id.rawValue), "username": .string(account.name.text),
            "nickname": .string(account.fullName ?? account.name.text), "email": .string(isOwn ? account.email ?? "" : ""),
            "avatar": "", "created_at": JSON(account.createdAt), "roles": .array([]), "orgs": .array([]),
        ])
    }

    /// Names and scopes; the texts of tokens are kept nowhere.
    private static func tokens(_ call: HubCall) async throws -> Response {
        try await call.requireReader()
        guard let account = call.principal.account, account.name.key == call.value("name").lowercased() else {
            throw CSGHubError.notYours
        }
        let tokens = try await call.services.store.tokens(of: account.id).items.filter { $0.revokedAt == nil }
        let items = tokens.map { token -> JSON in
            [
                "id": .integer(token.id.rawValue), "token_name": .string(token.name), "permission": .string(token.scope.rawValue),
                "created_at": JSON(token.createdAt), "expired_at": token.expiresAt.map { JSON($0) } ?? .null, "application": "git",
            ]
        }
        return call.envelope(.array(items), total: items.count)
    }

}
