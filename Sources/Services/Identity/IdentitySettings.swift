/// How `Identity` is set up at start.
///
/// Site settings in the database hold where a value here is `nil`.
package struct IdentitySettings: Sendable {
    /// `--anonymous-read`: overrides the site setting `anonymous-read`.
    package var allowsAnonymousRead: Bool?
    /// Overrides the site setting `password-for-git`.
    package var allowsPasswordForGit: Bool?
    /// The first external address of the hub, without a trailing slash, for messages: `https://hub.example`.
    package var externalURL: String
    package var passwordCost: PasswordCost

    package init(
        allowsAnonymousRead: Bool? = nil, allowsPasswordForGit: Bool? = nil, externalURL: String,
        passwordCost: PasswordCost = .standard
    ) {
        self.allowsAnonymousRead = allowsAnonymousRead
        self.allowsPasswordForGit = allowsPasswordForGit
        self.externalURL = externalURL
        self.passwordCost = passwordCost
    }

    /// Where people make access tokens.
    package var tokenPage: String { externalURL + "/settings/tokens" }
}

/// The cost of one Argon2id hash.
package struct PasswordCost: Hashable, Sendable {
    package var memoryKiB: UInt32
    package var passes: UInt32
    package var lanes: UInt32

    package init(memoryKiB: UInt32, passes: UInt32, lanes: UInt32) {
        self.memoryKiB = memoryKiB
        self.passes = passes
        self.lanes = lanes
    }

    /// RFC 9106's second recommendation (64 MiB, 3 passes) on one lane.
    package static let standard = PasswordCost(memoryKiB: 65_536, passes: 3, lanes: 1)
    /// For tests only.
    package static let cheap = PasswordCost(memoryKiB: 64, passes: 1, lanes: 1)
}
