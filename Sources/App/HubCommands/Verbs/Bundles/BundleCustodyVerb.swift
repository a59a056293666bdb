import ArgumentParser
import BundleFormat
import Bundles
import Glibc
import HubCore

extension BundleCommand {
    struct Custody: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Adds signed statements of who handled a bundle; “csghub bundle inspect” shows them.", subcommands: [Add.self])
    }
}

extension BundleCommand.Custody {
    struct Add: FileVerb {
        static let configuration = CommandConfiguration(
            abstract: "Adds a step to the custody of bundles on media, and prints the files.",
            usage: "csghub bundle custody add PATH… --step STEP [--note TEXT] [--key FILE]",
            discussion: """
                The statement is signed and names the one before by its hash; the bundle itself is not changed. Name every medium of the \
                bundle. Without --key the user’s own publisher key signs, which is made at first use.

                Example: csghub bundle custody add /media/usb --step scan --note "ClamAV 1.4, signatures of 2026-11-24: clean"
                """)

        @Argument(help: ArgumentHelp("A mount, its HUBBUNDLE folder, or the folder of one bundle.", valueName: "path"))
        var paths: [String]
        @Option(help: "What was done: seal, scan, transfer, or another word of lower-case letters, digits and “-”.") var step: String
        @Option(help: "What an auditor should know of it.") var note: String?
        @Option(help: "Who did it; the user’s name unless given.") var `operator`: String?
        @Option(help: ArgumentHelp("The private key.", valueName: "file")) var key: String?
        @OptionGroup var passphrase: PassphraseOptions

        func validate() throws {
            guard CustodyStatement.isStep(step) else {
                throw ValidationError("--step has lower-case letters, digits and “-” only, at most 32, and does not begin with “-”.")
            }
            guard (note ?? "").utf8.count <= 4096 else { throw ValidationError("--note has at most 4096 bytes.") }
        }

        func perform(in session: CommandSession) async throws {
            let bundles = try MediaPaths.bundles(paths)
            let key = try signingKey(session)
            let facts = CustodyStatement.Facts(
                step: step, host: HostName.text, operator: `operator` ?? session.environment["SUDO_USER"] ?? session.environment["USER"],
                tool: "csghub \(HubVersion.text)", time: UTCTime.text(Int64(time(nil))), note: note)
            for media in bundles { try add(facts, to: media, key, session.console) }
        }

        private func add(
            _ facts: CustodyStatement.Facts, to media: [BundleLocation], _ key: SigningKey, _ console: Console
        ) throws {
            let (id, manifest) = (media[0].id, BundleDigest.hash(media[0].manifestBytes))
            let chain = CustodyChain.joined(try media.map { try $0.custody() })
            if let fault = chain.fault {
                throw CommandFailure(.badData, DisplayText.safe("\(fault) Nothing can be added to the custody of bundle \(id)."), code: "custody")
            }
            guard chain.statements.count < CustodyStatement.maximumCount else {
                throw CommandFailure(.badData, "The custody of bundle \(id) has \(CustodyStatement.maximumCount) steps already.")
            }
            let statement = try CustodyStatement.make(
                facts, after: chain.statements.last, manifest: manifest, key: key)
            for medium in media {
                try DurableFile.makeFolder("\(medium.folder)/\(CustodyStatement.folder)", mode: 0o755)
                // A step that was written to the other media only comes along.
                for one in chain.statements + [statement] where one == statement || !exists("\(medium.folder)/\(one.path)") {
                    try DurableFile.write("\(medium.folder)/\(one.path)", one.document, mode: 0o644)
                }
                console.print("\(medium.folder)/\(statement.path)")
            }
            console.note("Signed with the key \(key.publicKey.fingerprint).")
        }

        private func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

        private func signingKey(_ session: CommandSession) throws -> SigningKey {
            if let key { return try passphrase.key(in: key, session.console) }
            guard let user = UserTrust(environment: session.environment), let own = try user.identity().keys.first else {
                throw CommandFailure(.unavailable, "There is no home folder for a key; set HOME or XDG_CONFIG_HOME, or name one with --key.")
            }
            return own
        }
    }
}

/// The bundles below paths that a person named.
enum MediaPaths {
    /// Each bundle with the media that have a part of it, at least one, in the order in which they were named.
    static func bundles(_ paths: [String]) throws(BundleError) -> [[BundleLocation]] {
        var bundles: [[BundleLocation]] = []
        for path in paths {
            for location in try Media.bundles(below: HubLocation.absolute(path)) {
                if let known = bundles.firstIndex(where: { $0[0].id == location.id }) {
                    bundles[known].append(location)
                } else {
                    bundles.append([location])
                }
            }
        }
        return bundles
    }
}

/// What is shown of a bundle's custody.
enum CustodyText {
    static func show(_ chain: CustodyChain, names: [String: String], _ console: Console) {
        for one in chain.statements {
            console.print(
                DisplayText.safe(
                    line(
                        number: one.number, step: one.facts.step, operator: one.facts.operator, host: one.facts.host, time: one.facts.time,
                        note: one.facts.note, fingerprint: one.key.fingerprint, signer: names[one.key.keyID])))
        }
        if let fault = chain.fault { console.note(DisplayText.safe(fault)) }
    }

    static func line(
        number: Int, step: String, operator: String?, host: String?, time: String?, note: String?, fingerprint: String, signer: String?
    ) -> String {
        var line = "  custody \(number) \(step)"
        if let name = `operator` { line += " by \(name)" }
        if let host { line += " at \(host)" }
        if let time { line += ", \(time)" }
        line += signer.map { ", key of \($0)" } ?? ", key \(fingerprint.prefix(19)) …"
        if let note { line += ": \(note)" }
        return line
    }
}
