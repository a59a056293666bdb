import HubCore

/// A chunk of a xorb or a file: its hash and its raw length.
package struct XetChunk: Hashable, Sendable {
    package let hash: XetHash
    package let length: Int

    package init(hash: XetHash, length: Int) {
        self.hash = hash
        self.length = length
    }
}

/// Reads a xorb as it arrives: chunks one after another, each decoded and hashed as soon as it is complete.
///
/// It holds one chunk at most, and the list of hashes. Every bound of `XetLimits` is checked before memory is taken or bytes are
/// decompressed. A footer is skipped: what it says is known from the chunks. Used by one thread at a time.
final class XorbDecoder {
    private let decoder: ChunkDecoder
    private let hasher = KeyedBlake3(.chunk)
    /// The beginning of a chunk whose end has not come.
    private var pending: [UInt8] = []
    private var tree = MerkleTree()
    private var isInFooter = false
    private var receivedBytes = 0
    private(set) var chunks: [XetChunk] = []
    private(set) var rawBytes = 0

    init() throws(FileFault) {
        decoder = try ChunkDecoder()
        pending.reserveCapacity(XorbChunkHeader.byteCount + XetLimits.chunkBytes)
    }

    /// Takes the next bytes and calls `take` with the raw bytes of each chunk that is complete with them.
    func feed(_ bytes: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) throws -> Void) throws {
        receivedBytes += bytes.count
        guard receivedBytes <= XetLimits.serializedXorbBytes else { throw XetFormatError.xorbTooLarge }
        var rest = bytes
        while !rest.isEmpty, !isInFooter {
            if pending.isEmpty, let used = try decodeChunk(at: rest, take) {
                rest = UnsafeRawBufferPointer(rebasing: rest[used...])
            } else {
                try fillPending(from: &rest, take)
            }
        }
    }

    /// Ends the xorb and returns its hash.
    func finish() throws(XetFormatError) -> XetHash {
        guard pending.isEmpty else { throw .malformedXorb("it ends within a chunk") }
        guard !chunks.isEmpty else { throw .malformedXorb("it has no chunks") }
        return tree.finish()
    }

    /// Decodes the chunk at the start of `bytes` and returns its length there; `nil` when it is not complete.
    private func decodeChunk(at bytes: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) throws -> Void) throws
        -> Int?
    {
        guard let length = try chunkLength(at: bytes) else { return nil }
        if isInFooter { return bytes.count }
        guard bytes.count >= length else { return nil }
        let header = try XorbChunkHeader(parsing: bytes)
        guard chunks.count < XetLimits.xorbChunks, rawBytes + header.rawBytes <= XetLimits.xorbBytes else {
            throw XetFormatError.xorbTooLarge
        }
        let raw = try decoder.decode(
            header, UnsafeRawBufferPointer(rebasing: bytes[XorbChunkHeader.byteCount..<length]))
        let hash = hasher.hash(of: raw)
        chunks.append(XetChunk(hash: hash, length: raw.count))
        tree.append(hash, length: raw.count)
        rawBytes += raw.count
        try take(raw)
        return length
    }

    /// How long the chunk at the start of `bytes` is, header included; `nil` when its header is not complete.
    ///
    /// Notices a footer.
    private func chunkLength(at bytes: UnsafeRawBufferPointer) throws(XetFormatError) -> Int? {
        guard bytes.count >= XorbChunkHeader.byteCount else { return nil }
        if bytes.starts(with: XorbChunkHeader.footerMark) {
            isInFooter = true
            return XorbChunkHeader.byteCount
        }
        return XorbChunkHeader.byteCount + (try XorbChunkHeader(parsing: bytes)).compressedBytes
    }

    /// Moves as many bytes as the chunk that has begun still lacks, and decodes it when it is complete.
    private func fillPending(
        from rest: inout UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let known = try pending.withUnsafeBytes { try chunkLength(at: $0) }
        let wanted = known ?? XorbChunkHeader.byteCount
        let count = min(rest.count, wanted - pending.count)
        pending.append(contentsOf: rest[..<count])
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        let used = try pending.withUnsafeBytes { try decodeChunk(at: $0, take) }
        if used != nil { pending.removeAll(keepingCapacity: true) }
    }
}
