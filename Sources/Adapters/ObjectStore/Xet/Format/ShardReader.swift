import HubCore

/// One of the 48-byte records that a shard is made of.
struct ShardRecord {
    static let byteCount = 48

    /// The first 32 bytes, whatever they are here.
    let hash: XetHash
    /// The four little-endian numbers after them.
    let numbers: (UInt32, UInt32, UInt32, UInt32)

    init(parsing bytes: UnsafeRawPointer) {
        hash = XetHash(bytes: bytes)
        func number(_ index: Int) -> UInt32 {
            UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 32 + index * 4, as: UInt32.self))
        }
        numbers = (number(0), number(1), number(2), number(3))
    }

    /// Ends a section.
    var isEnd: Bool { hash == Self.endMark }

    static let endMark = XetHash(bytes: [UInt8](repeating: 0xff, count: 32)) ?? .zero
}

/// A file as a shard describes it; its terms are read one by one.
package struct ShardFile: Sendable {
    package let hash: XetHash
    package let termCount: Int
    /// The SHA-256 of its content, if the sender tells it.
    package let sha256: ObjectID?
    /// Whether each term has a check that proves that the sender has its content.
    package let hasTermChecks: Bool
    /// The number of the record that its first term is.
    let firstTerm: Int
}

/// A part of a file: some chunks of a xorb, one after another.
package struct ShardTerm: Hashable, Sendable {
    package let xorb: XetHash
    package let rawBytes: Int
    package let chunks: Range<Int>
    /// The keyed hash over the hashes of its chunks.
    package let check: XetHash?

    package init(xorb: XetHash, rawBytes: Int, chunks: Range<Int>, check: XetHash?) {
        self.xorb = xorb
        self.rawBytes = rawBytes
        self.chunks = chunks
        self.check = check
    }
}

/// Where in a shard a file begins.
package struct ShardPlace: Hashable, Sendable {
    package static let start = ShardPlace(record: 1)

    let record: Int
}

/// Reads a shard that a client has sent, from a file, a window at a time.
///
/// Source: *Xet specification, "Shard format"*.
///
/// Every count is checked against the bytes that are there. Of the section on xorbs only the form is looked at: what it says the hub
/// knows from the xorbs themselves. Used by one thread at a time.
package final class ShardReader {
    package static let tag: [UInt8] =
        Array("HFRepoMetaData".utf8) + [
            0x00, 0x55, 0x69, 0x67, 0x45, 0x6a, 0x7b, 0x81, 0x57, 0x83, 0xa5, 0xbd, 0xd9, 0x5c, 0xcd, 0xd1, 0x4a, 0xa9,
        ]
    static let version: UInt64 = 2
    private static let hasTermChecks: UInt32 = 0x8000_0000
    private static let hasMetadata: UInt32 = 0x4000_0000
    private static let windowRecords = 1024

    /// Reads bytes at an offset into a buffer and returns how many there were.
    package typealias Source = (_ buffer: UnsafeMutableRawBufferPointer, _ offset: Int) throws -> Int

    private let source: Source
    private let recordCount: Int
    /// The windows over terms and over their checks, which lie apart.
    private var windows = [Window(), Window()]
    /// The record after the file that was read last.
    private var next: Int

    private struct Window {
        var bytes: [UInt8] = []
        var first = 0
    }

    /// Checks the header.
    ///
    /// - Parameter place: of the file that is read first.
    package init(sizeBytes: Int, at place: ShardPlace = .start, source: @escaping Source) throws {
        guard sizeBytes <= XetLimits.shardBytes else { throw XetFormatError.shardTooLarge }
        next = place.record
        self.source = source
        recordCount = sizeBytes / ShardRecord.byteCount
        guard recordCount >= 3 else { throw XetFormatError.malformedShard("it is cut short") }
        try withRecord(0, window: 0) { bytes in
            guard UnsafeRawBufferPointer(rebasing: bytes[..<32]).elementsEqual(Self.tag) else {
                throw XetFormatError.malformedShard("it does not begin as one")
            }
            let version = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 32, as: UInt64.self))
            guard version == Self.version else { throw XetFormatError.malformedShard("version \(version)") }
        }
    }

    /// Of the file that `nextFile` reads next.
    package var place: ShardPlace { ShardPlace(record: next) }

    /// The next file; `nil` after the last.
    ///
    /// Then `checkXorbSection` may be called.
    package func nextFile() throws -> ShardFile? {
        let head = try record(next, window: 0)
        if head.isEnd {
            next += 1
            return nil
        }
        let flags = head.numbers.0
        let count = Int(head.numbers.1)
        let checks = flags & Self.hasTermChecks != 0
        let metadata = flags & Self.hasMetadata != 0
        // The end of both sections must still follow.
        guard count <= recordCount, next + 1 + count * (checks ? 2 : 1) + (metadata ? 1 : 0) + 2 <= recordCount else {
            throw XetFormatError.malformedShard("a file of \(count) terms in fewer records")
        }
        let firstTerm = next + 1
        next = firstTerm + count * (checks ? 2 : 1)
        var sha256: ObjectID?
        if metadata {
            // Its words are byte-reversed, so that the text form of a Xet hash is the usual one of the SHA-256.
            sha256 = ObjectID(hex: try record(next, window: 0).hash.hex)
            next += 1
        }
        return ShardFile(hash: head.hash, termCount: count, sha256: sha256, hasTermChecks: checks, firstTerm: firstTerm)
    }

    /// Term `index` of a file.
    package func term(_ index: Int, of file: ShardFile) throws -> ShardTerm {
        precondition(index >= 0 && index < file.termCount, "a term of the file")
        let record = try record(file.firstTerm + index, window: 0)
        let check = file.hasTermChecks ? try self.record(file.firstTerm + file.termCount + index, window: 1).hash : nil
        let (_, rawBytes, first, last) = record.numbers
        guard first < last, last <= UInt32(XetLimits.xorbChunks), rawBytes > 0, rawBytes <= UInt32(XetLimits.xorbBytes)
        else {
            throw XetFormatError.malformedShard("a term of chunks \(first) to \(last) with \(rawBytes) bytes")
        }
        return ShardTerm(xorb: record.hash, rawBytes: Int(rawBytes), chunks: Int(first)..<Int(last), check: check)
    }

    /// Walks the section on xorbs to its end.
    ///
    /// What follows it, a footer, is not looked at.
    package func checkXorbSection() throws {
        while true {
            guard next < recordCount else { throw XetFormatError.malformedShard("its section on xorbs has no end") }
            let head = try record(next, window: 0)
            if head.isEnd { return }
            let count = Int(head.numbers.1)
            guard count <= XetLimits.xorbChunks, next + 1 + count + 1 <= recordCount else {
                throw XetFormatError.malformedShard("a xorb of \(count) chunks in fewer records")
            }
            next += 1 + count
        }
    }

    private func record(_ index: Int, window: Int) throws -> ShardRecord {
        try withRecord(index, window: window) { bytes in
            guard let base = bytes.baseAddress else { throw XetFormatError.malformedShard("it is cut short") }
            return ShardRecord(parsing: base)
        }
    }

    private func withRecord<Value>(
        _ index: Int, window: Int, _ body: (UnsafeRawBufferPointer) throws -> Value
    ) throws -> Value {
        guard index >= 0, index < recordCount else { throw XetFormatError.malformedShard("it is cut short") }
        let held = windows[window].bytes.count / ShardRecord.byteCount
        if index < windows[window].first || index >= windows[window].first + held { try load(index, window: window) }
        let start = (index - windows[window].first) * ShardRecord.byteCount
        return try windows[window].bytes.withUnsafeBytes { bytes in
            try body(UnsafeRawBufferPointer(rebasing: bytes[start..<(start + ShardRecord.byteCount)]))
        }
    }

    private func load(_ index: Int, window: Int) throws {
        let count = min(Self.windowRecords, recordCount - index) * ShardRecord.byteCount
        var bytes = [UInt8](repeating: 0, count: count)
        let read = try bytes.withUnsafeMutableBytes { try source($0, index * ShardRecord.byteCount) }
        guard read == count else { throw XetFormatError.malformedShard("it is cut short") }
        windows[window] = Window(bytes: bytes, first: index)
    }
}
