import HubCore
import MetadataStore

extension Identity {
    /// All settings, by key.
    package func siteSettings(by principal: Principal) async throws -> [SiteSettingValue] {
        try await requireSite(.readSettings, by: principal)
        let stored = try await store.settings()
        return SiteSetting.allCases.sorted { $0.key < $1.key }.map { value(of: $0, stored: stored[$0.key]) }
    }

    package func siteSetting(_ key: String, by principal: Principal) async throws -> SiteSettingValue {
        try await requireSite(.readSettings, by: principal)
        let setting = try SiteSetting(parsing: key)
        return value(of: setting, stored: try await store.setting(setting.key))
    }

    /// `nil` takes it back to its default.
    ///
    /// Holds from the next request on.
    package func setSiteSetting(_ key: String, to text: String?, by caller: Caller) async throws -> SiteSettingValue {
        try await requireSite(.changeSettings, by: caller.principal)
        let setting = try SiteSetting(parsing: key)
        let value = try text.map { text throws(IdentityError) in try setting.normalized(text) }
        let entry = caller.entry("setting.change", on: setting.key, ["value": value ?? "default"])
        try await store.setSetting(setting.key, to: value, audit: entry)
        return self.value(of: setting, stored: value)
    }

    private func value(of setting: SiteSetting, stored: String?) -> SiteSettingValue {
        let override: Bool? =
            switch setting {
            case .anonymousRead: settings.allowsAnonymousRead
            case .passwordForGit: settings.allowsPasswordForGit
            case .membersCreateOrganizations, .passwordMinimumLength, .repositoryAliases, .webhookTargets, .importPublishing,
                .importDirectories, .importLicenses, .importCustody, .webhookAuthorities:
                nil
            }
        return SiteSettingValue(
            key: setting.key, value: override.map(String.init) ?? stored ?? setting.defaultValue,
            defaultValue: setting.defaultValue, description: setting.description, isOverridden: override != nil)
    }

    // MARK: - Audit log

    /// Oldest first, those whose `sequence` is greater than `after`.
    package func auditEntries(
        after sequence: Int64 = 0, limit: Int = 100, by principal: Principal
    ) async throws -> [AuditRecord] {
        try await requireSite(.readAudit, by: principal)
        return try await store.auditEntries(after: sequence, limit: limit)
    }

    /// Newest first, those whose `sequence` is less than `before`.
    package func latestAuditEntries(
        before sequence: Int64? = nil, limit: Int = 100, by principal: Principal
    ) async throws -> [AuditRecord] {
        try await requireSite(.readAudit, by: principal)
        return try await store.latestAuditEntries(before: sequence, limit: limit)
    }

    package func verifyAudit(
        by principal: Principal, progress: @Sendable (_ checked: Int64, _ total: Int64) -> Void = { _, _ in }
    ) async throws -> AuditVerification {
        try await requireSite(.readAudit, by: principal)
        return try await store.verifyAuditChain(progress: progress)
    }
}
