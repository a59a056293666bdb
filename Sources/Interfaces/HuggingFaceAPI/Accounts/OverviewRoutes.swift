import HubCore
import Hummingbird
import Identity
import MetadataStore

/// What is shown of accounts and organizations. hf-hub-api §1.
enum OverviewRoutes {
    static var all: [HubRoute] {
        [
            HubRoute(.get, "/api/users/{user}/overview") { try await user($0) },
            HubRoute(.get, "/api/organizations/{organization}/overview") { try await organization($0) },
            HubRoute(.get, "/api/organizations/{organization}/members") { try await members($0) },
            // Nobody follows anybody here.
            HubRoute(.get, "/api/organizations/{organization}/followers") { call in
                _ = try await found(organization: call)
                return call.answer([])
            },
            HubRoute(.get, "/api/users/{user}/followers") { try await nobody($0) },
            HubRoute(.get, "/api/users/{user}/following") { try await nobody($0) },
            HubRoute(.get, "/api/settings/repositories") { try await ownRepositories($0) },
            HubRoute(.get, "/api/organizations/{organization}/settings/repositories") {
                try await organizationRepositories($0)
            },
        ]
    }

    // MARK: - Accounts

    private static func user(_ call: HubCall) async throws -> Response {
        let account = try await found(user: call)
        let memberships = try await call.services.store.memberships(of: account.id)
        let organizations = memberships.map { membership -> JSON in
            [
                "id": .string(AccountRoutes.hexID("org", membership.organization.id.rawValue)),
                "name": .string(membership.organization.name.text),
                "fullname": .string(membership.organization.fullName ?? membership.organization.name.text),
                "avatarUrl": .string(AccountRoutes.avatar(of: membership.organization.name, call)),
            ]
        }
        let answer: JSON = [
            "_id": .string(AccountRoutes.hexID("user", account.id.rawValue)), "type": "user",
            "user": .string(account.name.text), "fullname": .string(account.fullName ?? account.name.text),
            "avatarUrl": .string(AccountRoutes.avatar(of: account.name, call)), "isPro": false, "isFollowing": false,
            "orgs": .array(organizations), "createdAt": JSON(account.createdAt),
        ]
        return call.answer(try await adding(counts(of: account.name, call), to: answer))
    }

    private static func nobody(_ call: HubCall) async throws -> Response {
        _ = try await found(user: call)
        return call.answer([])
    }

    /// Who is who is told to those who signed in, and to all where all may read.
    private static func found(user call: HubCall) async throws -> Account {
        try await requireReader(call)
        guard let account = try await call.services.store.account(named: NamespaceName(trusted: call.value("user"))) else {
            throw MetadataError.accountNotFound
        }
        return account
    }

    private static func requireReader(_ call: HubCall) async throws {
        guard call.principal.isAnonymous else { return }
        guard try await call.services.identity.visibilityScope(of: call.principal) != .nothing else {
            throw IdentityError.signInRequired(tokenPage: call.services.identity.settings.tokenPage)
        }
    }

    // MARK: - Organizations

    private static func organization(_ call: HubCall) async throws -> Response {
        let organization = try await found(organization: call)
        let answer: JSON = [
            "_id": .string(AccountRoutes.hexID("org", organization.id.rawValue)), "type": "org",
            "name": .string(organization.name.text), "fullname": .string(organization.fullName ?? organization.name.text),
            "avatarUrl": .string(AccountRoutes.avatar(of: organization.name, call)), "isVerified": false,
            "isFollowing": false, "numFollowers": 0,
            "numUsers": JSON(try await allMembers(of: organization, call).count),
        ]
        return call.answer(try await adding(counts(of: organization.name, call), to: answer))
    }

    private static func members(_ call: HubCall) async throws -> Response {
        let organization = try await found(organization: call)
        // As everywhere, members are shown to members.
        let page = try await call.services.identity.members(
            of: organization.name, after: call.cursor, limit: call.limit(default: 500, maximum: 1000), by: call.principal)
        let items = page.items.map { member -> JSON in
            [
                "_id": .string(AccountRoutes.hexID("user", member.account.id.rawValue)), "type": "user",
                "user": .string(member.account.name.text),
                "fullname": .string(member.account.fullName ?? member.account.name.text), "isPro": false,
                "avatarUrl": .string(AccountRoutes.avatar(of: member.account.name, call)),
                "role": .string(member.role.rawValue),
            ]
        }
        return call.page(items, next: page.next)
    }

    private static func found(organization call: HubCall) async throws -> Organization {
        try await requireReader(call)
        let name = NamespaceName(trusted: call.value("organization"))
        guard let organization = try await call.services.store.organization(named: name) else {
            throw MetadataError.organizationNotFound
        }
        return organization
    }

    private static func allMembers(of organization: Organization, _ call: HubCall) async throws -> [Member] {
        try await call.services.store.members(of: organization.id, limit: 1000).items
    }

    // MARK: - Repositories

    private static func adding(_ counts: [JSONMember], to answer: JSON) -> JSON {
        counts.reduce(answer) { $0.adding($1.name, $1.value) }
    }

    /// Counts only what the caller may see.
    private static func counts(of owner: NamespaceName, _ call: HubCall) async throws -> [JSONMember] {
        let scope = try await call.services.identity.visibilityScope(of: call.principal)
        var counts: [JSONMember] = []
        for (kind, name) in [(RepositoryKind.model, "numModels"), (.dataset, "numDatasets"), (.space, "numSpaces")] {
            var query = RepositoryListQuery(kinds: [kind], visibleTo: scope, limit: 1)
            query.owner = owner
            counts.append(JSONMember(name, JSON(try await call.services.store.listRepositories(query).total)))
        }
        return counts
    }

    private static func ownRepositories(_ call: HubCall) async throws -> Response {
        guard let account = call.principal.account else {
            throw IdentityError.signInRequired(tokenPage: call.services.identity.settings.tokenPage)
        }
        return try await storage(of: account.name, call)
    }

    private static func organizationRepositories(_ call: HubCall) async throws -> Response {
        let organization = try await found(organization: call)
        let account = call.principal.account
        let role = try await account.map { $0.id }.asyncFlatMap {
            try await call.services.store.organizationRole(of: $0, in: organization.id)
        }
        let isAdministrator = try await call.services.identity.maySite(.manageOrganizations, by: call.principal)
        guard role != nil || isAdministrator else { throw IdentityError.organizationForbidden(organization.name) }
        return try await storage(of: organization.name, call)
    }

    /// What repositories take on disk. `hf repos list` reads all of it at once.
    private static func storage(of owner: NamespaceName, _ call: HubCall) async throws -> Response {
        let scope = try await call.services.identity.visibilityScope(of: call.principal)
        var items: [RepositoryListItem] = []
        var cursor: String?
        repeat {
            var query = RepositoryListQuery(
                kinds: [.model, .dataset, .space], visibleTo: scope, order: .modified, after: cursor, limit: 1000)
            query.owner = owner
            let page = try await call.services.store.listRepositories(query)
            items += page.items
            cursor = page.next
        } while cursor != nil && items.count < 10_000
        let total = max(1, items.reduce(0) { $0 + $1.facts.usedStorageBytes })
        return call.answer(
            .array(
                items.map { item in
                    [
                        "id": .string(item.repository.name.description), "type": .string(item.repository.kind.rawValue),
                        "updatedAt": JSON(item.repository.updatedAt),
                        "visibility": .string(item.repository.visibility.hubWord),
                        "storage": .integer(item.facts.usedStorageBytes),
                        "storagePercent": .number(Double(item.facts.usedStorageBytes) / Double(total) * 100),
                    ]
                }))
    }
}

extension Optional {
    func asyncFlatMap<Other>(_ transform: (Wrapped) async throws -> Other?) async rethrows -> Other? {
        guard let self else { return nil }
        return try await transform(self)
    }
}
