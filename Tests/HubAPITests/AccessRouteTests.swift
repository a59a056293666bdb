import HTTPTypes
import HubCore
import Identity
import MetadataStore
import Testing

@testable import HubAPI

@Suite("The routes of gates and access requests")
struct AccessRouteTests {
    private static let repository = "/repositories/model/ada/bert"
    private static let path = repository + "/access-requests"
    let test: TestAPI
    let ada: String
    let bob: String

    init() async throws {
        test = try TestAPI()
        ada = try await test.account("ada")
        bob = try await test.account("bob")
        try await test.expect(
            201, .post, "/repositories", ["kind": "model", "namespace": "ada", "name": "bert", "visibility": "internal"],
            of: "createRepository")
    }

    @Test("a gate is closed, asked at, opened for one, and taken away")
    func gate() async throws {
        try await test.expect(400, .post, Self.path, [:], token: bob, of: "requestAccess")
        let closed = try await test.expect(200, .patch, Self.repository, ["gate": "manual"], token: ada, of: "changeRepository")
        #expect(closed["gate"] == "manual" && closed["visibility"] == "internal")
        try await test.expect(400, .patch, Self.repository, ["gate": "closed"], token: ada, of: "changeRepository")
        let asked = try await test.expect(
            200, .post, Self.path, ["answers": ["Company Name": "ACME"]], token: bob, of: "requestAccess")
        #expect(asked["status"] == "pending" && asked["answers"]?["Company Name"] == "ACME" && asked["decided_at"] == .null)
        let pending = try await test.expect(200, .get, Self.path, token: ada, of: "listAccessRequests")
        #expect(pending["items"]?.elements?.compactMap { $0["account"] } == ["bob"])

        let repository = try await test.store.repository(RepositoryReference(parsing: "models/ada/bert"))?.repository
        let found = try #require(repository)
        let account = try #require(try await test.store.account(named: NamespaceName(parsing: "bob")))
        func mayRead() async throws -> Bool { try await test.identity.may(.readContent, on: found, by: .account(account)) }
        #expect(try await !mayRead())
        for _ in 0..<2 {
            let granted = try await test.expect(
                200, .put, Self.path + "/bob", ["status": "accepted"], token: ada, of: "decideAccess")
            #expect(granted["status"] == "accepted" && granted["decided_at"] != .null)
        }
        #expect(try await mayRead())
        try await test.expect(200, .put, Self.path + "/bob", ["status": "pending"], token: ada, of: "decideAccess")
        #expect(try await !mayRead())
        let rejected = try await test.expect(
            200, .put, Self.path + "/bob", ["status": "rejected", "reason": "No form."], token: ada, of: "decideAccess")
        #expect(rejected["reason"] == "No form.")
        try await test.expect(403, .post, Self.path, [:], token: bob, of: "requestAccess")
        let list = try await test.expect(200, .get, Self.path + "?status=rejected", token: ada, of: "listAccessRequests")
        #expect(list["items"]?.elements?.count == 1)
        try await test.expect(200, .patch, Self.repository, ["gate": "none"], token: ada, of: "changeRepository")
        #expect(try await test.identity.may(.readContent, on: try #require(
            try await test.store.repository(RepositoryReference(parsing: "models/ada/bert"))?.repository), by: .account(account)))
    }

    @Test("only who administers the repository sees and decides; others do not even see a private one")
    func rights() async throws {
        try await test.expect(200, .patch, Self.repository, ["gate": "automatic"], token: ada, of: "changeRepository")
        try await test.expect(403, .patch, Self.repository, ["gate": "none"], token: bob, of: "changeRepository")
        try await test.expect(403, .get, Self.path, token: bob, of: "listAccessRequests")
        try await test.expect(403, .put, Self.path + "/bob", ["status": "accepted"], token: bob, of: "decideAccess")
        try await test.expect(404, .put, Self.path + "/nobody", ["status": "accepted"], token: ada, of: "decideAccess")
        try await test.expect(404, .put, Self.path + "/bob", ["status": "rejected"], token: ada, of: "decideAccess")
        #expect(
            try await test.expect(200, .post, Self.path, [:], token: bob, of: "requestAccess")["status"] == "accepted")
        try await test.expect(200, .patch, Self.repository, ["visibility": "private"], token: ada, of: "changeRepository")
        try await test.expect(404, .post, Self.path, [:], token: bob, of: "requestAccess")
        try await test.expect(404, .get, Self.path, token: bob, of: "listAccessRequests")
    }
}
