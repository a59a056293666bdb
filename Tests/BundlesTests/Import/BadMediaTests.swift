import BundleFormat
import Foundation
import HubCore
import HubTestSupport
import Identity
import MetadataStore
import Testing

@testable import Bundles

/// What bad media must produce: each row of the format's table.
@Suite("Bad media")
struct BadMediaTests {
    private func problem(_ outcome: BundleImporter.Outcome) throws -> Problem {
        guard let failure = outcome.failure as? any Refusal else {
            throw outcome.failure ?? CocoaError(.featureUnsupported)
        }
        return failure.problem
    }

    private func isUntouched(_ site: ImportSite) async throws -> Bool {
        try await site.repository("models/qwen/qwen3") == nil && site.storedObjects == 0
    }

    /// Where the data of an entry lies in its volume.
    func offset(of name: String, in bundle: MadeBundle) throws -> (volume: Int, offset: Int64) {
        for volume in bundle.manifest.volumes {
            let reader = try VolumeReader(path: bundle.volume(volume.number), volume: volume)
            if let n = reader.index.entries.firstIndex(where: { $0.content.name == name }) {
                return (volume.number, reader.offset(of: n))
            }
        }
        throw CocoaError(.fileNoSuchFile)
    }

    @Test(
        "a flipped byte costs one segment: the others are kept, the message says which",
        arguments: ["in order", "scattered", "git", "attachment"])
    func flippedByte(_ place: String) async throws {
        let site = try ImportSite()
        let large = [made(130 << 20), made(1_000, 2)]
        let bundle = try MadeBundle(
            [try modelContent(try SourceRepository(), large: large, attachments: [("model.sig", made(500, 3))])],
            volumes: place == "in order" ? 1 : 3, isScattered: place == "scattered")
        let object = BundleDigest.hash(large[0])
        let name =
            switch place {
            case "git": "git/\(bundle.manifest.repositories[0].uid).bundle"
            case "attachment": "meta/\(bundle.manifest.repositories[0].uid)/model.sig"
            default: "seg/\(object)/\(64 << 20)"
            }
        let found = try offset(of: name, in: bundle)
        let whole = try Data(contentsOf: URL(filePath: bundle.volume(found.volume)))
        try Content.flip(bundle.volume(found.volume), at: Int(found.offset) + 300)

        // All media, in an order in which the large object does or does not come whole.
        let media = place == "scattered" ? Array(bundle.media.reversed()) : bundle.media
        let outcome = try await site.take(media)
        guard case .damaged(let places)? = outcome.failure as? ImportError else {
            throw outcome.failure ?? CocoaError(.featureUnsupported)
        }
        #expect(places.count == 1 && places.first?.volume == found.volume && places.first?.offset == found.offset)
        let problem = try problem(outcome)
        #expect(problem.kind == .unprocessable && problem.code == "damaged_segment")
        for word in ["volume \(found.volume)", "medium \(found.volume)", "byte \(found.offset)", "qwen/qwen3", "par2"] {
            #expect(problem.message.contains(word), "\(word): \(problem.message)")
        }
        #expect(outcome.record?.state == .staging)
        #expect(try await isUntouched(site))
        let rest = try #require(try await site.importer.preflight(ImportOptions(paths: media), by: site.caller).first)
        #expect(rest.copyBytes <= 64 << 20 && rest.copyBytes > 0)
        // The room of the file that is begun is not asked for again.
        #expect(rest.neededBytes < rest.copyBytes || rest.copyBytes < 1 << 20)
        // Another copy of that medium mends it.
        try whole.write(to: URL(filePath: bundle.volume(found.volume)))
        try await site.publish(media)
        for bytes in large {
            #expect(try await site.object(BundleDigest.hash(bytes), in: "models/qwen/qwen3") == bytes)
        }
    }

    @Test(
        "a changed manifest or signature is refused before a volume is read, and leaves an audit event",
        arguments: ["BUNDLE.json", "BUNDLE.dsse.json"])
    func changedManifest(_ file: String) async throws {
        let site = try ImportSite()
        let bundle = try MadeBundle([try modelContent(try SourceRepository(), large: [made(1000)])])
        // A volume that nobody may even open.
        try FileManager.default.removeItem(atPath: bundle.volume(1))
        for offset in [0, 40] {
            let path = bundle.bundleFolder(0) + "/" + file
            let whole = try Data(contentsOf: URL(filePath: path))
            try Content.flip(path, at: offset)
            let problem = try problem(try await site.take(bundle.media))
            #expect(problem.kind == .forbidden && problem.code == "wrong_signature")
            try whole.write(to: URL(filePath: path))
        }
        #expect(site.stagedFolders.isEmpty)
        #expect(try await site.store.latestAuditEntries().first?.entry.action == "bundle.refuse")
        // A signature that was taken off.
        try FileManager.default.removeItem(atPath: bundle.bundleFolder(0) + "/BUNDLE.dsse.json")
        #expect(try problem(try await site.take(bundle.media)).kind == .forbidden)
    }

    @Test("an unknown publisher is refused with its name before a volume is read")
    func unknownPublisher() async throws {
        let site = try ImportSite()
        let bundle = try MadeBundle([try modelContent(try SourceRepository(), large: [made(1000)])], publisher: "mallory")
        let problem = try problem(try await site.take(bundle.media))
        #expect(problem.kind == .forbidden && problem.message.contains("mallory"))
        #expect(try await site.store.importRecord(bundle.id) == nil && site.stagedFolders.isEmpty)
        // It does not hinder one that is trusted, on the same stick or another.
        let trusted = try MadeBundle([
            try modelContent(try SourceRepository(uid: "B"), large: [made(2000)], name: "ada/other")
        ])
        let paths = bundle.media + trusted.media
        #expect(
            try await site.importer.preflight(ImportOptions(paths: paths), by: site.caller).map(\.bundle) == [
                trusted.id
            ])
        let outcomes = try await site.importer.run(ImportOptions(paths: paths), by: site.caller)
        #expect(outcomes.count == 2 && outcomes.first { $0.bundle == trusted.id }?.record?.state == .published)
    }

    @Test("discs of two bundles are told apart, and neither is published by the other")
    func mixedDiscs() async throws {
        let site = try ImportSite()
        let source = try SourceRepository()
        let content = try modelContent(source, large: [made(5_000), made(6_000, 2), made(7_000, 4)])
        // Two exports of the same stream and number.
        let (one, two) = (
            try MadeBundle([content], volumes: 2),
            try MadeBundle([content], volumes: 2) { $0.nonce = String(repeating: "f", count: 32) }
        )
        #expect(one.id != two.id)
        let outcomes = try await site.importer.run(ImportOptions(paths: [one.media[0], two.media[1]]), by: site.caller)
        #expect(Set(outcomes.map(\.bundle)) == [one.id, two.id])
        #expect(outcomes.allSatisfy { $0.record?.state == .staging })
        #expect(try await isUntouched(site))
        try await site.publish([one.media[1]])
        #expect(try await site.store.importRecord(two.id)?.state == .staging)
    }

    @Test("a volume that was cut short keeps what came, and asks for the rest")
    func truncated() async throws {
        let site = try ImportSite()
        let large = [made(70 << 20), made(2_000, 2)]
        let bundle = try MadeBundle([try modelContent(try SourceRepository(), large: large)])
        let whole = try Data(contentsOf: URL(filePath: bundle.volume(1)))
        try whole.prefix(68 << 20).write(to: URL(filePath: bundle.volume(1)))
        let outcome = try await site.take(bundle.media)
        let problem = try problem(outcome)
        #expect(
            problem.kind == .unavailable && problem.code == "media_missing"
                && problem.message.contains("vol/000001.tar"))
        #expect(outcome.record?.state == .staging)
        let rest = try #require(
            try await site.importer.preflight(ImportOptions(paths: bundle.media), by: site.caller).first)
        #expect(rest.presentBytes == 64 << 20)
        try whole.write(to: URL(filePath: bundle.volume(1)))
        try await site.publish(bundle.media)
    }

    @Test(
        "a medium that was pulled keeps what came, and asks for it again",
        .enabled(if: LoopDevice.isAvailable, "needs root and loop devices"))
    func pulledMedium() async throws {
        let site = try ImportSite()
        let large = [made(70 << 20), made(80 << 20, 2)]
        let bundle = try MadeBundle([try modelContent(try SourceRepository(), large: large)])
        let device = try LoopDevice(holding: bundle.media[0], megabytes: 240)
        let mount = try device.mount()
        try device.cut(to: 100)
        let outcome = try await site.take([mount])
        let problem = try problem(outcome)
        #expect(problem.kind == .unavailable && problem.message.contains("cannot be read"), "\(problem)")
        #expect(outcome.record?.state == .staging)
        #expect(try await isUntouched(site))
        let rest = try #require(
            try await site.importer.preflight(ImportOptions(paths: bundle.media), by: site.caller).first)
        #expect(rest.presentBytes >= 64 << 20)
        try await site.publish(bundle.media)
        for bytes in large {
            #expect(try await site.object(BundleDigest.hash(bytes), in: "models/qwen/qwen3") == bytes)
        }
    }

    @Test("without the last disc the rest waits, and what is whole can be published alone")
    func missingLastDisc() async throws {
        let site = try ImportSite()
        let bundle = try MadeBundle(
            [
                try modelContent(try SourceRepository(), large: [made(5_000)]),
                try modelContent(
                    try SourceRepository(uid: "B"), large: [made(6_000, 2), made(7_000, 3)], name: "ada/other"),
            ], volumes: 2,
            aliases: [
                BundleManifest.Alias(kind: .model, name: "qwen3", target: try RepositoryName(parsing: "qwen/qwen3"))
            ])
        let outcome = try await site.take([bundle.media[0]])
        #expect(try problem(outcome).message.contains("vol/000002.tar"))
        let report = try await site.importer.publishComplete(bundle.id, by: site.caller)
        #expect(report.repositories.map(\.name) == ["models/qwen/qwen3"])
        #expect(try await site.repository("models/ada/other") == nil)
        #expect(try await site.store.importRecord(bundle.id)?.state == .staging)
        let rest = try await site.publish([bundle.media[1]])
        #expect(
            rest.repositories.map(\.isNew) == [false, true] && rest.repositories[0].refs.map(\.outcome) == [.unchanged])
        #expect(try await site.store.setting("repository-aliases") == "qwen3=qwen/qwen3")
    }

    @Test("files that are none of the bundle are not looked at; links and nodes in a volume's place are refused")
    func foreignFiles() async throws {
        let site = try ImportSite()
        let bundle = try MadeBundle([try modelContent(try SourceRepository(), large: [made(5_000)])])
        let inner = bundle.bundleFolder(0)
        try FileManager.default.createSymbolicLink(
            atPath: inner + "/vol/000002.tar", withDestinationPath: "/etc/passwd")
        try FileManager.default.createSymbolicLink(atPath: bundle.media[0] + "/HUBBUNDLE/up", withDestinationPath: "..")
        mkfifo(inner + "/vol/000003.tar", 0o600)
        try Data("x".utf8).write(to: URL(filePath: bundle.media[0] + "/autorun.inf"))
        let whole = inner + "/aside.tar"
        try FileManager.default.moveItem(atPath: bundle.volume(1), toPath: whole)
        try FileManager.default.createSymbolicLink(atPath: bundle.volume(1), withDestinationPath: whole)
        let outcome = try await site.take(bundle.media)
        let linked = try problem(outcome)
        #expect(linked.kind == .unavailable && outcome.record?.state == .staging)
        try FileManager.default.removeItem(atPath: bundle.volume(1))
        mkfifo(bundle.volume(1), 0o600)
        #expect(try problem(try await site.take(bundle.media)).kind == .unavailable)
        try FileManager.default.removeItem(atPath: bundle.volume(1))
        try FileManager.default.moveItem(atPath: whole, toPath: bundle.volume(1))
        try await site.publish(bundle.media)
    }

    @Test("a volume that is not as its index says is refused", arguments: ["header", "padding", "index", "end"])
    func lyingVolume(_ place: String) async throws {
        let site = try ImportSite()
        let bundle = try MadeBundle([try modelContent(try SourceRepository(), large: [made(5_001)])])
        let volume = try offset(of: "seg/\(BundleDigest.hash(made(5_001)))/0", in: bundle)
        switch place {
        // The size in the tar header.
        case "header": try Content.flip(bundle.volume(1), at: Int(volume.offset) - 512 + 130)
        case "padding": try Content.flip(bundle.volume(1), at: Int(volume.offset) + 5_001 + 5)
        case "index": try Content.flip(bundle.volume(1), at: 600)
        default: break
        }
        if place == "end" {
            // More than the manifest says is not read.
            let handle = try #require(FileHandle(forWritingAtPath: bundle.volume(1)))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data(made(10_000)))
            try handle.close()
            try await site.publish(bundle.media)
        } else {
            let outcome = try await site.take(bundle.media)
            #expect(try problem(outcome).kind == .unprocessable, "\(place)")
            #expect(try await isUntouched(site))
        }
    }

    @Test("an index that gives an object another length than the manifest is refused")
    func lyingIndex() async throws {
        let site = try ImportSite()
        let bytes = made(5_000)
        let bundle = try MadeBundle(
            [try modelContent(try SourceRepository(), large: [bytes])],
            index: { sources in
                let short = Array(bytes.dropLast())
                sources[0] = VolumeWriter.Source(
                    entry: VolumeIndex.Entry(
                        content: .segment(of: BundleDigest.hash(bytes), offset: 0), length: 4_999, storedLength: 4_999,
                        encoding: .raw,
                        sha256: BundleDigest.hash(short)), source: .bytes(short))
            })
        #expect(try problem(try await site.take(bundle.media)).kind == .unprocessable)
        #expect(try await isUntouched(site))
    }

    @Test("a bundle whose object has other content than its name fails for good")
    func wrongContent() async throws {
        let site = try ImportSite()
        let (bytes, other) = (made(5_000), made(5_000, 7))
        let bundle = try MadeBundle(
            [try modelContent(try SourceRepository(), large: [bytes])],
            index: { sources in
                sources[0] = VolumeWriter.Source(
                    entry: VolumeIndex.Entry(
                        content: .segment(of: BundleDigest.hash(bytes), offset: 0), length: 5_000, storedLength: 5_000,
                        encoding: .raw,
                        sha256: BundleDigest.hash(other)), source: .bytes(other))
            })
        let outcome = try await site.take(bundle.media)
        #expect(outcome.failure as? ImportError == .wrongContent(BundleDigest.hash(bytes)))
        #expect(outcome.record?.state == .failed)
        #expect(try await isUntouched(site))
    }

    @Test("git data that breaks a rule, or names objects that the bundle does not list, is not published")
    func badGit() async throws {
        let site = try ImportSite()
        let source = try SourceRepository()
        var broken = try modelContent(source, large: [])
        broken.gitBundle = Array("# v2 git bundle\n\nPACK".utf8)
        let brokenBundle = try MadeBundle([broken])
        let first = try await site.take(brokenBundle.media)
        let firstProblem = try problem(first)
        #expect(first.record?.state == .failed && firstProblem.code == "repository_refused")
        // A pointer whose object nobody lists.
        var unlisted = try modelContent(try SourceRepository(uid: "B"), large: [made(50)], name: "ada/x")
        unlisted.large = []
        let unlistedBundle = try MadeBundle([unlisted], sequence: 2)
        let second = try await site.take(unlistedBundle.media)
        #expect((try problem(second)).code == "parked")
        #expect(try await site.repository("models/ada/x") == nil)
    }

    @Test("no room: nothing is copied, and the message has the exact figures")
    func noSpace() async throws {
        let site = try ImportSite()
        let source = try SourceRepository()
        let content = try modelContent(source, large: [made(100)])
        let bundle = try MadeBundle([content]) { manifest in
            manifest.repositories[0].objects.append(
                BundleRepository.LargeObject(oid: BundleDigest.hash([9]), sizeBytes: 4 << 40, paths: ["huge.bin"]))
            manifest.objects = BundleManifest.ObjectCount(count: 2, bytes: 100 + (4 << 40))
        }
        let outcome = try await site.take(bundle.media)
        guard case .noSpace(let needed, let free)? = outcome.failure as? ImportError else {
            throw outcome.failure ?? CocoaError(.featureUnsupported)
        }
        #expect(needed > 4 << 40 && free < needed && site.stagedFolders.isEmpty)
        #expect(try problem(outcome).kind == .outOfSpace)
    }

    @Test("a manifest that speaks of more than any disk holds is refused before anything is counted")
    func tooLarge() async throws {
        let site = try ImportSite()
        let bundle = try MadeBundle([try modelContent(try SourceRepository(), large: [])]) { manifest in
            for byte in UInt8(0)..<100 {
                manifest.repositories[0].objects.append(
                    BundleRepository.LargeObject(oid: BundleDigest.hash([byte]), sizeBytes: 1 << 52, paths: []))
            }
            manifest.objects = BundleManifest.ObjectCount(count: 100, bytes: 0)
            manifest.objects.bytes = 1 << 52
        }
        let problem = try problem(try await site.take(bundle.media))
        #expect(problem.kind == .tooLarge || problem.kind == .unprocessable)
    }

    @Test("an older bundle is refused, and taken with a reason that the audit log keeps")
    func replay() async throws {
        let site = try ImportSite()
        let source = try SourceRepository()
        let old = try MadeBundle([try modelContent(source, large: [made(100)])], sequence: 3)
        try source.commit(["x": "y"])
        let new = try MadeBundle([try modelContent(source, large: [made(100)])], sequence: 4)
        try await site.publish(new.media)
        let problem = try problem(try await site.take(old.media))
        #expect(problem.kind == .forbidden && problem.code == "older_bundle")
        #expect(try await site.take(old.media, ImportOptions(olderReason: " ")).failure != nil)
        let report = try await site.publish(old.media, ImportOptions(olderReason: "We go back."))
        // Nobody moved it here, so it goes back.
        #expect(report.repositories.first?.refs.first?.outcome == .updated)
        let entries = try await site.store.latestAuditEntries(limit: 20).map(\.entry)
        #expect(entries.contains { $0.action == "bundle.import" && $0.detail["older_reason"] == "We go back." })
    }

    @Test("a clock that was not set is told of and hinders nothing")
    func unsetClock() async throws {
        let site = try ImportSite()
        let bundle = try MadeBundle(
            [try modelContent(try SourceRepository(), large: [made(100)])], created: "1970-01-01T00:00:07Z")
        let preflight = try #require(
            try await site.importer.preflight(ImportOptions(paths: bundle.media), by: site.caller).first)
        #expect(preflight.notes.contains { $0.contains("clock") })
        try await site.publish(bundle.media)
    }
}
