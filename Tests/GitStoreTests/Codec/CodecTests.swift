import HubCore
import Testing

@testable import GitStore

@Suite("Pack entry headers")
struct PackEntryHeaderTests {
    @Test("are read as they are written", arguments: [0, 1, 15, 16, 127, 128, 2047, 2048, 1 << 20, 1 << 32, 1 << 50])
    func roundTrip(_ size: Int) throws {
        let base = try #require(GitOID(hex: String(repeating: "1a", count: 20)))
        let kinds: [PackEntryKind] = [
            .commit, .tree, .blob, .tag, .referenceDelta(base: base), .offsetDelta(distance: max(1, size)),
            .offsetDelta(distance: 128), .offsetDelta(distance: 16511), .offsetDelta(distance: 16512),
        ]
        for kind in kinds {
            var bytes: [UInt8] = []
            PackEntryHeader.encode(kind, sizeBytes: size, into: &bytes)
            #expect(bytes.count <= PackEntryHeader.maximumByteCount)
            let read = try (bytes + [0xff]).withUnsafeBytes { try PackEntryHeader.parse($0) }
            #expect(read.kind == kind)
            #expect(read.sizeBytes == size)
            #expect(read.headerByteCount == bytes.count)
            for count in 0..<bytes.count {
                #expect(throws: GitStoreError.self) {
                    try bytes.prefix(count).withUnsafeBytes { try PackEntryHeader.parse($0) }
                }
            }
        }
    }

    @Test("with unknown types or impossible numbers are refused")
    func refused() {
        let headers: [[UInt8]] = [
            [0x00], [0x50], [0x60, 0x00], Array(repeating: 0xff, count: 30), [0x60] + Array(repeating: 0xff, count: 20),
        ]
        for header in headers {
            #expect(throws: GitStoreError.self) { try header.withUnsafeBytes { try PackEntryHeader.parse($0) } }
        }
    }
}

@Suite("Compressed data")
struct CompressionTests {
    @Test("comes back whole, in one step or in pieces", arguments: [0, 1, 100, 70_000, 1_000_000])
    func roundTrip(_ count: Int) throws {
        let source = noise(count / 2, seed: 1) + Array(repeating: 7, count: count - count / 2)
        var streamed: [UInt8] = []
        let deflateStream = DeflateStream()
        source.withUnsafeBytes { bytes in
            let middle = bytes.count / 3
            deflateStream.append(UnsafeRawBufferPointer(rebasing: bytes[..<middle]), isLast: false, to: &streamed)
            deflateStream.append(UnsafeRawBufferPointer(rebasing: bytes[middle...]), isLast: true, to: &streamed)
        }
        for compressed in [Deflater().deflate(source), streamed] {
            var target = [UInt8](repeating: 0, count: count)
            let consumed = try target.withUnsafeMutableBytes { target in
                try (compressed + [1, 2, 3]).withUnsafeBytes { try Inflater().inflate($0, into: target) }
            }
            #expect(consumed == compressed.count)
            #expect(target == source)
            #expect(try inflateInPieces(compressed, count: count) == source)
            guard count > 0 else { continue }
            var short = [UInt8](repeating: 0, count: count - 1)
            #expect(throws: GitStoreError.self) {
                try short.withUnsafeMutableBytes { target in
                    try compressed.withUnsafeBytes { try Inflater().inflate($0, into: target) }
                }
            }
        }
    }

    private func inflateInPieces(_ compressed: [UInt8], count: Int) throws -> [UInt8] {
        let stream = InflateStream()
        var result: [UInt8] = []
        var consumed = 0
        var piece = [UInt8](repeating: 0, count: 1000)
        while true {
            let step = try piece.withUnsafeMutableBytes { target in
                try compressed[consumed..<min(consumed + 333, compressed.count)].withUnsafeBytes {
                    try stream.step($0, into: target)
                }
            }
            consumed += step.consumed
            result += piece.prefix(step.produced)
            if step.isFinished { return result }
            guard step.consumed > 0 || step.produced > 0 else { return result }
        }
    }
}

@Suite("Deltas")
struct DeltaTests {
    static func apply(_ delta: [UInt8], to base: [UInt8]) throws -> [UInt8] {
        let sizes = try delta.withUnsafeBytes { try Delta.sizes($0) }
        guard sizes.result <= 1 << 24 else { throw GitStoreError.malformed("too large for a test") }
        var result = [UInt8](repeating: 0, count: sizes.result)
        try result.withUnsafeMutableBytes { result in
            try delta.withUnsafeBytes { delta in
                try base.withUnsafeBytes { try Delta.apply(delta, to: $0, into: result) }
            }
        }
        return result
    }

    @Test("made from two texts give the second one back", arguments: 1...40)
    func roundTrip(_ seed: UInt64) throws {
        let base = noise(Int(seed) * 997, seed: seed)
        var target = base
        for step in 0..<5 {
            let place =
                Int(noise(2, seed: seed * 31 + UInt64(step)).reduce(0) { $0 << 8 | UInt64($1) }) % max(1, target.count)
            switch step % 3 {
            case 0: target.insert(contentsOf: noise(50, seed: seed + 7), at: place)
            case 1: target.removeSubrange(place..<min(target.count, place + 60))
            default: target += target.prefix(place)
            }
        }
        let delta = base.withUnsafeBytes { base in
            target.withUnsafeBytes { Delta.make(from: base, to: $0, maximumBytes: target.count + 1000) }
        }
        #expect(try Self.apply(#require(delta), to: base) == target)
        if base.count > 5000 { #expect(try #require(delta).count < target.count / 2) }
    }

    @Test("copy more than 64 KiB, and from past 16 MiB")
    func long() throws {
        let base = noise(17 << 20, seed: 2)
        let target = Array(base.suffix(200_000)) + [1]
        let delta = base.withUnsafeBytes { base in
            target.withUnsafeBytes { Delta.make(from: base, to: $0, maximumBytes: 1000) }
        }
        #expect(try Self.apply(#require(delta), to: base) == target)
    }

    @Test("are not made when they would be too long, or the base too short")
    func tooLong() {
        let (one, two) = (noise(5000, seed: 1), noise(5000, seed: 2))
        let delta = one.withUnsafeBytes { one in
            two.withUnsafeBytes { Delta.make(from: one, to: $0, maximumBytes: 2500) }
        }
        #expect(delta == nil)
        let short = [UInt8](repeating: 1, count: 15).withUnsafeBytes { base in
            two.withUnsafeBytes { Delta.make(from: base, to: $0, maximumBytes: 9999) }
        }
        #expect(short == nil)
    }

    @Test("against a base of one repeated block stay quick")
    func repeated() throws {
        let base = [UInt8](repeating: 65, count: 2 << 20)
        let target = [UInt8](repeating: 65, count: 1 << 20) + [66] + [UInt8](repeating: 65, count: 100)
        let delta = base.withUnsafeBytes { base in
            target.withUnsafeBytes { Delta.make(from: base, to: $0, maximumBytes: 4096) }
        }
        #expect(try Self.apply(#require(delta), to: base) == target)
    }
}

@Suite("Object names")
struct ObjectHasherTests {
    @Test("are those of git")
    func known() throws {
        #expect(try ObjectHasher.name(of: .blob, []).hex == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
        #expect(try ObjectHasher.name(of: .tree, []).hex == "4b825dc642cb6eb9a060e54bf8d69288fbee4904")
        #expect(
            try ObjectHasher.name(of: .blob, Array("hello\n".utf8)).hex == "ce013625030ba8dba906f756967f9e9ca394464a")
    }

    @Test("are the same when the bytes come in pieces", arguments: [0, 1, 63, 64, 65, 100_000])
    func streamed(_ count: Int) throws {
        let bytes = noise(count, seed: 3)
        let stream = ObjectHashStream(.blob, sizeBytes: count)
        try bytes.withUnsafeBytes { bytes in
            let middle = bytes.count / 2
            try stream.append(UnsafeRawBufferPointer(rebasing: bytes[..<middle]))
            try stream.append(UnsafeRawBufferPointer(rebasing: bytes[middle...]))
        }
        #expect(try stream.finish() == ObjectHasher.name(of: .blob, bytes))
    }

    @Test("need all of the bytes and no more")
    func sizes() throws {
        #expect(throws: GitStoreError.self) { try ObjectHashStream(.blob, sizeBytes: 2).finish() }
        let stream = ObjectHashStream(.blob, sizeBytes: 2)
        #expect(throws: GitStoreError.self) {
            try [UInt8](repeating: 0, count: 3).withUnsafeBytes { try stream.append($0) }
        }
    }

    @Test("SHA-1 of trailers is SHA-1")
    func sha1() {
        var hash = SHA1()
        hash.update(Array("abc".utf8))
        #expect(hash.finish().hex == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(hash.finish().hex == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
    }
}

@Suite("Commits, tags and trees")
struct ObjectParserTests {
    @Test("a commit with all kinds of headers is read")
    func commit() throws {
        let (one, two) = (String(repeating: "1", count: 40), String(repeating: "2", count: 40))
        let text = """
            tree \(one)
            parent \(two)
            parent \(one)
            author Ada <a@example.com> 1 +0100
            committer Bob > <b@example.com> 1700000000 -0500
            encoding UTF-8
            gpgsig -----BEGIN
             x

            Subject

            Body

            """
        let commit = try GitCommit(parsing: Array(text.utf8))
        #expect(commit.tree.hex == one)
        #expect(commit.parents.map(\.hex) == [two, one])
        #expect(commit.committerTime == 1_700_000_000)
        #expect(String(decoding: commit.message, as: UTF8.self) == "Subject\n\nBody\n")
        var parents: [GitOID] = []
        let links = try Array(text.utf8).withUnsafeBytes { try GitCommit.links(in: $0) { parents.append($0) } }
        #expect(links.committerTime == commit.committerTime)
        #expect(parents == commit.parents)
    }

    @Test("a tag is read")
    func tag() throws {
        let one = String(repeating: "1", count: 40)
        let tag = try GitTag(parsing: Array("object \(one)\ntype tree\ntag v1\n\nText".utf8))
        #expect(tag.target.hex == one)
        #expect(tag.targetType == .tree)
        #expect(tag.tagger == nil)
        #expect(tag.message == Array("Text".utf8))
    }

    @Test("a tree is read as it is written")
    func tree() throws {
        let oid = try #require(GitOID(hex: String(repeating: "ab", count: 20)))
        let entries = ["a", "a.b", "a", "b c"].enumerated().map { index, name in
            GitTreeEntry(mode: index == 2 ? GitFileMode.tree : GitFileMode.file, name: Array(name.utf8), oid: oid)
        }.sorted(by: TreeParser.precedes)
        #expect(entries.map { String(decoding: $0.name, as: UTF8.self) } == ["a", "a.b", "a", "b c"])
        let bytes = TreeParser.encode(entries)
        #expect(try bytes.withUnsafeBytes { try TreeParser.entries(of: $0) } == entries)
    }
}
