import FoundationEssentials
import HubCore
import MetadataStore

/// A token to be created.
package struct TokenRequest: Sendable {
    package static let maximumRepositories = 1_000

    package var name: String
    package var scope: TokenScope
    /// `nil` for all.
    package var repositories: Set<RepositoryID>?
    /// `nil` for one that does not expire.
    package var expiresAt: Date?

    package init(name: String, scope: TokenScope, repositories: Set<RepositoryID>? = nil, expiresAt: Date? = nil) {
        self.name = name
        self.scope = scope
        self.repositories = repositories
        self.expiresAt = expiresAt
    }
}

extension Identity {
    /// For the own account, or for any by those who manage accounts.
    ///
    /// The text is returned once and kept nowhere.
    package func createToken(
        _ request: TokenRequest, for name: NamespaceName, by caller: Caller
    ) async throws -> (token: AccessToken, text: String) {
        let account = try await managedAccount(name, by: caller.principal)
        try check(request)
        for id in request.repositories ?? [] {
            // The token can do no more than the account, so the account must see what it is limited to.
            guard let repository = try await store.repository(id: id) else { throw IdentityError.repositoryNotFound }
            try await require(.read, on: repository, by: .account(account))
        }
        let text = TokenText()
        let new = NewToken(
            account: account.id, name: request.name, scope: request.scope, repositories: request.repositories,
            expiresAt: request.expiresAt, hash: text.hash)
        var detail = ["name": request.name, "scope": request.scope.rawValue]
        if let expiry = request.expiresAt { detail["expires_at"] = expiry.formatted(.iso8601) }
        if let repositories = request.repositories { detail["repositories"] = String(repositories.count) }
        let token = try await store.createToken(new, audit: caller.entry("token.create", on: account.name.text, detail))
        return (token, text.text)
    }

    /// An own one, or any for those who manage accounts.
    package func token(_ id: TokenID, by principal: Principal) async throws -> AccessToken {
        try requireSignedIn(principal)
        guard let token = try await store.token(id: id) else { throw MetadataError.tokenNotFound }
        if try await maySite(.manageAccounts, by: principal) { return token }
        guard token.account == principal.account?.id else { throw MetadataError.tokenNotFound }
        // A program may look at the token that it uses itself.
        if case .token(let own, _) = principal, own.id == id { return token }
        try requireScope(.admin, principal)
        return token
    }

    /// `nil` `name`: of all accounts, for those who manage accounts.
    package func tokens(
        of name: NamespaceName?, after: String? = nil, limit: Int = 100, by principal: Principal
    ) async throws -> Page<AccessToken> {
        guard let name else {
            try await requireSite(.manageAccounts, by: principal)
            return try await store.tokens(after: after, limit: limit)
        }
        let account = try await managedAccount(name, by: principal)
        return try await store.tokens(of: account.id, after: after, limit: limit)
    }

    /// From the return on it works nowhere.
    ///
    /// A program may revoke the token that it uses itself.
    package func revokeToken(_ id: TokenID, by caller: Caller) async throws -> AccessToken {
        let token = try await token(id, by: caller.principal)
        return try await store.revokeToken(
            id, audit: caller.entry("token.revoke", on: "token \(token.id)", ["name": token.name]))
    }

    private func check(_ request: TokenRequest) throws(IdentityError) {
        let isPrintable = request.name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
        guard (1...100).contains(request.name.unicodeScalars.count), isPrintable else { throw .invalidTokenName }
        if let expiry = request.expiresAt, expiry <= now { throw .expiryInThePast }
        let limit = TokenRequest.maximumRepositories
        guard (request.repositories?.count ?? 0) <= limit else { throw .tooManyRepositories(maximum: limit) }
    }
}
