import Foundation
import HubCore
import Testing

@testable import MetadataStore

@Suite("Repositories")
struct RepositoryTests {
    @Test("names are unique in a kind without case, and free in another kind")
    func names() async throws {
        let test = try TestStore()
        try await test.account("ada")
        let bert = try await test.repository("models/Ada/Bert")
        #expect(bert.name.description == "ada/Bert")
        await #expect(throws: MetadataError.self) { try await test.repository("models/ada/BERT") }
        _ = try await test.repository("datasets/ada/bert")
        await #expect(throws: MetadataError.namespaceNotFound(NamespaceName(trusted: "nobody"))) {
            try await test.repository("models/nobody/x")
        }
        let found = try await test.store.repository(RepositoryReference(parsing: "models/ADA/bERT"))
        #expect(found == .found(bert))
    }

    @Test("old names redirect along a chain of renames, until somebody takes them")
    func redirects() async throws {
        let test = try TestStore()
        let (store, entry) = (test.store, test.entry())
        try await test.account("ada")
        _ = try await test.organization("lab")
        let id = try await test.repository("models/ada/one").id
        _ = try await store.renameRepository(id, to: RepositoryName(parsing: "ada/two"), audit: entry)
        let moved = try await store.renameRepository(id, to: RepositoryName(parsing: "lab/three"), audit: entry)
        #expect(moved.name.description == "lab/three")
        for old in ["models/ada/one", "models/ada/two"] {
            #expect(try await store.repository(RepositoryReference(parsing: old)) == .redirected(moved))
        }
        let taker = try await test.repository("models/ada/one")
        #expect(try await store.repository(RepositoryReference(parsing: "models/ada/one")) == .found(taker))
        // Back to an own former name, and only the case changed.
        let back = try await store.renameRepository(id, to: RepositoryName(parsing: "ada/two"), audit: entry)
        #expect(try await store.repository(RepositoryReference(parsing: "models/ada/two")) == .found(back))
        let cased = try await store.renameRepository(id, to: RepositoryName(parsing: "ada/Two"), audit: entry)
        #expect(cased.name.name == "Two")
        await #expect(throws: MetadataError.self) {
            try await store.renameRepository(id, to: RepositoryName(parsing: "ada/one"), audit: entry)
        }
    }

    @Test("deletion hides, undelete restores unless the name is taken, purge removes everything")
    func deletion() async throws {
        let test = try TestStore()
        let (store, entry) = (test.store, test.entry())
        try await test.account("ada")
        let reference = try RepositoryReference(parsing: "models/ada/x")
        let repository = try await test.repository("models/ada/x")
        try await store.linkObject(Made.object(1), sizeBytes: 9, repository: repository.id, account: nil)
        _ = try await store.deleteRepository(repository.id, audit: entry)
        #expect(try await store.repository(reference) == nil)
        await #expect(throws: MetadataError.repositoryNotFound) { try await store.gitState(of: repository.id) }
        await #expect(throws: MetadataError.repositoryNotFound) {
            try await store.linkObject(Made.object(2), sizeBytes: 9, repository: repository.id, account: nil)
        }
        #expect(try await store.deletedRepositories(reference).map(\.id) == [repository.id])

        let other = try await test.repository("models/ada/x")
        await #expect(throws: MetadataError.repositoryExists(reference)) {
            try await store.undeleteRepository(repository.id, audit: entry)
        }
        _ = try await store.deleteRepository(other.id, audit: entry)
        #expect(try await store.undeleteRepository(repository.id, audit: entry).deletedAt == nil)
        #expect(try await store.repository(reference)?.repository.id == repository.id)

        await #expect(throws: MetadataError.repositoryNotFound) {
            try await store.purgeRepository(repository.id, audit: entry)
        }
        _ = try await store.deleteRepository(repository.id, audit: entry)
        test.clock.advance(by: 100)
        #expect(try await store.repositoriesToPurge(deletedBefore: test.clock.now).count == 2)
        let uid = try await store.purgeRepository(repository.id, audit: entry)
        #expect(uid == repository.uid)
        #expect(try await store.foldersToRemove() == [uid])
        try await store.forgetFolder(uid)
        #expect(try await store.foldersToRemove().isEmpty)
        #expect(try await store.claimUnlinkedObjects(unlinkedBefore: test.clock.now.addingTimeInterval(1)).count == 1)
    }

    @Test("lists show each principal what it may see, in both orders and in pages")
    func lists() async throws {
        let test = try TestStore()
        let (store, entry) = (test.store, test.entry())
        let ada = try await test.account("ada")
        let ben = try await test.account("ben")
        let lab = try await test.organization("lab", admin: ada)
        var all: [String: RepositoryID] = [:]
        for owner in ["ada", "ben", "lab"] {
            for kind in ["models", "datasets"] {
                for visibility in Visibility.allCases {
                    test.clock.advance(by: 1)
                    let name = "\(kind)/\(owner)/\(visibility.rawValue)"
                    all[name] = try await test.repository(name, visibility).id
                }
            }
        }
        let shared = try #require(all["models/ben/private"])
        try await store.setCollaborator(ada.id, of: shared, role: .read, audit: entry)

        func names(_ scope: VisibilityScope, _ change: (inout RepositoryQuery) -> Void = { _ in }) async throws
            -> [String]
        {
            var query = RepositoryQuery(visibleTo: scope, limit: 2)
            change(&query)
            var names: [String] = []
            repeat {
                let page = try await store.repositories(query)
                names += page.items.map { "\($0.reference)" }
                query.after = page.next
            } while query.after != nil
            return names
        }
        let open = all.keys.filter { $0.hasSuffix("public") }
        let internals = all.keys.filter { $0.hasSuffix("internal") }
        let adas = all.keys.filter { $0.hasSuffix("private") && !$0.contains("/ben/") } + ["models/ben/private"]
        #expect(try await Set(names(.everything)) == Set(all.keys))
        #expect(try await names(.everything).count == all.count)
        #expect(try await Set(names(.publicOnly)) == Set(open))
        #expect(try await names(.nothing).isEmpty)
        for order in [RepositoryQuery.Order.name, .updated] {
            let seen = try await names(.account(ada.id)) { $0.order = order }
            #expect(Set(seen) == Set(open + internals + adas) && seen.count == Set(seen).count, "\(order)")
        }
        #expect(
            try await Set(names(.account(ben.id)) { $0.owner = .account(ada.id) })
                == Set((open + internals).filter { $0.contains("/ada/") }))
        #expect(try await names(.account(ada.id)) { ($0.owner, $0.kind) = (.account(ben.id), .model) }.count == 3)
        #expect(try await Set(names(.account(ada.id)) { $0.owner = .organization(lab.id) }).count == 6)
        let limited = VisibilityScope.token(ben.id, repositories: Set(all.filter { $0.key.contains("/ada/") }.values))
        #expect(try await Set(names(limited)) == Set((open + internals).filter { $0.contains("/ada/") }))

        let byName = try await names(.everything) { ($0.kind, $0.order) = (.model, .name) }
        #expect(byName == byName.sorted())
        let newest = try await names(.everything) { $0.order = .updated }
        #expect(newest.first == "datasets/lab/private" && newest.last == "models/ada/public")

        _ = try await store.deleteRepository(shared, audit: entry)
        #expect(try await !names(.everything).contains("models/ben/private"))
        #expect(try await names(.everything) { $0.includesDeleted = true }.contains("models/ben/private"))
        await #expect(throws: MetadataError.invalidCursor) { try await names(.everything) { $0.after = "nonsense" } }
    }
}
