import FoundationEssentials
import HubCore
import Hummingbird
import Identity
import MetadataStore
import WebCore

/// Who asks, and what there is to know of accounts and organizations. hf-hub-api §1.
enum AccountRoutes {
    static var all: [HubRoute] {
        [
            HubRoute(.get, "/api/whoami-v2") { call in call.answer(try await whoAmI(call)) },
            HubRoute(.get, "/api/whoami") { call in call.answer(try await whoAmI(call)) },
            // `hf auth login` without a token; there is no browser to send people to.
            HubRoute(.post, "/oauth/device") { call in
                throw HubAPIError.invalidRequest(
                    "This hub signs in by access tokens: make one at \(call.context.origin)/settings/tokens and run: "
                        + "hf auth login --token <token>")
            },
            HubRoute(.get, "/api/{kinds}/{repo}/auth-check") { call in
                _ = try await call.repositoryForContent()
                return call.answer([:])
            },
            HubRoute(.get, "/api/{kinds}/{repo}/auth-check/write") { call in
                _ = try await call.repository(for: .write)
                return call.answer([:])
            },
        ]
    }

    /// `auth.accessToken.displayName` names the token that `hf auth login` stores.
    private static func whoAmI(_ call: HubCall) async throws -> JSON {
        guard let account = call.principal.account else {
            if case .localAdministrator = call.principal {
                return ["type": "user", "id": "0", "name": "administrator", "fullname": "Administrator", "orgs": []]
            }
            throw IdentityError.signInRequired(tokenPage: call.services.identity.settings.tokenPage)
        }
        let memberships = try await call.services.store.memberships(of: account.id)
        let organizations = memberships.map { membership -> JSON in
            [
                "type": "org", "id": .string(hexID("org", membership.organization.id.rawValue)),
                "name": .string(membership.organization.name.text),
                "fullname": .string(membership.organization.fullName ?? membership.organization.name.text),
                "roleInOrg": .string(membership.role.rawValue), "isEnterprise": false,
                "avatarUrl": .string(avatar(of: membership.organization.name, call)),
            ]
        }
        return [
            "type": "user", "id": .string(hexID("user", account.id.rawValue)), "name": .string(account.name.text),
            "fullname": .string(account.fullName ?? account.name.text), "email": JSON(account.email),
            "emailVerified": .bool(account.email != nil), "canPay": false, "isPro": false, "periodEnd": .null,
            "avatarUrl": .string(avatar(of: account.name, call)), "orgs": .array(organizations),
            "auth": authentication(call.principal, account),
        ]
    }

    private static func authentication(_ principal: Principal, _ account: Account) -> JSON {
        guard case .token(let token, of: _) = principal else { return ["type": "password"] }
        return [
            "type": "access_token",
            "accessToken": [
                "displayName": .string(token.name), "role": .string(role(of: token)), "createdAt": JSON(token.createdAt),
            ],
        ]
    }

    /// The words of the client: `read`, `write`, `fineGrained`.
    private static func role(of token: AccessToken) -> String {
        if token.repositories != nil { return "fineGrained" }
        return token.scope == .read ? "read" : "write"
    }

    static func avatar(of name: NamespaceName, _ call: HubCall) -> String {
        "\(call.context.origin)/\(name.text.percentEncoded)/avatar.svg"
    }

    /// Clients expect ids of 24 hex digits.
    static func hexID(_ kind: String, _ number: Int64) -> String {
        let first = kind == "org" ? "6f" : "75"
        let digits = String(number, radix: 16)
        return first + String(repeating: "0", count: max(0, 22 - digits.count)) + digits
    }
}
