import FoundationEssentials
import Glibc
import HubCore
import NIOCore

/// What is known of a stored xorb without reading its chunk table.
package struct StoredXorb: Hashable, Sendable {
    package let hash: XetHash
    package let chunkCount: Int
    package let rawBytes: Int
    /// The object whose bytes its chunks are, from this offset on; `nil` when it has bytes of its own.
    package let source: XorbSource?
    package let touchedAt: Date
}

/// Where the bytes of a xorb lie that was made from a stored object.
package struct XorbSource: Hashable, Sendable {
    package let object: ObjectID
    package let offset: Int64
}

/// How a xorb lies on disk: its raw bytes (none if they are a stored object's), its chunk table, and 64 bytes that say what it is.
///
/// | bytes | at the end of the file, little-endian |
/// | --- | --- |
/// | n × 36 | the table: hash of the chunk, length (32 bits) |
/// | 8 | `CSGXORB1` |
/// | 4, 4 | number of chunks; zero |
/// | 8 | raw bytes |
/// | 32 | SHA-256 of the object whose bytes they are, or zeros |
/// | 8 | offset in that object |
///
/// The name is the hash over the table, and the table has the hashes of the bytes, so all of it can be verified. Raw bytes come first
/// so that they can be written before the table is known.
enum XorbLayout {
    static let entryBytes = 36
    static let trailerBytes = 64
    private static let mark = Array("CSGXORB1".utf8)

    static func tail(of chunks: [XetChunk], rawBytes: Int, source: XorbSource?) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(chunks.count * entryBytes + trailerBytes)
        for chunk in chunks {
            bytes += chunk.hash.bytes
            append(UInt32(chunk.length), to: &bytes)
        }
        bytes += mark
        append(UInt32(chunks.count), to: &bytes)
        append(UInt32(0), to: &bytes)
        append(UInt64(rawBytes), to: &bytes)
        bytes += source.flatMap { Hex.decode($0.object.hex) } ?? [UInt8](repeating: 0, count: 32)
        append(UInt64(source?.offset ?? 0), to: &bytes)
        return bytes
    }

    private static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Reads the trailer; `nil` when it is not one that fits the file.
    static func parse(_ trailer: [UInt8], hash: XetHash, status: stat) -> StoredXorb? {
        guard trailer.count == trailerBytes, trailer.starts(with: mark) else { return nil }
        let (count, raw, offset) = trailer.withUnsafeBytes { bytes in
            (
                Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))),
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)),
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 56, as: UInt64.self))
            )
        }
        let oid = trailer[24..<56]
        let source =
            oid.allSatisfy { $0 == 0 }
            ? nil : XorbSource(object: ObjectID(digest: oid), offset: Int64(clamping: offset))
        guard count > 0, count <= XetLimits.xorbChunks, raw > 0, raw <= UInt64(XetLimits.xorbBytes) else { return nil }
        let own = source == nil ? Int64(raw) : 0
        guard Int64(status.st_size) == own + Int64(count * entryBytes + trailerBytes) else { return nil }
        return StoredXorb(
            hash: hash, chunkCount: count, rawBytes: Int(raw), source: source,
            touchedAt: StoredObject(id: ObjectID(digest: hash.bytes), status: status).touchedAt)
    }
}

/// An open file of a xorb.
///
/// Its calls block.
final class OpenXorb: Sendable {
    let xorb: StoredXorb
    let file: OpenFile

    private init(xorb: StoredXorb, file: OpenFile) {
        self.xorb = xorb
        self.file = file
    }

    /// - Throws: `XetStoreError.missingXorb`, `.damagedXorb`.
    static func open(_ path: String, _ hash: XetHash) throws -> OpenXorb {
        guard let file = try OpenFile.reading(path) else { throw XetStoreError.missingXorb(hash) }
        let status = try file.status()
        let start = Int64(status.st_size) - Int64(XorbLayout.trailerBytes)
        guard start >= 0 else { throw XetStoreError.damagedXorb(hash) }
        let trailer = Array(try file.read(at: start, count: XorbLayout.trailerBytes).readableBytesView)
        guard let xorb = XorbLayout.parse(trailer, hash: hash, status: status) else {
            throw XetStoreError.damagedXorb(hash)
        }
        return OpenXorb(xorb: xorb, file: file)
    }

    /// Its chunks, checked against its name.
    func readTable() throws -> [XetChunk] {
        let start = xorb.source == nil ? Int64(xorb.rawBytes) : 0
        let buffer = try file.read(at: start, count: xorb.chunkCount * XorbLayout.entryBytes)
        guard buffer.readableBytes == xorb.chunkCount * XorbLayout.entryBytes else {
            throw XetStoreError.damagedXorb(xorb.hash)
        }
        var tree = MerkleTree()
        let chunks: [XetChunk] = try buffer.withUnsafeReadableBytes { bytes in
            guard let base = bytes.baseAddress else { throw XetStoreError.damagedXorb(xorb.hash) }
            return (0..<xorb.chunkCount).map { index in
                let entry = base + index * XorbLayout.entryBytes
                let length = Int(UInt32(littleEndian: entry.loadUnaligned(fromByteOffset: 32, as: UInt32.self)))
                let chunk = XetChunk(hash: XetHash(bytes: entry), length: length)
                tree.append(chunk.hash, length: length)
                return chunk
            }
        }
        guard tree.finish() == xorb.hash, tree.totalBytes == UInt64(xorb.rawBytes) else {
            throw XetStoreError.damagedXorb(xorb.hash)
        }
        return chunks
    }
}

/// The chunks of a xorb with where each begins.
package struct XorbTable: Sendable {
    package let xorb: StoredXorb
    package let chunks: [XetChunk]
    /// Where chunk `i` begins in the raw bytes; one more entry than there are chunks.
    package let offsets: [Int]

    init(xorb: StoredXorb, chunks: [XetChunk]) {
        self.xorb = xorb
        self.chunks = chunks
        var offsets = [0]
        offsets.reserveCapacity(chunks.count + 1)
        var end = 0
        for chunk in chunks {
            end += chunk.length
            offsets.append(end)
        }
        self.offsets = offsets
    }

    /// How long the xorb is as clients get it: every chunk with its header, not compressed.
    package var serializedBytes: Int { Self.serializedOffset(raw: xorb.rawBytes, chunk: chunks.count) }

    /// Where a chunk begins in the xorb as clients get it.
    package static func serializedOffset(raw: Int, chunk: Int) -> Int { raw + chunk * XorbChunkHeader.byteCount }
}
