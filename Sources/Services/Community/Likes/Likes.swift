import HubCore
import Identity
import MetadataStore

/// Likes of repositories.
package struct Likes: Sendable {
    private let store: MetadataStore
    private let identity: Identity

    package init(store: MetadataStore, identity: Identity) {
        self.store = store
        self.identity = identity
    }

    package func set(_ isLiked: Bool, _ repository: Repository, by caller: Caller) async throws {
        try await identity.require(.discuss, on: repository, by: caller.principal)
        guard let account = caller.principal.account else {
            throw ProblemError(.invalid, code: "no_account", "Only accounts like repositories.")
        }
        _ = isLiked
            ? try await store.like(repository.id, by: account.id) : try await store.unlike(repository.id, by: account.id)
    }

    package func likers(
        of repository: Repository, after: String?, limit: Int, by principal: Principal
    ) async throws -> Page<Account> {
        try await identity.require(.read, on: repository, by: principal)
        return try await store.likers(of: repository.id, after: after, limit: limit)
    }

    /// What an account likes, as far as the one who asks may see it.
    package func likes(
        of name: NamespaceName, after: String?, limit: Int, by principal: Principal
    ) async throws -> Page<Like> {
        if case .nothing = try await identity.visibilityScope(of: principal) {
            throw IdentityError.signInRequired(tokenPage: identity.settings.tokenPage)
        }
        guard let account = try await store.account(named: name) else { throw MetadataError.accountNotFound }
        let page = try await store.likes(of: account.id, after: after, limit: limit)
        var visible: [Like] = []
        for like in page.items where try await identity.may(.read, on: like.repository, by: principal) {
            if like.repository.deletedAt == nil { visible.append(like) }
        }
        return Page(items: visible, next: page.next)
    }
}
