import ArgumentParser
import BundleFormat
import Bundles
import HTTPTypes
import HubAPI
import HubCore
import NIOPosix

struct ModelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "Signs folders with models, and checks such signatures.",
        discussion: """
            Signatures are those of the OpenSSF Model Signing specification, which “model_signing” of PyPI reads and writes. No hub is needed.
            """,
        subcommands: [Sign.self, Verify.self])
}

extension ModelCommand {
    struct Sign: FileVerb {
        static let configuration = CommandConfiguration(
            abstract: "Signs the files of a folder with a key on P-256 or P-384.",
            discussion: """
                Check it with: model_signing verify key --public_key KEY --signature FILE FOLDER

                Example: csghub model sign bert --key model.key
                """)

        @Argument(help: ArgumentHelp("The folder.", valueName: "folder")) var folder: String
        @Option(help: ArgumentHelp("The private key in PEM.", valueName: "file")) var key: String
        @Option(
            help: ArgumentHelp("Where to write the signature; model.sig in the folder unless given.", valueName: "file")
        ) var signature: String?
        @OptionGroup var passphrase: PassphraseOptions

        func perform(in session: CommandSession) async throws {
            let path = HubLocation.absolute(folder)
            let output = signature.map(HubLocation.absolute) ?? path + "/model.sig"
            let key = try passphrase.key(in: key, session.console)
            guard key.algorithm != .ed25519 else {
                throw SigningError.unsuitableKey(algorithm: .ed25519, use: "models by the OpenSSF specification")
            }
            let ignored =
                ModelSignature.ignoredPaths
                + (output.hasPrefix(path + "/") ? [String(output.dropFirst(path.utf8.count + 1))] : [])
            let model = try ModelFolder(path, ignoring: ignored)
            let bar = ProgressBar("Hashing", total: model.totalBytes, console: session.console)
            let hashes = try await NIOThreadPool.singleton.runIfActive { try model.hashes { bar.advance(by: $0) } }
            bar.finish()
            try DurableFile.write(
                output, ModelSignature.make(name: model.name, files: hashes, key: key, ignoring: ignored), mode: 0o644)
            session.console.print(output)
        }
    }

    struct Verify: FileVerb {
        static let configuration = CommandConfiguration(
            abstract: "Checks that a folder holds the files that somebody signed.",
            discussion: """
                Reads signatures made with the method “key” or, with --authority, with the method “certificate”; no clock counts. Exit \
                status: 0 all files are as signed, 65 some are not, 77 the signature is not by this key or such a certificate.

                Example: csghub model verify bert --key publisher.pem
                """)

        @Argument(help: ArgumentHelp("The folder.", valueName: "folder")) var folder: String
        @Option(help: ArgumentHelp("The public key in PEM.", valueName: "file")) var key: String?
        @Option(help: ArgumentHelp("Certificates of authorities in PEM, one of which vouches for the signer.", valueName: "file"))
        var authority: String?
        @Option(help: ArgumentHelp("The signature; model.sig in the folder unless given.", valueName: "file"))
        var signature: String?

        func validate() throws {
            guard (key == nil) != (authority == nil) else { throw ValidationError("Name the signer with --key or --authority.") }
        }

        private func verify(_ bytes: [UInt8], _ file: String) throws -> (content: ModelSignature.Content, key: SignerKey) {
            func text(_ path: String, limit: Int) throws -> String {
                String(decoding: try Media.contents(of: HubLocation.absolute(path), name: path, limit: limit), as: UTF8.self)
            }
            if let authority {
                return try ModelSignature.verify(bytes, authorities: text(authority, limit: 1 << 20), file: file)
            }
            let key = try SignerKey(pem: text(key ?? "", limit: 4096))
            return (try ModelSignature.verify(bytes, key: key, file: file), key)
        }

        func perform(in session: CommandSession) async throws {
            let path = HubLocation.absolute(folder)
            let file = signature.map(HubLocation.absolute) ?? path + "/model.sig"
            let bytes = try Media.contents(of: file, name: file, limit: ModelSignature.maximumBytes)
            let (content, publicKey) = try verify(bytes, file)
            var ignored = content.ignoredPaths
            if file.hasPrefix(path + "/") { ignored.append(String(file.dropFirst(path.utf8.count + 1))) }
            let model = try ModelFolder(path, ignoring: ignored)
            let bar = ProgressBar("Hashing", total: model.totalBytes, console: session.console)
            let differences = try await NIOThreadPool.singleton.runIfActive {
                try content.check(model) { bar.advance(by: $0) }
            }
            bar.finish()
            for difference in differences.prefix(100) { session.console.note(DisplayText.safe(difference.message)) }
            guard differences.isEmpty else {
                throw CommandFailure(
                    .badData,
                    "\(DisplayText.counted(differences.count, "file")) of \(model.name) are not as they were signed.")
            }
            session.console.print(
                "\(model.name): \(DisplayText.counted(model.files.count, "file")) as signed by \(publicKey.fingerprint)"
            )
        }
    }
}
