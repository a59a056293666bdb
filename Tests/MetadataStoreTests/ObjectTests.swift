import Foundation
import HubCore
import Testing

@testable import MetadataStore

@Suite("Large objects, locks and uploads")
struct ObjectTests {
    let test: TestStore
    let ada: Account
    let repository: Repository

    init() async throws {
        test = try TestStore()
        ada = try await test.account("ada")
        repository = try await test.repository("models/ada/x")
    }

    @Test("an object belongs to the repositories that have it, and to no other")
    func links() async throws {
        let store = test.store
        let other = try await test.repository("models/ada/y")
        try await store.linkObject(Made.object(1), sizeBytes: 10, repository: repository.id, account: ada.id)
        try await store.linkObject(Made.object(1), sizeBytes: 10, repository: repository.id, account: ada.id)
        #expect(try await store.object(Made.object(1), in: repository.id) == 10)
        #expect(try await store.object(Made.object(1), in: other.id) == nil)
        #expect(try await store.storedObject(Made.object(1)) == 10)
        await #expect(throws: MetadataError.sizeMismatch(Made.object(1))) {
            try await store.linkObject(Made.object(1), sizeBytes: 11, repository: other.id, account: nil)
        }
        try await store.linkObject(Made.object(2), sizeBytes: 0, repository: repository.id, account: nil)
        let asked = (1...4).map(Made.object)
        #expect(try await store.linkedObjects(among: asked, in: repository.id) == [asked[0]: 10, asked[1]: 0])
        #expect(try await store.knownObjects(among: asked) == Set(asked.prefix(2)))
        let page = try await store.objects(in: repository.id, limit: 1)
        #expect(page.items.map(\.oid) == [asked[0]])
        let next = try await store.objects(in: repository.id, after: page.next, limit: 1)
        #expect(next.items.map(\.oid) == [asked[1]] && next.next == nil)
        #expect(try await store.storedObjects().items.count == 2)
    }

    @Test("an object without links is swept after its grace, and cannot be linked while it is")
    func sweep() async throws {
        let store = test.store
        let other = try await test.repository("models/ada/y")
        try await store.linkObject(Made.object(1), sizeBytes: 10, repository: repository.id, account: nil)
        try await store.linkObject(Made.object(2), sizeBytes: 10, repository: repository.id, account: nil)
        try await store.linkObject(Made.object(2), sizeBytes: 10, repository: other.id, account: nil)
        _ = try await store.deleteRepository(repository.id, audit: test.entry())
        _ = try await store.purgeRepository(repository.id, audit: test.entry())
        let purged = test.clock.now
        #expect(try await store.claimUnlinkedObjects(unlinkedBefore: purged).isEmpty)
        test.clock.advance(by: 60)
        let claimed = try await store.claimUnlinkedObjects(unlinkedBefore: test.clock.now)
        #expect(claimed.map(\.oid) == [Made.object(1)])
        await #expect(throws: MetadataError.beingSwept) {
            try await store.linkObject(Made.object(1), sizeBytes: 10, repository: other.id, account: nil)
        }
        try await store.forgetObjects(claimed.map(\.oid))
        try await store.linkObject(Made.object(1), sizeBytes: 10, repository: other.id, account: nil)
        #expect(try await store.linkedObjects(among: [Made.object(1), Made.object(2)], in: other.id).count == 2)
    }

    @Test("of many who lock a path at once one gets the lock")
    func lockRace() async throws {
        let created = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let result = try await test.store.createLock(
                        path: "a/b.bin", in: repository.id, owner: ada.id, reference: "refs/heads/main")
                    if case .created = result { return true }
                    return false
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(created == 1)
    }

    @Test("locks are listed in pages, by path, id and owner, and deleted once")
    func locks() async throws {
        let store = test.store
        let ben = try await test.account("ben")
        for index in 0..<5 {
            _ = try await store.createLock(
                path: "f\(index)", in: repository.id, owner: index == 3 ? ben.id : ada.id, reference: nil)
        }
        var paths: [String] = []
        var query = LockQuery(repository: repository.id, limit: 2)
        repeat {
            let page = try await store.locks(query)
            paths += page.items.map(\.path)
            query.after = page.next
        } while query.after != nil
        #expect(paths == (0..<5).map { "f\($0)" })
        let mine = try await store.locks(LockQuery(repository: repository.id, owner: ben.id)).items
        #expect(mine.map(\.path) == ["f3"] && mine[0].ownerName.text == "ben")
        let one = try await store.locks(LockQuery(repository: repository.id, path: "f1")).items
        #expect(one.count == 1)
        #expect(try await store.locks(LockQuery(repository: repository.id, id: one[0].id)).items == one)
        let other = try await test.repository("models/ada/y")
        #expect(try await store.lock(one[0].id, in: other.id) == nil)
        await #expect(throws: MetadataError.lockNotFound) { try await store.deleteLock(one[0].id, in: other.id) }
        #expect(try await store.deleteLock(one[0].id, in: repository.id) == one[0])
        await #expect(throws: MetadataError.lockNotFound) { try await store.deleteLock(one[0].id, in: repository.id) }
        guard
            case .held(let lock) = try await store.createLock(
                path: "f3", in: repository.id, owner: ada.id, reference: nil)
        else {
            Issue.record("the lock of another was given away")
            return
        }
        #expect(lock.owner == ben.id)
    }

    @Test("an upload in parts is found again, survives the process and expires")
    func uploads() async throws {
        let store = test.store
        let expiry = test.clock.now.addingTimeInterval(100)
        let new = NewUpload(
            repository: repository.id, account: ada.id, oid: Made.object(1), sizeBytes: 25, partSizeBytes: 10,
            expiresAt: expiry)
        let session = try await store.createUpload(new)
        try await store.markPart(UploadPart(number: 2, sizeBytes: 10, etag: "b"), of: session.id, expiresAt: expiry)
        try await store.markPart(UploadPart(number: 1, sizeBytes: 10, etag: "a"), of: session.id, expiresAt: expiry)
        try await store.markPart(UploadPart(number: 2, sizeBytes: 10, etag: "c"), of: session.id, expiresAt: expiry)
        let again = try await store.createUpload(new)
        #expect(again.id == session.id && again.parts.map(\.etag) == ["a", "c"])
        var different = new
        different.account = nil
        #expect(try await store.createUpload(different).id != session.id)
        #expect(try await store.expiredUploads(before: test.clock.now).isEmpty)
        test.clock.advance(by: 101)
        #expect(try await store.expiredUploads(before: test.clock.now).count == 2)
        #expect(try await store.createUpload(new).id != session.id)
        try await store.deleteUpload(session.id)
        try await store.deleteUpload(session.id)
        #expect(try await store.upload(session.id) == nil)
        await #expect(throws: MetadataError.uploadNotFound) {
            try await store.markPart(UploadPart(number: 1, sizeBytes: 1, etag: "x"), of: session.id, expiresAt: expiry)
        }
    }
}
