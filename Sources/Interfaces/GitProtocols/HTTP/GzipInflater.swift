import CZlib
import HubCore
import NIOCore

/// Inflates a gzip (RFC 1952) or zlib body that arrives in pieces. Used by one task at a time.
final class GzipInflater {
    /// How much one piece may grow before it is handed on.
    static let pieceBytes = 256 << 10

    private var stream = z_stream()
    private(set) var isFinished = false

    init() throws(GzipError) {
        // 15 + 32: the largest window, header of either form.
        guard inflateInit2_(&stream, 15 + 32, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .malformed
        }
    }

    deinit { inflateEnd(&stream) }

    /// Inflates `source` and gives each piece to `body`, at most `pieceBytes` at a time.
    func inflate(_ source: ByteBuffer, _ body: (ByteBuffer) throws -> Void) throws {
        guard !isFinished || source.readableBytes == 0 else { throw GzipError.malformed }
        var input = Array(source.readableBytesView)
        try input.withUnsafeMutableBufferPointer { input in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            repeat { try inflatePiece(body) } while stream.avail_in > 0 && !isFinished
        }
        guard stream.avail_in == 0 else { throw GzipError.malformed }
    }

    private func inflatePiece(_ body: (ByteBuffer) throws -> Void) throws {
        repeat {
            var piece = ByteBufferAllocator().buffer(capacity: Self.pieceBytes)
            var status = Z_OK
            piece.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.pieceBytes) { output in
                stream.next_out = output.bindMemory(to: UInt8.self).baseAddress
                stream.avail_out = UInt32(Self.pieceBytes)
                status = CZlib.inflate(&stream, Z_NO_FLUSH)
                return Self.pieceBytes - Int(stream.avail_out)
            }
            if piece.readableBytes > 0 { try body(piece) }
            switch status {
            case Z_OK, Z_BUF_ERROR: break
            case Z_STREAM_END: isFinished = true
            default: throw GzipError.malformed
            }
        } while stream.avail_out == 0 && !isFinished
    }
}

enum GzipError: Error {
    case malformed
}

extension GzipError: Refusal {
    var problem: Problem { Problem(.invalid, code: "invalid_gzip", "The request's body is not valid gzip.") }
}
