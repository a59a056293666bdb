import HubCore
import Identity
import MetadataStore
import Testing

@testable import Community

@Suite("Access requests")
struct AccessRequestTests {
    @Test("a manual gate opens when the owner accepts, and closes when he takes it back")
    func manual() async throws {
        let site = try await TestCommunity()
        try await site.setGating(.manual)
        let repository = try await site.repository
        let access = site.community.access
        await #expect(throws: IdentityError.gated(repository.reference)) {
            try await site.identity.require(.readContent, on: repository, by: site.bob.principal)
        }
        let request = try await access.ask(for: repository, fields: ["affiliation": "ACME \"Labs\""], by: site.bob)
        #expect(request.status == .pending)
        #expect(request.fields.node?["affiliation"]?.string == "ACME \"Labs\"")
        #expect(try await !site.identity.may(.readContent, on: repository, by: site.bob.principal))

        let pending = try await access.list(for: repository, .pending, after: nil, limit: 10, by: site.ada.principal)
        #expect(pending.items.map(\.account.name.text) == ["bob"])
        await #expect(throws: IdentityError.forbidden(.administer)) {
            try await access.list(for: repository, .pending, after: nil, limit: 10, by: site.bob.principal)
        }
        await #expect(throws: IdentityError.forbidden(.administer)) {
            try await access.decide(.request(request.id), for: repository, .accepted, reason: nil, by: site.bob)
        }
        _ = try await access.decide(.request(request.id), for: repository, .accepted, reason: nil, by: site.ada)
        #expect(try await site.identity.may(.readContent, on: repository, by: site.bob.principal))
        await #expect(throws: AccessRequestError.alreadyDecided(.accepted)) {
            try await access.decide(.request(request.id), for: repository, .accepted, reason: nil, by: site.ada)
        }
        let name = NamespaceName(trusted: "bob")
        let rejected = try await access.decide(.account(name), for: repository, .rejected, reason: "no form", by: site.ada)
        #expect(rejected.rejectionReason == "no form")
        #expect(try await !site.identity.may(.readContent, on: repository, by: site.bob.principal))
        await #expect(throws: AccessRequestError.rejected(reason: "no form")) {
            try await access.ask(for: repository, fields: [:], by: site.bob)
        }
        try await site.close()
    }

    @Test("an auto gate lets in whoever asks, and a grant lets in who did not")
    func auto() async throws {
        let site = try await TestCommunity()
        let access = site.community.access
        await #expect(throws: AccessRequestError.notGated(try site.repository.reference)) {
            try await access.ask(for: try await site.repository, fields: [:], by: site.bob)
        }
        try await site.setGating(.auto)
        let repository = try await site.repository
        #expect(try await access.ask(for: repository, fields: [:], by: site.bob).status == .accepted)
        #expect(try await site.identity.may(.readContent, on: repository, by: site.bob.principal))
        await #expect(throws: AccessRequestError.alreadyGranted(NamespaceName(trusted: "bob"))) {
            try await access.grant(NamespaceName(trusted: "bob"), to: repository, by: site.ada)
        }
        await #expect(throws: MetadataError.accountNotFound) {
            try await access.grant(NamespaceName(trusted: "nobody"), to: repository, by: site.ada)
        }
        // Without the gate, everything is as before.
        try await site.setGating(.off)
        #expect(try await site.identity.may(.readContent, on: try await site.repository, by: site.bob.principal))
        try await site.close()
    }
}
