import FoundationEssentials
import HubCore
import MetadataStore

/// Whoever a signed link or token was made for: an account, perhaps by one of its access tokens, or the anonymous visitor.
package struct GrantHolder: Hashable, Sendable {
    package let account: AccountID?
    /// What the account came with; the grant works no longer than it.
    package let token: TokenID?

    package init(account: AccountID?, token: TokenID?) {
        self.account = account
        self.token = token
    }

    package init(_ principal: Principal) {
        account = principal.account?.id
        if case .token(let used, of: _) = principal { token = used.id } else { token = nil }
    }

    /// The holder as they are now; `nil` when the account or the token has ended.
    func principal(in store: MetadataStore, now: Date) async throws -> Principal? {
        guard let id = account else { return .anonymous }
        guard let account = try await store.account(id: id), !account.isDisabled else { return nil }
        guard let tokenID = self.token else { return .account(account) }
        guard let token = try await store.token(id: tokenID), token.account == id, token.revokedAt == nil,
            token.expiresAt.map({ $0 > now }) ?? true
        else { return nil }
        return .token(token, of: account)
    }
}
