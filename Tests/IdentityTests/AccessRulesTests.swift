import Foundation
import HubCore
import MetadataStore
import Testing

@testable import Identity

/// Law 5 as a table: every action × principal × visibility × standing.
@Suite("Access rules")
struct AccessRulesTests {
    /// What an account is to the repository.
    enum Standing: String, CaseIterable {
        case anonymous, stranger, owner, memberRead, memberContribute, memberContributeCreator, memberWrite, memberAdmin
        case collaboratorRead, collaboratorWrite, collaboratorAdmin
        case administrator, auditor, approver, disabledOwner, disabledAdministrator, localAdministrator
    }

    /// The highest action that each standing reaches: what the design says, written down apart from the code.
    ///
    /// Order of the columns: public, internal, private.
    static let table: [Standing: [RepositoryAction?]] = [
        .anonymous: [nil, nil, nil],
        .stranger: [.propose, .propose, nil],
        .owner: [.administer, .administer, .administer],
        .memberRead: [.propose, .propose, .propose],
        .memberContribute: [.propose, .propose, .propose],
        .memberContributeCreator: [.configure, .configure, .configure],
        .memberWrite: [.configure, .configure, .configure],
        .memberAdmin: [.administer, .administer, .administer],
        .collaboratorRead: [.propose, .propose, .propose],
        .collaboratorWrite: [.configure, .configure, .configure],
        .collaboratorAdmin: [.administer, .administer, .administer],
        .administrator: [.administer, .administer, .administer],
        .auditor: [.propose, .propose, nil],
        .approver: [.propose, .propose, nil],
        .disabledOwner: [nil, nil, nil],
        .disabledAdministrator: [nil, nil, nil],
        .localAdministrator: [.administer, .administer, .administer],
    ]
    static let order: [RepositoryAction] = [.read, .readContent, .discuss, .propose, .write, .configure, .administer]

    struct Case: CustomStringConvertible {
        let standing: Standing
        let visibility: Visibility
        let scope: TokenScope?
        let allowsAnonymousRead: Bool
        var description: String {
            "\(standing) \(visibility) \(scope.map { "token \($0)" } ?? "account") anonymous-read \(allowsAnonymousRead)"
        }
    }

    static var cases: [Case] {
        Standing.allCases.flatMap { standing in
            Visibility.allCases.flatMap { visibility in
                [nil, .read, .write, .admin].flatMap { scope in
                    [false, true].map {
                        Case(standing: standing, visibility: visibility, scope: scope, allowsAnonymousRead: $0)
                    }
                }
            }
        }
    }

    static let me = AccountID(7)
    static let other = AccountID(8)

    private func account(_ standing: Standing) -> Account {
        let roles: Set<SiteRole> =
            switch standing {
            case .administrator, .disabledAdministrator: [.administrator]
            case .auditor: [.auditor]
            case .approver: [.approver]
            default: []
            }
        let isDisabled = standing == .disabledOwner || standing == .disabledAdministrator
        return Account(
            id: Self.me, name: NamespaceName(trusted: "me"), email: nil, fullName: nil, siteRoles: roles,
            isDisabled: isDisabled, createdAt: Date(timeIntervalSince1970: 0))
    }

    private func facts(_ standing: Standing) -> AccessFacts {
        switch standing {
        case .memberRead: AccessFacts(organizationRole: .read)
        case .memberContribute, .memberContributeCreator: AccessFacts(organizationRole: .contribute)
        case .memberWrite: AccessFacts(organizationRole: .write)
        case .memberAdmin: AccessFacts(organizationRole: .admin)
        case .collaboratorRead: AccessFacts(collaboratorRole: .read)
        case .collaboratorWrite: AccessFacts(collaboratorRole: .write)
        case .collaboratorAdmin: AccessFacts(collaboratorRole: .admin)
        default: AccessFacts()
        }
    }

    @Test("an imported repository takes no changes, whoever asks, and is otherwise as others", arguments: Standing.allCases)
    func protects(_ standing: Standing) {
        for action in RepositoryAction.allCases {
            func decision(isProtected: Bool) -> AccessDecision {
                AccessRules.decide(
                    action, on: repository(standing, .internal, isProtected: isProtected), by: principal(standing, nil),
                    facts: facts(standing), allowsAnonymousRead: false)
            }
            let open = decision(isProtected: false)
            let changes = action == .write || action == .propose
            #expect(decision(isProtected: true) == (changes && open == .allowed ? .protected : open), "\(action)")
        }
    }

    private func repository(
        _ standing: Standing, _ visibility: Visibility, deleted: Bool = false, gating: Gating = .off, isProtected: Bool = false
    ) -> Repository {
        let isOwn = standing == .owner || standing == .disabledOwner
        return Repository(
            id: RepositoryID(1), uid: RepositoryUID(), kind: .model, name: RepositoryName(trustedOwner: "x", name: "y"),
            owner: isOwn ? .account(Self.me) : .organization(OrganizationID(3)), visibility: visibility, gating: gating,
            isProtected: isProtected, defaultBranch: "main",
            creator: standing == .memberContributeCreator ? Self.me : Self.other, description: nil,
            createdAt: Date(timeIntervalSince1970: 0), updatedAt: Date(timeIntervalSince1970: 0),
            deletedAt: deleted ? Date(timeIntervalSince1970: 0) : nil)
    }

    private func token(_ scope: TokenScope, repositories: Set<RepositoryID>? = nil) -> AccessToken {
        AccessToken(
            id: TokenID(1), account: Self.me, name: "t", scope: scope, repositories: repositories,
            createdAt: Date(timeIntervalSince1970: 0), expiresAt: nil, lastUsedAt: nil, revokedAt: nil)
    }

    private func principal(_ standing: Standing, _ scope: TokenScope?) -> Principal {
        switch (standing, scope) {
        case (.anonymous, _): .anonymous
        case (.localAdministrator, _): .localAdministrator(uid: 0, sudoUID: nil)
        case (_, nil): .account(account(standing))
        case (_, .some(let scope)): .token(token(scope), of: account(standing))
        }
    }

    private func rank(_ action: RepositoryAction?) -> Int { action.flatMap { Self.order.firstIndex(of: $0) } ?? -1 }

    @Test("follow the design's table", arguments: cases)
    func table(_ item: Case) throws {
        let column = try #require(Visibility.allCases.firstIndex(of: item.visibility))
        let standing = try #require(Self.table[item.standing])
        let own = rank(standing[column])
        let isSpecial = item.standing == .anonymous || item.standing == .localAdministrator
        let ceiling =
            switch isSpecial ? nil : item.scope {
            case nil, .admin: rank(.administer)
            case .write: rank(.configure)
            case .read: rank(.readContent)
            }
        let isDisabled = item.standing == .disabledOwner || item.standing == .disabledAdministrator
        let isOpen = item.visibility == .public && item.allowsAnonymousRead && !isDisabled
        let open = isOpen && (item.standing == .anonymous || item.scope != nil) ? rank(.readContent) : -1
        let reached = max(min(own, ceiling), open)

        for action in RepositoryAction.allCases {
            let decision = AccessRules.decide(
                action, on: repository(item.standing, item.visibility), by: principal(item.standing, item.scope),
                facts: facts(item.standing), allowsAnonymousRead: item.allowsAnonymousRead)
            if rank(action) <= reached {
                #expect(decision == .allowed, "\(action)")
            } else if item.standing == .anonymous {
                #expect(decision == .signIn, "\(action)")
            } else if reached < 0 {
                #expect(decision == .hidden, "\(action)")
            } else if rank(action) <= own {
                guard case .tokenTooNarrow = decision else {
                    Issue.record("\(action): \(decision)")
                    continue
                }
            } else {
                #expect(decision == .forbidden, "\(action)")
            }
        }
    }

    @Test("a token for other repositories sees no more than a visitor", arguments: Visibility.allCases, [false, true])
    func limitedToken(_ visibility: Visibility, allowsAnonymousRead: Bool) {
        for action in RepositoryAction.allCases {
            let inside = AccessRules.decide(
                action, on: repository(.owner, visibility),
                by: .token(token(.admin, repositories: [RepositoryID(1)]), of: account(.owner)), facts: AccessFacts(),
                allowsAnonymousRead: allowsAnonymousRead)
            #expect(inside == .allowed)
            let outside = AccessRules.decide(
                action, on: repository(.owner, visibility),
                by: .token(token(.admin, repositories: [RepositoryID(2)]), of: account(.owner)), facts: AccessFacts(),
                allowsAnonymousRead: allowsAnonymousRead)
            let isOpen = visibility == .public && allowsAnonymousRead
            #expect(
                outside
                    == (isOpen
                        ? (action == .read || action == .readContent ? .allowed : .tokenTooNarrow(needs: AccessRulesTests.needed(action)))
                        : .hidden))
        }
    }

    /// Who has the files of a gated repository without asking.
    static let admitted: Set<Standing> = [
        .owner, .memberRead, .memberContribute, .memberContributeCreator, .memberWrite, .memberAdmin, .collaboratorRead,
        .collaboratorWrite, .collaboratorAdmin, .administrator, .localAdministrator,
    ]

    @Test("a gate changes who reads the files, and nothing else", arguments: cases)
    func gate(_ item: Case) {
        for gating in [Gating.auto, .manual] {
            for action in RepositoryAction.allCases {
                func decide(_ gating: Gating, _ facts: AccessFacts) -> AccessDecision {
                    AccessRules.decide(
                        action, on: repository(item.standing, item.visibility, gating: gating),
                        by: principal(item.standing, item.scope), facts: facts,
                        allowsAnonymousRead: item.allowsAnonymousRead)
                }
                let open = decide(.off, facts(item.standing))
                let gated = decide(gating, facts(item.standing))
                if action == .readContent, open == .allowed, !Self.admitted.contains(item.standing) {
                    #expect(gated == (item.standing == .anonymous ? .gatedSignIn : .gated), "\(action)")
                } else {
                    #expect(gated == open, "\(action)")
                }
                // Let in, it is as without the gate; a gate gives nobody more than that.
                var admitted = facts(item.standing)
                admitted.isAdmitted = true
                let isAccount = item.standing != .anonymous && !item.standing.rawValue.hasPrefix("disabled")
                #expect(decide(gating, admitted) == (isAccount ? open : gated), "\(action)")
            }
        }
    }

    @Test("a token for other repositories does not pass the gate")
    func gatedLimitedToken() {
        let decision = AccessRules.decide(
            .readContent, on: repository(.owner, .public, gating: .manual),
            by: .token(token(.admin, repositories: [RepositoryID(2)]), of: account(.owner)), facts: AccessFacts(),
            allowsAnonymousRead: true)
        #expect(decision == .tokenTooNarrow(needs: .read))
    }

    private static func needed(_ action: RepositoryAction) -> TokenScope {
        switch action {
        case .read, .readContent: .read
        case .discuss, .propose, .write, .configure: .write
        case .administer: .admin
        }
    }

    @Test("a deleted repository is there only for those who may bring it back", arguments: Standing.allCases)
    func deleted(_ standing: Standing) {
        for visibility in Visibility.allCases {
            for action in RepositoryAction.allCases {
                let decision = AccessRules.decide(
                    action, on: repository(standing, visibility, deleted: true), by: principal(standing, nil),
                    facts: facts(standing), allowsAnonymousRead: true)
                let mayRestore = Self.table[standing]?.first == .administer
                let expected: AccessDecision =
                    standing == .anonymous ? .signIn : (action == .administer && mayRestore ? .allowed : .hidden)
                #expect(decision == expected, "\(visibility) \(action)")
            }
        }
    }

    @Test("site actions follow roles and token scopes", arguments: SiteAction.allCases)
    func site(_ action: SiteAction) {
        let readers: Set<SiteAction> = [.readSettings, .readAudit]
        let rules: [(Standing, Bool)] = [
            (.anonymous, false), (.stranger, false), (.owner, false), (.administrator, true),
            (.auditor, readers.contains(action)), (.approver, action == .approveImports),
            (.disabledAdministrator, false),
            (.localAdministrator, true),
        ]
        for (standing, expected) in rules {
            #expect(
                SiteRules.allows(action, by: principal(standing, nil), membersCreateOrganizations: false) == expected,
                "\(standing)")
            #expect(
                SiteRules.allows(action, by: principal(standing, .admin), membersCreateOrganizations: false)
                    == expected,
                "\(standing) admin token")
        }
        let isRead = SiteRules.neededScope(action) == .read
        #expect(
            SiteRules.allows(action, by: principal(.administrator, .read), membersCreateOrganizations: false) == isRead)
        let limited = Principal.token(token(.admin, repositories: []), of: account(.administrator))
        #expect(!SiteRules.allows(action, by: limited, membersCreateOrganizations: true))
        #expect(
            SiteRules.allows(.createOrganizations, by: principal(.stranger, nil), membersCreateOrganizations: true))
    }
}
