/// Whether a segment is worth compressing, decided by four samples of it: LZ4 must bring them to nine tenths or less.
///
/// Weights, archives and images do not shrink and are copied as they are; text does.
package enum SegmentSampling {
    private static let sampleBytes = 256 << 10
    private static let sampleCount = 4

    /// The ranges to sample in a segment: all of it when it is small, else four evenly spread from first to last.
    package static func ranges(length: Int64) -> [Range<Int64>] {
        let total = Int64(sampleBytes * sampleCount)
        guard length > total else { return length > 0 ? [0..<length] : [] }
        let step = (length - Int64(sampleBytes)) / Int64(sampleCount - 1)
        return (0..<Int64(sampleCount)).map { $0 * step..<($0 * step + Int64(sampleBytes)) }
    }

    /// Whether samples of these sizes, before and after compression, promise enough.
    package static func isWorthwhile(originalBytes: Int64, compressedBytes: Int64) -> Bool {
        originalBytes > 0 && compressedBytes * 10 <= originalBytes * 9
    }
}
