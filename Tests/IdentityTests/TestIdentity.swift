import Foundation
import HubCore
import MetadataStore
import Synchronization

@testable import Identity

/// An `Identity` over a store in a folder of its own, with cheap password hashes and a clock that tests move.
final class TestIdentity: Sendable {
    static let local = Caller(.localAdministrator(uid: 0, sudoUID: 1000))

    let folder: String
    let store: MetadataStore
    let identity: Identity
    let clock: TestClock

    init(_ change: (inout IdentitySettings) -> Void = { _ in }) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("identity-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let clock = TestClock()
        self.clock = clock
        store = try MetadataStore(path: folder + "/hub.db", clock: { clock.now })
        var settings = IdentitySettings(externalURL: "https://hub.test", passwordCost: .cheap)
        change(&settings)
        identity = Identity(store: store, settings: settings, clock: { clock.now })
    }

    deinit {
        // What cannot be closed or removed stays in the temporary folder; the test has said what it had to say.
        try? store.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    @discardableResult
    func account(_ name: String, password: String? = "correct horse", roles: Set<SiteRole> = []) async throws -> Account
    {
        try await identity.createAccount(
            AccountRequest(name: NamespaceName(parsing: name), password: password, siteRoles: roles), by: Self.local)
    }

    func repository(_ reference: String, _ visibility: Visibility, by creator: Account? = nil) async throws
        -> Repository
    {
        try await store.createRepository(
            NewRepository(
                reference: RepositoryReference(parsing: reference), visibility: visibility, creator: creator?.id),
            audit: Self.local.entry("repository.create", on: reference))
    }

    func token(
        _ account: String, _ scope: TokenScope = .write, repositories: Set<RepositoryID>? = nil, expiresAt: Date? = nil
    ) async throws -> (token: AccessToken, text: String) {
        try await identity.createToken(
            TokenRequest(name: "test", scope: scope, repositories: repositories, expiresAt: expiresAt),
            for: NamespaceName(parsing: account), by: Self.local)
    }

    func signIn(_ credentials: Credentials, from address: String? = "192.0.2.1", door: Door = .api) async throws
        -> Principal
    {
        try await identity.authenticate(credentials, from: address, door: door)
    }

    func actions() async throws -> [String] { try await store.auditEntries(limit: 1000).map(\.entry.action) }
}

/// A clock that tests move.
final class TestClock: Sendable {
    private let seconds = Mutex<Double>(1_700_000_000)

    var now: Date { Date(timeIntervalSince1970: seconds.withLock { $0 }) }

    func advance(by amount: Double) { seconds.withLock { $0 += amount } }
}
