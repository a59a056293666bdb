import ArgumentParser
import BundleFormat
import Bundles
import HTTPTypes
import HubAPI
import HubCore

struct TrustCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust", abstract: "Says whose bundles are trusted, and keeps the keys that sign bundles here.",
        discussion: """
            Works on the hub of this machine; on the user's own settings (~/.config/csghub) with --user, and where there is no hub.
            """,
        subcommands: [Init.self, Show.self, Add.self, Rotate.self, Revoke.self, Fingerprint.self])
}

/// Whose trust a verb works on.
struct TrustTarget: ParsableArguments {
    @Flag(help: "Work on the user's own settings, not on those of a hub.") var user = false
    @OptionGroup var hub: HubOptions
}

/// A verb that works on the trust of a hub or of a user.
protocol TrustVerb: HubVerb {
    var target: TrustTarget { get }
    func perform(_ client: HubClient, _ console: Console) async throws
    func perform(_ user: UserTrust, _ console: Console) throws
}

extension TrustVerb {
    func perform(in session: CommandSession) async throws { try await performOnTarget(in: session) }

    func performOnTarget(in session: CommandSession) async throws {
        guard let location = try location(session) else {
            guard let user = UserTrust(environment: session.environment) else {
                throw CommandFailure(
                    .unavailable, "There is no hub, and no home folder for settings: set HOME or XDG_CONFIG_HOME.")
            }
            return try perform(user, session.console)
        }
        let transport = try await session.connect(location, session)
        do {
            try await perform(HubClient(transport: transport), session.console)
        } catch {
            // The verb's own error says more than one of closing.
            try? await transport.close()
            throw error
        }
        try await transport.close()
    }

    private func location(_ session: CommandSession) throws -> HubLocation? {
        if target.user { return nil }
        do {
            return try HubLocation.find(flag: target.hub.data, environment: session.environment)
        } catch {
            // Whoever names a hub means it.
            guard target.hub.data == nil, session.environment["CSGHUB_DATA"] ?? "" == "" else { throw error }
            session.console.note("There is no hub on this machine; working on the user’s own settings.")
            return nil
        }
    }
}

/// How keys of one's own are to be.
struct KeyOptions: ParsableArguments {
    @Option(help: "The new key's kind: ed25519, p384 or p256.") var algorithm: KeyAlgorithm = .ed25519
    @Option(
        help: ArgumentHelp(
            "The private key of somebody who must sign too; its passphrase is asked for. May be repeated.",
            valueName: "file"))
    var cosigner: [String] = []
    @Option(help: ArgumentHelp("How many of the keys must sign a bundle, and a next list of keys.", valueName: "n"))
    var threshold: Int?
    @OptionGroup var passphrase: PassphraseOptions

    func cosigners(_ console: Console) throws -> [SigningKey] {
        try cosigner.map { try passphrase.key(in: $0, console) }
    }

    func change(_ cosigners: [SigningKey], revocation: String? = nil) -> RootChange {
        RootChange(
            algorithm: algorithm, cosigners: cosigners.isEmpty ? nil : cosigners.map(\.publicKey), threshold: threshold,
            revocation: revocation)
    }

    func model(
        _ cosigners: [SigningKey], name: String? = nil, revocation: String? = nil, replacesLost: Bool? = nil
    ) -> KeyChangeModel {
        KeyChangeModel(
            name: name, algorithm: algorithm.rawValue,
            cosigners: cosigners.isEmpty ? nil : cosigners.map(\.publicKey.publicKeyPEM),
            threshold: threshold, revocation: revocation, replacesLost: replacesLost)
    }
}

extension KeyAlgorithm: ExpressibleByArgument {}

extension HubClient {
    /// Signs a list of keys that waits, with the keys of others that are here.
    func finish(_ model: PublisherModel, with cosigners: [SigningKey]) async throws -> PublisherModel {
        guard model.missingSignatures > 0, !cosigners.isEmpty, let document = model.documents.last else { return model }
        let root = try TrustRoot(parsing: Array(document.utf8), file: "the list of keys").signed(by: cosigners)
        return try await send(
            .put, ["publisher", "draft"], DocumentModel(document: String(decoding: root.bytes, as: UTF8.self)))
    }
}

/// What is told of one's own keys.
func reportOwn(publisher: String, fingerprint: String, missing: Int, _ console: Console) {
    console.print("\(publisher)  \(fingerprint)")
    if missing > 0 {
        console.note(
            "The list of keys needs \(DisplayText.counted(missing, "more signature")) before it counts; add them with “csghub trust rotate --cosigner KEY”."
        )
    } else {
        console.note(
            "Carry this fingerprint to the other sites on paper, or by telephone: they compare it before they trust your bundles."
        )
    }
}
