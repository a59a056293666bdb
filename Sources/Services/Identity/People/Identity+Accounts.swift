import HubCore
import MetadataStore

/// An account to be created.
package struct AccountRequest: Sendable {
    package var name: NamespaceName
    package var email: String?
    package var fullName: String?
    /// `nil` for an account that cannot sign in with a password.
    package var password: String?
    package var siteRoles: Set<SiteRole>

    package init(
        name: NamespaceName, email: String? = nil, fullName: String? = nil, password: String? = nil,
        siteRoles: Set<SiteRole> = []
    ) {
        self.name = name
        self.email = email
        self.fullName = fullName
        self.password = password
        self.siteRoles = siteRoles
    }
}

extension Identity {
    package func createAccount(_ request: AccountRequest, by caller: Caller) async throws -> Account {
        try await requireSite(.manageAccounts, by: caller.principal)
        try PersonRules.check(email: request.email, fullName: request.fullName)
        let hash = try await request.password.asyncMap { try await self.checkedHash($0, of: request.name) }
        let entry = caller.entry("account.create", on: request.name.text, ["site_roles": request.siteRoles.words])
        let account = NewAccount(
            name: request.name, email: request.email, fullName: request.fullName, passwordHash: hash,
            siteRoles: request.siteRoles)
        return try await store.createAccount(account, audit: entry)
    }

    /// Whole for oneself and for those who manage accounts; for others who are signed in without e-mail address and
    /// roles.
    package func account(named name: NamespaceName, by principal: Principal) async throws -> Account {
        try requireSignedIn(principal)
        guard var account = try await store.account(named: name) else { throw MetadataError.accountNotFound }
        if principal.account?.id == account.id { return account }
        if try await maySite(.manageAccounts, by: principal) { return account }
        account.email = nil
        account.siteRoles = []
        account.isDisabled = false
        return account
    }

    package func accounts(
        after: String? = nil, limit: Int = 100, by principal: Principal
    ) async throws -> Page<Account> {
        try await requireSite(.manageAccounts, by: principal)
        return try await store.accounts(after: after, limit: limit)
    }

    /// E-mail address and full name of the own account; also roles and enabling for those who manage accounts.
    ///
    /// A `passwordHash` in the change is left out; use `setPassword`.
    package func updateAccount(
        _ name: NamespaceName, _ change: AccountChange, by caller: Caller
    ) async throws -> Account {
        let account = try await managedAccount(name, by: caller.principal)
        var change = change
        change.passwordHash = .keep
        if change.siteRoles.isSet || change.isDisabled.isSet {
            try await requireSite(.manageAccounts, by: caller.principal)
        }
        try PersonRules.check(email: change.email.value ?? nil, fullName: change.fullName.value ?? nil)
        var detail: [String: String] = [:]
        if change.email.isSet { detail["email"] = "changed" }
        if change.fullName.isSet { detail["full_name"] = "changed" }
        if let roles = change.siteRoles.value { detail["site_roles"] = roles.words }
        if let isDisabled = change.isDisabled.value { detail["disabled"] = String(isDisabled) }
        let entry = caller.entry("account.change", on: account.name.text, detail)
        return try await store.updateAccount(account.id, change, audit: entry)
    }

    /// Holds from the next request on; tokens go on working.
    package func setPassword(of name: NamespaceName, to password: String, by caller: Caller) async throws {
        let account = try await managedAccount(name, by: caller.principal)
        let hash = try await checkedHash(password, of: account.name)
        _ = try await store.updateAccount(
            account.id, AccountChange(passwordHash: .set(hash)),
            audit: caller.entry("account.password", on: account.name.text))
    }

    /// Refused while it owns repositories.
    package func deleteAccount(_ name: NamespaceName, by caller: Caller) async throws {
        try await requireSite(.manageAccounts, by: caller.principal)
        guard let account = try await store.account(named: name) else { throw MetadataError.accountNotFound }
        try await store.deleteAccount(account.id, audit: caller.entry("account.delete", on: account.name.text))
    }

    /// 20 characters of an alphabet of 54 without look-alikes: 115 bits.
    package static func randomPassword() -> String {
        let alphabet = Array("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")
        var generator = SystemRandomNumberGenerator()
        return String((0..<20).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] })
    }

    // MARK: - Within Identity

    /// An account that the principal may change: its own (with a token: of scope `admin`), or any for those who manage
    /// accounts.
    func managedAccount(_ name: NamespaceName, by principal: Principal) async throws -> Account {
        try requireSignedIn(principal)
        let account = try await store.account(named: name)
        if try await maySite(.manageAccounts, by: principal) {
            guard let account else { throw MetadataError.accountNotFound }
            return account
        }
        guard let account, account.id == principal.account?.id else { throw IdentityError.notOwnAccount }
        try requireScope(.admin, principal)
        return account
    }

    private func checkedHash(_ password: String, of name: NamespaceName) async throws -> String {
        let minimum = try await number(.passwordMinimumLength)
        try PasswordRules.check(password, of: name, minimumLength: minimum)
        return try await passwords.hash(password)
    }
}

/// What e-mail addresses and full names may be.
enum PersonRules {
    static func check(email: String?, fullName: String?) throws(IdentityError) {
        if let email {
            let parts = email.split(separator: "@", omittingEmptySubsequences: false)
            let isPrintable = email.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F }
            guard email.utf8.count <= 254, isPrintable, parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else {
                throw .invalidEmail
            }
        }
        if let fullName {
            let isPrintable = fullName.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
            guard (1...200).contains(fullName.unicodeScalars.count), isPrintable else { throw .invalidFullName }
        }
    }
}

extension Set where Element == SiteRole {
    fileprivate var words: String { isEmpty ? "none" : map(\.rawValue).sorted().joined(separator: ", ") }
}

extension Optional {
    func asyncMap<Other>(_ transform: (Wrapped) async throws -> Other) async rethrows -> Other? {
        guard let self else { return nil }
        return try await transform(self)
    }
}
