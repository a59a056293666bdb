import BundleFormat
import Bundles
import Foundation
import HubCore
import HubTestSupport
import Testing

@testable import HubCommands

/// A signed bundle of two volumes on two media, made by hand.
final class MadeBundle: Sendable {
    static let uid = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
    let folder: TemporaryFolder
    let identity: PublisherIdentity
    let manifest: BundleManifest
    let media: [String]
    /// Of each medium the folder of the bundle.
    let folders: [String]

    init(key: SigningKey? = nil, identity given: PublisherIdentity? = nil, sequence: Int64 = 7) throws {
        folder = try TemporaryFolder("bundle")
        let key = try key ?? .make(.ed25519)
        let identity = try given ?? .make(publisher: "acme", key: key, modelKey: .make(.p256))
        self.identity = identity
        let weights = Content.bytes(300_000, seed: 1)
        let text = Array(String(repeating: "{\"text\": \"again\"}\n", count: 20_000).utf8)
        let model =
            try identity.signModel(
                name: "bert",
                files: [("model.safetensors", BundleDigest.hash(weights)), ("train.jsonl", BundleDigest.hash(text))])
            ?? []
        let git = Content.bytes(5_000, seed: 2)
        let attachments: [(VolumeIndex.Content, [UInt8])] =
            model.isEmpty ? [] : [(.attachment(uid: Self.uid, name: "model.sig"), model)]
        let parts: [[(VolumeIndex.Content, [UInt8])]] = [
            [(.gitBundle(uid: Self.uid), git)] + attachments + [(.segment(of: BundleDigest.hash(weights), offset: 0), weights)],
            [(.segment(of: BundleDigest.hash(text), offset: 0), text)],
        ]
        var volumes: [BundleManifest.Volume] = []
        var files: [String] = []
        for (index, part) in parts.enumerated() {
            let sources = try part.map { content, bytes in
                let source = EntrySource.bytes(bytes)
                return VolumeWriter.Source(
                    entry: try EntryMeasure.entry(content, length: Int64(bytes.count), from: source, isHashed: true) {
                        _ in
                    }, source: source)
            }
            files.append(folder.file("volume\(index)"))
            volumes.append(try VolumeWriter(number: index + 1, sources: sources).write(to: files[index]) { _ in })
        }
        let oid = try #require(GitOID(hex: String(repeating: "a", count: 40)))
        let repository = BundleRepository(
            uid: Self.uid, kind: .model, name: try RepositoryName(parsing: "ada/bert"),
            refs: [.init(name: try #require(ReferenceName("refs/heads/main")), oid: oid)],
            gitBundle: .init(sha256: BundleDigest.hash(git), sizeBytes: Int64(git.count)),
            objects: [
                .init(oid: BundleDigest.hash(weights), sizeBytes: Int64(weights.count), paths: ["model.safetensors"]),
                .init(oid: BundleDigest.hash(text), sizeBytes: Int64(text.count), paths: ["train.jsonl"]),
            ],
            attachments: model.isEmpty
                ? []
                : [
                    .init(
                        format: "oms", name: "model.sig", sha256: BundleDigest.hash(model),
                        sizeBytes: Int64(model.count))
                ])
        manifest = BundleManifest(
            nonce: String(repeating: "0", count: 32), publisher: identity.publisher, stream: "models",
            sequence: sequence, created: "2026-11-20T10:00:00Z",
            kind: .full, repositories: [repository], volumes: volumes,
            media: [.init(number: 1, volumes: [1]), .init(number: 2, volumes: [2])],
            objects: .init(count: 2, bytes: Int64(weights.count + text.count)))
        let bytes = manifest.canonicalBytes
        let documents = try identity.sign(manifest, bytes: bytes)
        var folders: [String] = []
        for index in files.indices {
            let path = folder.file(
                "medium\(index + 1)/HUBBUNDLE/\(manifest.folderName(id: BundleID(manifest: BundleDigest.hash(bytes))))")
            for name in ["vol", "trust"] {
                try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: true)
            }
            try Data(bytes).write(to: URL(filePath: "\(path)/BUNDLE.json"))
            for file in documents.files { try Data(file.bytes).write(to: URL(filePath: "\(path)/\(file.name)")) }
            try FileManager.default.moveItem(atPath: files[index], toPath: "\(path)/\(volumes[index].file)")
            folders.append(path)
        }
        self.folders = folders
        media = [folder.file("medium1"), folder.file("medium2")]
    }

    var root: String { "\(folders[0])/trust/root.1.json" }

    /// Changes the lowest bit of a byte of a file on every medium that has it; `place` counts from the end when negative.
    func flip(_ name: String, at place: Int) throws {
        for folder in folders where FileManager.default.fileExists(atPath: "\(folder)/\(name)") {
            let path = "\(folder)/\(name)"
            try Content.flip(path, at: place < 0 ? fileBytes(path) + place : place, mask: 1)
        }
    }

    func edit(_ name: String, _ change: (String) throws -> String) throws {
        for folder in folders {
            let text = String(decoding: try Data(contentsOf: URL(filePath: "\(folder)/\(name)")), as: UTF8.self)
            try Data(try change(text).utf8).write(to: URL(filePath: "\(folder)/\(name)"))
        }
    }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        for folder in folders { try Data(bytes).write(to: URL(filePath: "\(folder)/\(name)")) }
    }

    /// Runs a verb where there is no hub, with settings in the folder of this bundle.
    func run(_ arguments: [String], on console: TestConsole = TestConsole(), width: Int? = nil) async -> Int32 {
        let environment = ["HOME": folder.path, "USER": "ada"]
        let session = CommandSession(console: console.console(width: width), environment: environment) { _, _ in
            throw HubCommands.CommandFailure(.unavailable, "There is no hub.")
        }
        return await HubCommand.run(arguments, in: session)
    }
}

@Suite("Verifying bundles")
struct BundleVerifyTests {
    private let bundle: MadeBundle
    private let console = TestConsole()

    init() throws { bundle = try MadeBundle() }

    private func verify(_ more: String...) async -> Int32 {
        await bundle.run(["bundle", "verify"] + bundle.media + more, on: console)
    }

    @Test("a whole bundle of a trusted publisher is found whole, media in any order")
    func whole() async {
        #expect(await verify("--trust", bundle.root) == 0)
        #expect(console.output.contains("2 of 2 volumes and 3 objects are whole"))
        #expect(
            console.output.contains(
                "Signed by acme, which is trusted here: \(bundle.identity.keys[0].publicKey.fingerprint)"))
        #expect(console.errors.isEmpty)
        let other = TestConsole()
        #expect(
            await bundle.run(
                [
                    "bundle", "verify", bundle.folders[1], bundle.media[0], bundle.media[0], "--trust", bundle.root,
                    "--json",
                ], on: other) == 0)
        #expect(other.output.contains("\"checked_volumes\":[1,2]") && other.output.contains("\"is_trusted\":true"))
        #expect(other.output.contains("\"signed_models\":[\"models/ada/bert\"]"))
    }

    @Test("where nobody is trusted all else is checked, and the signer is said not to be trusted")
    func noTrust() async {
        #expect(await verify() == 0)
        #expect(console.output.contains("is not trusted here"))
        #expect(console.errors.contains("csghub trust add \(bundle.root)"))
        #expect(console.errors.contains(bundle.identity.fingerprint ?? "?"))
    }

    @Test("an unknown publisher is 77 where somebody else is trusted, and 0 once it is trusted")
    func unknownPublisher() async throws {
        let other = try MadeBundle(identity: .make(publisher: "other", key: .make(.ed25519), modelKey: nil))
        #expect(await verify("--trust", other.root) == 77)
        #expect(console.errors.contains("acme, whom this hub does not know"))
        let add = TestConsole()
        #expect(
            await bundle.run(["trust", "add", other.root, "--fingerprint", other.identity.fingerprint ?? ""], on: add)
                == 0)
        #expect(await verify() == 77)
        #expect(
            await bundle.run(
                ["trust", "add", bundle.root, "--fingerprint", String(repeating: "00", count: 32)], on: add) == 77)
        #expect(await verify() == 77)
        #expect(
            await bundle.run(
                ["trust", "add", bundle.root, "--fingerprint", bundle.identity.fingerprint ?? ""], on: add) == 0)
        #expect(await verify() == 0)
        #expect(await bundle.run(["trust", "revoke", "acme", "--reason", "over", "--yes"], on: add) == 0)
        #expect(await verify() == 77)
    }

    @Test("at a terminal the fingerprint is shown and asked about")
    func asking() async {
        let no = TestConsole(answers: ["n"])
        #expect(await bundle.run(["trust", "add", bundle.root], on: no, width: 100) == 1)
        #expect(no.errors.contains(bundle.identity.fingerprint ?? "?"))
        #expect(await bundle.run(["trust", "add", bundle.root], on: TestConsole()) == 64)
        #expect(await bundle.run(["trust", "add", bundle.root], on: TestConsole(answers: ["y"]), width: 100) == 0)
        let shown = TestConsole()
        #expect(await bundle.run(["trust", "show"], on: shown) == 0)
        #expect(shown.output.hasPrefix("acme\tadministrator\t1 of 1\t"))
        let one = TestConsole()
        #expect(await bundle.run(["trust", "show", "acme"], on: one) == 0)
        #expect(one.output.contains("BEGIN PUBLIC KEY") && one.output.contains("models     p256"))
        let fingerprint = TestConsole()
        #expect(await bundle.run(["trust", "fingerprint", bundle.root], on: fingerprint) == 0)
        #expect(fingerprint.output == "acme  \(bundle.identity.fingerprint ?? "")\n")
    }

    @Test(
        "a changed manifest or signature is 77 before a volume is read",
        arguments: [
            ("BUNDLE.json", 10), ("BUNDLE.json", -1), ("BUNDLE.dsse.json", 40), ("BUNDLE.dsse.json", 0),
            ("BUNDLE.dsse.json", -20), ("trust/root.1.json", 60),
        ])
    func tampered(name: String, place: Int) async throws {
        let root = bundle.folder.file("pinned.json")
        try FileManager.default.copyItem(atPath: bundle.root, toPath: root)
        try bundle.flip(name, at: place)
        // A volume that cannot be opened would be told of, were it looked at.
        for folder in bundle.folders { try FileManager.default.removeItem(atPath: folder + "/vol") }
        let status = await verify("--trust", root)
        // Two bytes of a bundle's folder are its name for people; a manifest that differs is another bundle.
        #expect(status == 77, "\(console.errors)")
        #expect(await verify() == 77)
        #expect(console.output.isEmpty)
    }

    @Test("stripped, swapped, misnamed and deep signatures are 77")
    func hostile() async throws {
        let thief = try SigningKey.make(.ed25519)
        let bytes = bundle.manifest.canonicalBytes
        let good = try BundleSignature.read(folder: bundle.folders[0]).envelope
        var stripped = good
        stripped.signatures = []
        let swapped = try BundleSignature.envelope(for: bundle.manifest, bytes: bytes, keys: [thief])
        var misnamed = swapped
        misnamed.signatures[0].keyID = good.signatures[0].keyID
        let deep = Array((String(repeating: "[", count: 500_000)).utf8)
        for (bytes, words) in [
            (stripped.bytes, "carries no signature"), (swapped.bytes, "no key that signs for acme today"),
            (misnamed.bytes, "is not by the key"),
            (deep, "not one of this BUNDLE.json"), ([], "not one of this BUNDLE.json"),
        ] {
            try bundle.write("BUNDLE.dsse.json", bytes)
            let console = TestConsole()
            #expect(
                await bundle.run(["bundle", "verify"] + bundle.media + ["--trust", bundle.root], on: console) == 77)
            #expect(console.errors.contains(words), "\(console.errors)")
        }
        for folder in bundle.folders { try FileManager.default.removeItem(atPath: folder + "/BUNDLE.dsse.json") }
        #expect(await verify("--trust", bundle.root) == 77)
        #expect(console.errors.contains("carries no signature"))
    }

    @Test("a damaged segment is 65, with medium, volume, place, object and file")
    func damaged() async throws {
        try bundle.flip("vol/000001.tar", at: 200_000)
        #expect(await verify("--trust", bundle.root) == 65)
        let oid = bundle.manifest.repositories[0].objects[0].oid
        #expect(console.errors.contains("Medium 1: Volume 1 is damaged at byte"))
        #expect(
            console.errors.contains("in object \(oid)") && console.errors.contains("models/ada/bert: model.safetensors")
        )
        #expect(console.output.isEmpty)
    }

    @Test("a volume that was cut short is 75")
    func truncated() async throws {
        let path = bundle.folders[1] + "/vol/000002.tar"
        let bytes = try Data(contentsOf: URL(filePath: path))
        try bytes.prefix(bytes.count - 2000).write(to: URL(filePath: path))
        #expect(await verify("--trust", bundle.root) == 75)
    }

    @Test("volumes on other media are named and no fault")
    func missing() async {
        #expect(await bundle.run(["bundle", "verify", bundle.media[0], "--trust", bundle.root], on: console) == 0)
        #expect(console.output.contains("1 of 2 volumes"))
        #expect(console.errors.contains("1 volume of medium 2"))
    }

    @Test("a link or a folder in the place of a volume is not followed")
    func links() async throws {
        let path = bundle.folders[1] + "/vol/000002.tar"
        try FileManager.default.moveItem(atPath: path, toPath: bundle.folder.file("elsewhere"))
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: bundle.folder.file("elsewhere"))
        #expect(await verify("--trust", bundle.root) == 0)
        #expect(console.errors.contains("1 volume of medium 2"))
    }

    @Test("a second signature makes a bundle that wants two")
    func threshold() async throws {
        let (own, officer) = (try SigningKey.make(.ed25519), try SigningKey.make(.p384))
        let keys = [own.publicKey, officer.publicKey]
        let root = try TrustRoot(
            .init(
                publisher: "acme", version: 1, keys: keys,
                signers: [.root: .init(keys, threshold: 2), .bundles: .init(keys, threshold: 2)]),
            signedBy: [own, officer])
        let bundle = try MadeBundle(
            identity: PublisherIdentity(publisher: "acme", keys: [own], modelKey: nil, roots: [root]))
        #expect(await bundle.run(["bundle", "verify"] + bundle.media + ["--trust", bundle.root], on: console) == 77)
        #expect(console.errors.contains("acme wants 2 signatures on a bundle and this one has 1"))
        let key = bundle.folder.file("officer.key")
        try Data(officer.pem(passphrase: "six words").utf8).write(to: URL(filePath: key))
        #expect(await bundle.run(["bundle", "sign"] + bundle.media + ["--key", key]) == 65)
        #expect(
            await bundle.run(
                ["bundle", "sign"] + bundle.media + ["--key", key], on: TestConsole(answers: ["wrong"]), width: 80)
                == 77)
        let signed = TestConsole(answers: ["six words"])
        #expect(
            await bundle.run(["bundle", "sign"] + bundle.media + ["--key", key, "--passphrase-file", "-"], on: signed)
                == 0)
        #expect(signed.lines.count == 2 && signed.output.contains(officer.publicKey.fingerprint))
        #expect(await bundle.run(["bundle", "verify"] + bundle.media + ["--trust", bundle.root]) == 0)
    }

    @Test("a chain of keys with a gap is 77, one that is whole is followed")
    func chain() async throws {
        let (first, second, third) = (
            try SigningKey.make(.ed25519), try SigningKey.make(.ed25519), try SigningKey.make(.ed25519)
        )
        func next(_ version: Int, _ key: SigningKey, after: SigningKey) throws -> TrustRoot {
            let key = key
            return try TrustRoot(
                .init(
                    publisher: "acme", version: version, keys: [key.publicKey],
                    signers: [.root: .init([key.publicKey]), .bundles: .init([key.publicKey])]),
                signedBy: [after, key])
        }
        let start = try PublisherIdentity.make(publisher: "acme", key: first, modelKey: nil).roots[0]
        let roots = [start, try next(2, second, after: first), try next(3, third, after: second)]
        let bundle = try MadeBundle(
            identity: PublisherIdentity(publisher: "acme", keys: [third], modelKey: nil, roots: roots))
        #expect(await bundle.run(["bundle", "verify"] + bundle.media + ["--trust", bundle.root]) == 0)
        for folder in bundle.folders { try FileManager.default.removeItem(atPath: folder + "/trust/root.2.json") }
        #expect(await bundle.run(["bundle", "verify"] + bundle.media + ["--trust", bundle.root], on: console) == 77)
        #expect(console.errors.contains("with version 2 is missing"))
    }

    @Test("a revoked key is 77")
    func revoked() async {
        #expect(
            await bundle.run(["trust", "add", bundle.root, "--fingerprint", bundle.identity.fingerprint ?? ""]) == 0)
        #expect(await verify() == 0)
        #expect(
            await bundle.run([
                "trust", "revoke", bundle.identity.keys[0].publicKey.fingerprint, "--reason", "stolen", "--yes",
            ]) == 0)
        #expect(await verify() == 77)
        #expect(console.errors.contains("was revoked (stolen)"))
    }

    @Test("a user without a hub makes keys, shows and rotates them")
    func ownKeys() async throws {
        let made = TestConsole()
        #expect(await bundle.run(["trust", "init", "--publisher", "ada"], on: made) == 0)
        #expect(made.output.hasPrefix("ada  ") && made.errors.contains("on paper"))
        #expect(await bundle.run(["trust", "init"]) == 1)
        let rotated = TestConsole()
        #expect(await bundle.run(["trust", "rotate", "--revoke-old", "test"], on: rotated) == 0)
        #expect(rotated.output == made.output)
        #expect(FileManager.default.fileExists(atPath: bundle.folder.file(".config/csghub/publisher/root.2.json")))
    }
}
