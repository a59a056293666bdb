import ArgumentParser
import BundleFormat
import Bundles
import Glibc
import HTTPTypes
import HubAPI
import HubCore

extension TrustCommand {
    struct Show: TrustVerb {
        static let configuration = CommandConfiguration(
            abstract: "Lists the publishers whose bundles are trusted, or shows one with its keys.",
            discussion: "Example: csghub trust show acme")

        @Argument(help: "A publisher.") var publisher: String?
        @OptionGroup var list: ListOptions
        @OptionGroup var target: TrustTarget

        func perform(_ client: HubClient, _ console: Console) async throws {
            let revoked: ListPage<RevokedKeyModel> = try await client.get(["trust", "revocations"])
            if let publisher {
                return try show(try await client.get(["trust", "publishers", publisher]), console)
            }
            let known: ListPage<PublisherModel> = try await client.get(["trust", "publishers"])
            try show(known.items, revoked.items.map { ($0.fingerprint, $0.reason) }, console)
        }

        func perform(_ user: UserTrust, _ console: Console) throws {
            var known: [PublisherModel] = []
            let own = try user.roots()
            if let newest = own.last { known.append(PublisherModel(own, newest: newest, origin: .own)) }
            for roots in try user.trusted.chains().values.sorted(by: {
                ($0.first?.publisher ?? "") < ($1.first?.publisher ?? "")
            }) {
                if let newest = roots.last {
                    known.append(PublisherModel(roots, newest: newest, origin: .administrator))
                }
            }
            if let publisher {
                guard let found = known.first(where: { $0.name == publisher }) else {
                    throw TrustError.unknownKey(publisher)
                }
                return try show(found, console)
            }
            let revoked = try user.revocations().sorted { $0.key < $1.key }
            try show(known, revoked.map { (BundleFormat.Fingerprint.text($0.key), $0.value) }, console)
        }

        private func show(_ publishers: [PublisherModel], _ revoked: [(String, String)], _ console: Console) throws {
            if list.json {
                for publisher in publishers { console.print(try JSONForm.text(publisher)) }
                return
            }
            var table = Table(
                [
                    Column("PUBLISHER") { (one: PublisherModel) in one.name },
                    Column("TRUSTED BY") { one in
                        one.withdrawn.map { "nobody: \($0)" } ?? (one.origin == "own" ? "itself" : one.origin)
                    },
                    Column("KEYS", alignsRight: true) { one in "\(one.threshold) of \(one.keys.count)" },
                    Column("FINGERPRINT") { one in one.fingerprint },
                ], console: console)
            table.print(publishers)
            if publishers.isEmpty {
                console.note("Nobody is trusted yet; a bundle of an unknown publisher says how to change that.")
            }
            for (fingerprint, reason) in revoked {
                console.note(DisplayText.safe("Revoked here: \(fingerprint) (\(reason))"))
            }
        }

        /// The key as minisign takes it, so that a guard at the gate can check a medium without this program.
        private static func minisignKey(_ key: SignerKeyModel) throws -> String? {
            let key = try SignerKey(pem: key.publicKey)
            return key.algorithm == .ed25519 ? try MinisignSignature.publicKeyText(key) : nil
        }

        private func show(_ publisher: PublisherModel, _ console: Console) throws {
            if list.json { return console.print(try JSONForm.text(publisher)) }
            console.print("Publisher    \(publisher.name)")
            console.print("Fingerprint  \(publisher.fingerprint)")
            console.print(
                "Keys         version \(publisher.version), \(publisher.threshold) of \(publisher.keys.count) must sign a bundle"
            )
            for key in publisher.keys {
                console.print("  bundles    \(key.algorithm)  \(key.fingerprint)")
                if let text = try Self.minisignKey(key) { console.print("    for minisign -P  \(text)") }
            }
            for key in publisher.modelKeys { console.print("  models     \(key.algorithm)  \(key.fingerprint)") }
            for key in publisher.revoked {
                console.print(DisplayText.safe("  revoked    \(key.fingerprint)  \(key.reason)"))
            }
            for key in publisher.keys + publisher.modelKeys { console.print(key.publicKey.trimmingLineEnd) }
            if let reason = publisher.withdrawn {
                console.note(DisplayText.safe("It is not trusted any more: \(reason)"))
            }
        }
    }

    struct Add: TrustVerb {
        static let configuration = CommandConfiguration(
            abstract: "Trusts a publisher whose fingerprint was compared, or takes its next lists of keys.",
            discussion: """
                FILE is trust/root.1.json of a bundle; later lists beside it are taken too. At a terminal the fingerprint is shown and \
                asked about; elsewhere give what stands on the paper with --fingerprint.

                Example: csghub trust add /media/usb/HUBBUNDLE/models-1-0123456789abcdef/trust/root.1.json
                """)

        @Argument(help: ArgumentHelp("A list of keys, root.N.json.", valueName: "file")) var file: String
        @Option(help: "The fingerprint that the publisher gave you by another way than with the bundle.")
        var fingerprint: String?
        @OptionGroup var target: TrustTarget

        func perform(_ client: HubClient, _ console: Console) async throws {
            let roots = try lists()
            let known = try await isKnown(roots[0].publisher, client)
            let compared = known ? nil : try compare(roots[0], console)
            let added: PublisherModel = try await client.send(
                .post, ["trust", "publishers"],
                NewTrustModel(documents: roots.map { String(decoding: $0.bytes, as: UTF8.self) }, fingerprint: compared)
            )
            console.print("\(added.name)  \(added.fingerprint)")
        }

        func perform(_ user: UserTrust, _ console: Console) throws {
            let roots = try lists()
            let known = try user.trusted.chains()[roots[0].publisher] != nil
            let added = try user.add(roots, fingerprint: known ? nil : compare(roots[0], console))
            console.print("\(roots[0].publisher)  \(added.first?.fingerprint ?? roots[0].fingerprint)")
        }

        private func isKnown(_ publisher: String, _ client: HubClient) async throws -> Bool {
            do {
                let known: PublisherModel = try await client.get(["trust", "publishers", publisher])
                return known.withdrawn == nil
            } catch let failure as CommandFailure where failure.code == "unknown_key" {
                return false
            }
        }

        /// The list that was named, and those after it in the same folder.
        private func lists() throws -> [TrustRoot] {
            let path = HubLocation.absolute(file)
            var roots = [try TrustRoot.read(file: path)]
            let folder = path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
            guard path.hasSuffix("/" + TrustRoot.fileName(roots[0].version)) else { return roots }
            while roots.count < TrustRoot.maximumVersion,
                let next = try TrustRoot.read(folder: folder, version: roots[0].version + roots.count)
            {
                roots.append(next)
            }
            return roots
        }

        private func compare(_ root: TrustRoot, _ console: Console) throws -> String {
            try root.checkOwnSignatures()
            guard root.version == 1 else { throw TrustError.missingRoot(publisher: root.publisher, version: 1) }
            if let fingerprint { return fingerprint }
            guard console.isInputTerminal, console.isErrorTerminal else {
                throw CommandFailure(
                    .usage,
                    "The fingerprint of \(root.publisher) in this file is \(root.fingerprint). "
                        + "Nobody can be asked here whether it is right; repeat it with --fingerprint, as the publisher gave it to you by another way."
                )
            }
            console.note("Publisher    \(root.publisher)")
            console.note("Fingerprint  \(root.fingerprint)")
            try console.confirm(
                "Is this the fingerprint that \(root.publisher) gave you by another way than with the bundle?",
                unless: false)
            return root.fingerprint
        }
    }

    struct Revoke: TrustVerb {
        static let configuration = CommandConfiguration(
            abstract: "Ends the trust in a publisher, or in one key.",
            discussion: """
                What was imported stays. A key that is revoked here counts for nobody again; a publisher that replaces its key by itself \
                needs nothing of this, its next bundle brings the new list.

                Example: csghub trust revoke acme --reason "the contract has ended"
                """)

        @Argument(help: "A publisher's name, or the fingerprint of a key.") var subject: String
        @Option(help: "Why; it is shown whenever such a bundle is refused.") var reason: String
        @OptionGroup var confirmation: ConfirmationOptions
        @OptionGroup var target: TrustTarget

        func perform(_ client: HubClient, _ console: Console) async throws {
            if let key = BundleFormat.Fingerprint.parse(subject) {
                try console.confirm(
                    "Never count the key \(BundleFormat.Fingerprint.short(key)) again?", unless: confirmation.yes)
                let revoked: RevokedKeyModel = try await client.send(
                    .post, ["trust", "revocations"], NewRevocationModel(fingerprint: key, reason: reason))
                console.print(revoked.fingerprint)
            } else {
                try console.confirm("Refuse every further bundle of \(subject)?", unless: confirmation.yes)
                let ended: PublisherModel = try await client.send(
                    .post, ["trust", "publishers", subject, "withdrawal"], ReasonModel(reason: reason))
                console.print(ended.name)
            }
        }

        func perform(_ user: UserTrust, _ console: Console) throws {
            if let key = BundleFormat.Fingerprint.parse(subject) {
                try console.confirm(
                    "Never count the key \(BundleFormat.Fingerprint.short(key)) again?", unless: confirmation.yes)
                try user.revoke(key, reason: reason)
                console.print(BundleFormat.Fingerprint.text(key))
            } else {
                try console.confirm("Trust \(subject) no more?", unless: confirmation.yes)
                guard try user.trusted.remove(subject) else { throw TrustError.unknownKey(subject) }
                console.print(subject)
            }
        }
    }
}

extension String {
    fileprivate var trimmingLineEnd: String { hasSuffix("\n") ? String(dropLast()) : self }
}
