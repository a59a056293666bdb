import HTTPTypes
import HubCore
import Identity
import MetadataStore

/// Accounts, for administrators; everyone may read and change their own.
struct AccountRoutes {
    let identity: Identity

    var routes: [APIRoute] {
        [
            .answering(.get, "/me", "getCaller", "Returns who asks.") { CallerModel($0.principal) },
            .answering(.get, "/accounts", "listAccounts", "Lists the accounts by name.", query: APIParameter.paging) {
                [identity] call in
                let page = try await identity.accounts(after: call.cursor, limit: call.limit, by: call.principal)
                return ListPage(items: page.items.map(AccountModel.init), next: page.next)
            },
            .taking(.post, "/accounts", "createAccount", "Creates an account.", status: .created) {
                [identity] call, body in try await create(body, by: call.caller, identity)
            },
            .answering(.get, "/accounts/{account}", "getAccount", "Returns an account.") { [identity] call in
                AccountModel(try await identity.account(named: call.name("account"), by: call.principal))
            },
            .taking(.patch, "/accounts/{account}", "changeAccount", "Changes, disables or enables an account.") {
                [identity] call, body in
                try await AccountModel(identity.updateAccount(call.name("account"), change(body), by: call.caller))
            },
            .quiet(
                .delete, "/accounts/{account}", "deleteAccount",
                "Deletes an account that owns nothing, with its tokens."
            ) {
                [identity] call in try await identity.deleteAccount(call.name("account"), by: call.caller)
            },
            .taking(.put, "/accounts/{account}/password", "setPassword", "Sets an account's password.") {
                [identity] call, body in
                try await setPassword(body, of: call.name("account"), by: call.caller, identity)
            },
        ]
    }
}

private func create(_ body: NewAccountModel, by caller: Caller, _ identity: Identity) async throws -> AccountModel {
    let request = AccountRequest(
        name: try NamespaceName(parsing: body.name), email: body.email, fullName: body.fullName,
        password: body.password,
        siteRoles: Set(body.roles ?? []))
    return AccountModel(try await identity.createAccount(request, by: caller))
}

private func setPassword(
    _ body: PasswordModel, of name: NamespaceName, by caller: Caller, _ identity: Identity
) async throws -> AccountModel {
    try await identity.setPassword(of: name, to: body.password, by: caller)
    return AccountModel(try await identity.account(named: name, by: caller.principal))
}

private func change(_ patch: AccountPatch) -> AccountChange {
    AccountChange(
        email: patch.email.change, fullName: patch.fullName.change,
        siteRoles: patch.roles.map { .set(Set($0)) } ?? .keep,
        isDisabled: patch.isDisabled.map { .set($0) } ?? .keep)
}

extension PatchField {
    /// As the store takes it.
    var change: Change<Value?> {
        switch self {
        case .keep: .keep
        case .clear: .set(nil)
        case .set(let value): .set(value)
        }
    }
}
