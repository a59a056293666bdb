import HubCore

/// Where the bytes of an entry come from when a bundle is made.
package enum EntrySource: Hashable, Sendable {
    /// `length` bytes of a file from an offset on, the length being that of the entry.
    case file(path: String, offset: Int64)
    case bytes([UInt8])
}

/// A source that did not give what it gave before.
package enum SourceError: Error, Equatable {
    /// The file changed while the bundle was made.
    case changed(path: String)
}

extension SourceError: Refusal {
    package var problem: Problem {
        switch self {
        case .changed(let path):
            Problem(.conflict, code: "source_changed", "\(path) changed while the bundle was made; repeat the command when it is at rest.")
        }
    }
}

/// The bytes of one entry, open to be read.
struct OpenEntrySource {
    private enum Bytes {
        case file(BundleFile, offset: Int64)
        case bytes([UInt8])
    }

    private let bytes: Bytes
    private let path: String

    init(_ source: EntrySource) throws(BundleError) {
        switch source {
        case .file(let path, let offset):
            self.path = path
            bytes = .file(try BundleFile.reading(path, name: path), offset: offset)
        case .bytes(let array):
            path = "a list"
            bytes = .bytes(array)
        }
    }

    /// What to say when the content is another than before.
    var changed: SourceError { .changed(path: path) }

    /// Fills `buffer` with the bytes from `offset` on.
    func read(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws {
        switch bytes {
        case .file(let file, let start):
            guard try file.readUpTo(buffer, at: start + offset) == buffer.count else { throw changed }
        case .bytes(let array):
            guard Int(offset) + buffer.count <= array.count else { throw changed }
            array.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[Int(offset)..<(Int(offset) + buffer.count)])) }
        }
    }
}

/// Looks at the bytes of an entry before it is written: how they are best stored, and their hash.
package struct EntryMeasure {
    private static let pieceBytes = 1 << 20

    /// How an entry will be stored. The hash is all zeros where `isHashed` is false and nothing is compressed.
    ///
    /// - Parameters:
    ///   - known: the hash of the stored bytes, where it is known for bytes that are stored as they are.
    ///   - progress: told the number of bytes of content that are done.
    package static func entry(
        _ content: VolumeIndex.Content, length: Int64, from source: EntrySource, isHashed: Bool, known: ObjectID? = nil,
        progress: (Int64) throws -> Void
    ) throws -> VolumeIndex.Entry {
        let open = try OpenEntrySource(source)
        if mayBeCompressed(content, length: length), try isWorthwhile(open, length: length) {
            let bytes = try whole(open, length: length)
            if let frame = bytes.withUnsafeBytes({ LZ4Frame.compress($0) }) {
                try progress(length)
                return VolumeIndex.Entry(
                    content: content, length: length, storedLength: Int64(frame.count), encoding: .lz4, sha256: BundleDigest.hash(frame))
            }
        }
        var sha256 = known ?? ObjectID(digest: [UInt8](repeating: 0, count: 32))
        if known == nil, isHashed { sha256 = try hash(open, length: length, progress) } else { try progress(length) }
        return VolumeIndex.Entry(content: content, length: length, storedLength: length, encoding: .raw, sha256: sha256)
    }

    /// Git bundles are compressed already, and a whole one may be of any size. Attachments are for stock tools, which take them as they are.
    private static func mayBeCompressed(_ content: VolumeIndex.Content, length: Int64) -> Bool {
        switch content {
        case .gitBundle, .attachment: false
        case .segment, .list: length <= VolumeIndex.segmentBytes
        }
    }

    private static func isWorthwhile(_ source: OpenEntrySource, length: Int64) throws -> Bool {
        var original: Int64 = 0
        var compressed: Int64 = 0
        for range in SegmentSampling.ranges(length: length) {
            let count = range.upperBound - range.lowerBound
            let sample = try bytes(source, at: range.lowerBound, count: Int(count))
            original += count
            compressed += sample.withUnsafeBytes { LZ4Frame.compress($0) }.map { Int64($0.count) } ?? count
        }
        return SegmentSampling.isWorthwhile(originalBytes: original, compressedBytes: compressed)
    }

    /// All bytes of an entry of at most 64 MiB.
    static func whole(_ source: OpenEntrySource, length: Int64) throws -> [UInt8] { try bytes(source, at: 0, count: Int(length)) }

    private static func bytes(_ source: OpenEntrySource, at offset: Int64, count: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            try source.read(UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]), at: offset)
            initialized = count
        }
    }

    private static func hash(_ source: OpenEntrySource, length: Int64, _ progress: (Int64) throws -> Void) throws -> ObjectID {
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 4096)
        defer { piece.deallocate() }
        let digest = BundleDigest()
        var offset: Int64 = 0
        while offset < length {
            let bytes = UnsafeMutableRawBufferPointer(rebasing: piece[..<Int(min(Int64(pieceBytes), length - offset))])
            try source.read(bytes, at: offset)
            digest.update(UnsafeRawBufferPointer(bytes))
            offset += Int64(bytes.count)
            try progress(Int64(bytes.count))
        }
        return digest.finish()
    }
}
