import Foundation
import HubCore
import HubTestSupport

@testable import BundleFormat

/// A volume of three segments, a list, an attachment and a git bundle, with what it was made of.
struct MadeVolume {
    let folder: TemporaryFolder
    let sources: [VolumeWriter.Source]
    let contents: [[UInt8]]
    var volume: BundleManifest.Volume
    var path: String { folder.file("000001.tar") }

    static let uid = "01ARZ3NDEKTSV4RRFFQ69G5FAV"

    init() throws {
        folder = try TemporaryFolder("volume")
        let random = Content.bytes(1_200_001, seed: 7)
        let text = Array(String(repeating: "{\"text\": \"the same again and again\"}\n", count: 35_000).utf8)
        let parts: [(VolumeIndex.Content, [UInt8])] = [
            (.gitBundle(uid: Self.uid), Content.bytes(70_000, seed: 8)), (.attachment(uid: Self.uid, name: "model.sig"), Array("{}".utf8)),
            (.list("objects.bin"), Content.bytes(64, seed: 3)), (.segment(of: BundleDigest.hash(random), offset: 0), random),
            (.segment(of: BundleDigest.hash(text), offset: 0), text), (.segment(of: BundleDigest.hash([1]), offset: 0), [1]),
        ]
        let file = folder.file("random")
        try Data([9] + random).write(to: URL(filePath: file))
        var sources: [VolumeWriter.Source] = []
        for (content, bytes) in parts {
            let source: EntrySource = bytes == random ? .file(path: file, offset: 1) : .bytes(bytes)
            let entry = try EntryMeasure.entry(content, length: Int64(bytes.count), from: source, isHashed: true) { _ in }
            sources.append(VolumeWriter.Source(entry: entry, source: source))
        }
        self.sources = sources
        contents = parts.map(\.1)
        volume = try VolumeWriter(number: 1, sources: sources).write(to: folder.file("000001.tar")) { _ in }
    }

    func reader() throws -> VolumeReader { try VolumeReader(path: path, volume: volume) }

    func bytes() throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }

    func replace(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(filePath: path)) }

    /// Changes the lowest bit of one byte; a second call puts it right.
    func flip(_ place: Int) throws { try Content.flip(path, at: place, mask: 1) }

    func content(_ n: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try reader().readContent(n) { bytes.append(contentsOf: $0) }
        return bytes
    }
}
