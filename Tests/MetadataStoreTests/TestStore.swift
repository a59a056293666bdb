import Foundation
import HubCore
import Synchronization

@testable import MetadataStore

/// A store in a folder of its own, which goes when the test ends.
final class TestStore: Sendable {
    let folder: String
    let store: MetadataStore
    let clock: TestClock

    init() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("metadata-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let clock = TestClock()
        self.folder = folder
        self.clock = clock
        store = try MetadataStore(path: folder + "/hub.db", clock: { clock.now })
    }

    deinit {
        // What cannot be closed or removed stays in the temporary folder; the test has said what it had to say.
        try? store.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    var path: String { folder + "/hub.db" }

    func entry(_ action: String = "test") -> AuditEntry { AuditEntry(actor: "tester", action: action, target: "x") }

    @discardableResult
    func account(_ name: String, password: String? = nil, roles: Set<SiteRole> = []) async throws -> Account {
        try await store.createAccount(
            NewAccount(name: NamespaceName(parsing: name), passwordHash: password, siteRoles: roles),
            audit: entry("account.create"))
    }

    func organization(_ name: String, admin: Account? = nil) async throws -> Organization {
        try await store.createOrganization(
            NewOrganization(name: NamespaceName(parsing: name), firstAdmin: admin?.id),
            audit: entry("organization.create"))
    }

    func repository(_ reference: String, _ visibility: Visibility = .private, by creator: Account? = nil) async throws
        -> Repository
    {
        try await store.createRepository(
            NewRepository(
                reference: RepositoryReference(parsing: reference), visibility: visibility, creator: creator?.id),
            audit: entry("repository.create"))
    }
}

/// A clock that tests move.
final class TestClock: Sendable {
    private let seconds = Mutex<Double>(1_700_000_000)

    var now: Date { Date(timeIntervalSince1970: seconds.withLock { $0 }) }

    func advance(by amount: Double) { seconds.withLock { $0 += amount } }
}

/// Made-up object names.
enum Made {
    static func oid(_ number: Int) -> GitOID {
        var bytes = [UInt8](repeating: 0x11, count: 20)
        withUnsafeBytes(of: UInt64(number).bigEndian) { bytes.replaceSubrange(0..<8, with: $0) }
        return GitOID(bytes: bytes) ?? .zero
    }

    static func object(_ number: Int) -> ObjectID {
        var bytes = [UInt8](repeating: 0x22, count: 32)
        withUnsafeBytes(of: UInt64(number).bigEndian) { bytes.replaceSubrange(0..<8, with: $0) }
        return ObjectID(digest: bytes)
    }

    static func pack(_ number: Int, isFullyReachable: Bool = true) -> PackDescription {
        PackDescription(
            id: PackID(oid(1_000_000 + number)), objectCount: 3, sizeBytes: 1000, bodyEnd: 980, ownObjectCount: 3,
            isDisjoint: true, isFullyReachable: isFullyReachable)
    }

    static func branch(_ name: String) -> ReferenceName { ReferenceName(trusted: "refs/heads/" + name) }
}
