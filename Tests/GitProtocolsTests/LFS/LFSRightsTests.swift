import Foundation
import HTTPTypes
import HubCore
import HubTestSupport
import Identity
import Repositories
import Testing

@Suite("LFS rights")
struct LFSRightsTests {
    private static func headers(_ action: Action) throws -> HTTPFields {
        [.authorization: try #require(action.header["Authorization"])]
    }

    @Test("links of a repository that is deleted work no more, and not for one that takes its name")
    func deleted() async throws {
        let hub = try await TestLFS()
        let (stored, next) = (LFSContent(1000), LFSContent(1000, seed: 2))
        try await hub.upload(stored)
        let download = try Action(try await hub.batch("download", stored).object, "download")
        let upload = try Action(try await hub.batch("upload", next).object, "upload")
        #expect(try await hub.follow(download, .get).status == 200)
        let service = RepositoryService(store: hub.store, identity: hub.identity)
        try await service.delete(hub.repository.reference, by: TestLFS.root)
        #expect(try await hub.follow(download, .get).status == 404)
        #expect(try await hub.follow(upload, .put, next.bytes).status == 404)
        _ = try await hub.addRepository("models/ada/bert")
        #expect(try await hub.follow(download, .get).status == 401)
        #expect(try await hub.follow(upload, .put, next.bytes).status == 401)
        #expect(try await hub.send(.get, "objects/\(stored.oid)").status == 404)
    }

    @Test("a link follows a rename, and works at no other repository of the same account")
    func renamed() async throws {
        let hub = try await TestLFS()
        let stored = LFSContent(1000)
        try await hub.upload(stored)
        let download = try Action(try await hub.batch("download", stored).object, "download")
        let service = RepositoryService(store: hub.store, identity: hub.identity)
        _ = try await service.rename(
            hub.repository.reference, to: RepositoryName(parsing: "ada/bert2"), by: TestLFS.root)
        #expect(try await hub.follow(download, .get).body == stored.bytes)
        _ = try await hub.addRepository("models/ada/other")
        let other = "/models/ada/other.git/info/lfs/objects/\(stored.oid)"
        #expect(try await hub.send(.get, other, as: nil, headers: Self.headers(download)).status == 401)
    }

    @Test(
        "a download's link uploads nothing, an upload's link downloads and confirms nothing, a part's link is for parts"
    )
    func operations() async throws {
        let hub = try await TestLFS()
        let (stored, large) = (LFSContent(1000), LFSContent(250_000, seed: 2))
        let upload = try Action(try await hub.batch("upload", stored).object, "upload")
        try await hub.upload(stored)
        let download = try Action(try await hub.batch("download", stored).object, "download")
        let object = "objects/\(stored.oid)"
        let body = Array(#"{"oid":"\#(stored.oid)","size":1000}"#.utf8)
        #expect(try await hub.send(.put, object, as: nil, stored.bytes, headers: Self.headers(download)).status == 401)
        #expect(try await hub.send(.get, object, as: nil, headers: Self.headers(upload)).status == 401)
        #expect(try await hub.send(.post, "objects/verify", as: nil, body, headers: Self.headers(upload)).status == 401)
        #expect(try await hub.send(.post, "objects/batch", as: nil, body, headers: Self.headers(upload)).status == 401)
        #expect(try await hub.send(.get, "locks", as: nil, headers: Self.headers(download)).status == 401)

        let parts = try Action(
            try await hub.batch("upload", large, transfers: #"["multipart"]"#).object, "upload")
        let grant = try #require(parts.path.split(separator: "=").last.map(String.init))
        let whole = try await hub.send(.put, "objects/\(large.oid)?grant=\(grant)", as: nil, large.bytes)
        #expect(whole.status == 401)
        // Another account's upload of the same object is its own.
        try await hub.identity.setCollaborator(
            NamespaceName(parsing: "bob"), of: hub.repository, role: .write, by: TestLFS.root)
        let bobs = try Action(
            try await hub.batch("upload", large, as: "bob", transfers: #"["multipart"]"#).object, "upload")
        let bobsGrant = try #require(bobs.path.split(separator: "=").last.map(String.init))
        let adasUpload = parts.path.prefix { $0 != "?" }
        #expect(adasUpload != bobs.path.prefix { $0 != "?" })
        let part = Array(large.bytes.prefix(100_000))
        #expect(try await hub.send(.put, "\(adasUpload)/1?grant=\(bobsGrant)", as: nil, part).status == 404)
    }

    @Test("links end with the token and the account that they were made for")
    func ended() async throws {
        let hub = try await TestLFS()
        let content = LFSContent(1000)
        try await hub.upload(content)
        let ada = try NamespaceName(parsing: "ada")
        let expiry = hub.clock.now.addingTimeInterval(600)
        let short = try await hub.identity.createToken(
            TokenRequest(name: "short", scope: .read, expiresAt: expiry), for: ada, by: TestLFS.root)
        let download = try Action(try await hub.batch("download", content, as: short.text).object, "download")
        #expect(try await hub.follow(download, .get).status == 200)
        hub.clock.advance(601)
        #expect(try await hub.follow(download, .get).status == 401)
        hub.clock.advance(-601)
        _ = try await hub.identity.revokeToken(short.token.id, by: TestLFS.root)
        #expect(try await hub.follow(download, .get).status == 401)
    }

    @Test("a lock is released by its owner or an administrator of its repository, through that repository only")
    func locks() async throws {
        let hub = try await TestLFS()
        let bob = try NamespaceName(parsing: "bob")
        try await hub.identity.setCollaborator(bob, of: hub.repository, role: .write, by: TestLFS.root)
        let made = try await hub.post("locks", #"{"path":"model.bin"}"#)
        let id = try #require((made.json["lock"] as? [String: Any])?["id"] as? String)
        for body in ["{}", #"{"force":true}"#] {
            #expect(try await hub.post("locks/\(id)/unlock", as: "bob", body).status == 403)
            #expect(try await hub.post("locks/\(id)/unlock", as: "reader", body).status == 403)
        }
        // Bob administers a repository of his own, which the lock is not in.
        _ = try await hub.addRepository("models/bob/own")
        let own = "/models/bob/own.git/info/lfs/locks/\(id)/unlock"
        #expect(try await hub.post(own, as: "bob", #"{"force":true}"#).status == 404)
        #expect(try await hub.post("locks/\(id)/unlock", "{}").status == 200)
    }
}
