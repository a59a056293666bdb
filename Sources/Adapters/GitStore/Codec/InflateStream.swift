import CZlib
import HubCore

/// Inflates one zlib stream piece by piece.
///
/// Used by one thread at a time; `reset` makes it ready for the next stream.
final class InflateStream {
    /// What one step did.
    struct Step {
        /// Bytes taken of the source.
        var consumed: Int
        /// Bytes written to the target.
        var produced: Int
        /// The stream has ended and its checksum is right.
        var isFinished: Bool
    }

    // zlib keeps a pointer to this structure, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>

    init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let result = inflateInit_(stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else { fatalError("zlib refused to start: \(result)") }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    func reset() {
        inflateReset(stream)
    }

    /// Takes what it can of `source` and fills what it can of `target`.
    ///
    /// A target of no bytes only checks for the end.
    ///
    /// - Throws: `.malformed` when the stream is damaged.
    func step(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) throws(GitStoreError) -> Step {
        var spare: UInt8 = 0
        let limit = Int(UInt32.max)
        let offered = min(source.count, limit)
        let room = min(target.count, limit)
        let result = withUnsafeMutablePointer(to: &spare) { spare in
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: source.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? UnsafePointer(spare))
            stream.pointee.avail_in = UInt32(offered)
            stream.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? spare
            stream.pointee.avail_out = UInt32(room)
            return CZlib.inflate(stream, Z_NO_FLUSH)
        }
        // Z_BUF_ERROR only says that there was nothing to do without more input or room.
        guard result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR else {
            throw .malformed("a compressed object is damaged")
        }
        return Step(
            consumed: offered - Int(stream.pointee.avail_in), produced: room - Int(stream.pointee.avail_out),
            isFinished: result == Z_STREAM_END)
    }
}
