import Foundation
import HTTPTypes
import HubCore
import HubTestSupport
import Identity
import Logging
import NIOCore
import ObjectStore
import Repositories
import Testing

@Suite("LFS locks")
struct LFSLockTests {
    @Test("locks a file once, shows it to its owner as ours and to others as theirs, and releases it")
    func lifecycle() async throws {
        let hub = try await TestLFS()
        try await hub.identity.setCollaborator(
            NamespaceName(parsing: "bob"), of: hub.repository, role: .write, by: TestLFS.root)
        let created = try await hub.post("locks", #"{"path":"a/model.bin","ref":{"name":"refs/heads/main"}}"#)
        #expect(created.status == 201)
        let lock = try #require(created.json["lock"] as? [String: Any])
        let id = try #require(lock["id"] as? String)
        #expect(lock["path"] as? String == "a/model.bin" && (lock["owner"] as? [String: String])?["name"] == "ada")
        #expect((lock["locked_at"] as? String)?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil)

        let taken = try await hub.post("locks", as: "bob", #"{"path":"a/model.bin"}"#)
        #expect(taken.status == 409)
        #expect((taken.json["lock"] as? [String: Any])?["id"] as? String == id)
        #expect((taken.json["message"] as? String)?.contains("ada") == true)

        let ours = try await hub.post("locks/verify", "{}")
        #expect((ours.json["ours"] as? [Any])?.count == 1 && (ours.json["theirs"] as? [Any])?.count == 0)
        let theirs = try await hub.post("locks/verify", as: "bob", "{}")
        #expect((theirs.json["ours"] as? [Any])?.count == 0 && (theirs.json["theirs"] as? [Any])?.count == 1)

        #expect(try await hub.post("locks/\(id)/unlock", as: "bob", "{}").status == 403)
        #expect(try await hub.post("locks/\(id)/unlock", as: "bob", #"{"force":true}"#).status == 403)
        let released = try await hub.post("locks/\(id)/unlock", "{}")
        #expect(released.status == 200 && (released.json["lock"] as? [String: Any])?["id"] as? String == id)
        #expect(try await hub.post("locks/\(id)/unlock", "{}").status == 404)
    }

    @Test("who administers the repository may force somebody else's lock")
    func forces() async throws {
        let hub = try await TestLFS()
        try await hub.identity.setCollaborator(
            NamespaceName(parsing: "bob"), of: hub.repository, role: .write, by: TestLFS.root)
        let created = try await hub.post("locks", as: "bob", #"{"path":"x"}"#)
        let id = try #require((created.json["lock"] as? [String: Any])?["id"] as? String)
        let admin = try await hub.identity.createToken(
            .init(name: "a", scope: .admin), for: NamespaceName(parsing: "ada"), by: TestLFS.root
        ).text
        #expect(try await hub.post("locks/\(id)/unlock", as: admin, "{}").status == 403)
        #expect(try await hub.post("locks/\(id)/unlock", as: admin, #"{"force":true}"#).status == 200)
    }

    @Test("lists page by page and by path or id; the last page has no cursor")
    func lists() async throws {
        let hub = try await TestLFS()
        for number in 0..<5 { #expect(try await hub.post("locks", #"{"path":"f\#(number)"}"#).status == 201) }
        var paths: [String] = []
        var cursor = ""
        repeat {
            let page = try await hub.send(.get, "locks?limit=2&cursor=\(cursor)")
            #expect(page.status == 200)
            paths += (try #require(page.json["locks"] as? [[String: Any]])).compactMap { $0["path"] as? String }
            cursor = page.json["next_cursor"] as? String ?? ""
        } while !cursor.isEmpty
        #expect(paths == (0..<5).map { "f\($0)" })
        #expect((try await hub.send(.get, "locks?path=f3").json["locks"] as? [Any])?.count == 1)
        #expect((try await hub.send(.get, "locks?id=nonsense").json["locks"] as? [Any])?.count == 0)
        #expect((try await hub.send(.get, "locks?path=none").json["locks"] as? [Any])?.count == 0)
        #expect(try await hub.send(.get, "locks?cursor=zzz").status == 400)
    }

    @Test("of eight at once one gets the lock")
    func atomic() async throws {
        let hub = try await TestLFS()
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 { group.addTask { try await hub.post("locks", #"{"path":"x"}"#).status } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses.sorted() == [201] + [Int](repeating: 409, count: 7))
    }

    @Test("takes push rights, and sensible paths")
    func refuses() async throws {
        let hub = try await TestLFS()
        #expect(try await hub.post("locks", as: nil, #"{"path":"x"}"#).status == 401)
        #expect(try await hub.post("locks", as: "reader", #"{"path":"x"}"#).status == 403)
        #expect(try await hub.post("locks/verify", as: "reader", "{}").status == 403)
        #expect(try await hub.post("locks", as: "bob", #"{"path":"x"}"#).status == 404)
        #expect(try await hub.send(.get, "locks", as: "reader").status == 200)
        #expect(try await hub.post("locks", #"{"path":""}"#).status == 422)
        #expect(try await hub.post("locks", #"{"path":"\#(String(repeating: "x", count: 5000))"}"#).status == 422)
        #expect(try await hub.post("locks", "{}").status == 400)
        #expect(try await hub.send(.put, "locks").status == 405)
    }
}
