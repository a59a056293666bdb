import CDeflate
import CZlib

/// Compresses whole buffers into zlib streams.
///
/// Used by one thread at a time.
final class Deflater {
    private let compressor: OpaquePointer

    /// Level 1 costs a third of git's default and gives some 10 % more bytes.
    init(level: Int32 = 1) {
        guard let compressor = libdeflate_alloc_compressor(level) else { fatalError("out of memory") }
        self.compressor = compressor
    }

    deinit { libdeflate_free_compressor(compressor) }

    /// Appends the zlib stream of `source` to `output`.
    func deflate(_ source: UnsafeRawBufferPointer, appendingTo output: inout [UInt8]) {
        let bound = libdeflate_zlib_compress_bound(compressor, source.count)
        let start = output.count
        output.append(contentsOf: repeatElement(0, count: bound))
        let written = output.withUnsafeMutableBytes { buffer in
            libdeflate_zlib_compress(
                compressor, source.baseAddress, source.count, buffer.baseAddress.map { $0 + start }, bound)
        }
        precondition(written > 0, "libdeflate's own bound was too small")
        output.removeLast(bound - written)
    }

    func deflate(_ source: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        source.withUnsafeBytes { deflate($0, appendingTo: &output) }
        return output
    }
}

/// Compresses one object piece by piece, for what is too large to hold.
///
/// Used by one thread at a time.
final class DeflateStream {
    // zlib keeps a pointer to this structure, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>

    init(level: Int32 = 1) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let result = deflateInit_(stream, level, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else { fatalError("zlib refused to start: \(result)") }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Compresses `source` and appends what comes out; with `isLast` all of it, and the end of the stream.
    func append(_ source: UnsafeRawBufferPointer, isLast: Bool, to output: inout [UInt8]) {
        var rest = source
        repeat {
            let offered = min(rest.count, 1 << 30)
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(offered))
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(offered))
            run(piece, flush: isLast && rest.isEmpty ? Z_FINISH : Z_NO_FLUSH, into: &output)
        } while !rest.isEmpty
    }

    private func run(_ source: UnsafeRawBufferPointer, flush: Int32, into output: inout [UInt8]) {
        var spare: UInt8 = 0
        withUnsafeMutablePointer(to: &spare) { spare in
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: source.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? UnsafePointer(spare))
            stream.pointee.avail_in = UInt32(source.count)
            withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 16) { room in
                repeat {
                    stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
                    stream.pointee.avail_out = UInt32(room.count)
                    let result = CZlib.deflate(stream, flush)
                    precondition(result != Z_STREAM_ERROR, "zlib was called out of order")
                    output.append(contentsOf: room.prefix(room.count - Int(stream.pointee.avail_out)))
                } while stream.pointee.avail_out == 0
            }
        }
    }
}
