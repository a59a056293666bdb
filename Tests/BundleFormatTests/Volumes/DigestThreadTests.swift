import Testing

@testable import BundleFormat

@Suite("Digests on a thread of their own")
struct DigestThreadTests {
    @Test("digests get their pieces in order, and a piece is done with once as many more came as may wait", arguments: [1, 3])
    func order(depth: Int) {
        let thread = DigestThread(depth: depth)
        let (digests, plain) = ([BundleDigest(), BundleDigest()], [BundleDigest(), BundleDigest()])
        // Each piece is used again at the first moment at which it may be.
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: (depth + 1) * 50_000, alignment: 16)
        defer { memory.deallocate() }
        for round in 0..<200 {
            let start = round % (depth + 1) * 50_000
            let piece = UnsafeMutableRawBufferPointer(rebasing: memory[start..<(start + 50_000)])
            piece.copyBytes(from: [UInt8](repeating: UInt8(truncatingIfNeeded: round), count: 50_000))
            thread.update(digests[round % 2], UnsafeRawBufferPointer(piece))
            plain[round % 2].update(UnsafeRawBufferPointer(piece))
        }
        thread.settle()
        #expect(digests.map { $0.finish() } == plain.map { $0.finish() })
    }
}
