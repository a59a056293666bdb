import FoundationEssentials
import HubCore
import Logging
import MetadataStore

/// Who is who and who may what: accounts, tokens, organizations, and the one place where rights are decided.
package final class Identity: Sendable {
    package let settings: IdentitySettings
    let store: MetadataStore
    let passwords: PasswordHasher
    let backoff: SignInBackoff
    let audits = SignInAudit()
    let verified: VerifiedPasswords
    let log = Logger(label: "hub.identity")
    private let clock: @Sendable () -> Date

    package init(
        store: MetadataStore, settings: IdentitySettings, clock: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.store = store
        self.settings = settings
        self.clock = clock
        passwords = PasswordHasher(cost: settings.passwordCost)
        backoff = SignInBackoff()
        verified = VerifiedPasswords()
    }

    var now: Date { clock() }

    // MARK: - Site settings that decide here

    func allowsAnonymousRead() async throws -> Bool {
        if let override = settings.allowsAnonymousRead { return override }
        return try await flag(.anonymousRead)
    }

    func allowsPasswordForGit() async throws -> Bool {
        if let override = settings.allowsPasswordForGit { return override }
        return try await flag(.passwordForGit)
    }

    func flag(_ setting: SiteSetting) async throws -> Bool {
        try await store.setting(setting.key) ?? setting.defaultValue == "true"
    }

    func number(_ setting: SiteSetting) async throws -> Int {
        Int(try await store.setting(setting.key) ?? setting.defaultValue) ?? 0
    }
}
