import Foundation
import HubCore
import MetadataStore
import Testing

@testable import Identity

@Suite("Signing in")
struct SignInTests {
    private func code(_ body: () async throws -> Principal) async -> String? {
        do {
            _ = try await body()
            return nil
        } catch {
            return (error as? any Refusal)?.problem.code ?? "\(error)"
        }
    }

    @Test("nothing shown is anonymous; a token works as Bearer, as a password and as a user name")
    func tokens() async throws {
        let test = try TestIdentity()
        let ada = try await test.account("ada")
        let token = try await test.token("ada")
        #expect(try await test.signIn(.none) == .anonymous)
        for credentials: Credentials in [
            .bearer(token.text), .basic(user: "whoever", password: token.text), .basic(user: token.text, password: ""),
            .basic(user: token.text, password: "x-oauth-basic"),
        ] {
            for door in Door.allCases {
                let principal = try await test.signIn(credentials, door: door)
                #expect(principal.account?.id == ada.id)
                guard case .token(let shown, _) = principal else {
                    Issue.record("\(principal)")
                    return
                }
                #expect(shown.id == token.token.id)
            }
        }
    }

    @Test("mistyped, unknown, expired and revoked tokens and disabled accounts are told apart, with the token page")
    func badTokens() async throws {
        let test = try TestIdentity()
        try await test.account("ada")
        let expiring = try await test.token("ada", expiresAt: test.clock.now.addingTimeInterval(60))
        let revoked = try await test.token("ada")
        let kept = try await test.token("ada")
        #expect(await code { try await test.signIn(.bearer(expiring.text)) } == nil)
        test.clock.advance(by: 61)
        _ = try await test.identity.revokeToken(revoked.token.id, by: TestIdentity.local)

        #expect(await code { try await test.signIn(.bearer(expiring.text)) } == "token_expired")
        #expect(await code { try await test.signIn(.bearer(revoked.text)) } == "token_revoked")
        #expect(await code { try await test.signIn(.bearer(String(kept.text.dropLast()))) } == "token_mistyped")
        #expect(await code { try await test.signIn(.bearer("secret")) } == "token_mistyped")
        #expect(await code { try await test.signIn(.bearer(TokenText().text)) } == "token_unknown")
        let ada = try NamespaceName(parsing: "ada")
        _ = try await test.identity.updateAccount(ada, AccountChange(isDisabled: .set(true)), by: TestIdentity.local)
        #expect(await code { try await test.signIn(.bearer(kept.text)) } == "account_disabled")
        for error: IdentityError in [
            .tokenExpired(since: test.clock.now, tokenPage: test.identity.settings.tokenPage),
            .tokenRevoked(tokenPage: test.identity.settings.tokenPage),
            .passwordNotAccepted(tokenPage: test.identity.settings.tokenPage),
        ] {
            #expect(error.problem.message.contains("https://hub.test/settings/tokens"))
            #expect(error.problem.kind == .unauthenticated)
        }
    }

    @Test("a password works for the API, and for git only if the site says so")
    func passwords() async throws {
        let test = try TestIdentity()
        let ada = try await test.account("Ada")
        let right = Credentials.basic(user: "ada", password: "correct horse")
        #expect(try await test.signIn(right).account == ada)
        #expect(await code { try await test.signIn(right, door: .git) } == "password_not_accepted")
        #expect(await code { try await test.signIn(right, door: .lfs) } == "password_not_accepted")
        _ = try await test.identity.setSiteSetting("password-for-git", to: "on", by: TestIdentity.local)
        #expect(try await test.signIn(right, door: .git).account == ada)
        #expect(await code { try await test.signIn(.basic(user: "ada", password: "wrong")) } == "wrong_credentials")
        #expect(
            await code { try await test.signIn(.basic(user: "nobody", password: "correct horse")) }
                == "wrong_credentials")
        #expect(
            await code { try await test.signIn(.basic(user: "../x", password: "correct horse")) } == "wrong_credentials"
        )
        let overridden = try TestIdentity { $0.allowsPasswordForGit = true }
        try await overridden.account("ada")
        #expect(try await overridden.signIn(right, door: .git).account?.name.text == "ada")
    }

    @Test("a changed password counts at once, although right ones are remembered")
    func changedPassword() async throws {
        let test = try TestIdentity()
        let ada = try NamespaceName(parsing: "ada")
        try await test.account("ada")
        let old = Credentials.basic(user: "ada", password: "correct horse")
        _ = try await test.signIn(old)
        _ = try await test.signIn(old)
        try await test.identity.setPassword(of: ada, to: "battery staple", by: TestIdentity.local)
        #expect(await code { try await test.signIn(old) } == "wrong_credentials")
        _ = try await test.signIn(.basic(user: "ada", password: "battery staple"))
        // One row for the first sign-in, none for the remembered one, one after the change.
        #expect(try await test.actions().filter { $0 == "sign-in" }.count == 2)
    }

    @Test("guessing one account is slowed down and given time again; its tokens go on working")
    func accountBackoff() async throws {
        let test = try TestIdentity()
        try await test.account("ada")
        let token = try await test.token("ada")
        var codes: [String?] = []
        for attempt in 0..<SignInBackoff.accountAttempts + 2 {
            codes.append(
                await code { try await test.signIn(.basic(user: "ada", password: "no"), from: "192.0.2.\(attempt)") })
        }
        #expect(codes.prefix(SignInBackoff.accountAttempts).allSatisfy { $0 == "wrong_credentials" })
        #expect(codes.last == "too_many_attempts")
        // The right password waits too, or guessing would go on unhindered; a token does not.
        #expect(
            await code { try await test.signIn(.basic(user: "ada", password: "correct horse")) } == "too_many_attempts")
        #expect(await code { try await test.signIn(.bearer(token.text)) } == nil)
        test.clock.advance(by: SignInBackoff.longestDelay + 1)
        #expect(await code { try await test.signIn(.basic(user: "ada", password: "correct horse")) } == nil)
    }

    @Test("guessing many accounts from one address is slowed down, also within an IPv6 /64")
    func addressBackoff() async throws {
        let test = try TestIdentity()
        try await test.account("ada")
        for attempt in 0..<SignInBackoff.addressAttempts {
            let code = await code {
                try await test.signIn(.basic(user: "name\(attempt)", password: "no"), from: "2001:db8:0:1::\(attempt)")
            }
            #expect(code == "wrong_credentials")
        }
        let right = Credentials.basic(user: "ada", password: "correct horse")
        #expect(await code { try await test.signIn(right, from: "2001:db8:0:1:ffff::1") } == "too_many_attempts")
        #expect(await code { try await test.signIn(right, from: "2001:db8:0:2::1") } == nil)
    }

    @Test("a flood of failures makes few audit rows")
    func auditOfFailures() async throws {
        let test = try TestIdentity()
        for attempt in 0..<200 {
            _ = await code {
                try await test.signIn(.basic(user: "name\(attempt)", password: "no"), from: "198.51.100.\(attempt)")
            }
        }
        let rows = try await test.actions().filter { $0 == "sign-in.failed" }.count
        #expect(rows == SignInAudit.budget)
    }

    @Test("the standard cost makes an encoded Argon2id hash that libargon2 verifies")
    func argon2() async throws {
        let hasher = PasswordHasher(cost: PasswordCost(memoryKiB: 1024, passes: 3, lanes: 1))
        let hash = try await hasher.hash("pässword")
        #expect(hash.hasPrefix("$argon2id$v=19$m=1024,t=3,p=1$"))
        #expect(try await hasher.verify("pässword", against: hash))
        #expect(try await !hasher.verify("password", against: hash))
        #expect(try await !hasher.verify("pässword", against: nil))
        #expect(try await hasher.hash("pässword") != hash)
        #expect(PasswordCost.standard == PasswordCost(memoryKiB: 65_536, passes: 3, lanes: 1))
    }
}
