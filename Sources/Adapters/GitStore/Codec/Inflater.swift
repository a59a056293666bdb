import CDeflate
import HubCore

/// Inflates whole zlib streams whose inflated size is known.
///
/// Used by one thread at a time.
///
/// libdeflate is about twice as fast as zlib, but needs all of the input and room for all of the output at once; for
/// what arrives in pieces or is too large to hold there is `InflateStream`.
final class Inflater {
    private let decompressor: OpaquePointer

    init() {
        guard let decompressor = libdeflate_alloc_decompressor() else { fatalError("out of memory") }
        self.decompressor = decompressor
    }

    deinit { libdeflate_free_decompressor(decompressor) }

    /// Inflates the zlib stream at the start of `source`, which may be followed by anything.
    ///
    /// - Returns: how many bytes of `source` the stream takes.
    /// - Throws: `.malformed` when the stream is damaged, cut off, or does not fill `target` exactly.
    func inflate(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) throws(GitStoreError) -> Int {
        guard let consumed = tryInflate(source, into: target) else {
            throw .malformed("a compressed object is damaged or has another size than its header says")
        }
        return consumed
    }

    /// The same, answering `nil` where `inflate` throws; for callers that may not have all of the stream yet.
    func tryInflate(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Int? {
        var consumed = 0
        // libdeflate wants a pointer even where nothing is to be written.
        var nothing: UInt8 = 0
        let result = withUnsafeMutablePointer(to: &nothing) { spare in
            libdeflate_zlib_decompress_ex(
                decompressor, source.baseAddress, source.count, target.baseAddress ?? UnsafeMutableRawPointer(spare),
                target.count, &consumed, nil)
        }
        return result == LIBDEFLATE_SUCCESS ? consumed : nil
    }
}
