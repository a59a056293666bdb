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
}
