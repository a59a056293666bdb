import CLZ4
import HubCore

/// Why a stored entry is not the LZ4 frame that its index promises.
package enum LZ4Fault: Error, Equatable {
    /// Damaged, cut short, or of another kind than the format allows.
    case invalid(String)
    /// It yields another length than the signed one.
    case wrongLength
}

/// LZ4 frames as the format has them: independent blocks of 4 MiB, content size and content checksum, no dictionary, one frame.
///
/// Source: LZ4 `doc/lz4_Frame_format.md`.
package enum LZ4Frame {
    /// A frame around `content`; `nil` when it would not be shorter.
    package static func compress(_ content: UnsafeRawBufferPointer) -> [UInt8]? {
        var preferences = LZ4F_preferences_t()
        preferences.frameInfo.blockSizeID = LZ4F_max4MB
        preferences.frameInfo.blockMode = LZ4F_blockIndependent
        preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled
        preferences.frameInfo.contentSize = UInt64(content.count)
        let bound = LZ4F_compressFrameBound(content.count, &preferences)
        var length = 0
        let frame = [UInt8](unsafeUninitializedCapacity: bound) { buffer, initialized in
            let code = LZ4F_compressFrame(buffer.baseAddress, bound, content.baseAddress, content.count, &preferences)
            if LZ4F_isError(code) == 0 { length = code }
            initialized = length
        }
        return length > 0 && length < content.count ? frame : nil
    }

    /// Hands out the content of a frame in pieces, and never more than `length` bytes of it.
    ///
    /// - Parameter room: gives the memory for each piece.
    /// - Throws: `LZ4Fault`, or what `room` or `body` throws.
    package static func decompress(
        _ frame: UnsafeRawBufferPointer, length: Int64, into room: () throws -> UnsafeMutableRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var context: OpaquePointer?
        guard LZ4F_isError(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))) == 0, let context else {
            throw LZ4Fault.invalid("there is no memory to read it")
        }
        defer { LZ4F_freeDecompressionContext(context) }
        var consumed = try checkHeader(of: frame, length: length, context)
        var produced: Int64 = 0
        while true {
            let piece = try room()
            var sourceBytes = frame.count - consumed
            // One byte of room beyond the promise shows a frame that yields more.
            var targetBytes = Int(min(Int64(piece.count), length - produced + 1))
            let hint = LZ4F_decompress(
                context, piece.baseAddress, &targetBytes, frame.baseAddress.map { $0 + consumed }, &sourceBytes, nil)
            guard LZ4F_isError(hint) == 0 else { throw LZ4Fault.invalid("the LZ4 frame is damaged") }
            consumed += sourceBytes
            produced += Int64(targetBytes)
            guard produced <= length else { throw LZ4Fault.wrongLength }
            if targetBytes > 0 { try body(UnsafeRawBufferPointer(rebasing: piece[..<targetBytes])) }
            if hint == 0 { break }
            guard sourceBytes > 0 || targetBytes > 0 else { throw LZ4Fault.invalid("the LZ4 frame is cut short") }
        }
        guard produced == length else { throw LZ4Fault.wrongLength }
        guard consumed == frame.count else { throw LZ4Fault.invalid("bytes follow the LZ4 frame") }
    }

    /// Reads the frame's header and returns its length.
    private static func checkHeader(of frame: UnsafeRawBufferPointer, length: Int64, _ context: OpaquePointer) throws -> Int {
        var info = LZ4F_frameInfo_t()
        var headerBytes = frame.count
        guard LZ4F_isError(LZ4F_getFrameInfo(context, &info, frame.baseAddress, &headerBytes)) == 0 else {
            throw LZ4Fault.invalid("it is no LZ4 frame")
        }
        guard info.frameType == LZ4F_frame, info.blockMode == LZ4F_blockIndependent, info.dictID == 0,
            info.contentChecksumFlag == LZ4F_contentChecksumEnabled
        else { throw LZ4Fault.invalid("the LZ4 frame is of another kind than the format allows") }
        guard length >= 0, info.contentSize == UInt64(length) else { throw LZ4Fault.wrongLength }
        return headerBytes
    }
}
