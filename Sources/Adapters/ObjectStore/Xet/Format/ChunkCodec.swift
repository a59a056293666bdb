import CLZ4

/// The 8 bytes before a chunk in a xorb: version 0, compressed length (24 bits), scheme, raw length (24 bits), little-endian.
struct XorbChunkHeader: Equatable {
    enum Scheme: UInt8 {
        case none = 0
        case lz4 = 1
        /// LZ4 over bytes that are regrouped by their index modulo 4.
        case groupedLZ4 = 2
    }

    static let byteCount = 8
    /// What stands where a header would be when a footer follows the last chunk: `XETBLOB`.
    static let footerMark = Array("XETBLOB".utf8)

    let scheme: Scheme
    let compressedBytes: Int
    let rawBytes: Int

    /// The header of a chunk that is sent as it is.
    init(rawBytes: Int) {
        scheme = .none
        compressedBytes = rawBytes
        self.rawBytes = rawBytes
    }

    /// Reads 8 bytes and checks every bound.
    init(parsing bytes: UnsafeRawBufferPointer) throws(XetFormatError) {
        precondition(bytes.count >= Self.byteCount, "a chunk header has 8 bytes")
        guard bytes[0] == 0 else { throw .malformedXorb("a chunk of version \(bytes[0])") }
        guard let scheme = Scheme(rawValue: bytes[4]) else { throw .malformedXorb("compression scheme \(bytes[4])") }
        self.scheme = scheme
        compressedBytes = Int(bytes[1]) | Int(bytes[2]) << 8 | Int(bytes[3]) << 16
        rawBytes = Int(bytes[5]) | Int(bytes[6]) << 8 | Int(bytes[7]) << 16
        guard rawBytes > 0, rawBytes <= XetLimits.chunkBytes else {
            throw .malformedXorb("a chunk of \(rawBytes) bytes")
        }
        guard compressedBytes > 0, compressedBytes <= XetLimits.compressedChunkBytes else {
            throw .malformedXorb("a chunk compressed to \(compressedBytes) bytes")
        }
        guard scheme != .none || compressedBytes == rawBytes else {
            throw .malformedXorb("an uncompressed chunk with two lengths")
        }
    }

    func write(to buffer: UnsafeMutableRawBufferPointer) {
        let low = UInt64(compressedBytes) << 8
        let high = UInt64(scheme.rawValue) << 32 | UInt64(rawBytes) << 40
        buffer.storeBytes(of: (low | high).littleEndian, as: UInt64.self)
    }
}

/// Turns a chunk as it was sent into its raw bytes.
///
/// Used by one thread at a time.
final class ChunkDecoder {
    private let context: OpaquePointer
    private let raw = UnsafeMutableRawBufferPointer.allocate(byteCount: XetLimits.chunkBytes, alignment: 16)
    private let grouped = UnsafeMutableRawBufferPointer.allocate(byteCount: XetLimits.chunkBytes, alignment: 16)

    init() throws(FileFault) {
        var context: OpaquePointer?
        guard LZ4F_isError(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))) == 0, let context else {
            raw.deallocate()
            grouped.deallocate()
            throw FileFault(operation: "LZ4F_createDecompressionContext", code: 0)
        }
        self.context = context
    }

    deinit {
        LZ4F_freeDecompressionContext(context)
        raw.deallocate()
        grouped.deallocate()
    }

    /// The raw bytes of a chunk; valid until the next call.
    ///
    /// `data` has the length that the header says.
    func decode(_ header: XorbChunkHeader, _ data: UnsafeRawBufferPointer) throws(XetFormatError)
        -> UnsafeRawBufferPointer
    {
        switch header.scheme {
        case .none: return data
        case .lz4:
            try decompress(data, into: UnsafeMutableRawBufferPointer(rebasing: raw[..<header.rawBytes]))
        case .groupedLZ4:
            try decompress(data, into: UnsafeMutableRawBufferPointer(rebasing: grouped[..<header.rawBytes]))
            Self.ungroup(UnsafeRawBufferPointer(rebasing: grouped[..<header.rawBytes]), into: raw)
        }
        return UnsafeRawBufferPointer(rebasing: raw[..<header.rawBytes])
    }

    /// One LZ4 frame that yields exactly `target`, and nothing after it.
    private func decompress(_ data: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer)
        throws(XetFormatError)
    {
        var consumed = 0
        var produced = 0
        while true {
            var sourceBytes = data.count - consumed
            var targetBytes = target.count - produced
            let hint = LZ4F_decompress(
                context, target.baseAddress.map { $0 + produced }, &targetBytes, data.baseAddress.map { $0 + consumed },
                &sourceBytes,
                nil)
            if LZ4F_isError(hint) != 0 {
                LZ4F_resetDecompressionContext(context)
                throw .malformedXorb("a damaged LZ4 frame")
            }
            consumed += sourceBytes
            produced += targetBytes
            if hint == 0 { break }
            // Neither more to read nor room to write: the frame is cut short or yields more than it may.
            guard sourceBytes > 0 || targetBytes > 0 else {
                LZ4F_resetDecompressionContext(context)
                throw .malformedXorb("an LZ4 frame of another length than its header says")
            }
        }
        guard consumed == data.count, produced == target.count else {
            throw .malformedXorb("an LZ4 frame of another length than its header says")
        }
    }

    /// Puts bytes that were regrouped by their index modulo 4 back in order.
    ///
    /// The first groups are one longer when the length is no multiple of 4.
    static func ungroup(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) {
        guard let input = source.baseAddress, let output = target.baseAddress else { return }
        let count = source.count
        let (quarter, rest) = count.quotientAndRemainder(dividingBy: 4)
        let second = quarter + (rest > 0 ? 1 : 0)
        let third = second + quarter + (rest > 1 ? 1 : 0)
        let fourth = third + quarter + (rest > 2 ? 1 : 0)
        for index in 0..<quarter {
            let word =
                UInt32(input.load(fromByteOffset: index, as: UInt8.self))
                | UInt32(input.load(fromByteOffset: second + index, as: UInt8.self)) << 8
                | UInt32(input.load(fromByteOffset: third + index, as: UInt8.self)) << 16
                | UInt32(input.load(fromByteOffset: fourth + index, as: UInt8.self)) << 24
            output.storeBytes(of: word.littleEndian, toByteOffset: index * 4, as: UInt32.self)
        }
        let starts = [0, second, third]
        for index in 0..<rest {
            let byte = input.load(fromByteOffset: starts[index] + quarter, as: UInt8.self)
            output.storeBytes(of: byte, toByteOffset: quarter * 4 + index, as: UInt8.self)
        }
    }
}
