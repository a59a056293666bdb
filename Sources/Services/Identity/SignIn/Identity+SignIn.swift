import FoundationEssentials
import HubCore
import Logging
import MetadataStore

extension Identity {
    /// Who shows these credentials.
    ///
    /// `.none` is `.anonymous`; wrong ones throw an `IdentityError` whose text git can show.
    ///
    /// `address` is the client's, for back-off and audit.
    package func authenticate(
        _ credentials: Credentials, from address: String?, door: Door
    ) async throws -> Principal {
        switch credentials {
        case .none:
            return .anonymous
        case .bearer(let text):
            return try await signIn(token: text)
        case .basic(let user, let password):
            if TokenText.looksLikeOne(password) { return try await signIn(token: password) }
            // `https://<token>@host` and `<token>:x-oauth-basic`, as some tools write it.
            if TokenText.looksLikeOne(user), password.isEmpty || password == "x-oauth-basic" {
                return try await signIn(token: user)
            }
            return try await signIn(user: user, password: password, from: address, door: door)
        }
    }

    private func signIn(token text: String) async throws -> Principal {
        let page = settings.tokenPage
        guard let parsed = TokenText(parsing: text) else { throw IdentityError.tokenMistyped(tokenPage: page) }
        guard let (token, account) = try await store.token(hash: parsed.hash) else {
            throw IdentityError.tokenUnknown(tokenPage: page)
        }
        guard token.revokedAt == nil else { throw IdentityError.tokenRevoked(tokenPage: page) }
        let now = now
        if let expiry = token.expiresAt, expiry <= now {
            throw IdentityError.tokenExpired(since: expiry, tokenPage: page)
        }
        guard !account.isDisabled else { throw IdentityError.accountDisabled }
        do {
            try await store.touchToken(token.id, at: now)
        } catch {
            // Its last use is no reason to refuse a reader, on a full disk for example.
            log.warning("The last use of a token was not written: \(error)", metadata: ["token.id": "\(token.id)"])
        }
        return .token(token, of: account)
    }

    private func signIn(user: String, password: String, from address: String?, door: Door) async throws -> Principal {
        // Said before the password is looked at, so that git is no place to try passwords.
        let isAccepted = door == .api ? true : try await allowsPasswordForGit()
        guard isAccepted else { throw IdentityError.passwordNotAccepted(tokenPage: settings.tokenPage) }
        guard password.utf8.count <= PasswordRules.maximumBytes else { throw IdentityError.wrongCredentials }

        let name = try? NamespaceName(parsing: user)  // a name that nobody can have is as wrong as one that nobody has
        let stored = try await name.asyncFlatMap { try await self.store.storedPassword(named: $0) }
        let now = now.timeIntervalSince1970
        if let stored, let hash = stored.hash, verified.contains(password, hash: hash, of: stored.account.id, at: now) {
            guard !stored.account.isDisabled else { throw IdentityError.accountDisabled }
            return .account(stored.account)
        }
        let key = name?.key ?? "?"
        try backoff.begin(account: key, address: address, at: now)
        let isRight = try await passwords.verify(password, against: stored?.hash)
        guard isRight, let stored, let hash = stored.hash else {
            try await auditFailure(of: name?.text ?? "?", from: address, door)
            throw IdentityError.wrongCredentials
        }
        backoff.succeeded(account: key, address: address)
        guard !stored.account.isDisabled else { throw IdentityError.accountDisabled }
        verified.insert(password, hash: hash, of: stored.account.id, at: now)
        let principal = Principal.account(stored.account)
        let entry = Caller(principal, address: address).entry(
            "sign-in", on: stored.account.name.text, ["door": door.rawValue])
        try await store.appendAudit(entry)
        return principal
    }

    private func auditFailure(of name: String, from address: String?, _ door: Door) async throws {
        guard let unwritten = audits.failure(name, address, at: now.timeIntervalSince1970) else { return }
        var detail = ["door": door.rawValue]
        if unwritten > 0 { detail["more_failures_before"] = String(unwritten) }
        try await store.appendAudit(Caller(.anonymous, address: address).entry("sign-in.failed", on: name, detail))
    }
}

extension Optional {
    fileprivate func asyncFlatMap<Other>(_ transform: (Wrapped) async throws -> Other?) async rethrows -> Other? {
        guard let self else { return nil }
        return try await transform(self)
    }
}
