import Foundation
import HubCore
import MetadataStore
import Testing

@testable import Identity

@Suite("Rights through the store")
struct RightsTests {
    private func problem(_ body: () async throws -> some Any) async -> Problem? {
        do {
            _ = try await body()
            return nil
        } catch {
            return (error as? any Refusal)?.problem
        }
    }

    @Test(
        "an anonymous visitor cannot tell a private repository from none, and may read public ones if the site says so")
    func anonymous() async throws {
        let test = try TestIdentity()
        try await test.account("ada")
        _ = try await test.repository("models/ada/open", .public)
        _ = try await test.repository("models/ada/closed", .private)
        func ask(_ name: String) async throws -> Problem? {
            let reference = try RepositoryReference(parsing: "models/ada/\(name)")
            return await problem { _ = try await test.identity.repository(reference, for: .read, by: .anonymous) }
        }
        #expect(try await ask("open")?.kind == .unauthenticated)
        _ = try await test.identity.setSiteSetting("anonymous-read", to: "true", by: TestIdentity.local)
        #expect(try await ask("open") == nil)
        let (closed, missing) = (try await ask("closed"), try await ask("missing"))
        #expect(closed == missing && closed?.kind == .unauthenticated)
        #expect(try await test.identity.visibilityScope(of: .anonymous) == .publicOnly)
    }

    @Test("a reader without rights sees not found, a reader with rights is forbidden to write")
    func signedIn() async throws {
        let test = try TestIdentity()
        try await test.account("ada")
        let ben = Principal.account(try await test.account("ben"))
        let closed = try await test.repository("models/ada/closed", .private)
        let open = try await test.repository("models/ada/open", .internal)
        let identity = test.identity
        #expect(await problem { try await identity.require(.read, on: closed, by: ben) }?.kind == .missing)
        #expect(await problem { try await identity.require(.write, on: closed, by: ben) }?.kind == .missing)
        #expect(await problem { try await identity.require(.read, on: open, by: ben) } == nil)
        #expect(await problem { try await identity.require(.write, on: open, by: ben) }?.kind == .forbidden)
        try await identity.setCollaborator(
            NamespaceName(parsing: "ben"), of: closed, role: .write, by: TestIdentity.local)
        #expect(await problem { try await identity.require(.write, on: closed, by: ben) } == nil)
        #expect(await problem { try await identity.require(.administer, on: closed, by: ben) }?.kind == .forbidden)
        try await identity.removeCollaborator(NamespaceName(parsing: "ben"), of: closed, by: TestIdentity.local)
        #expect(await problem { try await identity.require(.read, on: closed, by: ben) }?.kind == .missing)
    }

    @Test("organization members create and write as their roles say")
    func organization() async throws {
        let test = try TestIdentity()
        let identity = test.identity
        let lab = try NamespaceName(parsing: "lab")
        let ada = try await test.account("ada")
        let ben = try await test.account("ben")
        _ = try await test.account("eve")
        #expect(
            await problem { _ = try await identity.createOrganization(lab, by: Caller(.account(ada))) }?.kind
                == .forbidden)
        _ = try await identity.setSiteSetting("members-create-organizations", to: "true", by: TestIdentity.local)
        _ = try await identity.createOrganization(lab, by: Caller(.account(ada)))
        let caller = Caller(.account(ada))
        _ = try await identity.setMember(ben.name, of: lab, role: .read, by: caller)
        #expect(
            await problem { _ = try await identity.requireCreation(in: lab, by: .account(ben)) }?.kind == .forbidden)
        _ = try await identity.setMember(ben.name, of: lab, role: .contribute, by: caller)
        #expect(try await identity.requireCreation(in: lab, by: .account(ben)).name == lab)
        let own = try await test.repository("models/lab/own", .private, by: ben)
        let others = try await test.repository("models/lab/others", .private, by: ada)
        #expect(try await identity.may(.write, on: own, by: .account(ben)))
        #expect(try await !identity.may(.write, on: others, by: .account(ben)))
        #expect(try await identity.may(.read, on: others, by: .account(ben)))

        let eve = Principal.account(try #require(try await test.store.account(named: NamespaceName(parsing: "eve"))))
        #expect(await problem { _ = try await identity.members(of: lab, by: eve) }?.kind == .forbidden)
        #expect(
            await problem { try await identity.removeMember(ben.name, of: lab, by: Caller(eve)) }?.kind == .forbidden)
        try await identity.removeMember(ben.name, of: lab, by: Caller(.account(ben)))
        #expect(try await !identity.may(.read, on: others, by: .account(ben)))
        #expect(await problem { try await identity.deleteOrganization(lab, by: caller) }?.code == "owns_repositories")
    }

    @Test("a token is bound by scope, list and account; a revoked one works nowhere at once")
    func tokens() async throws {
        let test = try TestIdentity()
        let identity = test.identity
        let ada = try await test.account("ada")
        let one = try await test.repository("models/ada/one", .private)
        let two = try await test.repository("models/ada/two", .private)
        func principal(_ scope: TokenScope, _ repositories: Set<RepositoryID>? = nil) async throws -> Principal {
            let token = try await test.token("ada", scope, repositories: repositories)
            return try await test.signIn(.bearer(token.text))
        }
        let reader = try await principal(.read)
        #expect(try await identity.may(.read, on: one, by: reader))
        #expect(await problem { try await identity.require(.write, on: one, by: reader) }?.code == "token_too_narrow")
        #expect(
            await problem { _ = try await identity.requireCreation(in: ada.name, by: reader) }?.code
                == "token_too_narrow")
        #expect(await problem { _ = try await identity.tokens(of: ada.name, by: reader) }?.code == "token_too_narrow")
        let limited = try await principal(.admin, [one.id])
        #expect(try await identity.may(.administer, on: one, by: limited))
        #expect(await problem { try await identity.require(.read, on: two, by: limited) }?.kind == .missing)
        #expect(await problem { _ = try await identity.requireCreation(in: ada.name, by: limited) }?.kind == .forbidden)
        #expect(try await identity.visibilityScope(of: limited) == .token(ada.id, repositories: [one.id]))
        // A token limited to a repository that is purged later must not become one for all.
        _ = try await test.store.deleteRepository(one.id, audit: TestIdentity.local.entry("x", on: "x"))
        _ = try await test.store.purgeRepository(one.id, audit: TestIdentity.local.entry("x", on: "x"))
        guard case .token(let token, _) = limited else { return }
        #expect(try await test.store.token(id: token.id)?.repositories == [])
        // Nobody's token can be limited to what its account does not see.
        try await test.account("eve")
        #expect(
            await problem { _ = try await test.token("eve", repositories: [two.id]) }?.kind == .missing)
    }

    @Test("own things are one's own: tokens, password, profile")
    func ownAccount() async throws {
        let test = try TestIdentity()
        let identity = test.identity
        let ada = try await test.account("ada")
        let ben = Caller(.account(try await test.account("ben")))
        let token = try await test.token("ada")
        #expect(await problem { _ = try await identity.revokeToken(token.token.id, by: ben) }?.kind == .missing)
        #expect(
            await problem { try await identity.setPassword(of: ada.name, to: "long enough", by: ben) }?.kind
                == .forbidden)
        #expect(
            await problem {
                _ = try await identity.createToken(TokenRequest(name: "x", scope: .read), for: ada.name, by: ben)
            }?
            .kind == .forbidden)
        let own = Caller(.account(ada))
        try await identity.setPassword(of: ada.name, to: "long enough", by: own)
        #expect(
            await problem { try await identity.setPassword(of: ada.name, to: "short", by: own) }?.code
                == "password_too_short")
        #expect(
            await problem {
                _ = try await identity.updateAccount(
                    ada.name, AccountChange(siteRoles: .set([.administrator])), by: own)
            }?
            .kind == .forbidden)
        let changed = try await identity.updateAccount(ada.name, AccountChange(email: .set("ada@example.org")), by: own)
        #expect(changed.email == "ada@example.org")
        #expect(
            await problem { _ = try await identity.updateAccount(ada.name, AccountChange(email: .set("no")), by: own) }?
                .code
                == "invalid_email")
        #expect(try await identity.account(named: ada.name, by: ben.principal).email == nil)
        #expect(
            await problem {
                _ = try await identity.createAccount(AccountRequest(name: NamespaceName(parsing: "x")), by: ben)
            }?.kind == .forbidden)
    }

    @Test("settings have types and defaults; flags override; auditors read")
    func settings() async throws {
        let test = try TestIdentity { $0.allowsAnonymousRead = true }
        let identity = test.identity
        let auditor = Principal.account(try await test.account("ann", roles: [.auditor]))
        let values = try await identity.siteSettings(by: auditor)
        #expect(values.map(\.key) == SiteSetting.allCases.map(\.key).sorted())
        #expect(values.first { $0.key == "anonymous-read" }?.isOverridden == true)
        #expect(values.first { $0.key == "anonymous-read" }?.value == "true")
        #expect(
            await problem { _ = try await identity.setSiteSetting("anonymous-read", to: "true", by: Caller(auditor)) }?
                .kind == .forbidden)
        #expect(
            await problem {
                _ = try await identity.setSiteSetting("anonymous-read", to: "maybe", by: TestIdentity.local)
            }?.code == "invalid_setting")
        #expect(
            await problem { _ = try await identity.siteSetting("nothing", by: auditor) }?.code == "setting_not_found")
        let number = try await identity.setSiteSetting("password-minimum-length", to: "12", by: TestIdentity.local)
        #expect(number.value == "12")
        #expect(await problem { try await test.account("zoe", password: "12345678901") }?.code == "password_too_short")
        #expect(
            try await identity.setSiteSetting("password-minimum-length", to: nil, by: TestIdentity.local).value == "8")
        #expect(try await identity.auditEntries(by: auditor).last?.entry.actor == "local uid 0 (sudo by uid 1000)")
        let verification = try await identity.verifyAudit(by: auditor)
        guard case .intact = verification else {
            Issue.record("\(verification)")
            return
        }
        #expect(Identity.randomPassword().count == 20 && Identity.randomPassword() != Identity.randomPassword())
    }
}
