import Synchronization

/// Divides a fixed amount of memory among the transfers that run: many get smaller pieces, few get large ones, so that the sum stays
/// bounded whatever the number of connections.
final class MemoryShare: Sendable {
    private let totalBytes: Int
    private let range: ClosedRange<Int>
    private let running = Atomic<Int>(0)

    init(totalBytes: Int, pieceBytes range: ClosedRange<Int>) {
        self.totalBytes = totalBytes
        self.range = range
    }

    func begin() { running.add(1, ordering: .relaxed) }
    func end() { running.subtract(1, ordering: .relaxed) }

    /// The size of the next piece of a transfer that keeps `pieces` of them at once.
    func pieceBytes(keeping pieces: Int) -> Int {
        let share = totalBytes / max(1, running.load(ordering: .relaxed) * pieces)
        return min(max(share, range.lowerBound), range.upperBound)
    }
}
