import HubCore
import Identity
import MetadataStore
import Testing

@testable import Community

@Suite("Likes, collections, spaces")
struct CollectionTests {
    @Test("likes count once, and are shown as far as the repositories may be seen")
    func likes() async throws {
        let site = try await TestCommunity()
        let repository = try await site.repository
        for _ in 0..<2 { try await site.community.likes.set(true, repository, by: site.bob) }
        let likers = try await site.community.likes.likers(of: repository, after: nil, limit: 10, by: site.ada.principal)
        #expect(likers.items.map(\.name.text) == ["bob"])
        let name = NamespaceName(trusted: "bob")
        let liked = try await site.community.likes.likes(of: name, after: nil, limit: 10, by: site.ada.principal)
        #expect(liked.items.map(\.repository.id) == [repository.id])
        _ = try await site.store.updateRepository(
            repository.id, RepositoryChange(visibility: .set(.private)), audit: site.ada.entry("test", on: "test"))
        let hidden = try await site.community.likes.likes(of: name, after: nil, limit: 10, by: site.bob.principal)
        #expect(hidden.items.isEmpty)
        try await site.close()
    }

    @Test("a private collection is not told by a public one that holds it")
    func hiddenCollections() async throws {
        let site = try await TestCommunity()
        let (owner, collections) = (NamespaceName(trusted: "ada"), site.community.collections)
        let hidden = try await collections.create(
            title: "Secret plans", description: nil, isPrivate: true, owner: owner, by: site.ada)
        let shown = try await collections.create(title: "All", description: nil, isPrivate: false, owner: owner, by: site.ada)
        try await collections.add(.other(type: "collection", id: hidden.slug), note: nil, to: shown, by: site.ada)
        #expect(try await collections.items(of: shown, by: site.ada.principal).count == 1)
        #expect(try await collections.items(of: shown, by: site.bob.principal).isEmpty)
        try await site.close()
    }

    @Test("a slug changes with the title, its hex stays")
    func slugs() async throws {
        let site = try await TestCommunity()
        let owner = NamespaceName(trusted: "ada")
        let collections = site.community.collections
        let made = try await collections.create(
            title: "Große  Modelle!", description: nil, isPrivate: false, owner: owner, by: site.ada)
        #expect(made.slug == "ada/gro-e-modelle-\(made.publicID)")
        await #expect(throws: CollectionRecordError.titleTaken(made)) {
            try await collections.create(title: "Große  Modelle!", description: nil, isPrivate: false, owner: owner, by: site.ada)
        }
        await #expect(throws: IdentityError.creationForbidden(owner)) {
            try await collections.create(title: "x", description: nil, isPrivate: false, owner: owner, by: site.bob)
        }
        let renamed = try await collections.update(made, CollectionChange(title: "圖"), by: site.ada)
        #expect(renamed.slug == "ada/collection-\(made.publicID)")
        #expect(try await collections.find(made.publicID, by: site.bob.principal).title == "圖")
        try await site.close()
    }

    @Test("items keep their order, and those that one may not see are left out")
    func items() async throws {
        let site = try await TestCommunity()
        let collections = site.community.collections
        let repository = try await site.repository
        let made = try await collections.create(
            title: "Mine", description: nil, isPrivate: true, owner: NamespaceName(trusted: "ada"), by: site.ada)
        await #expect(throws: CollectionRecordError.notFound) { try await collections.find(made.publicID, by: site.bob.principal) }
        try await collections.add(.repository(repository), note: "first", to: made, by: site.ada)
        await #expect(throws: CollectionRecordError.hasItem) {
            try await collections.add(.repository(repository), note: nil, to: made, by: site.ada)
        }
        try await collections.add(.other(type: "paper", id: "2311.12983"), note: nil, to: made, by: site.ada)
        let items = try await collections.items(of: made, by: site.ada.principal)
        #expect(items.map(\.position) == [0, 1])
        try await collections.update(item: items[1].id, of: made, note: "now first", position: 0, by: site.ada)
        let moved = try await collections.items(of: made, by: site.ada.principal)
        #expect(moved.map(\.id) == [items[1].id, items[0].id])
        #expect(moved.map(\.note) == ["now first", "first"])
        let public_ = try await collections.update(made, CollectionChange(isPrivate: false), by: site.ada)
        _ = try await site.store.updateRepository(
            repository.id, RepositoryChange(visibility: .set(.private)), audit: site.ada.entry("test", on: "test"))
        #expect(try await collections.items(of: public_, by: site.bob.principal).count == 1)
        try await collections.delete(item: items[1].id, of: made, by: site.ada)
        #expect(try await collections.items(of: made, by: site.ada.principal).map(\.position) == [0])
        try await site.close()
    }

    @Test("secrets are sealed in the database and readable with the key alone")
    func secrets() async throws {
        let site = try await TestCommunity(kind: .space)
        let space = try await site.repository
        let spaces = site.community.spaces
        try await spaces.set("API_KEY", value: "s3cret", description: nil, isSecret: true, of: space, by: site.ada)
        let stored = try await spaces.secrets(of: space, by: site.ada.principal)
        #expect(!String(decoding: stored[0].value, as: UTF8.self).contains("s3cret"))
        #expect(try await spaces.openSecrets(of: space) == ["API_KEY": Array("s3cret".utf8)])
        await #expect(throws: IdentityError.forbidden(.configure)) { try await spaces.secrets(of: space, by: site.bob.principal) }
        for key in ["", "1A", "A-B", "A B", "Ä"] {
            await #expect(throws: SpaceError.invalidKey(key)) {
                try await spaces.set(key, value: "x", description: nil, isSecret: false, of: space, by: site.ada)
            }
        }
        #expect(try await spaces.runtime(of: space, by: site.bob.principal).stage == .noAppFile)
        try await site.commit(["app.py": "print(1)\n"])
        #expect(try await spaces.runtime(of: space, by: site.bob.principal).stage == .stopped)
        let paused = try await spaces.changeRuntime(of: space, "pause", by: site.ada) { $0.isPaused = true }
        #expect(paused.stage == .paused)
        try await site.close()
    }

    @Test("a sealed value opens with its key and in its place only")
    func box() throws {
        let box = SecretBox(key: [UInt8](repeating: 1, count: 32))
        let sealed = try box.seal(Array("text".utf8), context: "here")
        #expect(try box.open(sealed, context: "here") == Array("text".utf8))
        #expect(try box.open(box.seal([], context: "x"), context: "x").isEmpty)
        #expect(throws: SecretBoxError.unreadable) { try box.open(sealed, context: "there") }
        #expect(throws: SecretBoxError.unreadable) {
            try SecretBox(key: [UInt8](repeating: 2, count: 32)).open(sealed, context: "here")
        }
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 1
            #expect(throws: SecretBoxError.unreadable) { try box.open(changed, context: "here") }
        }
        #expect(throws: SecretBoxError.unreadable) { try box.open([], context: "here") }
    }
}
