import HubCore

/// Decides who may do what with the site as a whole.
///
/// Pure, as `AccessRules` is.
package enum SiteRules {
    /// `allOrganizations`: the site setting `members-create-organizations`.
    package static func allows(_ action: SiteAction, by principal: Principal, membersCreateOrganizations: Bool) -> Bool
    {
        switch principal {
        case .localAdministrator: true
        case .anonymous: false
        case .account(let account): allows(action, account, membersCreateOrganizations)
        case .token(let token, of: let account):
            // A token for some repositories is none for the site.
            token.repositories == nil && token.scope >= neededScope(action)
                && allows(action, account, membersCreateOrganizations)
        }
    }

    private static func allows(_ action: SiteAction, _ account: Account, _ membersCreateOrganizations: Bool) -> Bool {
        if account.isDisabled { return false }
        if account.siteRoles.contains(.administrator) { return true }
        switch action {
        case .manageAccounts, .manageOrganizations, .changeSettings, .readMetrics, .maintain: return false
        case .createOrganizations: return membersCreateOrganizations
        case .readSettings, .readAudit: return account.siteRoles.contains(.auditor)
        case .approveImports: return account.siteRoles.contains(.approver)
        }
    }

    static func neededScope(_ action: SiteAction) -> TokenScope {
        switch action {
        case .readSettings, .readAudit, .readMetrics: .read
        case .createOrganizations, .approveImports: .write
        case .manageAccounts, .manageOrganizations, .changeSettings, .maintain: .admin
        }
    }
}
