/// The bounds of the Xet formats.
///
/// Whatever breaks one is refused before it costs memory or disk.
package enum XetLimits {
    /// The most raw bytes of one xorb.
    package static let xorbBytes = 64 << 20
    package static let xorbChunks = 8192
    /// The most bytes of a xorb as it is sent: clients count raw bytes only, so headers, and a footer that we skip, come on top.
    package static let serializedXorbBytes = xorbBytes + xorbChunks * XorbChunkHeader.byteCount + (1 << 20)
    /// The most raw bytes of one chunk.
    package static let chunkBytes = 128 << 10
    /// The most bytes of one compressed chunk.
    ///
    /// Compression that makes larger is not used by clients; LZ4 adds little at worst.
    package static let compressedChunkBytes = chunkBytes + (4 << 10)
    package static let shardBytes = 64 << 20
    /// What the chunks of a file must have on average, beyond the first `smallChunks`.
    ///
    /// Clients cut no chunk shorter than 8 KiB but the last of a file; a file of crumbs would make everybody's reading of it slow.
    package static let averageChunkBytes = 4 << 10
    package static let smallChunks = 1024
}
