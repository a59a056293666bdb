/// What may be asked of the site as a whole.
package enum SiteAction: String, Hashable, Sendable, CaseIterable {
    /// Create, change, disable and delete accounts; see those of others whole.
    case manageAccounts
    /// Create organizations.
    case createOrganizations
    /// Administer organizations that one does not belong to.
    case manageOrganizations
    case changeSettings
    case readSettings
    case readAudit
    case approveImports
    case readMetrics
    /// Check objects, sweep, repack.
    case maintain
}
