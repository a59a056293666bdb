import Foundation
import HubCore
import HubTestSupport
import Testing

@testable import BundleFormat

@Suite("Media")
struct MediaTests {
    private func manifest(sequence: Int64) -> BundleManifest {
        BundleManifest(
            nonce: String(repeating: "a", count: 32), publisher: "acme", stream: "models", sequence: sequence, created: "2026-11-20T10:00:00Z",
            kind: .full, repositories: [],
            volumes: [.init(number: 1, sizeBytes: 9, sha256: BundleDigest.hash([1]), indexSHA256: BundleDigest.hash([2]))],
            media: [.init(number: 1, volumes: [1])], objects: .init(count: 0, bytes: 0))
    }

    private func write(_ manifest: BundleManifest, in mount: String) throws -> String {
        let bytes = manifest.canonicalBytes
        let folder = "\(mount)/HUBBUNDLE/\(manifest.folderName(id: BundleID(manifest: BundleDigest.hash(bytes))))"
        try FileManager.default.createDirectory(atPath: folder + "/vol", withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(filePath: folder + "/BUNDLE.json"))
        return folder
    }

    @Test("bundles are found from the mount, the HUBBUNDLE folder and their own folder")
    func finds() throws {
        let mount = try TemporaryFolder("mount")
        let first = try write(manifest(sequence: 1), in: mount.path)
        _ = try write(manifest(sequence: 2), in: mount.path)
        #expect(try Media.bundles(below: mount.path).map(\.manifest.sequence) == [1, 2])
        #expect(try Media.bundles(below: mount.file("HUBBUNDLE")).count == 2)
        let found = try Media.bundles(below: first)
        #expect(found.map(\.folder) == [first])
        #expect(found.first?.presentVolumes() == [])
        try Data([1]).write(to: URL(filePath: first + "/vol/000001.tar"))
        #expect(found.first?.presentVolumes().count == 1)
    }

    @Test("links and unfinished folders are no bundles")
    func ignores() throws {
        let mount = try TemporaryFolder("mount")
        let folder = try write(manifest(sequence: 1), in: mount.path)
        try FileManager.default.createSymbolicLink(atPath: mount.file("HUBBUNDLE/link"), withDestinationPath: folder)
        try FileManager.default.moveItem(atPath: folder, toPath: mount.file("HUBBUNDLE/creating-1"))
        #expect(throws: BundleError.noBundle(path: mount.path)) { try Media.bundles(below: mount.path) }
        #expect(throws: BundleError.self) { try Media.bundles(below: mount.file("none")) }
    }

    @Test("a manifest that is too large is not read")
    func tooLarge() throws {
        let mount = try TemporaryFolder("mount")
        let folder = try write(manifest(sequence: 1), in: mount.path)
        #expect(truncate(folder + "/BUNDLE.json", BundleManifest.maximumBytes + 1) == 0)
        #expect(throws: BundleError.self) { try Media.folders(below: mount.path) }
    }

    @Test("sha256sum checks what SHA256SUMS has")
    func checksums() throws {
        let mount = try TemporaryFolder("mount")
        let manifest = manifest(sequence: 1)
        let folder = try write(manifest, in: mount.path)
        try Data([1]).write(to: URL(filePath: folder + "/vol/000001.tar"))
        let sums = MediumDocuments.checksums(manifest: BundleDigest.hash(manifest.canonicalBytes), volumes: manifest.volumes)
        try Data(sums.utf8).write(to: URL(filePath: folder + "/SHA256SUMS"))
        #expect(try CommandOutput.of(["sha256sum", "-c", "SHA256SUMS"], in: folder).succeeded)
    }
}
