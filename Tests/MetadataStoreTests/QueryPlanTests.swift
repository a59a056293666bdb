import Foundation
import GRDB
import HubCore
import Synchronization
import Testing

@testable import MetadataStore

/// Runs the store's reads and asks SQLite how it did each statement: none may walk over a whole table or sort all of
/// one.
@Suite("Query plans", .serialized)
struct QueryPlanTests {
    /// Every statement that the store ran on a reader, with its plan.
    private func plans(_ test: TestStore, _ body: () async throws -> Void) async throws -> [String: [String]] {
        let statements = SeenStatements()
        let pool = test.store.pool
        // All readers at once, since any of them may serve later.
        let gate = Gate()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<StoreConnection.readers {
                group.addTask {
                    try await pool.read { db in
                        db.trace { event in
                            if case .statement(let statement) = event { statements.insert(statement.sql) }
                        }
                        gate.wait()
                    }
                }
            }
            for _ in 0..<StoreConnection.readers { gate.open() }
            try await group.waitForAll()
        }
        try await body()
        let seen = statements.all.filter { $0.hasPrefix("SELECT") }
        return try await pool.writeWithoutTransaction { db in
            var plans: [String: [String]] = [:]
            for sql in seen {
                let statement = try db.makeStatement(sql: "EXPLAIN QUERY PLAN " + sql)
                statement.setUncheckedArguments(StatementArguments())
                let rows = try Row.fetchAll(statement)
                plans[sql] = rows.map { $0["detail"] as String }
            }
            return plans
        }
    }

    @Test("every list and look-up uses an index")
    func lists() async throws {
        let test = try TestStore()
        let store = test.store
        let ada = try await test.account("ada")
        let lab = try await test.organization("lab", admin: ada)
        let repository = try await test.repository("models/ada/x")
        let reference = try RepositoryReference(parsing: "models/ada/x")
        let name = try NamespaceName(parsing: "ada")

        let plans = try await plans(test) {
            _ = try await store.account(named: name)
            _ = try await store.accounts(after: "a")
            _ = try await store.storedPassword(named: name)
            _ = try await store.organizations(after: "a")
            _ = try await store.members(of: lab.id)
            _ = try await store.memberships(of: ada.id)
            _ = try await store.token(hash: [UInt8](repeating: 0, count: 32))
            _ = try await store.tokens(of: ada.id)
            _ = try await store.tokens()
            _ = try await store.repository(reference)
            _ = try await store.repository(id: repository.id)
            _ = try await store.deletedRepositories(reference)
            _ = try await store.repositoriesToPurge(deletedBefore: Date())
            _ = try await store.collaborators(of: repository.id)
            _ = try await store.accessFacts(of: ada.id, to: repository)
            for order in [RepositoryQuery.Order.name, .updated] {
                for scope: VisibilityScope in [
                    .everything, .publicOnly, .account(ada.id), .token(ada.id, repositories: [repository.id]),
                ] {
                    for owner in [nil, NamespaceOwner.account(ada.id)] {
                        for kind in [nil, RepositoryKind.model] {
                            _ = try await store.repositories(
                                RepositoryQuery(kind: kind, owner: owner, visibleTo: scope, order: order))
                        }
                    }
                }
            }
            try await listings(store, scope: .account(ada.id), id: repository.id)
            _ = try await store.gitState(of: repository.id, prefixes: ["refs/heads/"])
            _ = try await store.gitState(of: repository.id)
            _ = try await store.reflog(of: repository.id)
            _ = try await store.reflog(of: repository.id, name: Made.branch("main"))
            _ = try await store.storedPacks(of: repository.id)
            _ = try await store.linkedObjects(among: [Made.object(1)], in: repository.id)
            _ = try await store.objects(in: repository.id)
            _ = try await store.storedObjects()
            _ = try await store.knownObjects(among: [Made.object(1)])
            _ = try await store.locks(LockQuery(repository: repository.id))
            _ = try await store.locks(LockQuery(repository: repository.id, path: "x"))
            _ = try await store.locks(LockQuery(repository: repository.id, owner: ada.id))
            _ = try await store.expiredUploads(before: Date())
            _ = try await store.setting("x")
            _ = try await store.auditEntries()
            _ = try await store.latestAuditEntries()
        }
        #expect(plans.count > 40)
        check(plans)
    }

    @Test("discussions, likes, collections, access requests, webhooks, spaces and the sync feed use indexes")
    func community() async throws {
        let test = try TestStore()
        let store = test.store
        let ada = try await test.account("ada")
        let repository = try await test.repository("models/ada/x")
        let entry = test.entry()
        let name = try NamespaceName(parsing: "ada")
        let discussion = try await store.createDiscussion(
            NewDiscussion(repository: repository.id, title: "t", description: "d", author: ada.id), actor: "ada", audit: entry)
        let collection = try await store.createCollection(
            title: "t", description: nil, isPrivate: false, owner: name, audit: entry)
        _ = try await store.createWebhook(
            WebhookForm(url: "https://hooks.example/x", secret: nil, watches: [WebhookWatch(kind: .user, name: "ada")], domains: nil),
            for: ada.id, audit: entry)

        let plans = try await plans(test) {
            for author in [nil, name] {
                for isOpen in [nil, true] {
                    _ = try await store.discussions(
                        DiscussionQuery(repository: repository.id, isPullRequest: isOpen, isOpen: isOpen, author: author))
                }
            }
            _ = try await store.discussion(1, in: repository.id)
            _ = try await store.events(of: discussion.id)
            _ = try await store.unmergedPullRequests(in: repository.id, into: Made.branch("main"))
            _ = try await store.likers(of: repository.id)
            _ = try await store.likes(of: ada.id)
            for owner in [nil, name] {
                for item in [nil, repository.id] {
                    for viewer: CollectionQuery.Viewer in [.visitor, .account(ada.id), .everything] {
                        _ = try await store.collections(CollectionQuery(owner: owner, repository: item, viewer: viewer))
                    }
                }
            }
            _ = try await store.collection(collection.publicID)
            _ = try await store.items(of: collection.id)
            for status in AccessRequestStatus.allCases { _ = try await store.accessRequests(to: repository.id, status) }
            _ = try await store.accessRequest(to: repository.id, of: ada.id)
            _ = try await store.webhooks(of: ada.id)
            _ = try await store.webhooks(watching: repository, .repo)
            _ = try await store.dueDeliveries(limit: 10)
            _ = try await store.spaceVariables(of: repository.id, secrets: false)
            _ = try await store.spaceRuntime(of: repository.id)
            _ = try await store.syncFeed(after: 0, limit: 10)
        }
        #expect(plans.count > 15)
        check(plans)
    }

    private func check(_ plans: [String: [String]]) {
        for (sql, steps) in plans {
            for step in steps {
                // `SCAN x` without an index walks over a table; only what is bounded by nature or read whole in key order may.
                let isAllowed =
                    step.hasPrefix("SCAN json_each") || step.hasPrefix("SCAN j VIRTUAL TABLE") || step.hasPrefix("SCAN CONSTANT ROW")
                    || sql.contains("FROM removed_folders")
                    || step == "SCAN p USING INDEX packs_live" || step.hasPrefix("SCAN search VIRTUAL TABLE INDEX")
                    || sql.contains("'search_config'")
                #expect(!step.hasPrefix("SCAN") || isAllowed, "\(step) in \(sql)")
                let sorts = step.contains("USE TEMP B-TREE FOR ORDER BY")
                #expect(!sorts || Self.maySort(sql), "\(step) in \(sql)")
            }
        }
    }

    private func listings(_ store: MetadataStore, scope: VisibilityScope, id: RepositoryID) async throws {
        for order in RepositoryListQuery.Order.allCases {
            var query = RepositoryListQuery(kinds: [.model], visibleTo: scope, order: order)
            query.owner = try NamespaceName(parsing: "ada")
            query.parameters = 5...1000
            _ = try await store.listRepositories(query)
            query = RepositoryListQuery(visibleTo: scope, order: order)
            query.text = "x"
            query.nameParts = ["x"]
            _ = try await store.listRepositories(query)
        }
        _ = try await store.facts(of: id)
        _ = try await store.staleFacts(after: nil, rules: 1)
        _ = try await store.usedStorage(of: id)
        _ = try await store.tagCounts(of: .model, visibleTo: scope)
    }

    /// What is sorted is bounded by one account's, one repository's or one token's own things, or the collections of one repository.
    private static func maySort(_ sql: String) -> Bool {
        ["FROM collection_items WHERE repository_id = ?2", "FROM collaborators AS c", "json_each", "FROM packs AS p", "ORDER BY r.deleted_at DESC"].contains {
            sql.contains($0)
        }
    }

    @Test(
        "a page among 100,000 repositories is answered in milliseconds",
        .enabled(if: ProcessInfo.processInfo.environment["CSGHUB_FULL_TESTS"] == "1"))
    func large() async throws {
        let test = try TestStore()
        let ada = try await test.account("ada")
        _ = try await test.account("ben")
        try await test.store.pool.writeWithoutTransaction { db in
            try db.execute(
                sql: """
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
                    INSERT INTO repositories (uid, kind, namespace_id, name, path_key, visibility, default_branch, created_at, updated_at)
                    SELECT printf('%032x', i), CASE i % 2 WHEN 0 THEN 'model' ELSE 'dataset' END, 2, 'r' || i, 'ben/r' || i,
                        CASE WHEN i % 1000 = 0 THEN 'public' ELSE 'private' END, 'main', i, i FROM n
                    """)
        }
        for order in [RepositoryQuery.Order.name, .updated] {
            for scope in [VisibilityScope.everything, .account(ada.id)] {
                let query = RepositoryQuery(visibleTo: scope, order: order, limit: 100)
                _ = try await test.store.repositories(query)
                let time = try await ContinuousClock().measure { _ = try await test.store.repositories(query) }
                print("page of 100 among 100,000 repositories, \(order), \(scope): \(time)")
                #expect(time < .milliseconds(200))
            }
        }
    }
}

private final class SeenStatements: Sendable {
    private let statements = Mutex<Set<String>>([])

    var all: Set<String> { statements.withLock { $0 } }

    func insert(_ sql: String) { statements.withLock { _ = $0.insert(sql) } }
}
