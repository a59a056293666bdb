import ArgumentParser
import BundleFormat
import Bundles
import HTTPTypes
import HubAPI
import HubCore

extension TrustCommand {
    struct Init: TrustVerb {
        static let configuration = CommandConfiguration(
            abstract: "Makes the keys that sign bundles here, and prints the fingerprint to carry on paper.",
            discussion: """
                Not needed for the usual case: the keys are made when the first bundle is. With --cosigner and --threshold 2 every bundle \
                needs a second signature: csghub bundle sign.
                Where the private keys are lost and no backup has them, --replace-lost begins a publisher of another name; the old one is \
                trusted no more here, and other sites must add the new one.

                Example: csghub trust init --publisher acme
                """)

        @Option(help: "The name that bundles carry; made from the host's name unless given.") var publisher: String?
        @Flag(help: "Begin anew in the place of a publisher whose private keys are lost.") var replaceLost = false
        @OptionGroup var keys: KeyOptions
        @OptionGroup var target: TrustTarget

        func perform(_ client: HubClient, _ console: Console) async throws {
            let cosigners = try keys.cosigners(console)
            let made: PublisherModel = try await client.send(
                .post, ["publisher"], keys.model(cosigners, name: publisher, replacesLost: replaceLost))
            let done = try await client.finish(made, with: cosigners)
            reportOwn(publisher: done.name, fingerprint: done.fingerprint, missing: done.missingSignatures, console)
        }

        func perform(_ user: UserTrust, _ console: Console) throws {
            let cosigners = try keys.cosigners(console)
            let root = try user.create(name: publisher, keys.change(cosigners), cosigners: cosigners, replacesLost: replaceLost)
            reportOwn(publisher: root.publisher, fingerprint: root.fingerprint, missing: 0, console)
        }
    }

    struct Rotate: TrustVerb {
        static let configuration = CommandConfiguration(
            abstract: "Makes a new key in the place of the one that signs bundles here.",
            discussion: """
                The old key signs the new list of keys, so sites that trust this publisher follow by themselves with the next bundle; the \
                fingerprint to compare stays. Bundles that only the old key signed are not accepted any more where the new list is known.
                Where a list of keys waits for the signatures of others, --cosigner signs it and no key is made.

                Example: csghub trust rotate --revoke-old "the machine was stolen"
                """)

        @Option(help: ArgumentHelp("Revoke the old key, and say why.", valueName: "reason")) var revokeOld: String?
        @OptionGroup var keys: KeyOptions
        @OptionGroup var target: TrustTarget

        func perform(_ client: HubClient, _ console: Console) async throws {
            let cosigners = try keys.cosigners(console)
            if !cosigners.isEmpty, let waiting = try await draft(client) {
                let done = try await client.finish(waiting, with: cosigners)
                return reportOwn(
                    publisher: done.name, fingerprint: done.fingerprint, missing: done.missingSignatures, console)
            }
            // The keys of others stay; with --threshold they are named anew.
            let change = keys.model(keys.threshold == nil ? [] : cosigners, revocation: revokeOld)
            let made: PublisherModel = try await client.send(.post, ["publisher", "rotation"], change)
            let done = try await client.finish(made, with: cosigners)
            reportOwn(publisher: done.name, fingerprint: done.fingerprint, missing: done.missingSignatures, console)
        }

        private func draft(_ client: HubClient) async throws -> PublisherModel? {
            do {
                return try await client.get(["publisher", "draft"])
            } catch let failure as CommandFailure where failure.code == "no_draft" {
                return nil
            }
        }

        func perform(_ user: UserTrust, _ console: Console) throws {
            let cosigners = try keys.cosigners(console)
            let change = keys.change(keys.threshold == nil ? [] : cosigners, revocation: revokeOld)
            let root = try user.rotate(change, cosigners: cosigners)
            reportOwn(
                publisher: root.publisher, fingerprint: try user.roots().first?.fingerprint ?? root.fingerprint,
                missing: 0, console)
        }
    }

    struct Fingerprint: TrustVerb {
        static let configuration = CommandConfiguration(
            abstract: "Prints the fingerprint of the publisher here, or of a key or list of keys in a file.",
            discussion: """
                Of a public key it is what this prints, in groups: openssl pkey -pubin -in KEY -outform DER | sha256sum

                Example: csghub trust fingerprint /media/usb/HUBBUNDLE/models-1-0123456789abcdef/trust/root.1.json
                """)

        @Argument(help: ArgumentHelp("A list of keys (root.N.json) or a key in PEM.", valueName: "file")) var file:
            String?
        @OptionGroup var target: TrustTarget

        func perform(in session: CommandSession) async throws {
            guard let file else { return try await performOnTarget(in: session) }
            let bytes = try Media.contents(of: HubLocation.absolute(file), name: file, limit: TrustRoot.maximumBytes)
            let text = String(decoding: bytes, as: UTF8.self)
            if text.contains("PRIVATE KEY-----") {
                throw CommandFailure(
                    .badData, "This is a private key; name the public one: openssl pkey -in KEY -pubout")
            }
            if text.hasPrefix("-----BEGIN") {
                session.console.print(try SignerKey(pem: text).fingerprint)
            } else {
                let root = try TrustRoot(parsing: bytes, file: file)
                session.console.print("\(root.publisher)  \(root.fingerprint)")
            }
        }

        func perform(_ client: HubClient, _ console: Console) async throws {
            let own: PublisherModel = try await client.get(["publisher"])
            console.print("\(own.name)  \(own.fingerprint)")
        }

        func perform(_ user: UserTrust, _ console: Console) throws {
            guard let first = try user.roots().first else { throw PublisherError.missing }
            console.print("\(first.publisher)  \(first.fingerprint)")
        }
    }
}
