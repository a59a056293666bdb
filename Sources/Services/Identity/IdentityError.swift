import FoundationEssentials
import HubCore

/// Why `Identity` refused: who you are is not clear, or what you want is not yours to do.
package enum IdentityError: Error, Equatable {
    /// Nobody signed in, and signing in may help.
    case signInRequired(tokenPage: String)
    case wrongCredentials
    /// An account's password where only tokens are accepted.
    case passwordNotAccepted(tokenPage: String)
    /// Not the form of a token of this hub, or a character of it is wrong.
    case tokenMistyped(tokenPage: String)
    case tokenUnknown(tokenPage: String)
    case tokenExpired(since: Date, tokenPage: String)
    case tokenRevoked(tokenPage: String)
    case accountDisabled
    case tooManyAttempts(retryAfter: Duration)
    case tooManySignIns

    /// No such repository, or the caller may not know that there is one.
    case repositoryNotFound
    /// The caller may read the repository, but not do this.
    case forbidden(RepositoryAction)
    /// The caller may read the repository, but its files are for those who were let in.
    case gated(RepositoryReference)
    /// The same, when nobody signed in.
    case gatedSignIn(RepositoryReference, tokenPage: String)
    /// The repository came in a bundle and takes no local changes.
    case imported(RepositoryReference)
    /// A token whose scope or list of repositories is too narrow, where the account itself might.
    case tokenTooNarrow(needs: TokenScope)
    case siteForbidden(SiteAction)
    case notOwnAccount
    case creationForbidden(NamespaceName)
    case organizationForbidden(NamespaceName)

    case passwordTooShort(minimum: Int)
    case passwordTooLong
    case passwordIsName
    case invalidEmail
    case invalidFullName
    case invalidTokenName
    case expiryInThePast
    case tooManyRepositories(maximum: Int)
    case unknownSetting(String)
    case invalidSetting(key: String, rule: String)
}

extension IdentityError: Refusal {
    package var problem: Problem {
        switch self {
        case .signInRequired(let page):
            Problem(
                .unauthenticated, code: "sign_in_required",
                "Sign in to see whether there is something here for you: any user name, and an access token as the password. "
                    + "Make one at \(page).")
        case .wrongCredentials:
            Problem(.unauthenticated, code: "wrong_credentials", "The user name or the password is wrong.")
        case .passwordNotAccepted(let page):
            Problem(
                .unauthenticated, code: "password_not_accepted",
                "Account passwords are not accepted here. Use an access token as the password; make one at \(page).")
        case .tokenMistyped(let page):
            Problem(
                .unauthenticated, code: "token_mistyped",
                "The access token is mistyped or cut short. Copy it again, or make a new one at \(page).")
        case .tokenUnknown(let page):
            Problem(
                .unauthenticated, code: "token_unknown",
                "This hub does not know the access token. Make a new one at \(page).")
        case .tokenExpired(let date, let page):
            Problem(
                .unauthenticated, code: "token_expired",
                "The access token expired on \(Self.day(date)). Make a new one at \(page).")
        case .tokenRevoked(let page):
            Problem(.unauthenticated, code: "token_revoked", "The access token was revoked. Make a new one at \(page).")
        case .accountDisabled:
            Problem(
                .unauthenticated, code: "account_disabled", "The account is disabled; ask an administrator of the hub.")
        case .tooManyAttempts(let delay):
            Problem(
                .throttled, code: "too_many_attempts",
                "Too many failed sign-ins. Wait \(delay.components.seconds) seconds and try again.", retryAfter: delay)
        case .tooManySignIns:
            Problem(
                .unavailable, code: "too_many_sign_ins",
                "Too many people sign in at this moment; try again in a few seconds.",
                retryAfter: .seconds(3))
        case .repositoryNotFound:
            Problem(.missing, code: "repository_not_found", "There is no such repository, or you may not see it.")
        case .forbidden(let action):
            Problem(.forbidden, code: "forbidden", "You may read this repository, but not \(action.words).")
        case .gated(let reference):
            Problem(
                .forbidden, code: "gated_repository",
                "Access to \(reference.kind.rawValue) \(reference.name) is restricted and you are not in the authorized list. Ask for "
                    + "access on its page.")
        case .gatedSignIn(let reference, let page):
            Problem(
                .unauthenticated, code: "gated_repository",
                "Access to \(reference.kind.rawValue) \(reference.name) is restricted. Sign in with an access token and ask for access "
                    + "on its page. Make a token at \(page).")
        case .imported(let reference):
            Problem(
                .forbidden, code: "imported_repository",
                "\(reference) was imported from a bundle and takes no local changes, so that it stays what its publisher sent. "
                    + "Duplicate it and change the copy, or ask an administrator of the hub to open it: "
                    + "csghub repository set \(reference) --local-changes allow")
        case .tokenTooNarrow(let scope):
            Problem(
                .forbidden, code: "token_too_narrow",
                "This access token does not allow it; use one with the scope “\(scope.rawValue)” that is not limited to other "
                    + "repositories.")
        case .siteForbidden(let action):
            Problem(.forbidden, code: "forbidden", "You may not \(action.words).")
        case .notOwnAccount:
            Problem(.forbidden, code: "forbidden", "You may do this for your own account only.")
        case .creationForbidden(let name):
            Problem(.forbidden, code: "forbidden", "You may not create repositories in “\(name)”.")
        case .organizationForbidden(let name):
            Problem(.forbidden, code: "forbidden", "You may not do this in the organization “\(name)”.")
        case .passwordTooShort(let minimum):
            Problem(.invalid, code: "password_too_short", "The password needs at least \(minimum) characters.")
        case .passwordTooLong:
            Problem(
                .invalid, code: "password_too_long", "The password is longer than \(PasswordRules.maximumBytes) bytes.")
        case .passwordIsName:
            Problem(.invalid, code: "password_is_name", "The password must not be the account's name.")
        case .invalidEmail:
            Problem(.invalid, code: "invalid_email", "The e-mail address is not valid.")
        case .invalidFullName:
            Problem(
                .invalid, code: "invalid_full_name",
                "The full name is longer than 200 characters or holds control characters.")
        case .invalidTokenName:
            Problem(.invalid, code: "invalid_token_name", "The token needs a name of 1 to 100 characters.")
        case .expiryInThePast:
            Problem(.invalid, code: "expiry_in_the_past", "The token would have expired already; give a later time.")
        case .tooManyRepositories(let maximum):
            Problem(
                .invalid, code: "too_many_repositories", "A token can be limited to at most \(maximum) repositories.")
        case .unknownSetting(let key):
            Problem(.missing, code: "setting_not_found", "There is no setting “\(key.shortened)”.")
        case .invalidSetting(let key, let rule):
            Problem(.invalid, code: "invalid_setting", "The setting “\(key)” must be \(rule).")
        }
    }

    /// As in `2026-11-24`.
    private static func day(_ date: Date) -> String { String(date.formatted(.iso8601).prefix(10)) }
}

extension RepositoryAction {
    fileprivate var words: String {
        switch self {
        case .read: "read it"
        case .readContent: "read its files"
        case .discuss: "open discussions in it"
        case .propose: "propose changes to it"
        case .write: "write to it"
        case .configure: "configure it"
        case .administer: "administer it"
        }
    }
}

extension SiteAction {
    fileprivate var words: String {
        switch self {
        case .manageAccounts: "manage accounts"
        case .createOrganizations: "create organizations"
        case .manageOrganizations: "manage organizations"
        case .changeSettings: "change the site's settings"
        case .readSettings: "see the site's settings"
        case .readAudit: "read the audit log"
        case .approveImports: "approve imports"
        case .readMetrics: "read the metrics"
        case .maintain: "maintain the hub's storage"
        }
    }
}
