import BundleFormat
import Foundation
import HubCore
import HubTestSupport
import Testing

@testable import Bundles

@Suite("Making a bundle")
struct CreationTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder("creation") }

    private var head: BundleManifest {
        BundleManifest(
            nonce: String(repeating: "a", count: 32), publisher: "acme", stream: "models", sequence: 7, created: "2026-11-20T10:00:00Z",
            kind: .full, repositories: [], volumes: [], media: [], objects: .init(count: 0, bytes: 0))
    }

    /// Two repositories that share an object.
    private func contents() throws -> BundleContents {
        var contents = BundleContents()
        var objects: [BundleRepository.LargeObject] = []
        var items: [BundleItem] = []
        for (n, size) in [70_000_000, 12_000_000, 3].enumerated() {
            let path = folder.file("object\(n)")
            try Content.write(to: path, bytes: size, seed: UInt64(n) + 1)
            let oid = try SegmentHashes(of: path, sizeBytes: Int64(size)) { _ in }.whole
            objects.append(.init(oid: oid, sizeBytes: Int64(size), paths: ["f\(n)"]))
            items.append(.init(content: .object(oid), sizeBytes: Int64(size), path: path))
        }
        for name in ["ada/one", "ada/two"] {
            let name = try RepositoryName(parsing: name)
            let uid = BundleUID.of(RepositoryReference(kind: .model, name: name))
            contents.add(
                BundleRepository(uid: uid, kind: .model, name: name, refs: [], gitBundle: nil, objects: objects), items: items)
        }
        return contents
    }

    @Test("root follows no link that the hub's account put into its folder", .enabled(if: geteuid() == 0, "needs root"))
    func plantedLinks() throws {
        let data = try folder.folder("data")
        #expect(chown(data, 12_345, 12_345) == 0)
        let bundles = try CreationFolder(path: data + "/bundles", ownedLike: data)
        let victim = folder.file("victim")
        try "root's".write(toFile: victim, atomically: true, encoding: .utf8)
        func owner(_ path: String) -> uid_t {
            var status = stat()
            return stat(path, &status) == 0 ? status.st_uid : .max
        }
        let sent = try SentBundles(bundles.folder("sent"))
        #expect(owner(data + "/bundles/sent") == 12_345)
        symlink(victim, data + "/bundles/sent/sequences")
        #expect(throws: CreationError.self) { try sent.take(1, publisher: "acme", stream: "main") }
        unlink(data + "/bundles/sent/sequences")
        try sent.take(1, publisher: "acme", stream: "main")
        #expect(owner(data + "/bundles/sent/sequences") == 12_345)
        let elsewhere = try folder.folder("elsewhere")
        symlink(elsewhere, data + "/bundles/creating")
        #expect(throws: CreationError.self) { try bundles.folder("creating") }
        #expect(owner(victim) == 0 && owner(elsewhere) == 0)
        #expect(try String(contentsOfFile: victim, encoding: .utf8) == "root's")
    }

    private func place(_ name: String) throws -> MediaPlan.Place { .init(path: try folder.folder(name), capacityBytes: 1 << 40) }

    /// Writes everything as the command does.
    private func write(_ creation: BundleCreation, limit: Int64?, places: [MediaPlan.Place]) throws -> [BundleLocation] {
        let sources = try creation.measure(limitBytes: limit) { _ in }
        let layout = try creation.layout(sources, limitBytes: limit, places: places)
        for (medium, place) in zip(layout.draft.media, places) {
            let target = MediumFolder(mount: place.path, nonce: layout.draft.nonce)
            try target.begin()
            for number in medium.volumes {
                let writer = try VolumeWriter(number: number, sources: layout.volumes[number - 1])
                try creation.record(writer.write(to: target.path(of: number)) { _ in })
            }
        }
        let manifest = try #require(try creation.manifest(layout))
        #expect(manifest.canonicalBytes.count == layout.draft.canonicalBytes.count)
        for (medium, place) in zip(manifest.media, places) {
            _ = try MediumFolder(mount: place.path, nonce: manifest.nonce)
                .seal(manifest, medium: medium, files: [("trust/root.1.json", Array("{}".utf8))], fingerprint: "ABCD")
        }
        return try places.flatMap { try Media.bundles(below: $0.path) }
    }

    @Test("every object is in the volumes of the media once, and no volume exceeds the limit")
    func whole() throws {
        let work = try CreationFolder(path: folder.file("work"))
        let creation = try BundleCreation(contents(), head: head, in: work)
        let limit = ByteLimit.small
        let bundles = try write(creation, limit: limit, places: [place("a"), place("b")])
        #expect(bundles.count == 2 && Set(bundles.map(\.id)).count == 1)
        let manifest = try #require(bundles.first).manifest
        #expect(manifest.objects == .init(count: 3, bytes: 82_000_003))
        #expect(manifest.volumes.allSatisfy { $0.sizeBytes <= limit })
        var content: [ObjectID: [Int64: [UInt8]]] = [:]
        for bundle in bundles {
            for volume in bundle.presentVolumes() {
                let reader = try VolumeReader(path: bundle.path(of: volume), volume: volume)
                try reader.checkEnd()
                for (n, entry) in reader.index.entries.enumerated() {
                    if case .segment(let oid, let offset) = entry.content { #expect(content[oid, default: [:]].updateValue(try reader.content(n), forKey: offset) == nil) }
                }
            }
        }
        #expect(content.count == 3)
        for (oid, pieces) in content {
            let digest = BundleDigest()
            for (_, bytes) in pieces.sorted(by: { $0.key < $1.key }) { bytes.withUnsafeBytes { digest.update($0) } }
            #expect(digest.finish() == oid)
        }
        for place in ["a", "b"] {
            let path = try #require(bundles.first { $0.folder.contains("/\(place)/") }).folder
            #expect(try CommandOutput.of(["sha256sum", "-c", "--quiet", "SHA256SUMS"], in: path).succeeded)
            let readme = try String(contentsOfFile: path + "/README.txt", encoding: .utf8)
            #expect(readme.contains("ada/one") && readme.contains("ABCD") && readme.contains("发布者"))
        }
    }

    @Test("a run that stopped after any step goes on and ends with the same manifest")
    func resume() throws {
        let work = try CreationFolder(path: folder.file("work"))
        let places = [try place("a")]
        let first = try BundleCreation(contents(), head: head, in: work)
        let sources = try first.measure(limitBytes: ByteLimit.small) { _ in }
        // The last line was cut off when the power went.
        try work.append("seg/abc", to: "measured")
        let again = try #require(try BundleCreation(resuming: work))
        #expect(try again.measure(limitBytes: ByteLimit.small) { _ in } == sources)
        let layout = try again.layout(sources, limitBytes: ByteLimit.small, places: places)
        // Another place now has less room, and the layout stays.
        let third = try #require(try BundleCreation(resuming: work))
        #expect(try third.layout(sources, limitBytes: ByteLimit.small, places: [.init(path: "/x", capacityBytes: 1)]).draft == layout.draft)
        let bundles = try write(third, limit: ByteLimit.small, places: places)
        #expect(bundles.first?.manifest.nonce == head.nonce)
    }

    @Test("without hashing the sizes are the same")
    func dryRun() throws {
        let creation = try BundleCreation(contents(), head: head, in: CreationFolder(path: folder.file("work")))
        let quick = try creation.measure(limitBytes: ByteLimit.small, isHashed: false) { _ in }
        let sizes = try BundleCreation.makeLayout(quick, head: creation.head, limitBytes: ByteLimit.small, places: [place("a")]).draft.volumes.map(\.sizeBytes)
        let full = try creation.measure(limitBytes: ByteLimit.small) { _ in }
        #expect(try BundleCreation.makeLayout(full, head: creation.head, limitBytes: ByteLimit.small, places: [place("a")]).draft.volumes.map(\.sizeBytes) == sizes)
    }

    @Test("an object of a hub that is damaged is not carried")
    func damagedObject() throws {
        let contents = try contents()
        let file = try FileHandle(forUpdating: URL(filePath: folder.file("object0")))
        try file.seek(toOffset: 69_000_000)
        try file.write(contentsOf: Data([1, 2, 3]))
        try file.close()
        let creation = try BundleCreation(contents, head: head, in: CreationFolder(path: folder.file("work")))
        #expect(throws: CreationError.self) { try creation.measure(limitBytes: ByteLimit.small) { _ in } }
    }

    @Test("one name twice is refused")
    func duplicates() throws {
        var contents = try contents()
        contents.repositories[1].name = contents.repositories[0].name
        let copy = contents
        #expect(throws: CreationError.duplicate("model ada/one")) {
            try BundleCreation(copy, head: head, in: CreationFolder(path: folder.file("work")))
        }
    }

    @Test("an inventory is read back as it was written")
    func inventory() throws {
        let oid = try #require(GitOID(hex: String(repeating: "1", count: 40)))
        let name = try #require(ReferenceName("refs/heads/main"))
        let inventory = Inventory(
            site: "b", created: "2026-11-20T10:00:00Z",
            repositories: [.init(reference: .init(kind: .dataset, name: try RepositoryName(parsing: "ada/x")), refs: [.init(name: name, oid: oid)])],
            objects: [BundleDigest.hash([1]), BundleDigest.hash([2])].sorted())
        #expect(try Inventory(parsing: inventory.canonicalBytes, file: "f") == inventory)
        #expect(throws: BundleError.self) { try Inventory(parsing: Array("{}".utf8), file: "f") }
    }

    @Test("numbers of a stream are taken once")
    func sequences() throws {
        let sent = SentBundles(try CreationFolder(path: folder.file("sent")))
        #expect(try sent.nextSequence(publisher: "p", stream: "s") == 1)
        try sent.take(1, publisher: "p", stream: "s")
        try sent.take(9, publisher: "p", stream: "t")
        #expect(try sent.nextSequence(publisher: "p", stream: "s") == 2)
        #expect(throws: CreationError.self) { try sent.manifest(BundleID(manifest: BundleDigest.hash([1]))) }
    }

    @Test("times are those of the calendar", arguments: [(0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (1_795_564_799, "2026-11-24T23:59:59Z")])
    func times(seconds: Int64, text: String) { #expect(UTCTime.text(seconds) == text) }
}

private enum ByteLimit {
    /// One segment fits, two do not.
    static let small: Int64 = 80_000_000
}
