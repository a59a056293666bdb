import Foundation
import HubCore
import HubTestSupport
import Testing

@testable import BundleFormat

/// One after another, so that the memory of each can be measured.
@Suite("Hostile bytes", .serialized)
enum HostileBytes {}

extension HostileBytes {
    /// Mutated documents; `Fuzz` says how a failing case is repeated.
    @Suite("Mutated documents")
    struct DocumentFuzzTests {
        private static let tokens = [
            "{", "}", "[", "]", ",", ":", "\"", "\\u0000", "\\ud800", "null", "true", "false", "{\"a\":", "[[[[[[[[[[[[[[[[[[", "\"schema\":",
            "\"hubbundle/1\"", "\"volumes\":[", "\"media\":[", "\"repos\":[", "\"lfs\":[", "\"in_bundle\":false", "\"in_bundle\":true",
            "\"prerequisites\":[", "refs/heads/../x", "../", "\u{0}", "\"size\":", "\"old\":", "\"base\":{\"bundle_ids\":[]},", "\"kind\":\"delta\"",
            "\"sha256\":", "seg/", "/0", "meta/", "git/", "\"enc\":\"lz4\"", "\"length\":", "\"stored_length\":", "\"threshold\":", "\"keys\":[",
            "\"revoked\":{", "\"publisher\":\"acme\"", "\"keyid\":\"\"", "\"sig\":\"\"", "\"payload\":\"\"", "\"signatures\":[",
        ]

        @Test("a manifest is refused by a declared error, or says what it says once and for all")
        func manifest() throws {
            let samples = [
                try GoldenBundle(1).location.manifestBytes, try GoldenBundle(2).location.manifestBytes,
                try ManifestTests.everything().canonicalBytes,
            ]
            try Fuzz("manifest", share: 3000).run { one in
                let bytes = one.mutation(of: samples, tokens: Self.tokens)
                guard let manifest = try? BundleManifest(parsing: bytes) else { return }
                // What is read has one spelling, and stays within what later parts count with.
                let (again, node) = (try BundleManifest(parsing: manifest.canonicalBytes), try JSONParser.parse(bytes))
                #expect(again == manifest && CanonicalJSON.encode(node) == bytes, "\(one)")
                #expect(manifest.volumes.allSatisfy { $0.number >= 1 && $0.number <= manifest.volumes.count }, "\(one)")
                #expect(!manifest.folderName(id: BundleID(manifest: BundleDigest.hash(bytes))).contains("/"), "\(one)")
            }
        }

        @Test("an index is refused, or every volume with it is read within what it lists")
        func index() throws {
            let samples = try [GoldenBundle(1), GoldenBundle(2)].map { try $0.reader().index.canonicalBytes }
            let data = try GoldenBundle(1).file("vol/000001.tar").suffix(8000)
            let folder = try TemporaryFolder("fuzz")
            let path = folder.file("volume")
            try Fuzz("index", share: 3000).run { one in
                let bytes = one.mutation(of: samples, tokens: Self.tokens)
                guard let index = try? VolumeIndex(parsing: bytes) else { return }
                // A publisher who signs lies.
                let layout = try? VolumeLayout(indexBytes: bytes.count, entries: index.entries, volume: index.volume)
                let volume = BundleManifest.Volume(
                    number: index.volume, sizeBytes: layout?.sizeBytes ?? 1, sha256: BundleDigest.hash([]), indexSHA256: BundleDigest.hash(bytes))
                var tar = TarHeader.bytes(name: VolumeIndex.fileName, size: Int64(bytes.count)) + bytes
                tar += [UInt8](repeating: 0, count: Int(TarHeader.paddingBytes(size: Int64(bytes.count)))) + data
                try Data(tar).write(to: URL(filePath: path))
                guard let reader = try? VolumeReader(path: path, volume: volume) else { return }
                for (n, entry) in reader.index.entries.enumerated() { try one.read(reader, n, atMost: entry.length) }
            }
        }

        @Test("nobody's changed bundle is trusted: manifest, signature and both lists of keys")
        func signature() throws {
            let golden = try GoldenBundle(2)
            let policy = try GoldenBundle.policy()
            let names = ["BUNDLE.json", "BUNDLE.dsse.json", "trust/root.1.json", "trust/root.2.json"]
            let originals = try Dictionary(uniqueKeysWithValues: names.map { ($0, try golden.file($0)) })
            let others = try ["BUNDLE.dsse.json", "trust/root.1.json"].map { try GoldenBundle(1).file($0) }
            let envelopes = originals.mapValues { bytes in try? DSSEEnvelope(parsing: bytes, file: "f") }
            var accepted = 0
            try Fuzz("signature", share: 3000).run { one in
                var documents = originals
                let name = one.element(of: names)
                documents[name] = one.mutation(of: [originals[name] ?? []] + others, tokens: Self.tokens)
                let signature: BundleSignature
                do throws(TrustError) { signature = try BundleSignature(documents: documents, folder: "/m") } catch { return }
                switch policy.judge(manifestBytes: documents["BUNDLE.json"] ?? [], signature: signature) {
                case .invalid: break
                case .untrusted: Issue.record("\(one): a bundle that nobody signed so is offered for trust")
                case .trusted(let signers):
                    accepted += 1
                    // JSON may be spelled otherwise; what is signed may not.
                    #expect(documents["BUNDLE.json"] == originals["BUNDLE.json"], "\(one)")
                    #expect(signature.envelope.payload == envelopes["BUNDLE.dsse.json"]??.payload, "\(one)")
                    for root in signers.newRoots {
                        #expect(root.envelope.payload == envelopes["trust/" + TrustRoot.fileName(root.version)]??.payload, "\(one)")
                    }
                }
            }
            // Otherwise the run would prove nothing.
            #expect(accepted > 0 || ProcessInfo.processInfo.environment["CSGHUB_CASE"] != nil)
        }

        @Test("a list of keys is refused, or is the one that was signed")
        func root() throws {
            let samples = try [1, 2].map { try GoldenBundle(2).file("trust/root.\($0).json") }
            let payloads = try samples.map { try DSSEEnvelope(parsing: $0, file: "f").payload }
            try Fuzz("root", share: 1500).run { one in
                let bytes: [UInt8]
                if one.below(2) == 0 {
                    bytes = one.mutation(of: samples, tokens: Self.tokens)
                } else {
                    // What is inside the envelope, past its base 64.
                    let payload = one.mutation(of: payloads, tokens: Self.tokens)
                    bytes = DSSEEnvelope(payloadType: TrustRoot.payloadType, payload: payload).bytes
                }
                guard let root = try? TrustRoot(parsing: bytes, file: "root.json") else { return }
                let isSigned = (try? root.checkOwnSignatures()) != nil
                #expect(!isSigned || payloads.contains(root.envelope.payload), "\(one): a list that nobody signed")
            }
        }

        @Test("a twin signature holds for its text and its comment alone")
        func minisign() throws {
            let golden = try GoldenBundle(1)
            let key = try #require(try GoldenBundle.pinned().content.keys(of: .bundles).first)
            let (file, text) = (try golden.file(MinisignSignature.fileName), golden.location.manifestBytes)
            /// What the signature covers: not the first line, nor the number of the key, which says only which key to try.
            func signed(_ file: [UInt8]) -> [[UInt8]?] {
                let lines = String(decoding: file, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
                guard lines.count >= 4 else { return [] }
                return [Base64Text.decode(lines[1]).map { Array($0.dropFirst(10)) }, Array(lines[2].utf8), Base64Text.decode(lines[3])]
            }
            #expect(MinisignSignature.verifies(file, of: text, key: key))
            try Fuzz("minisign", share: 2000).run { one in
                let changed = one.mutation(of: [file], tokens: ["\n", "trusted comment: ", "RUQ", "==", "untrusted comment: x\n"])
                if MinisignSignature.verifies(changed, of: text, key: key) { #expect(signed(changed) == signed(file), "\(one)") }
                let other = one.mutation(of: [text])
                if other != text { #expect(!MinisignSignature.verifies(file, of: other, key: key), "\(one)") }
            }
        }

        @Test("a model's signature is refused, or says what was signed")
        func modelSignature() throws {
            let golden = try GoldenBundle(1).reader()
            let n = try #require(golden.index.entries.firstIndex { $0.content.name.hasSuffix("/model.sig") })
            let key = try #require(try GoldenBundle.pinned().content.keys(of: .models).first)
            let sample = try golden.content(n)
            let content = try ModelSignature.verify(sample, key: key)
            let tokens = Self.tokens + ["\"hint\":\"\"", "\"publicKey\":{}", "\"certificate\":{}", "application/vnd.in-toto+json"]
            try Fuzz("model-signature", share: 1500).run { one in
                let bytes = one.mutation(of: [sample, Array(ModelSigningFixture.signature.utf8)], tokens: tokens)
                let found: ModelSignature.Content
                do throws(SigningError) { found = try ModelSignature.verify(bytes, key: key) } catch { return }
                #expect(found == content, "\(one)")
            }
        }

        @Test("a text is no key, or is one whose name follows from it")
        func keys() throws {
            let roots = try GoldenBundle.pinned()
            let pems = roots.content.keys.values.map { Array($0.publicKeyPEM.utf8) }.sorted { $0.count < $1.count }
            let ders = roots.content.keys.values.map(\.publicKeyDER).sorted { $0.count < $1.count }
            try Fuzz("keys", share: 1000).run { one in
                let pem = String(decoding: one.mutation(of: pems, tokens: ["-----BEGIN PUBLIC KEY-----", "\n", "PRIVATE", "MIG", "=="]), as: UTF8.self)
                if let key = try? SignerKey(pem: pem) {
                    #expect(key.keyID == DocumentDigest.sha256(key.publicKeyDER).hex, "\(one)")
                    _ = key.verifies([UInt8](repeating: 1, count: one.below(120)), of: [1])
                }
                if let key = try? SignerKey(der: one.mutation(of: ders)) { #expect((try? SignerKey(der: key.publicKeyDER)) == key, "\(one)") }
                _ = try? SigningKey(pem: pem.replacing("PUBLIC", with: "PRIVATE"), passphrase: "x")
            }
        }
    }
}

extension FuzzCase {
    /// Reads an entry; an error must be one of the format's, and no more must come than the index says.
    func read(_ reader: VolumeReader, _ n: Int, atMost length: Int64) throws {
        var count: Int64 = 0
        do {
            try reader.readContent(n) { count += Int64($0.count) }
            #expect(count == length, "\(self)")
        } catch is BundleError {
            #expect(count <= length, "\(self)")
        }
    }
}
