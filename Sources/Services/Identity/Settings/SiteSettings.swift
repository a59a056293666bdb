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

    /// What a value may be.
    package enum Kind: Hashable, Sendable {
        /// `true` or `false`; `on`, `off`, `yes` and `no` are read as these.
        case flag
        case number(ClosedRange<Int>)
        /// What `AliasList` reads.
        case aliases
        /// What `AllowedTargets` reads.
        case targets
    }

    package var key: String { rawValue }

    package var kind: Kind {
        switch self {
        case .anonymousRead, .passwordForGit, .membersCreateOrganizations: .flag
        case .passwordMinimumLength: .number(8...128)
        case .repositoryAliases: .aliases
        case .webhookTargets: .targets
        }
    }

    package var defaultValue: String {
        switch self {
        case .anonymousRead, .passwordForGit, .membersCreateOrganizations: "false"
        case .passwordMinimumLength: "8"
        case .repositoryAliases, .webhookTargets: ""
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
        }
    }

    /// What a value must be, in words.
    package var rule: String {
        switch kind {
        case .flag: "true or false"
        case .number(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .aliases: "a list such as “gpt2=openai-community/gpt2, datasets/squad=rajpurkar/squad” of at most \(AliasList.maximumCount)"
        case .targets: "a list of hosts and address ranges such as “hooks.example, 10.1.0.0/16” of at most \(AllowedTargets.maximumCount)"
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
        }
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
