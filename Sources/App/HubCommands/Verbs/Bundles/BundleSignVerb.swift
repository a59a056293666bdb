import ArgumentParser
import BundleFormat
import Bundles
import HubCore

extension BundleCommand {
    struct Sign: FileVerb {
        static let configuration = CommandConfiguration(
            abstract: "Adds a signature to bundles on media, where their publisher wants more than one.",
            discussion: """
                Writes BUNDLE.dsse.json anew; name every medium of the bundle. The key is Ed25519, P-256 or P-384 in PEM, as “openssl \
                genpkey -algorithm ed25519 -aes256 -out officer.key” makes it; its passphrase is asked for.

                Example: csghub bundle sign /media/usb1 /media/usb2 --key officer.key
                """)

        @Argument(help: ArgumentHelp("A mount, its HUBBUNDLE folder, or the folder of one bundle.", valueName: "path"))
        var paths: [String]
        @Option(help: ArgumentHelp("The private key.", valueName: "file")) var key: String
        @OptionGroup var passphrase: PassphraseOptions

        func perform(in session: CommandSession) async throws {
            var folders: [BundleFolder] = []
            for path in paths { folders += try Media.folders(below: HubLocation.absolute(path)) }
            let key = try passphrase.key(in: key, session.console)
            for folder in folders {
                var signature = try BundleSignature.read(folder: folder.path)
                try signature.checkSubject(folder.manifestBytes)
                try signature.envelope.sign(with: key)
                guard signature.envelope.signatures.count <= DSSEEnvelope.maximumSignatures else {
                    throw CommandFailure(
                        .badData, "The bundle has \(DSSEEnvelope.maximumSignatures) signatures already.")
                }
                try DurableFile.write(
                    "\(folder.path)/\(BundleSignature.fileName)", signature.envelope.bytes, mode: 0o644)
                session.console.print("\(folder.id)  \(key.publicKey.fingerprint)")
                if let newest = signature.roots.last,
                    newest.content.signers[.bundles]?.keyIDs.contains(key.publicKey.keyID) != true
                {
                    session.console.note(
                        DisplayText.safe(
                            "The list of keys of \(newest.publisher) does not name this key, so its signature counts for nobody yet."
                        ))
                }
            }
        }
    }
}
