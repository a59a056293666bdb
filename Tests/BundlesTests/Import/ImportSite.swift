import BundleFormat
import Foundation
import GitStore
import HubCore
import HubTestSupport
import Identity
import Logging
import MetadataStore
import ObjectStore
import Repositories
import Synchronization

@testable import Bundles

/// Trusts whatever its own test signature fits: the hash of the manifest in place of a signature.
final class TestTrust: ImportTrust {
    let store: MetadataStore
    /// Of a key that took the place of the first.
    private let keySuffix = Mutex("")

    /// Signatures end with `-2` from now on.
    func replaceKey() { keySuffix.withLock { $0 = "-2" } }
    /// Of the publisher, for bundles and for models.
    let publisherKey: SigningKey
    let modelKey: SigningKey
    let ownKey: SigningKey

    init(store: MetadataStore) throws {
        self.store = store
        (publisherKey, modelKey, ownKey) = (try .make(.ed25519), try .make(.p256), try .make(.ed25519))
    }

    func judge(_ manifest: SignedManifest) async throws -> (signers: ImportSigners, manifest: BundleManifest) {
        let signature = String(decoding: manifest.documents["BUNDLE.dsse.json"] ?? [], as: UTF8.self)
        let isByCurrentKey = signature == BundleDigest.hash(manifest.bytes).hex + keySuffix.withLock { $0 }
        guard isByCurrentKey else {
            throw ProblemError(.forbidden, code: "wrong_signature", "The signature is not one of this BUNDLE.json.")
        }
        let parsed = try BundleManifest(parsing: manifest.bytes)
        guard ["acme", "other"].contains(parsed.publisher) else {
            throw ProblemError(
                .forbidden, code: "unknown_publisher",
                "The bundle is by \(parsed.publisher), whom this hub does not know.")
        }
        let last = try await store.importedStreams().first {
            $0.publisher == parsed.publisher && $0.stream == parsed.stream
        }?.sequence
        return (
            ImportSigners(
                publisher: parsed.publisher, keyIDs: ObjectID(hex: publisherKey.publicKey.keyID).map { [$0] } ?? [],
                fingerprints: ["ABCD"], modelKeys: [modelKey.publicKey],
                laterSequence: last.flatMap { $0 > parsed.sequence ? $0 : nil }, lastSequence: last), parsed
        )
    }

    func sign(receipt: [UInt8]) async throws -> String { String(decoding: receipt, as: UTF8.self) }

    func sign(
        _ facts: CustodyStatement.Facts, after former: CustodyStatement?, manifest: ObjectID
    ) async throws -> CustodyStatement? {
        try CustodyStatement.make(facts, after: former, manifest: manifest, key: ownKey)
    }

    func keyNames() async throws -> [String: String] { [publisherKey.publicKey.keyID: "acme"] }
}

/// A hub that imports, with real stores.
final class ImportSite: Sendable {
    let folder: TemporaryFolder
    let store: MetadataStore
    let objects: FileObjectStore
    let git: GitStore
    let identity: Identity
    let threads: GitThreads
    let importer: BundleImporter
    let trust: TestTrust
    let caller = Caller(.localAdministrator(uid: 0, sudoUID: nil))

    init(_ folder: TemporaryFolder? = nil, reserveBytes: Int64 = 0) throws {
        let folder = try folder ?? TemporaryFolder("import")
        self.folder = folder
        store = try MetadataStore(path: folder.file("hub.db"))
        var settings = FileObjectStore.Settings(onStorageFailure: { fatalError("\($0)") })
        settings.reserveBytes = reserveBytes
        objects = try FileObjectStore(root: folder.file("objects"), staging: folder.file("staging"), settings: settings)
        threads = GitThreads(count: 2)
        git = try GitStore(root: folder.file("git"), staging: folder.file("staging"), threads: threads)
        identity = Identity(
            store: store, settings: IdentitySettings(externalURL: "https://hub.test", passwordCost: .cheap))
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        trust = try TestTrust(store: store)
        importer = BundleImporter(
            store: store, objects: objects, git: git, threads: threads, limits: ReceiveLimits(), identity: identity,
            events: RepositoryEvents(), trust: trust, logger: logger)
    }

    deinit { try? store.close() }  // The folder goes with it anyway.

    func close() async throws {
        await objects.close()
        try await threads.stop()
        try store.close()
    }

    /// Imports what lies there; one outcome is expected.
    func take(_ paths: [String], _ options: ImportOptions = ImportOptions()) async throws -> BundleImporter.Outcome {
        var options = options
        options.paths = paths
        let outcomes = try await importer.run(options, by: caller)
        guard let first = outcomes.first else { throw CocoaError(.featureUnsupported) }
        return first
    }

    /// The same, where it should be published.
    @discardableResult
    func publish(_ paths: [String], _ options: ImportOptions = ImportOptions()) async throws -> ImportReport {
        let outcome = try await take(paths, options)
        if let failure = outcome.failure { throw failure }
        guard let report = outcome.record?.report else { throw CocoaError(.featureUnsupported) }
        return report
    }

    func setPublishing(_ value: String) async throws { try await set("import-publishing", value) }

    func set(_ setting: String, _ value: String) async throws {
        try await store.setSetting(setting, to: value, audit: AuditEntry(actor: "t", action: "t", target: "t"))
    }

    func audit(_ action: String) async throws -> [AuditEntry] {
        try await store.auditEntries().map(\.entry).filter { $0.action == action }
    }

    func repository(_ reference: String) async throws -> Repository? {
        try await store.repository(try RepositoryReference(parsing: reference))?.repository
    }

    func refs(_ reference: String) async throws -> [String: GitOID] {
        guard let repository = try await repository(reference) else { return [:] }
        return Dictionary(
            uniqueKeysWithValues: try await store.gitState(of: repository.id).references.map { ($0.name.text, $0.oid) })
    }

    /// The bytes of an object that a repository has.
    func object(_ oid: ObjectID, in reference: String) async throws -> [UInt8]? {
        guard let repository = try await repository(reference), try await store.object(oid, in: repository.id) != nil
        else { return nil }
        let path = folder.file("objects/\(oid.hex.prefix(2))/\(oid.hex.dropFirst(2).prefix(2))/\(oid.hex)")
        return Array(try Data(contentsOf: URL(filePath: path)))
    }

    var stagedFolders: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder.file("staging/imports"))) ?? []
    }
    var storedObjects: Int {
        (FileManager.default.enumerator(atPath: folder.file("objects"))?.allObjects as? [String] ?? [])
            .filter { $0.split(separator: "/").last?.count == 64 }.count
    }
}

/// Bytes that do not repeat.
func made(_ count: Int, _ seed: UInt64 = 1) -> [UInt8] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        for index in 0..<count {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            buffer[index] = UInt8(truncatingIfNeeded: state >> 32)
        }
        initialized = count
    }
}
