import CZlib
import HubCore
import NIOCore

/// Inflates a gzip (RFC 1952) or zlib body that arrives in pieces, a bounded piece at a time. Used by one task at a time.
final class GzipInflater {
    /// The most that one call of `next` returns.
    static let pieceBytes = 256 << 10

    private var stream = z_stream()
    private var input: [UInt8] = []
    private var inputOffset = 0
    /// The last piece filled its room, so that more may come without further input.
    private var hasMore = false
    private(set) var isFinished = false

    init() throws(GzipError) {
        // 15 + 32: the largest window, header of either form.
        guard inflateInit2_(&stream, 15 + 32, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .malformed
        }
    }

    deinit { inflateEnd(&stream) }

    /// Takes the next compressed bytes, once `next` has returned `nil`.
    func feed(_ source: ByteBuffer) throws(GzipError) {
        guard !isFinished || source.readableBytes == 0 else { throw .malformed }
        input = Array(source.readableBytesView)
        inputOffset = 0
    }

    /// The next inflated bytes; `nil` when more input is needed.
    func next() throws(GzipError) -> ByteBuffer? {
        while hasMore || (inputOffset < input.count && !isFinished) {
            let piece = try inflatePiece()
            if piece.readableBytes > 0 { return piece }
        }
        guard inputOffset == input.count else { throw .malformed }
        return nil
    }

    private func inflatePiece() throws(GzipError) -> ByteBuffer {
        var piece = ByteBufferAllocator().buffer(capacity: Self.pieceBytes)
        var status = Z_OK
        piece.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.pieceBytes) { output in
            input.withUnsafeMutableBufferPointer { input in
                stream.next_in = input.baseAddress.map { $0 + inputOffset }
                stream.avail_in = UInt32(input.count - inputOffset)
                stream.next_out = output.bindMemory(to: UInt8.self).baseAddress
                stream.avail_out = UInt32(Self.pieceBytes)
                status = CZlib.inflate(&stream, Z_NO_FLUSH)
                inputOffset = input.count - Int(stream.avail_in)
            }
            return Self.pieceBytes - Int(stream.avail_out)
        }
        switch status {
        case Z_OK, Z_BUF_ERROR: hasMore = stream.avail_out == 0
        case Z_STREAM_END:
            isFinished = true
            hasMore = false
        default: throw .malformed
        }
        return piece
    }
}

enum GzipError: Error {
    case malformed
}

extension GzipError: Refusal {
    var problem: Problem { Problem(.invalid, code: "invalid_gzip", "The request's body is not valid gzip.") }
}
