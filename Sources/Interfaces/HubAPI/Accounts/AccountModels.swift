import FoundationEssentials
import HubCore

package struct AccountModel: APIModel {
    package let id: String
    package let name: String
    @OrNull package var email: String? = nil
    @OrNull package var fullName: String? = nil
    package let roles: [SiteRole]
    package let isDisabled: Bool
    package let createdAt: Date

    init(_ account: Account) {
        id = account.id.description
        name = account.name.text
        _email = OrNull(wrappedValue: account.email)
        _fullName = OrNull(wrappedValue: account.fullName)
        roles = SiteRole.allCases.filter(account.siteRoles.contains)
        isDisabled = account.isDisabled
        createdAt = account.createdAt
    }

    package static var schema: Schema {
        .object(
            "Account", "A person or a program that signs in.",
            [
                .required("id", .id, ""),
                .required("name", .text, "The first part of its repositories' names."),
                .required("email", .nullable(.text), ""),
                .required("full_name", .nullable(.text), ""),
                .required("roles", .list(of: .words(of: SiteRole.self)), "Rights over the whole site."),
                .required("is_disabled", .boolean, "A disabled account cannot sign in, and its tokens do not work."),
                .required("created_at", .time, ""),
            ])
    }
}

package struct NewAccountModel: APIModel {
    package var name: String
    package var email: String?
    package var fullName: String?
    package var password: String?
    package var roles: [SiteRole]?

    package init(
        name: String, email: String? = nil, fullName: String? = nil, password: String? = nil, roles: [SiteRole]? = nil
    ) {
        self.name = name
        self.email = email
        self.fullName = fullName
        self.password = password
        self.roles = roles
    }

    package static var schema: Schema {
        .object(
            "NewAccount", "An account to be created.",
            [
                .required("name", .text(atMost: 96), "Letters, digits, “-”, “_” and “.”."),
                .optional("email", .nullable(.text(atMost: 254)), ""),
                .optional("full_name", .nullable(.text(atMost: 200)), ""),
                .optional(
                    "password", .nullable(.text(atMost: 1024)), "Without one the account uses access tokens only."),
                .optional(
                    "roles", .nullable(.list(of: .words(of: SiteRole.self))),
                    "Rights over the whole site; none unless told."),
            ])
    }
}

package struct AccountPatch: APIModel {
    package var email: PatchField<String> = .keep
    package var fullName: PatchField<String> = .keep
    package var roles: [SiteRole]?
    package var isDisabled: Bool?

    package init(roles: [SiteRole]? = nil, isDisabled: Bool? = nil) {
        self.roles = roles
        self.isDisabled = isDisabled
    }

    package static var schema: Schema {
        .object(
            "AccountPatch", "What changes of an account; what is left out stays.",
            [
                .optional("email", .nullable(.text(atMost: 254)), ""),
                .optional("full_name", .nullable(.text(atMost: 200)), ""),
                .optional("roles", .list(of: .words(of: SiteRole.self)), "All roles that it has from now on."),
                .optional("is_disabled", .boolean, ""),
            ])
    }
}

package struct PasswordModel: APIModel {
    package let password: String

    package init(password: String) { self.password = password }

    package static var schema: Schema {
        .object("Password", "A new password.", [.required("password", .text(atMost: 1024), "")])
    }
}

/// Who asks.
package struct CallerModel: APIModel {
    package enum Kind: String, Codable, Sendable, CaseIterable {
        case anonymous, account, token
        case localAdministrator = "local_administrator"
    }

    package let kind: Kind
    @OrNull package var account: AccountModel? = nil
    @OrNull package var scope: TokenScope? = nil

    init(_ principal: Principal) {
        var scope: TokenScope?
        switch principal {
        case .anonymous: kind = .anonymous
        case .account: kind = .account
        case .token(let token, of: _):
            kind = .token
            scope = token.scope
        case .localAdministrator: kind = .localAdministrator
        }
        _account = OrNull(wrappedValue: principal.account.map(AccountModel.init))
        _scope = OrNull(wrappedValue: scope)
    }

    package static var schema: Schema {
        .object(
            "Caller", "Who asks.",
            [
                .required("kind", .words(of: Kind.self), "`local_administrator` comes by the control socket."),
                .required("account", .nullable(AccountModel.schema), ""),
                .required("scope", .nullable(.words(of: TokenScope.self)), "What the token allows at most."),
            ])
    }
}
