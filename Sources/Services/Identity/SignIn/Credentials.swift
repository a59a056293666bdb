/// What a client showed to say who it is.
package enum Credentials: Hashable, Sendable {
    case none
    /// `Authorization: Bearer <token>`.
    case bearer(String)
    /// `Authorization: Basic`: a token as the password (any user name), or an account's name and password.
    case basic(user: String, password: String)
}

/// The interface by which a client comes in.
///
/// They differ in whether an account's password is accepted.
package enum Door: String, Hashable, Sendable, CaseIterable {
    /// Tokens; passwords only if the site's `password-for-git` says so.
    case git, lfs
    /// Tokens and passwords.
    case api
}
