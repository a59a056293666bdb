import NIOCore

/// One client's way through a pack in the making.
final class PackJobReader: PackEventSource, @unchecked Sendable {
    private let job: PackJob
    private let number: Int
    private let threads: GitThreads
    private let framing: PackFraming
    private let keepAliveInterval: Duration
    private let leave: @Sendable () -> Void
    // Touched only in `next`, which one task calls at a time.
    private var position = PackJob.Position()

    /// - Parameters:
    ///   - number: What `join` answered.
    ///   - leave: Called when the reader goes.
    init(
        _ job: PackJob, number: Int, threads: GitThreads, framing: PackFraming, keepAliveInterval: Duration,
        leave: @escaping @Sendable () -> Void
    ) {
        self.job = job
        self.number = number
        self.threads = threads
        self.framing = framing
        self.keepAliveInterval = keepAliveInterval
        self.leave = leave
    }

    deinit { leave() }

    func next() async throws -> PackEvent? {
        while true {
            switch try job.find(position, limit: PackBlock.payloadBytes(framing)) {
            case .progress(let message, let next):
                position.message = next
                return .progress(message)
            case .stored(let count):
                let (job, framing, offset) = (job, framing, position.offset)
                let block = try await threads.run {
                    var offset = offset
                    return try PackBlock.make(count: count, framing: framing) { region throws(GitStoreError) in
                        try job.readStored(at: offset, into: region)
                        offset += region.count
                    }
                }
                advance(by: count)
                return .data(block)
            case .memory(let bytes):
                let block = try framed(bytes)
                advance(by: bytes.readableBytes)
                return .data(block)
            case .end:
                return nil
            case .nothing(let version):
                if await !hasChanged(since: version) { return .keepAlive }
                try Task.checkCancellation()
            }
        }
    }

    private func advance(by count: Int) {
        position.offset += count
        job.advance(number, to: position.offset)
    }

    private func framed(_ bytes: ByteBuffer) throws -> ByteBuffer {
        guard framing != .none else { return bytes }
        var rest = bytes
        return try PackBlock.make(count: bytes.readableBytes, framing: framing) { region throws(GitStoreError) in
            rest.readWithUnsafeReadableBytes { source in
                region.copyMemory(from: UnsafeRawBufferPointer(rebasing: source.prefix(region.count)))
                return region.count
            }
        }
    }

    /// Waits for a change, but no longer than a client should go without a sign of life.
    private func hasChanged(since version: UInt64) async -> Bool {
        let (job, interval) = (job, keepAliveInterval)
        return await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                await job.waitForChange(since: version)
                return true
            }
            group.addTask {
                // Cancelled when the change comes first.
                try? await Task.sleep(for: interval)
                return false
            }
            let first = await group.next() ?? true
            group.cancelAll()
            return first
        }
    }
}
