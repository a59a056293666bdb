import HubCore
import MetadataStore

extension Identity {
    /// Who creates it becomes its first administrator, unless that is the machine's own administrator.
    package func createOrganization(
        _ name: NamespaceName, fullName: String? = nil, by caller: Caller
    ) async throws -> Organization {
        try await requireSite(.createOrganizations, by: caller.principal)
        try PersonRules.check(email: nil, fullName: fullName)
        let new = NewOrganization(name: name, fullName: fullName, firstAdmin: caller.principal.account?.id)
        return try await store.createOrganization(new, audit: caller.entry("organization.create", on: name.text))
    }

    package func organization(named name: NamespaceName, by principal: Principal) async throws -> Organization {
        try requireSignedIn(principal)
        guard let organization = try await store.organization(named: name) else {
            throw MetadataError.organizationNotFound
        }
        return organization
    }

    package func organizations(
        after: String? = nil, limit: Int = 100, by principal: Principal
    ) async throws -> Page<Organization> {
        try requireSignedIn(principal)
        return try await store.organizations(after: after, limit: limit)
    }

    package func updateOrganization(
        _ name: NamespaceName, fullName: String?, by caller: Caller
    ) async throws -> Organization {
        let organization = try await requireAdministration(of: name, by: caller.principal)
        try PersonRules.check(email: nil, fullName: fullName)
        let entry = caller.entry("organization.change", on: organization.name.text, ["full_name": "changed"])
        return try await store.updateOrganization(organization.id, fullName: fullName, audit: entry)
    }

    /// Refused while it owns repositories.
    package func deleteOrganization(_ name: NamespaceName, by caller: Caller) async throws {
        let organization = try await requireAdministration(of: name, by: caller.principal)
        try await store.deleteOrganization(
            organization.id, audit: caller.entry("organization.delete", on: organization.name.text))
    }

    /// For members and for those who manage organizations.
    ///
    /// E-mail addresses and site roles are left out.
    package func members(
        of name: NamespaceName, after: String? = nil, limit: Int = 100, by principal: Principal
    ) async throws -> Page<Member> {
        let organization = try await organization(named: name, by: principal)
        if try await !maySite(.manageOrganizations, by: principal) {
            guard let account = principal.account,
                try await store.organizationRole(of: account.id, in: organization.id) != nil
            else { throw IdentityError.organizationForbidden(organization.name) }
        }
        return try await store.members(of: organization.id, after: after, limit: limit).map { $0.withoutPrivateFields }
    }

    /// Adds a member, or changes its role.
    package func setMember(
        _ account: NamespaceName, of organization: NamespaceName, role: OrganizationRole, by caller: Caller
    ) async throws -> Member {
        let organization = try await requireAdministration(of: organization, by: caller.principal)
        guard let account = try await store.account(named: account) else { throw MetadataError.accountNotFound }
        let entry = caller.entry(
            "organization.member", on: organization.name.text, ["account": account.name.text, "role": role.rawValue])
        return try await store.setMember(account.id, of: organization.id, role: role, audit: entry).withoutPrivateFields
    }

    /// By those who administer it, or by the member itself, who leaves.
    package func removeMember(
        _ account: NamespaceName, of organization: NamespaceName, by caller: Caller
    ) async throws {
        try requireSignedIn(caller.principal)
        let isOwn = caller.principal.account?.name.key == account.key
        if isOwn { try requireScope(.admin, caller.principal) }
        let organization =
            isOwn
            ? try await self.organization(named: organization, by: caller.principal)
            : try await requireAdministration(of: organization, by: caller.principal)
        guard let account = try await store.account(named: account) else { throw MetadataError.accountNotFound }
        let entry = caller.entry(
            "organization.member.remove", on: organization.name.text, ["account": account.name.text])
        try await store.removeMember(account.id, of: organization.id, audit: entry)
    }

    // MARK: - Collaborators of one repository

    package func collaborators(of repository: Repository, by principal: Principal) async throws -> [Collaborator] {
        try await require(.administer, on: repository, by: principal)
        return try await store.collaborators(of: repository.id)
    }

    package func setCollaborator(
        _ account: NamespaceName, of repository: Repository, role: CollaboratorRole, by caller: Caller
    ) async throws {
        try await require(.administer, on: repository, by: caller.principal)
        guard let account = try await store.account(named: account) else { throw MetadataError.accountNotFound }
        let entry = caller.entry(
            "repository.collaborator", on: "\(repository.reference)",
            ["account": account.name.text, "role": role.rawValue])
        try await store.setCollaborator(account.id, of: repository.id, role: role, audit: entry)
    }

    package func removeCollaborator(
        _ account: NamespaceName, of repository: Repository, by caller: Caller
    ) async throws {
        try await require(.administer, on: repository, by: caller.principal)
        guard let account = try await store.account(named: account) else { throw MetadataError.accountNotFound }
        let entry = caller.entry(
            "repository.collaborator.remove", on: "\(repository.reference)", ["account": account.name.text])
        try await store.removeCollaborator(account.id, of: repository.id, audit: entry)
    }
}
