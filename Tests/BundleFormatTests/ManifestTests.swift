import HubCore
import Testing

@testable import BundleFormat

@Suite("BUNDLE.json and INDEX.json")
struct ManifestTests {
    private static let digest = ObjectID(digest: [UInt8](repeating: 7, count: 32))
    private static let other = ObjectID(digest: [UInt8](repeating: 9, count: 32))

    /// A manifest with every member that there is.
    static func everything() throws -> BundleManifest {
        let oid = try #require(GitOID(hex: String(repeating: "a", count: 40)))
        let main = try #require(ReferenceName("refs/heads/main"))
        let repository = BundleRepository(
            uid: "01ARZ3NDEKTSV4RRFFQ69G5FAV", kind: .model, name: try RepositoryName(parsing: "Qwen/Qwen3-8B"),
            description: "line\none \u{8}\u{c}\u{1} “é”", upstream: .init(kind: "huggingface", revision: oid.hex),
            refs: [.init(name: main, oid: oid)], gitBundle: .init(sha256: Self.digest, sizeBytes: 100),
            objects: [.init(oid: Self.other, sizeBytes: 12, paths: ["model.safetensors"])], license: .init(spdx: "Apache-2.0"))
        return BundleManifest(
            nonce: String(repeating: "0", count: 32), publisher: "acme", stream: "models-prod", sequence: 42,
            created: "2026-11-20T10:00:00Z", kind: .full, note: "n", repositories: [repository],
            aliases: [.init(kind: .model, name: "qwen", target: try RepositoryName(parsing: "Qwen/Qwen3-8B"))],
            volumes: [.init(number: 1, sizeBytes: 10, sha256: Self.digest, indexSHA256: Self.other)],
            media: [.init(number: 1, volumes: [1])], objects: .init(count: 1, bytes: 12),
            custody: [.init(step: "export", host: "h", operator: "ada")])
    }

    @Test("a manifest is read back as it was written")
    func roundTrip() throws {
        let manifest = try Self.everything()
        #expect(try BundleManifest(parsing: manifest.canonicalBytes) == manifest)
    }

    @Test("another spelling of the same value is refused")
    func spellings() throws {
        let text = String(decoding: try Self.everything().canonicalBytes, as: UTF8.self)
        let others = [
            text + "\n", text.replacing("\"kind\":\"full\"", with: "\"kind\": \"full\""), text.replacing("42", with: "42.0"),
            text.replacing("\"sequence\":42", with: "\"sequence\":42,\"sequence\":42"), text.replacing("acme", with: "\\u0061cme"),
        ]
        for other in others {
            #expect(throws: BundleError.self) { try BundleManifest(parsing: Array(other.utf8)) }
        }
    }

    @Test(
        "what contradicts itself is refused",
        arguments: [
            ("\"n\":1,\"sha256\"", "\"n\":2,\"sha256\""), ("\"bytes\":12", "\"bytes\":13"), ("\"volumes\":[1]", "\"volumes\":[1,1]"),
            ("hubbundle/1", "hubbundle/2"), ("\"in_bundle\":true", "\"in_bundle\":false"), ("refs/heads/main", "refs/../main"),
            ("acme", ".."), ("vol/000001.tar", "../000001.tar"), ("Qwen/Qwen3-8B", "Qwen"),
        ])
    func contradictions(from: String, to: String) throws {
        let text = String(decoding: try Self.everything().canonicalBytes, as: UTF8.self)
        let changed = text.replacing(from, with: to)
        #expect(changed != text)
        #expect(throws: BundleError.self) { try BundleManifest(parsing: Array(changed.utf8)) }
    }

    @Test("sizes that add up to more than a number of the format are refused, presumed ones too", arguments: [true, false])
    func sums(isInBundle: Bool) throws {
        var manifest = try Self.everything()
        let largest = CanonicalJSON.maximumInteger
        for byte in UInt8(0)..<2 {
            let oid = ObjectID(digest: [UInt8](repeating: 100 + byte, count: 32))
            manifest.repositories[0].objects.append(.init(oid: oid, sizeBytes: largest, isInBundle: isInBundle))
        }
        manifest.kind = .delta
        #expect(throws: BundleError.tooLarge(what: "What the bundle lists", limit: "\(largest) bytes")) {
            try BundleManifest(parsing: manifest.canonicalBytes)
        }
    }

    @Test("a hash has one size, as object, attachment and git data")
    func sizes() throws {
        var manifest = try Self.everything()
        manifest.repositories[0].attachments = [.init(format: "other", name: "a.txt", sha256: Self.other, sizeBytes: 12)]
        #expect(try BundleManifest(parsing: manifest.canonicalBytes) == manifest)
        manifest.repositories[0].attachments[0].sizeBytes = 13
        #expect(throws: BundleError.self) { try BundleManifest(parsing: manifest.canonicalBytes) }
        manifest.repositories[0].attachments[0] = .init(format: "other", name: "a.txt", sha256: Self.digest, sizeBytes: 99)
        #expect(throws: BundleError.self) { try BundleManifest(parsing: manifest.canonicalBytes) }
    }

    @Test("an alias is one id of one part", arguments: ["gpt2=a/b,x", "x=a/b gpt2", "datasets/squad", "a/b", "", "a b", "-x"])
    func aliases(_ name: String) throws {
        var manifest = try Self.everything()
        manifest.aliases[0].name = name
        #expect(throws: BundleError.self) { try BundleManifest(parsing: manifest.canonicalBytes) }
    }

    @Test("an index is read back as it was written")
    func index() throws {
        let index = VolumeIndex(
            volume: 3,
            entries: [
                .init(content: .segment(of: Self.digest, offset: 64 << 20), length: 5, storedLength: 5, encoding: .raw, sha256: Self.other),
                .init(
                    content: .gitBundle(uid: "01ARZ3NDEKTSV4RRFFQ69G5FAV"), length: 1 << 33, storedLength: 1 << 33, encoding: .raw,
                    sha256: Self.digest),
                .init(content: .list("objects.bin"), length: 32, storedLength: 20, encoding: .lz4, sha256: Self.digest),
            ])
        #expect(try VolumeIndex(parsing: index.canonicalBytes) == index)
    }

    @Test(
        "names that are not of the format are refused",
        arguments: ["../x", "seg/abc/0", "git/../a.bundle", "meta/objects.txt", "vol/1", "", "/etc/passwd"])
    func names(name: String) { #expect(VolumeIndex.Content(parsing: name) == nil) }

    @Test("an offset has one spelling")
    func offsets() {
        #expect(VolumeIndex.Content(parsing: "seg/\(Self.digest)/0") == .segment(of: Self.digest, offset: 0))
        #expect(VolumeIndex.Content(parsing: "seg/\(Self.digest)/00") == nil)
        #expect(VolumeIndex.Content(parsing: "seg/\(Self.digest)/+0") == nil)
    }
}
