import GitStore
import HubCore
import Identity
import MetadataStore
import Repositories

/// Settings of spaces: variables, secrets, and what is asked of their runtime. The hub keeps them; it does not run the apps yet, and
/// what it answers says so.
package struct Spaces: Sendable {
    package static let maximumKeyCharacters = 200
    package static let maximumValueBytes = 64 << 10
    package static let maximumVolumesBytes = 16_000

    private let store: MetadataStore
    private let identity: Identity
    private let git: GitService
    private let box: SecretBox

    package init(store: MetadataStore, identity: Identity, git: GitService, box: SecretBox) {
        self.store = store
        self.identity = identity
        self.git = git
        self.box = box
    }

    // MARK: Variables and secrets

    package func variables(of space: Repository, by principal: Principal) async throws -> [SpaceVariable] {
        try await identity.require(.configure, on: space, by: principal)
        return try await store.spaceVariables(of: space.id, secrets: false)
    }

    /// Names and times; what a secret says is for the app alone.
    package func secrets(of space: Repository, by principal: Principal) async throws -> [SpaceVariable] {
        try await identity.require(.configure, on: space, by: principal)
        return try await store.spaceVariables(of: space.id, secrets: true)
    }

    package func set(
        _ key: String, value: String, description: String?, isSecret: Bool, of space: Repository, by caller: Caller
    ) async throws {
        try await identity.require(.configure, on: space, by: caller.principal)
        guard Self.isValid(key) else { throw SpaceError.invalidKey(key) }
        guard value.utf8.count <= Self.maximumValueBytes, (description?.utf8.count ?? 0) <= 1000 else { throw SpaceError.tooLong }
        let bytes = Array(value.utf8)
        try await store.setSpaceVariable(
            key, value: isSecret ? try box.seal(bytes, context: Self.context(key, space)) : bytes, description: description,
            isSecret: isSecret, of: space.id,
            audit: caller.entry(isSecret ? "space.secret" : "space.variable", on: space.reference.description, ["key": key]))
    }

    package func delete(_ key: String, isSecret: Bool, of space: Repository, by caller: Caller) async throws {
        try await identity.require(.configure, on: space, by: caller.principal)
        let isGone = try await store.deleteSpaceVariable(
            key, isSecret: isSecret, of: space.id,
            audit: caller.entry(
                isSecret ? "space.delete-secret" : "space.delete-variable", on: space.reference.description,
                ["key": key.shortened]))
        guard isGone else { throw SpaceError.noSuchKey(key) }
    }

    /// The secrets as the app gets them.
    package func openSecrets(of space: Repository) async throws -> [String: [UInt8]] {
        var opened: [String: [UInt8]] = [:]
        for secret in try await store.spaceVariables(of: space.id, secrets: true) {
            opened[secret.key] = try box.open(secret.value, context: Self.context(secret.key, space))
        }
        return opened
    }

    private static func context(_ key: String, _ space: Repository) -> String { "space \(space.uid) \(key)" }

    /// Names of environment variables.
    private static func isValid(_ key: String) -> Bool {
        guard (1...maximumKeyCharacters).contains(key.utf8.count), let first = key.utf8.first, !(0x30...0x39).contains(first) else {
            return false
        }
        return key.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x5f
        }
    }

    // MARK: The runtime

    package func runtime(of space: Repository, by principal: Principal) async throws -> SpaceRuntime {
        try await identity.require(.read, on: space, by: principal)
        let record = try await store.spaceRuntime(of: space.id)
        return SpaceRuntime(record: record, stage: try await stage(of: space, record))
    }

    package func changeRuntime(
        of space: Repository, _ action: String, by caller: Caller, _ change: (inout SpaceRuntimeRecord) -> Void
    ) async throws -> SpaceRuntime {
        try await identity.require(.configure, on: space, by: caller.principal)
        var record = try await store.spaceRuntime(of: space.id)
        change(&record)
        if let hardware = record.hardware {
            guard (1...50).contains(hardware.utf8.count),
                hardware.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) || $0 == 0x2d })
            else { throw SpaceError.invalidHardware }
        }
        guard (record.volumes?.text.utf8.count ?? 0) <= Self.maximumVolumesBytes else { throw SpaceError.tooLong }
        try await store.setSpaceRuntime(
            record, of: space.id, audit: caller.entry("space.\(action)", on: space.reference.description))
        return SpaceRuntime(record: record, stage: try await stage(of: space, record))
    }

    private func stage(of space: Repository, _ record: SpaceRuntimeRecord) async throws -> SpaceRuntime.Stage {
        if record.isPaused { return .paused }
        return try await hasApp(space) ? .stopped : .noAppFile
    }

    /// Whether the file that its kind of space starts from is there.
    private func hasApp(_ space: Repository) async throws -> Bool {
        let facts = try await store.facts(of: space.id)
        let named = facts?.cardData?.node?["app_file"]?.string
        let file =
            switch facts?.sdk {
            case "docker": "Dockerfile"
            case "static": named ?? "index.html"
            default: named ?? "app.py"
            }
        let snapshot = try await git.snapshot(of: space)
        guard let head = snapshot.resolve("HEAD") else { return false }
        return try await git.threads.run { try snapshot.objects.entry(at: file, in: head) != nil }
    }
}

/// What a space's app is said to do.
package struct SpaceRuntime: Hashable, Sendable {
    /// In the words of the Hub.
    package enum Stage: String, Hashable, Sendable {
        case noAppFile = "NO_APP_FILE"
        case paused = "PAUSED"
        case stopped = "STOPPED"
    }

    package let record: SpaceRuntimeRecord
    package let stage: Stage

    /// For people.
    package var message: String {
        switch stage {
        case .noAppFile: "The space has no file that its app starts from. This hub keeps spaces; it does not run their apps yet."
        case .paused: "The space is paused. This hub keeps spaces; it does not run their apps yet."
        case .stopped: "This hub keeps spaces; it does not run their apps yet."
        }
    }
}

/// Why a setting of a space was refused.
package enum SpaceError: Error, Equatable {
    case invalidKey(String)
    case noSuchKey(String)
    case tooLong
    case invalidHardware
    case noVolumes
}

extension SpaceError: Refusal {
    package var problem: Problem {
        switch self {
        case .invalidKey(let key):
            Problem(
                .invalid, code: "invalid_key",
                "“\(key.shortened)” is no name of an environment variable: letters, digits and “_”, at most "
                    + "\(Spaces.maximumKeyCharacters), not starting with a digit.")
        case .noSuchKey(let key): Problem(.missing, code: "key_not_found", "The space has no “\(key.shortened)”.")
        case .tooLong: Problem(.tooLarge, code: "value_too_long", "The value is longer than the hub keeps.")
        case .invalidHardware: Problem(.invalid, code: "invalid_hardware", "That is no name of hardware.")
        case .noVolumes: Problem(.invalid, code: "no_volumes", "The space has no volumes attached.")
        }
    }
}
