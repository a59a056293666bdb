import Community
import HubCore
import Hummingbird
import MetadataStore
import WebCore

/// Likes. hf-hub-api §10.
struct LikeRoutes: Sendable {
    let community: Community

    var all: [HubRoute] {
        [
            HubRoute(.post, "/api/{kinds}/{repo}/like") { try await set(true, $0) },
            HubRoute(.delete, "/api/{kinds}/{repo}/like") { try await set(false, $0) },
            HubRoute(.get, "/api/{kinds}/{repo}/likers") { try await likers($0) },
            HubRoute(.get, "/api/users/{user}/likes") { try await likes($0) },
        ]
    }

    private func set(_ isLiked: Bool, _ call: HubCall) async throws -> Response {
        try await community.likes.set(isLiked, try await call.repository(), by: call.caller)
        return call.done()
    }

    private func likers(_ call: HubCall) async throws -> Response {
        let page = try await community.likes.likers(
            of: try await call.repository(), after: call.cursor, limit: call.limit(default: 100, maximum: 1000),
            by: call.principal)
        return call.page(
            page.items.map { account in
                [
                    "user": .string(account.name.text), "fullname": .string(account.fullName ?? account.name.text),
                    "avatarUrl": .string(AccountRoutes.avatar(of: account.name, call)), "type": "user", "isPro": false,
                ]
            }, next: page.next)
    }

    private func likes(_ call: HubCall) async throws -> Response {
        let page = try await community.likes.likes(
            of: NamespaceName(trusted: call.value("user")), after: call.cursor, limit: call.limit(default: 100, maximum: 1000),
            by: call.principal)
        return call.page(
            page.items.map { like in
                [
                    "createdAt": JSON(like.likedAt),
                    "repo": [
                        "name": .string(like.repository.name.description), "type": .string(like.repository.kind.rawValue),
                    ],
                ]
            }, next: page.next)
    }
}
