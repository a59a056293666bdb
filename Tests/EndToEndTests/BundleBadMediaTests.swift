import BundleFormat
import Foundation
import HubCore
import HubTestSupport
import Testing

extension EndToEnd {
    /// What bad media must produce, by the command that people type: its exit status and what it says.
    ///
    /// Each row of the table in `reference/bundle-format.md` §9, and what issue 4 adds. B is `BadMediaTests`, V `BundleVerifyTests`, F the
    /// mutated documents and volumes (`…FuzzTests`), T `VolumeTests`, S `SigningTests`, R `TrustTests`; without a letter, here.
    ///
    /// | row | tests |
    /// | --- | --- |
    /// | a byte flipped in a segment | `flippedByte`, B `flippedByte`, V `damaged`, T `damage` |
    /// | a byte flipped in BUNDLE.json or the signature | `changedDocuments`, B `changedManifest`, V `tampered`, F `signature` |
    /// | unknown key | `unknownKey`, B `unknownPublisher`, V `noTrust`, `unknownPublisher` |
    /// | two bundles mixed | `mixedMedia`, B `mixedDiscs` |
    /// | a truncated volume, a pulled stick | `truncated`, `BundleFaultTests.pulled`, B `truncated`, `pulledMedium`, V `truncated` |
    /// | wrong order, same disc twice, older disc | `BundleImportTests.arrives`, `mixedMedia`, `ImportTests.anyOrder` |
    /// | missing last disc | `missingMedium`, B `missingLastDisc` |
    /// | extra files, links, `..`, nodes, 10⁶ entries, tar header lies, bombs | `foreignFiles`, `lies`, `manyNames`, B `foreignFiles`, `lyingVolume`, T |
    /// | the target lacks what is presumed | `parked`, `ImportTests.parked` |
    /// | no space | `BundleFaultTests.fullDisk`, B `noSpace` |
    /// | replay of an older bundle | `replay`, B `replay` |
    /// | stale staged parts of the same name | `mixedMedia` |
    /// | clock in 1970 | `unsetClock`, B `unsetClock` |
    /// | signature stripped, key swapped, hint mismatch | `otherSignatures`, V `hostile`, R `swappedKey`, `tampering` |
    /// | deep JSON, 10⁷ names | `deepAndWide`, V `hostile`, S `badEnvelopes` |
    /// | LZ4 bombs, index lies | `lies`, `LZ4FrameTests.bomb`, T `lyingIndex`, F `frame`, `index` |
    /// | device nodes, links | `foreignFiles`, V `links`, T `otherFiles` |
    @Suite("Bad media by the command")
    struct BundleBadMediaTests {
        private let hub: HubProcess
        private let maker: BundleMaker

        init() throws {
            hub = try HubProcess.started()
            maker = try BundleMaker()
            try maker.beTrusted(by: hub)
        }

        private func parts(_ change: (inout BundleMaker.Parts) -> Void = { _ in }) -> BundleMaker.Parts {
            var parts = BundleMaker.Parts(large: [Content.bytes(30_000), Content.bytes(20_000, seed: 2)])
            change(&parts)
            return parts
        }

        private func expectPublished(_ bundle: HandmadeBundle, sourceLocation: SourceLocation = #_sourceLocation) throws {
            #expect(try hub.importing(bundle.media, status: 0, sourceLocation: sourceLocation).contains("\(bundle.id)\tpublished"), sourceLocation: sourceLocation)
            #expect(try hub.verb("object", "verify", "--all").succeeded, sourceLocation: sourceLocation)
        }

        @Test("a flipped byte is 65; the message says where, in which object and file; another copy mends it")
        func flippedByte() throws {
            let bundle = try maker.bundle(parts { $0.volumes = 2 })
            let oid = bundle.manifest.repositories[0].objects[1].oid
            let place = try bundle.place(of: "seg/\(oid)")
            let text = try bundle.flipping(bundle.volume(place.volume), at: place.offset + 100) { try hub.importing(bundle.media, status: 65) }
            for words in [
                "volume \(place.volume) on medium \(place.volume) at byte \(place.offset)", "object \(oid)", "qwen/qwen3", "model-1.bin",
                "medium \(place.volume) again", "par2", "nothing is published",
            ] { #expect(text.contains(words), "\(words): \(text)") }
            #expect(try !hub.verb("repository", "list", "--json").stdout.contains("qwen3"))
            try expectPublished(bundle)
        }

        @Test("a flipped byte in the manifest or a signature is 77 before a volume is opened, and audited")
        func changedDocuments() throws {
            let bundle = try maker.bundle(parts())
            // Whoever opened it would be told of the FIFO.
            let aside = bundle.folder.file("aside")
            try FileManager.default.moveItem(atPath: bundle.volume(), toPath: aside)
            mkfifo(bundle.volume(), 0o600)
            for (name, offset) in [("BUNDLE.json", 0), ("BUNDLE.json", 300), ("BUNDLE.dsse.json", 0), ("BUNDLE.dsse.json", 60), ("trust/root.1.json", 200)] {
                let text = try bundle.flipping("\(bundle.folders[0])/\(name)", at: offset) { try hub.importing(bundle.media, status: 77) }
                #expect(!text.contains("vol/"), "\(text)")
                #expect(try hub.hasNothing(of: bundle.id))
            }
            let audit = try hub.verb("audit", "export").stdout
            #expect(audit.split(separator: "\n").count { $0.contains("bundle.refuse") } == 5)
            unlink(bundle.volume())
            try FileManager.default.moveItem(atPath: aside, toPath: bundle.volume())
            try expectPublished(bundle)
        }

        @Test("an unknown key is 77 with its name, fingerprint and command; verify checks the rest")
        func unknownKey() throws {
            let mallory = try BundleMaker("mallory")
            let bundle = try mallory.bundle(parts())
            let text = try hub.importing(bundle.media, status: 77)
            for words in ["mallory", mallory.fingerprint, "csghub trust add", "trust/root.1.json"] { #expect(text.contains(words), "\(words): \(text)") }
            #expect(try hub.hasNothing(of: bundle.id))
            // Elsewhere nobody is trusted yet.
            let home = try TemporaryFolder("home")
            func verify(_ words: String...) throws -> CommandOutput {
                try CommandOutput.of(
                    [HubProcess.binary ?? "csghub", "bundle", "verify"] + bundle.media + words, environment: ["HOME": home.path, "PATH": "/usr/bin:/bin"])
            }
            let checked = try verify()
            #expect(checked.succeeded && checked.text.contains("not trusted here") && checked.text.contains(mallory.fingerprint), "\(checked)")
            #expect(try verify("--trust", maker.root()).status == 77)
            #expect(try verify("--trust", mallory.root()).succeeded)
            let offset = try bundle.place(of: "seg/").offset
            #expect(try bundle.flipping(bundle.volume(), at: offset) { try verify() }.status == 65)
        }

        @Test("a stripped signature, a swapped key and a key id of another key are 77")
        func otherSignatures() throws {
            let bundle = try maker.bundle(parts())
            let (file, bytes) = ("\(bundle.folders[0])/BUNDLE.dsse.json", bundle.manifest.canonicalBytes)
            let thief = try SigningKey.make(.ed25519)
            let good = try BundleSignature.envelope(for: bundle.manifest, bytes: bytes, keys: maker.identity.keys)
            var stripped = good
            stripped.signatures = []
            let swapped = try BundleSignature.envelope(for: bundle.manifest, bytes: bytes, keys: [thief])
            var misnamed = swapped
            misnamed.signatures[0].keyID = good.signatures[0].keyID
            for (envelope, words) in [(stripped, "no signature"), (swapped, "no key that signs for acme"), (misnamed, "is not by the key")] {
                try Data(envelope.bytes).write(to: URL(filePath: file))
                let text = try hub.importing(bundle.media, status: 77)
                #expect(text.contains(words), "\(text)")
            }
            unlink(file)
            #expect(try hub.importing(bundle.media, status: 77).contains("no signature"))
            #expect(try hub.hasNothing(of: bundle.id))
            try Data(good.bytes).write(to: URL(filePath: file))
            // The thief's own list of keys in the place of the publisher's.
            let other = try BundleMaker("acme", key: thief)
            let fork = try other.bundle(parts())
            #expect(try hub.importing(fork.media, status: 77).contains("is not the one that is known here"))
            try expectPublished(bundle)
        }

        @Test("deep and wide JSON is refused at once, and before its signature fits it is not looked into")
        func deepAndWide() throws {
            let bundle = try maker.bundle(parts())
            let (file, signature) = ("\(bundle.folders[0])/BUNDLE.json", "\(bundle.folders[0])/BUNDLE.dsse.json")
            let (manifest, envelope) = (try Data(contentsOf: URL(filePath: file)), try Data(contentsOf: URL(filePath: signature)))
            func refused(_ path: String, _ content: [UInt8], status: Int32) throws {
                try Data(content).write(to: URL(filePath: path))
                // A parser that builds what it reads would need gigabytes.
                let verified = try CommandOutput.of(
                    ["bash", "-c", #"ulimit -v 2000000; exec timeout 30 "$0" "$@""#, HubProcess.binary ?? "csghub", "bundle", "verify"] + bundle.media,
                    environment: ["HOME": hub.folder.path, "PATH": "/usr/bin:/bin"])
                #expect(verified.status == status, "\(verified.text.prefix(500))")
                try hub.importing(bundle.media, status: status)
            }
            // Ten million names in 60 MB.
            let wide = Array(("{" + String(repeating: "\"a\":1,", count: 9_999_999) + "\"b\":1}").utf8)
            let deep = [UInt8](repeating: UInt8(ascii: "["), count: 30_000_000)
            for content in [wide, deep] { try refused(file, content, status: 77) }
            try manifest.write(to: URL(filePath: file))
            for content in [wide, deep] {
                try refused(signature, content, status: 77)
                try refused(signature, Array(content.prefix(1 << 20)), status: 77)
            }
            // Signed by who is trusted, and still no document of the format.
            for content in [Array(deep.prefix(100_000)), Array(wide.prefix(30_000_001)) + Array("\"b\":1}".utf8)] {
                try Data(try signed(content)).write(to: URL(filePath: signature))
                try Data(content).write(to: URL(filePath: file))
                try hub.importing(bundle.media, status: 65)
            }
            // Larger than any manifest.
            #expect(truncate(file, 65 << 20) == 0)
            try hub.importing(bundle.media, status: 65)
            #expect(hub.isRunning)
            try manifest.write(to: URL(filePath: file))
            try envelope.write(to: URL(filePath: signature))
            try expectPublished(bundle)
        }

        /// Signs any bytes as if they were a manifest.
        private func signed(_ bytes: [UInt8]) throws -> [UInt8] {
            let statement = InTotoStatement(
                subject: "BUNDLE.json", sha256: BundleDigest.hash(bytes), predicateType: BundleSignature.predicateType,
                predicate: ["publisher": "acme", "stream": "models", "sequence": 1])
            var envelope = DSSEEnvelope(payloadType: DSSEEnvelope.inToto, payload: statement.canonicalBytes)
            try envelope.sign(with: maker.identity.keys[0])
            return envelope.bytes
        }

        @Test("media of two exports of the same name stay apart, in any order, and an old medium harms nothing")
        func mixedMedia() throws {
            let one = try maker.bundle(parts { $0.volumes = 2 })
            let two = try maker.bundle(parts {
                $0.volumes = 2
                $0.nonce = "f"
                $0.large[1] = Content.bytes(20_000, seed: 9)
            })
            #expect(one.id != two.id && one.manifest.sequence == two.manifest.sequence)
            let text = try hub.importing([one.media[0], two.media[1]], status: 75)
            #expect(text.contains("vol/000002.tar") && text.contains("vol/000001.tar"))
            #expect(try !hub.verb("repository", "list", "--json").stdout.contains("qwen3"))
            // The second of one, and not that of two, makes one whole.
            #expect(try hub.importing([one.media[1]], status: 0).contains("\(one.id)\tpublished"))
            #expect(try hub.verb("bundle", "status", two.id).stdout.contains("staging"))
            #expect(try hub.importing([one.media[0], one.media[0]], status: 0).contains("already published"))
            #expect(try hub.importing([two.media[0]], status: 0).contains("\(two.id)\tpublished"))
            #expect(try hub.verb("object", "verify", "--all").succeeded)
        }

        @Test("a volume that was cut short is 75, keeps what came and names what is left")
        func truncated() throws {
            let bundle = try maker.bundle(parts { $0.volumes = 2 })
            let whole = try Data(contentsOf: URL(filePath: bundle.volume(2)))
            try whole.prefix(whole.count - 9_000).write(to: URL(filePath: bundle.volume(2)))
            let text = try hub.importing(bundle.media, status: 75)
            #expect(text.contains("vol/000002.tar") && text.contains("ends too early") && !text.contains("Missing: vol/000001.tar"), "\(text)")
            #expect(try hub.verb("bundle", "status", bundle.id).stdout.contains("staging"))
            try whole.write(to: URL(filePath: bundle.volume(2)))
            try expectPublished(bundle)
        }

        @Test("without the last medium it is 75 and says which; --complete publishes what is whole")
        func missingMedium() throws {
            let bundle = try maker.bundle(parts { $0.volumes = 3 })
            let text = try hub.importing(Array(bundle.media.prefix(2)), status: 75)
            #expect(text.contains("vol/000003.tar, on medium 3") && text.contains("csghub bundle import PATH"), "\(text)")
            // Its only repository needs the missing medium.
            #expect(try hub.verb("bundle", "publish", bundle.id, "--complete").status == 1)
            #expect(try hub.verb("bundle", "publish", bundle.id).status != 0)
            #expect(try hub.verb("bundle", "abandon", bundle.id, "--yes").succeeded)
            #expect(try hub.hasNothing(of: bundle.id))
            try expectPublished(bundle)
        }

        @Test("files that are none of the bundle are not looked at; links and nodes in a volume's place are 75")
        func foreignFiles() throws {
            let bundle = try maker.bundle(parts())
            let inner = bundle.folders[0]
            let aside = bundle.folder.file("aside")
            try FileManager.default.createSymbolicLink(atPath: inner + "/vol/000002.tar", withDestinationPath: "/etc/passwd")
            try FileManager.default.createSymbolicLink(atPath: bundle.media[0] + "/HUBBUNDLE/up", withDestinationPath: "..")
            try Data("x".utf8).write(to: URL(filePath: bundle.media[0] + "/autorun.inf"))
            try Data("x".utf8).write(to: URL(filePath: inner + "/vol/..tar"))
            try FileManager.default.moveItem(atPath: bundle.volume(), toPath: aside)
            var places: [() throws -> Void] = [
                { try FileManager.default.createSymbolicLink(atPath: bundle.volume(), withDestinationPath: aside) },
                { mkfifo(bundle.volume(), 0o600) }, { mkdir(bundle.volume(), 0o700) },
            ]
            // /dev/zero and a disk, as a stick made by a thief may have them.
            if geteuid() == 0 {
                places += [{ mknod(bundle.volume(), S_IFCHR | 0o600, 0x105) }, { mknod(bundle.volume(), S_IFBLK | 0o600, 0x700) }]
            }
            for place in places {
                try place()
                let text = try hub.importing(bundle.media, status: 75)
                #expect(text.contains("vol/000001.tar"), "\(text)")
                try FileManager.default.removeItem(atPath: bundle.volume())
            }
            // A document that is a link is not followed either.
            let signature = inner + "/BUNDLE.dsse.json"
            try FileManager.default.moveItem(atPath: signature, toPath: aside + ".dsse")
            try FileManager.default.createSymbolicLink(atPath: signature, withDestinationPath: aside + ".dsse")
            try hub.importing(bundle.media, status: 77)
            unlink(signature)
            try FileManager.default.moveItem(atPath: aside + ".dsse", toPath: signature)
            try FileManager.default.moveItem(atPath: aside, toPath: bundle.volume())
            try expectPublished(bundle)
        }

        @Test(
            "lies that are signed are 65 and publish nothing",
            arguments: ["bomb", "promise", "short", "long", "other content", "offset", "tar header", "padding", "index"])
        func lies(_ lie: String) throws {
            let large = [Content.bytes(30_000), [UInt8](repeating: 7, count: 40_000)]
            let oid = BundleDigest.hash(large[1])
            func lying(_ entry: VolumeIndex.Entry, _ bytes: [UInt8], _ sources: inout [VolumeWriter.Source]) {
                sources.removeLast()
                sources.append(VolumeWriter.Source(entry: entry, source: .bytes(bytes)))
            }
            func entry(_ bytes: [UInt8], length: Int, offset: Int64 = 0) -> VolumeIndex.Entry {
                VolumeIndex.Entry(
                    content: .segment(of: oid, offset: offset), length: Int64(length), storedLength: Int64(bytes.count), encoding: .raw,
                    sha256: BundleDigest.hash(bytes))
            }
            let bundle = try maker.bundle(parts { parts in
                parts.large = large
                // 9 MiB behind the promise of 40,000 bytes, or no frame at all. What is compressed must be shorter than its content.
                let bomb = [UInt8](repeating: 7, count: 9 << 20).withUnsafeBytes { LZ4Frame.compress($0) } ?? []
                let frame = lie == "bomb" ? bomb : Array(large[1].dropLast(8))
                if lie == "bomb" || lie == "promise" {
                    parts.indexText = { $0.replacing("\"raw\",\"length\":\(frame.count)", with: "\"lz4\",\"length\":40000") }
                }
                parts.index = { sources in
                    switch lie {
                    case "bomb", "promise": lying(entry(frame, length: frame.count), frame, &sources)
                    case "short": lying(entry(Array(large[1].dropLast()), length: 39_999), Array(large[1].dropLast()), &sources)
                    case "long": lying(entry(large[1] + [7], length: 40_001), large[1] + [7], &sources)
                    case "other content": lying(entry(Content.bytes(40_000, seed: 8), length: 40_000), Content.bytes(40_000, seed: 8), &sources)
                    case "offset": lying(entry(large[1], length: 40_000, offset: 64 << 20), large[1], &sources)
                    default: break
                    }
                }
            })
            let place = try bundle.place(of: "seg/\(oid)")
            switch lie {
            // The size in the header, a link in the place of a file, what is hidden behind the data, the list itself.
            case "tar header": try Content.flip(bundle.volume(), at: place.offset - 512 + 156)
            case "padding": try Content.flip(bundle.volume(), at: place.offset + 40_000 + 5)
            case "index": try Content.flip(bundle.volume(), at: 600)
            default: break
            }
            try hub.importing(bundle.media, status: 65)
            #expect(try !hub.verb("repository", "list", "--json").stdout.contains("qwen3"))
            #expect(hub.isRunning)
            // A stranger's lie is no obstacle for the honest bundle of the same content.
            try expectPublished(maker.bundle(parts {
                $0.large = large
                $0.sequence = 2
            }))
        }

        @Test("names that nobody needs are not read, however many there are")
        func manyNames() throws {
            let bundle = try maker.bundle(parts { parts in
                parts.index = { sources in
                    // The index of a volume ends at 64 MiB.
                    for n in 0..<(EndToEnd.isFull ? 250_000 : 10_000) {
                        let digest = BundleDigest.hash(withUnsafeBytes(of: n) { Array($0) })
                        let entry = VolumeIndex.Entry(
                            content: .segment(of: digest, offset: 0), length: 1, storedLength: 1, encoding: .raw, sha256: BundleDigest.hash([1]))
                        sources.append(VolumeWriter.Source(entry: entry, source: .bytes([1])))
                    }
                }
            })
            try expectPublished(bundle)
            #expect(try FileManager.default.contentsOfDirectory(atPath: hub.data + "/objects").count <= 4)
        }

        @Test("a delta whose base is not here is 75, writes a request of a few hundred bytes and goes on when the base comes")
        func parked() throws {
            let base = try maker.bundle(parts())
            let delta = try maker.bundle(parts {
                $0.large.append(Content.bytes(10_000, seed: 3))
                $0.presumed = [0, 1]
                $0.base = base.commit
                $0.sequence = 2
            })
            let text = try hub.importing(delta.media, status: 75)
            #expect(text.contains("2 large objects") && text.contains("50") && text.contains("1 commit") && text.contains("--request"), "\(text)")
            let request = hub.folder.file("request.json")
            #expect(try hub.verb("bundle", "status", delta.id, "--request", request).succeeded)
            #expect(fileBytes(request) > 100 && fileBytes(request) < 1024)
            #expect(try String(contentsOfFile: request, encoding: .utf8).contains(base.commit))
            let both = try hub.importing(base.media, status: 0)
            #expect(both.contains("\(base.id)\tpublished") && both.contains("\(delta.id)\tpublished"), "\(both)")
        }

        @Test("an older bundle is 77, and --allow-older with a reason takes it and writes both down")
        func replay() throws {
            let old = try maker.bundle(parts { $0.sequence = 3 })
            let new = try maker.bundle(parts { $0.sequence = 4 })
            try expectPublished(new)
            let text = try hub.importing(old.media, status: 77)
            #expect(text.contains("--allow-older --reason"), "\(text)")
            #expect(try hub.verb("bundle", "import", old.media[0], "--allow-older").status == 64)
            try hub.importing(old.media + ["--allow-older", "--reason", "We go back."], status: 0)
            let audit = try hub.verb("audit", "export").stdout
            #expect(audit.split(separator: "\n").contains { $0.contains("bundle.import") && $0.contains("We go back.") && $0.contains(old.id) })
            #expect(try hub.verb("audit", "verify").succeeded)
        }

        @Test("a clock that was not set is told of and hinders nothing")
        func unsetClock() throws {
            let bundle = try maker.bundle(parts { $0.created = "1970-01-01T00:00:07Z" })
            let text = try hub.importing(bundle.media, status: 0)
            #expect(text.contains("clock") && text.contains("published"), "\(text)")
        }
    }
}
