import Foundation
import GRDB
import HubCore
import Testing

@testable import MetadataStore

@Suite("Accounts, organizations and tokens")
struct PeopleTests {
    @Test("accounts and organizations share one name space, without case")
    func namespace() async throws {
        let test = try TestStore()
        let ada = try await test.account("Ada", roles: [.administrator, .auditor])
        #expect(ada.siteRoles == [.administrator, .auditor])
        await #expect(throws: MetadataError.nameTaken(NamespaceName(trusted: "aDA"))) {
            _ = try await test.organization("aDA")
        }
        _ = try await test.organization("Lab", admin: ada)
        await #expect(throws: MetadataError.nameTaken(NamespaceName(trusted: "lab"))) { try await test.account("lab") }
        #expect(try await test.store.namespace(named: NamespaceName(parsing: "LAB"))?.name.text == "Lab")
        #expect(try await test.store.account(named: NamespaceName(parsing: "ada")) == ada)
        #expect(try await test.store.account(id: ada.id) == ada)
        #expect(try await test.store.organization(named: NamespaceName(parsing: "ada")) == nil)
    }

    @Test("lists are paged by name and end")
    func pages() async throws {
        let test = try TestStore()
        for name in ["delta", "Alpha", "charlie", "Bravo", "echo"] { try await test.account(name) }
        var names: [String] = []
        var after: String?
        repeat {
            let page = try await test.store.accounts(after: after, limit: 2)
            #expect(page.items.count <= 2)
            names += page.items.map(\.name.text)
            after = page.next
        } while after != nil
        #expect(names == ["Alpha", "Bravo", "charlie", "delta", "echo"])
        #expect(try await test.store.accountCount() == 5)
    }

    @Test("changes change what they name and nothing else")
    func change() async throws {
        let test = try TestStore()
        let ada = try await test.account("ada", password: "$hash")
        let changed = try await test.store.updateAccount(
            ada.id, AccountChange(email: .set("a@b"), siteRoles: .set([.approver])), audit: test.entry())
        #expect(changed.email == "a@b" && changed.siteRoles == [.approver] && !changed.isDisabled)
        #expect(try await test.store.passwordHash(of: ada.id) == "$hash")
        let again = try await test.store.updateAccount(
            ada.id, AccountChange(email: .set(nil), passwordHash: .set(nil), isDisabled: .set(true)),
            audit: test.entry())
        #expect(again.email == nil && again.isDisabled && again.siteRoles == [.approver])
        #expect(try await test.store.storedPassword(named: ada.name)?.hash == nil)
        await #expect(throws: MetadataError.accountNotFound) {
            try await test.store.updateAccount(AccountID(99), AccountChange(), audit: test.entry())
        }
    }

    @Test("an owner of repositories is not deleted; otherwise everything of the account goes")
    func deletion() async throws {
        let test = try TestStore()
        let (store, entry) = (test.store, test.entry())
        let ada = try await test.account("ada")
        let ben = try await test.account("ben")
        let lab = try await test.organization("lab", admin: ada)
        let own = try await test.repository("models/ada/own", by: ada)
        let shared = try await test.repository("models/ben/shared", by: ada)
        try await store.setCollaborator(ada.id, of: shared.id, role: .write, audit: entry)
        _ = try await store.createLock(path: "a.bin", in: shared.id, owner: ada.id, reference: nil)
        try await store.linkObject(Made.object(1), sizeBytes: 5, repository: shared.id, account: ada.id)
        _ = try await store.createToken(
            NewToken(account: ada.id, name: "t", scope: .read, hash: [UInt8](repeating: 1, count: 32)), audit: entry)
        await #expect(throws: MetadataError.ownsRepositories(ada.name, count: 1)) {
            try await store.deleteAccount(ada.id, audit: entry)
        }
        _ = try await store.deleteRepository(own.id, audit: entry)
        await #expect(throws: MetadataError.ownsRepositories(ada.name, count: 1)) {
            try await store.deleteAccount(ada.id, audit: entry)
        }
        _ = try await store.purgeRepository(own.id, audit: entry)
        try await store.deleteAccount(ada.id, audit: entry)
        #expect(try await store.account(id: ada.id) == nil)
        #expect(try await store.repository(id: shared.id)?.creator == nil)
        #expect(try await store.locks(LockQuery(repository: shared.id)).items.isEmpty)
        #expect(try await store.token(hash: [UInt8](repeating: 1, count: 32)) == nil)
        #expect(try await store.object(Made.object(1), in: shared.id) == 5)
        #expect(try await store.members(of: lab.id).items.isEmpty)
        // The name is free again, the id is not.
        #expect(try await test.account("ada").id != ada.id)
        let foreign = try await store.read { db in try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").count }
        #expect(foreign == 0)
        _ = ben
    }

    @Test("members have roles, and organizations with repositories stay")
    func members() async throws {
        let test = try TestStore()
        let (store, entry) = (test.store, test.entry())
        let ada = try await test.account("ada")
        let ben = try await test.account("ben")
        let lab = try await test.organization("lab", admin: ada)
        _ = try await store.setMember(ben.id, of: lab.id, role: .read, audit: entry)
        _ = try await store.setMember(ben.id, of: lab.id, role: .contribute, audit: entry)
        #expect(try await store.members(of: lab.id).items.map(\.role) == [.admin, .contribute])
        #expect(try await store.organizationRoles(of: ben.id) == [lab.id: .contribute])
        #expect(try await store.organizationRole(of: ada.id, in: lab.id) == .admin)
        try await store.removeMember(ben.id, of: lab.id, audit: entry)
        await #expect(throws: MetadataError.memberNotFound) {
            try await store.removeMember(ben.id, of: lab.id, audit: entry)
        }
        let repository = try await test.repository("datasets/lab/d")
        await #expect(throws: MetadataError.ownsRepositories(lab.name, count: 1)) {
            try await store.deleteOrganization(lab.id, audit: entry)
        }
        _ = try await store.deleteRepository(repository.id, audit: entry)
        _ = try await store.purgeRepository(repository.id, audit: entry)
        try await store.deleteOrganization(lab.id, audit: entry)
        #expect(try await store.organizations().items.isEmpty)
    }

    @Test("tokens are found by hash, limited, revoked, and their use is written once a minute")
    func tokens() async throws {
        let test = try TestStore()
        let (store, entry) = (test.store, test.entry())
        let ada = try await test.account("ada")
        let repository = try await test.repository("models/ada/a")
        let hash = [UInt8](repeating: 7, count: 32)
        let token = try await store.createToken(
            NewToken(account: ada.id, name: "ci", scope: .write, repositories: [repository.id], hash: hash),
            audit: entry)
        #expect(token.repositories == [repository.id] && token.scope == .write && token.lastUsedAt == nil)
        let first = test.clock.now
        try await store.touchToken(token.id, at: first)
        try await store.touchToken(token.id, at: first.addingTimeInterval(30))
        #expect(try await store.token(id: token.id)?.lastUsedAt == first)
        try await store.touchToken(token.id, at: first.addingTimeInterval(61))
        #expect(try await store.token(id: token.id)?.lastUsedAt == first.addingTimeInterval(61))
        _ = try await store.revokeToken(token.id, audit: entry)
        #expect(try await store.token(hash: hash)?.token.revokedAt != nil)
        await #expect(throws: MetadataError.tokenNotFound) { try await store.revokeToken(TokenID(99), audit: entry) }
        await #expect(throws: MetadataError.self) {
            try await store.createToken(NewToken(account: ada.id, name: "x", scope: .read, hash: hash), audit: entry)
        }
        #expect(try await store.tokens(of: ada.id).items.map(\.id) == [token.id])
        #expect(try await store.tokens().items.count == 1)
    }
}
