import HTTPTypes
import HubCore
import Identity
import MetadataStore
import Repositories

/// Access tokens: everyone's own, and all for administrators.
struct TokenRoutes {
    let services: APIServices

    private static let account = APIParameter("account", .text(atMost: 96), "Only tokens of this account.")

    var routes: [APIRoute] {
        [
            .answering(
                .get, "/tokens", "listTokens", "Lists tokens, newest last.", query: APIParameter.paging + [Self.account]
            ) {
                [services] call in try await list(call, services)
            },
            .taking(.post, "/tokens", "createToken", "Makes a token and returns its text, this once.", status: .created)
            {
                [services] call, body in try await create(body, call, services)
            },
            .answering(.get, "/tokens/{token}", "getToken", "Returns a token without its text.") { [services] call in
                let token = try await services.identity.token(call.identifier("token"), by: call.principal)
                return try await model(token, services)
            },
            .answering(.delete, "/tokens/{token}", "revokeToken", "Revokes a token: from now on it does not work.") {
                [services] call in
                let token = try await services.identity.revokeToken(call.identifier("token"), by: call.caller)
                return try await model(token, services)
            },
        ]
    }
}

private func list(_ call: APICall, _ services: APIServices) async throws -> ListPage<TokenModel> {
    let account: NamespaceName?
    if let text = call.query("account") {
        account = try NamespaceName(parsing: text)
    } else {
        account = try await ownAccount(unlessAllowed: call, services)
    }
    let page = try await services.identity.tokens(
        of: account, after: call.cursor, limit: call.limit, by: call.principal)
    var items: [TokenModel] = []
    for token in page.items { items.append(try await model(token, services)) }
    return ListPage(items: items, next: page.next)
}

/// Those who may not see everyone's tokens get a list of their own.
private func ownAccount(unlessAllowed call: APICall, _ services: APIServices) async throws -> NamespaceName? {
    if try await services.identity.maySite(.manageAccounts, by: call.principal) { return nil }
    return call.principal.account?.name
}

private func create(_ body: NewTokenModel, _ call: APICall, _ services: APIServices) async throws -> CreatedTokenModel {
    guard
        let account = try body.account.map({ text throws(NameError) in try NamespaceName(parsing: text) })
            ?? call.principal.account?.name
    else {
        throw ProblemError(.invalid, code: "account_missing", "Say in “account” whom the token acts for.")
    }
    var repositories: Set<RepositoryID>?
    if let references = body.repositories {
        var ids: Set<RepositoryID> = []
        for text in references {
            let reference = try RepositoryReference(parsing: text)
            ids.insert(try await services.identity.repository(reference, for: .read, by: call.principal).id)
        }
        repositories = ids
    }
    let request = TokenRequest(
        name: body.name, scope: body.scope, repositories: repositories, expiresAt: body.expiresAt)
    let made = try await services.identity.createToken(request, for: account, by: call.caller)
    return CreatedTokenModel(token: try await model(made.token, services), text: made.text)
}

private func model(_ token: AccessToken, _ services: APIServices) async throws -> TokenModel {
    let account = try await services.store.account(id: token.account)
    var names: [String]?
    if let ids = token.repositories {
        var found: [String] = []
        for id in ids {
            if let repository = try await services.store.repository(id: id) {
                found.append(repository.reference.description)
            }
        }
        names = found.sorted()
    }
    return TokenModel(token, account: account?.name.text ?? "", repositories: names)
}
