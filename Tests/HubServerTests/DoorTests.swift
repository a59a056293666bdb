import Foundation
import HTTPTypes
import HubCore
import HubTestSupport
import Hummingbird
import Identity
import NIOCore
import Repositories
import Testing
import WebCore

@testable import HubServer

/// What tokens open at each of the hub's doors: git, LFS and the API ask the same question (law 5), which this shows on their routes.
@Suite("Doors")
struct DoorTests {
    private static let root = Caller(.localAdministrator(uid: 0, sudoUID: nil))
    private static let oid = String(repeating: "a", count: 64)

    /// A request at one of the doors, `@` standing for the repository.
    struct Door: CustomStringConvertible, Sendable {
        let method: HTTPRequest.Method
        let path: String
        var body = ""
        /// What somebody gets who may read and no more.
        let toReader: Int
        /// What somebody gets who may write.
        let toWriter: Int

        var description: String { "\(method) \(path)" }
    }

    private static let batch = #"{"operation":"@","objects":[{"oid":"\#(oid)","size":1}]}"#

    private static let doors = [
        Door(method: .get, path: "/models/@.git/info/refs?service=git-upload-pack", toReader: 200, toWriter: 200),
        Door(method: .get, path: "/models/@.git/info/refs?service=git-receive-pack", toReader: 403, toWriter: 200),
        Door(method: .post, path: "/models/@.git/git-receive-pack", body: "0000", toReader: 403, toWriter: 200),
        Door(
            method: .post, path: "/models/@.git/info/lfs/objects/batch",
            body: batch.replacingOccurrences(of: "@", with: "download"), toReader: 200, toWriter: 200),
        Door(
            method: .post, path: "/models/@.git/info/lfs/objects/batch",
            body: batch.replacingOccurrences(of: "@", with: "upload"), toReader: 403, toWriter: 200),
        Door(method: .get, path: "/models/@.git/info/lfs/objects/\(oid)", toReader: 404, toWriter: 404),
        Door(method: .put, path: "/models/@.git/info/lfs/objects/\(oid)", body: "x", toReader: 403, toWriter: 422),
        Door(method: .get, path: "/models/@.git/info/lfs/locks", toReader: 200, toWriter: 200),
        Door(method: .post, path: "/models/@.git/info/lfs/locks", body: #"{"path":"f"}"#, toReader: 403, toWriter: 201),
        Door(method: .post, path: "/models/@.git/info/lfs/locks/verify", body: "{}", toReader: 403, toWriter: 200),
        Door(method: .get, path: "/api/hub/v1/repositories/model/@", toReader: 200, toWriter: 200),
        Door(method: .get, path: "/api/hub/v1/repositories/model/@/export", toReader: 200, toWriter: 200),
        Door(method: .get, path: "/api/hub/v1/repositories/model/@/references", toReader: 200, toWriter: 200),
        Door(
            method: .put, path: "/api/hub/v1/repositories/model/@/objects/\(oid)", body: "x", toReader: 403,
            toWriter: 422),
        Door(method: .post, path: "/api/hub/v1/repositories/model/@/commits", body: "{}", toReader: 403, toWriter: 400),
        Door(method: .get, path: "/api/hub/v1/repositories/model/@/collaborators", toReader: 403, toWriter: 403),
        Door(
            method: .patch, path: "/api/hub/v1/repositories/model/@", body: #"{"visibility":"public"}"#, toReader: 403,
            toWriter: 403),
        Door(method: .delete, path: "/api/hub/v1/repositories/model/@", toReader: 403, toWriter: 403),
    ]

    /// A hub of `ada` with the private models `ada/one` and `ada/two`.
    private func withHub(_ test: (Hub, TestRepositories) async throws -> Void) async throws {
        let folder = try TemporaryFolder("doors")
        var settings = HubSettings(data: folder.file("data"))
        settings.reserveBytes = 0
        let hub = try await Hub(settings: settings, purpose: .local)
        for name in ["ada", "bob"] {
            _ = try await hub.identity.createAccount(AccountRequest(name: NamespaceName(parsing: name)), by: Self.root)
        }
        let one = try await hub.repositories.create(
            RepositoryReference(parsing: "models/ada/one"), visibility: .private, by: Self.root)
        let two = try await hub.repositories.create(
            RepositoryReference(parsing: "models/ada/two"), visibility: .private, by: Self.root)
        try await test(hub, TestRepositories(one: one, two: two))
        await hub.close()
        _ = folder
    }

    struct TestRepositories {
        let one: Repository
        let two: Repository
    }

    private func token(
        _ account: String, _ scope: TokenScope, only repositories: Set<RepositoryID>? = nil, of hub: Hub
    ) async throws -> String {
        try await hub.identity.createToken(
            TokenRequest(name: "t", scope: scope, repositories: repositories), for: NamespaceName(parsing: account),
            by: Self.root
        ).text
    }

    private func status(_ door: Door, _ repository: String, _ token: String?, at hub: Hub) async throws -> Int {
        let path = door.path.replacingOccurrences(of: "@", with: repository)
        var fields: HTTPFields = [.contentLength: String(door.body.utf8.count)]
        if let token { fields[.authorization] = "Bearer \(token)" }
        if path.contains("/lfs/"), door.method == .post { fields[.contentType] = "application/vnd.git-lfs+json" }
        if path.hasSuffix("git-receive-pack"), door.method == .post {
            fields[.contentType] = "application/x-git-receive-pack-request"
        }
        let request = Request(
            head: HTTPRequest(
                method: door.method, scheme: "https", authority: "hub.example", path: path, headerFields: fields),
            body: RequestBody(buffer: ByteBuffer(string: door.body)))
        let response = try await hub.respond(request, as: .anonymous)
        // The body is not of interest, but a stream must come to its end.
        try await response.body.write(DroppingWriter())
        return response.status.code
    }

    @Test("a token for one repository opens no door of another, whatever its scope")
    func limited() async throws {
        try await withHub { hub, repositories in
            let limited = try await token("ada", .admin, only: [repositories.one.id], of: hub)
            for door in Self.doors {
                #expect(try await status(door, "ada/two", limited, at: hub) == 404, "\(door)")
            }
            let list = Door(method: .get, path: "/api/hub/v1/tokens", toReader: 403, toWriter: 403)
            #expect(try await status(list, "", limited, at: hub) == 403)
        }
    }

    @Test("strangers find nothing behind any door, visitors are asked to sign in")
    func strangers() async throws {
        try await withHub { hub, _ in
            let bob = try await token("bob", .admin, of: hub)
            for door in Self.doors {
                #expect(try await status(door, "ada/one", bob, at: hub) == 404, "\(door)")
                #expect(try await status(door, "ada/none", bob, at: hub) == 404, "\(door)")
                #expect(try await status(door, "ada/one", nil, at: hub) == 401, "\(door)")
                #expect(try await status(door, "ada/none", nil, at: hub) == 401, "\(door)")
            }
        }
    }

    @Test("a token's scope holds at every door")
    func scopes() async throws {
        try await withHub { hub, repositories in
            let reader = try await token("ada", .read, only: [repositories.one.id], of: hub)
            let writer = try await token("ada", .write, only: [repositories.one.id], of: hub)
            for door in Self.doors {
                #expect(try await status(door, "ada/one", reader, at: hub) == door.toReader, "\(door)")
                let written = try await status(door, "ada/one", writer, at: hub)
                #expect(written == door.toWriter, "\(door)")
            }
        }
    }

    @Test("a deleted repository is behind no door")
    func deleted() async throws {
        try await withHub { hub, repositories in
            let ada = try await token("ada", .admin, of: hub)
            try await hub.repositories.delete(repositories.one.reference, by: Self.root)
            for door in Self.doors { #expect(try await status(door, "ada/one", ada, at: hub) == 404, "\(door)") }
        }
    }
}

private struct DroppingWriter: ResponseBodyWriter {
    func write(_ buffer: ByteBuffer) async throws {}
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
