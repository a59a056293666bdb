import HubCore

/// The settings of the site that are kept in the database and changed while the hub runs, with `csghub setting`.
///
/// Adding one is a case here, its texts below, and the place that reads it.
package enum SiteSetting: String, Hashable, Sendable, CaseIterable {
    case anonymousRead = "anonymous-read"
    case passwordForGit = "password-for-git"
    case membersCreateOrganizations = "members-create-organizations"
    case passwordMinimumLength = "password-minimum-length"
    case repositoryAliases = "repository-aliases"
    case webhookTargets = "webhook-targets"
    case webhookAuthorities = "webhook-authorities"
    case importPublishing = "import-publishing"
    case importDirectories = "import-directories"
    case importLicenses = "import-licenses"
    case importCustody = "import-custody"

    /// What a value may be.
    package enum Kind: Hashable, Sendable {
        /// `true` or `false`; `on`, `off`, `yes` and `no` are read as these.
        case flag
        case number(ClosedRange<Int>)
        /// What `AliasList` reads.
        case aliases
        /// What `AllowedTargets` reads.
        case targets
        /// What `TrustedAuthorities` reads.
        case certificates
        /// What `LicensePolicy` reads.
        case licenses
        /// One of these.
        case words([String])
        /// Absolute paths, separated by commas.
        case paths
    }

    /// The value of `importCustody` by which bundles without a whole chain are refused.
    package static let custodyRequired = "required"

    package var key: String { rawValue }

    package var kind: Kind {
        switch self {
        case .anonymousRead, .passwordForGit, .membersCreateOrganizations: .flag
        case .passwordMinimumLength: .number(8...128)
        case .repositoryAliases: .aliases
        case .webhookTargets: .targets
        case .webhookAuthorities: .certificates
        case .importPublishing: .words(["automatic", "administrator"])
        case .importDirectories: .paths
        case .importLicenses: .licenses
        case .importCustody: .words(["optional", Self.custodyRequired])
        }
    }

    package var defaultValue: String {
        switch self {
        case .anonymousRead, .passwordForGit, .membersCreateOrganizations: "false"
        case .passwordMinimumLength: "8"
        case .repositoryAliases, .webhookTargets, .webhookAuthorities, .importLicenses: ""
        case .importPublishing: "automatic"
        case .importDirectories: "/media,/run/media,/mnt"
        case .importCustody: "optional"
        }
    }

    package var description: String {
        switch self {
        case .anonymousRead: "Everybody who reaches the hub may read public repositories without signing in."
        case .passwordForGit: "Git and Git LFS accept an account's password; otherwise an access token only."
        case .membersCreateOrganizations: "Every account may create organizations, not administrators only."
        case .passwordMinimumLength: "The least number of characters in a new password."
        case .repositoryAliases: "What model ids of one part stand for, as in “gpt2=openai-community/gpt2, datasets/squad=rajpurkar/squad”."
        case .webhookTargets:
            "The hosts and address ranges that webhooks may be sent to, as in “hooks.example, *.ci.example, 10.1.0.0/16”; none unless set."
        case .webhookAuthorities:
            "Certificates in PEM form of authorities that webhooks over HTTPS trust beside those of the system."
        case .importPublishing:
            "Who makes a verified offline bundle visible: automatic, or administrator, who looks at it first and publishes or rejects it."
        case .importDirectories:
            "Folders in which media with offline bundles are mounted; imports that are asked for by network read below these only."
        case .importCustody:
            "Whether an offline bundle must bring whole statements of custody that begin with one by its publisher: required, or optional, "
                + "where what is wrong with them is told and stops nothing."
        case .importLicenses:
            "What happens to repositories of offline bundles by the license that they declare, as in “AGPL-*=deny, LicenseRef-*=ask, unknown=ask”: "
                + "the first rule that fits decides, none declared is “unknown”, and what no rule fits is allowed."
        }
    }

    /// What a value must be, in words.
    package var rule: String {
        switch kind {
        case .flag: "true or false"
        case .number(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .aliases: "a list such as “gpt2=openai-community/gpt2, datasets/squad=rajpurkar/squad” of at most \(AliasList.maximumCount)"
        case .targets: "a list of hosts and address ranges such as “hooks.example, 10.1.0.0/16” of at most \(AllowedTargets.maximumCount)"
        case .certificates: "certificates in PEM form, at most \(TrustedAuthorities.maximumCount)"
        case .licenses:
            "a list of PATTERN=allow, PATTERN=ask or PATTERN=deny such as “AGPL-*=deny, unknown=ask” of at most \(LicensePolicy.maximumCount)"
        case .words(let words): words.joined(separator: " or ")
        case .paths: "a list of at most 20 absolute paths such as “/media,/mnt”"
        }
    }

    /// The value as it is stored.
    package func normalized(_ text: String) throws(IdentityError) -> String {
        switch kind {
        case .flag:
            switch text.lowercased() {
            case "true", "on", "yes", "1": return "true"
            case "false", "off", "no", "0": return "false"
            default: throw .invalidSetting(key: key, rule: rule)
            }
        case .number(let range):
            guard let number = Int(text), range.contains(number) else { throw .invalidSetting(key: key, rule: rule) }
            return String(number)
        case .aliases:
            guard let list = AliasList(text) else { throw .invalidSetting(key: key, rule: rule) }
            return list.text
        case .targets:
            guard let list = AllowedTargets(text) else { throw .invalidSetting(key: key, rule: rule) }
            return list.text
        case .certificates:
            guard let list = TrustedAuthorities(text) else { throw .invalidSetting(key: key, rule: rule) }
            return list.text
        case .licenses:
            guard let policy = LicensePolicy(text) else { throw .invalidSetting(key: key, rule: rule) }
            return policy.text
        case .words(let words):
            guard words.contains(text.lowercased()) else { throw .invalidSetting(key: key, rule: rule) }
            return text.lowercased()
        case .paths:
            let paths = Self.paths(text)
            guard paths.count <= 20, paths.allSatisfy({ $0.hasPrefix("/") && !$0.contains("/../") && !$0.hasSuffix("/..") }) else {
                throw .invalidSetting(key: key, rule: rule)
            }
            return paths.joined(separator: ",")
        }
    }

    /// The paths of a value of that kind.
    package static func paths(_ text: String) -> [String] {
        text.split(separator: ",").map { part in
            var path = part.drop { $0 == " " }
            while path.last == " " || (path.last == "/" && path.count > 1) { path = path.dropLast() }
            return String(path)
        }.filter { !$0.isEmpty }
    }

    init(parsing key: String) throws(IdentityError) {
        guard let setting = SiteSetting(rawValue: key) else { throw .unknownSetting(key) }
        self = setting
    }
}

/// A site setting with its present value.
package struct SiteSettingValue: Hashable, Sendable {
    /// For example `anonymous-read`.
    package let key: String
    package let value: String
    package let defaultValue: String
    /// One sentence.
    package let description: String
    /// A flag or the configuration file decides, and the value in the database does not count now.
    package let isOverridden: Bool
}
