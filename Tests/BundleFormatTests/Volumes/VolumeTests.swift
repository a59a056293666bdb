import Foundation
import HubCore
import HubTestSupport
import Testing

@testable import BundleFormat

@Suite("Volumes")
struct VolumeTests {
    @Test("what is written is read back, compressed or not")
    func roundTrip() throws {
        let made = try MadeVolume()
        let reader = try made.reader()
        #expect(reader.index.entries == made.sources.map(\.entry))
        #expect(reader.index.entries.map(\.encoding) == [.raw, .raw, .raw, .raw, .lz4, .raw])
        for n in made.contents.indices { #expect(try made.content(n) == made.contents[n]) }
        try reader.checkEnd()
    }

    @Test("stock tools list, extract and check a volume")
    func stockTools() throws {
        let made = try MadeVolume()
        let listed = try CommandOutput.of(["tar", "tf", made.path])
        #expect(listed.text.split(separator: "\n").map(String.init) == ["INDEX.json"] + made.sources.map(\.entry.content.name))
        let target = try made.folder.folder("out")
        #expect(try CommandOutput.of(["tar", "xf", made.path, "-C", target]).succeeded)
        for (n, source) in made.sources.enumerated() where source.entry.encoding == .raw {
            #expect(try Data(contentsOf: URL(filePath: "\(target)/\(source.entry.content.name)")) == Data(made.contents[n]))
        }
        let sum = try CommandOutput.of(["sha256sum", made.path])
        #expect(sum.line.hasPrefix(made.volume.sha256.hex))
        #expect(fileBytes(made.path) == Int(made.volume.sizeBytes))
    }

    @Test("describing a volume gives what writing it gives")
    func describe() throws {
        let made = try MadeVolume()
        #expect(try VolumeWriter(number: 1, sources: made.sources).describe { _ in } == made.volume)
    }

    @Test("a volume that was cut off is taken up again and ends the same", arguments: [0, 100, 5_000, 80_000, 1_200_000, 1_290_000])
    func resume(length: Int) throws {
        let made = try MadeVolume()
        let whole = try made.bytes()
        var start = Array(whole.prefix(length))
        if length == 1_200_000 { start[length / 2] ^= 1 }
        try made.replace(start + (length == 100 ? [UInt8](repeating: 0, count: whole.count) : []))
        #expect(try VolumeWriter(number: 1, sources: made.sources).write(to: made.path) { _ in } == made.volume)
        #expect(try made.bytes() == whole)
    }

    @Test("a source that changes is noticed")
    func changedSource() throws {
        let made = try MadeVolume()
        let path = made.folder.file("random")
        var bytes = Array(try Data(contentsOf: URL(filePath: path)))
        bytes[1_000_000] ^= 1
        try Data(bytes).write(to: URL(filePath: path))
        #expect(throws: SourceError.changed(path: path)) { try VolumeWriter(number: 1, sources: made.sources).describe { _ in } }
        try Data(bytes.prefix(1000)).write(to: URL(filePath: path))
        #expect(throws: SourceError.changed(path: path)) { try VolumeWriter(number: 1, sources: made.sources).describe { _ in } }
    }

    @Test("a flipped byte costs the entry that it is in and no other")
    func damage() throws {
        let made = try MadeVolume()
        for victim in made.sources.indices {
            let reader = try made.reader()
            let place = Int(reader.offset(of: victim)) + Int(made.sources[victim].entry.storedLength) / 2
            try made.flip(place)
            for n in made.sources.indices where n != victim { #expect(try made.content(n) == made.contents[n]) }
            var handedOut = 0
            do {
                try made.reader().readContent(victim) { handedOut += $0.count }
                Issue.record("entry \(victim) is damaged")
            } catch BundleError.damagedSegment(let volume, let offset, _, _) {
                #expect(volume == 1 && offset == reader.offset(of: victim))
            }
            // Nothing is decompressed of bytes that are wrong.
            if made.sources[victim].entry.encoding == .lz4 { #expect(handedOut == 0) }
            try made.flip(place)
        }
    }

    @Test("a volume that ends early gives what it has")
    func truncation() throws {
        let made = try MadeVolume()
        try made.replace(Array(try made.bytes().prefix(100_000)))
        #expect(try made.content(0) == made.contents[0])
        #expect(throws: BundleError.truncated(file: "vol/000001.tar")) { try made.content(3) }
        #expect(throws: BundleError.truncated(file: "vol/000001.tar")) { try made.reader().checkEnd() }
        try made.replace([])
        #expect(throws: BundleError.truncated(file: "vol/000001.tar")) { try made.reader() }
    }

    @Test("whatever is changed in a tar header, padding or end is refused")
    func lyingHeaders() throws {
        let made = try MadeVolume()
        let bytes = try made.bytes()
        let data = try made.reader().offset(of: 1)
        for place in (Int(data) - 512..<Int(data)) + [Int(data) + 2, Int(data) + 511] {
            try made.flip(place)
            #expect(throws: BundleError.self) { try made.content(1) }
            try made.flip(place)
        }
        var changed = bytes
        changed[bytes.count - 1] = 1
        try made.replace(changed)
        #expect(throws: BundleError.self) { try made.reader().checkEnd() }
        try made.replace(bytes + [0])
        #expect(throws: BundleError.self) { try made.reader().checkEnd() }
    }

    @Test("an index of another hash is never parsed")
    func indexHash() throws {
        let made = try MadeVolume()
        for place in [0, 100, 124, 130, 257, 511, 512, 600, 1000] {
            try made.flip(place)
            #expect(throws: BundleError.self) { try made.reader() }
            try made.flip(place)
        }
    }

    @Test("an index that is signed and lies is refused", arguments: ["volume", "size", "length", "huge"])
    func lyingIndex(lie: String) throws {
        let made = try MadeVolume()
        var index = VolumeIndex(volume: 1, entries: made.sources.map(\.entry))
        var sizeBytes = made.volume.sizeBytes
        switch lie {
        case "volume": index.volume = 2
        case "size": sizeBytes += 512
        case "length":
            index.entries[0].length = 1
            index.entries[0].storedLength = 1
        default:
            index.entries = (0..<2000).map { n in
                .init(
                    content: .gitBundle(uid: "0000000000000000000000" + String(1000 + n)), length: CanonicalJSON.maximumInteger,
                    storedLength: CanonicalJSON.maximumInteger, encoding: .raw, sha256: BundleDigest.hash([]))
            }
        }
        let json = index.canonicalBytes
        var tar = TarHeader.bytes(name: "INDEX.json", size: Int64(json.count)) + json
        tar += [UInt8](repeating: 0, count: 512 - json.count % 512)
        try made.replace(tar)
        let volume = BundleManifest.Volume(
            number: 1, sizeBytes: sizeBytes, sha256: made.volume.sha256, indexSHA256: BundleDigest.hash(json))
        #expect(throws: BundleError.self) { try VolumeReader(path: made.path, volume: volume) }
    }

    @Test("a link, a folder or a device in the place of a volume is refused")
    func otherFiles() throws {
        let made = try MadeVolume()
        let link = made.folder.file("link")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: made.path)
        for path in [link, made.folder.path, "/dev/zero", "/dev/tty", made.folder.file("none")] {
            #expect(throws: BundleError.self) { try VolumeReader(path: path, volume: made.volume) }
        }
    }

    @Test("an entry of more than 8 GiB has its size where tar finds it")
    func hugeEntry() throws {
        let folder = try TemporaryFolder("huge")
        let size: Int64 = 9_000_000_000
        let path = folder.file("huge.tar")
        try Data(TarHeader.bytes(name: "git/01ARZ3NDEKTSV4RRFFQ69G5FAV.bundle", size: size)).write(to: URL(filePath: path))
        #expect(truncate(path, Int(TarHeader.entryBytes(size: size) + TarHeader.endBytes)) == 0)
        let listed = try CommandOutput.of(["tar", "tvf", path])
        #expect(listed.succeeded && listed.text.contains("9000000000") && listed.text.contains("git/01ARZ3NDEKTSV4RRFFQ69G5FAV.bundle"))
    }
}
