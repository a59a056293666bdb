/// The bytes of one object in memory; written by one thread, then shared read-only.
final class ObjectBuffer: @unchecked Sendable {
    private let storage: UnsafeMutableRawBufferPointer
    private(set) var count: Int

    init(count: Int) {
        storage = .allocate(byteCount: max(count, 64), alignment: 16)
        self.count = count
    }

    deinit { storage.deallocate() }

    /// What the buffer can hold; memory is not touched before it is written.
    var capacity: Int { storage.count }

    /// For the one thread that fills the buffer.
    var mutableBytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(rebasing: storage.prefix(count)) }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: storage.prefix(count)) }

    /// Makes the buffer ready for other bytes.
    ///
    /// Only for a buffer that nobody else has.
    func resize(to count: Int) {
        precondition(count <= capacity)
        self.count = count
    }
}
