import FoundationEssentials
import HubCore

package struct TokenModel: APIModel {
    package let id: String
    package let account: String
    package let name: String
    package let scope: TokenScope
    /// `models/ada/bert`; `nil` for all.
    @OrNull package var repositories: [String]? = nil
    package let createdAt: Date
    @OrNull package var expiresAt: Date? = nil
    @OrNull package var lastUsedAt: Date? = nil
    @OrNull package var revokedAt: Date? = nil

    init(_ token: AccessToken, account: String, repositories: [String]?) {
        id = token.id.description
        self.account = account
        name = token.name
        scope = token.scope
        _repositories = OrNull(wrappedValue: repositories)
        createdAt = token.createdAt
        _expiresAt = OrNull(wrappedValue: token.expiresAt)
        _lastUsedAt = OrNull(wrappedValue: token.lastUsedAt)
        _revokedAt = OrNull(wrappedValue: token.revokedAt)
    }

    static var fields: [SchemaField] {
        [
            .required("id", .id, ""),
            .required("account", .text, "The name of the account that it acts for."),
            .required("name", .text, "What its owner calls it."),
            .required("scope", .words(of: TokenScope.self), "What it allows at most."),
            .required("repositories", .nullable(.list(of: .text)), "The repositories it is limited to; null for all."),
            .required("created_at", .time, ""),
            .required("expires_at", .nullable(.time), "Null: it does not expire."),
            .required("last_used_at", .nullable(.time), "To about a minute."),
            .required("revoked_at", .nullable(.time), ""),
        ]
    }

    package static var schema: Schema { .object("Token", "An access token, without its text.", fields) }
}

/// A token just made; the only time that its text is seen.
package struct CreatedTokenModel: APIModel {
    package let token: TokenModel
    package let text: String

    package static var schema: Schema {
        .object(
            "CreatedToken", "A token just made.",
            [
                .required("token", TokenModel.schema, ""),
                .required("text", .text, "The token itself. It is shown this once and kept nowhere."),
            ])
    }
}

package struct NewTokenModel: APIModel {
    package var account: String?
    package var name: String
    package var scope: TokenScope
    package var repositories: [String]?
    package var expiresAt: Date?

    package init(
        account: String? = nil, name: String, scope: TokenScope, repositories: [String]? = nil, expiresAt: Date? = nil
    ) {
        self.account = account
        self.name = name
        self.scope = scope
        self.repositories = repositories
        self.expiresAt = expiresAt
    }

    package static var schema: Schema {
        .object(
            "NewToken", "A token to be made.",
            [
                .optional("account", .nullable(.text(atMost: 96)), "Whom it acts for; the caller unless told."),
                .required("name", .text(atMost: 200), "What its owner calls it."),
                .required("scope", .words(of: TokenScope.self), ""),
                .optional(
                    "repositories", .nullable(.array(.text(atMost: 300), maximumCount: 100)),
                    "Repositories to limit it to, as in `models/ada/bert`; all unless told."),
                .optional("expires_at", .nullable(.time), "Never unless told."),
            ])
    }
}
