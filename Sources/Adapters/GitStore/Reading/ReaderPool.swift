import Synchronization

/// Readers between uses, so that a look-up need not make one.
final class ReaderPool: Sendable {
    private static let maximumIdle = 2
    static let cacheBytes = 2 << 20

    /// A reader that nobody uses.
    private struct Idle: @unchecked Sendable {
        // Only the list holds it: it is taken out before use.
        let reader: ObjectReader
    }

    private let idle = Mutex<[Idle]>([])

    func take(_ objects: GitObjects) -> ObjectReader {
        idle.withLock { $0.popLast() }?.reader ?? ObjectReader(objects, cacheBytes: Self.cacheBytes)
    }

    func give(back reader: ObjectReader) {
        let reader = Idle(reader: reader)
        idle.withLock { if $0.count < Self.maximumIdle { $0.append(reader) } }
    }
}
