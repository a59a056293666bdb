import Dispatch
import NIOCore
import Synchronization

/// A pack in the making, or made: written once, read by any number of clients at their own pace.
///
/// The bytes go to a spool file as long as the cache has room for them. From there on (`spilled`) they are kept in memory, a
/// few blocks of them, and the writer waits for the slowest reader; such a pack cannot be joined by new readers. The writer
/// stops when its last reader has gone.
final class PackJob: Sendable {
    /// What a reader finds at its position.
    enum Finding {
        case progress(String, next: Int)
        case stored(count: Int)
        case memory(ByteBuffer)
        case end
        /// Nothing yet; wait until the version is another one.
        case nothing(version: UInt64)
    }

    /// Where a reader stands.
    struct Position {
        var offset = 0
        var message = 0
    }

    private enum Phase: Equatable {
        case waiting
        case running
        case finished
        case failed(GitStoreError)
    }

    private struct State {
        var phase = Phase.waiting
        /// Bytes in the spool file; they stay readable.
        var storedBytes = 0
        /// What follows them, in memory, and where its first block begins.
        var tail: [ByteBuffer] = []
        var tailStart = 0
        var hasSpilled = false
        var messages: [String] = []
        var readers: [Int: Int] = [:]
        var nextReader = 0
        var isAbandoned = false
        /// Counts changes that a reader may wait for.
        var version: UInt64 = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter = 0
        var writerWaits = false

        var tailEnd: Int { tail.reduce(tailStart) { $0 + $1.readableBytes } }
        /// Where a new reader could still begin.
        var isJoinable: Bool {
            if case .failed = phase { return false }
            return !hasSpilled && !isAbandoned
        }
    }

    private let spool: SpoolFile?
    private let room: PackCacheRoom
    private let memoryBytes: Int
    private let state = Mutex(State())
    private let writerMayGo = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - spool: `nil` where no file could be made.
    ///   - room: What the pack may take of the cache's disk space.
    ///   - memoryBytes: How far the writer may be ahead of the slowest reader when nothing goes to disk.
    init(spool: SpoolFile?, room: PackCacheRoom, memoryBytes: Int) {
        self.spool = spool
        self.room = room
        self.memoryBytes = memoryBytes
    }

    // MARK: For the writer

    var isAbandoned: Bool { state.withLock { $0.isAbandoned } }

    /// Finished, and nobody reads it.
    var isIdle: Bool { state.withLock { $0.phase == .finished && $0.readers.isEmpty } }

    /// Whether later readers may find the whole pack here.
    var isWorthKeeping: Bool { state.withLock(\.isJoinable) }

    func begin() { change { $0.phase = .running } }

    /// Adds a line for those who wait.
    ///
    /// One that ends in `\r` replaces its like.
    func report(_ message: String) {
        change { state in
            if let last = state.messages.last, last.hasSuffix("\r") {
                state.messages[state.messages.count - 1] = message
            } else {
                state.messages.append(message)
            }
        }
    }

    /// Appends to the pack.
    ///
    /// May wait for readers once the pack goes through memory.
    ///
    /// - Parameter stalling: Called around a wait with whether it begins.
    func append(_ bytes: UnsafeRawBufferPointer, stalling: (Bool) -> Void) throws(GitStoreError) {
        let (hasSpilled, offset) = state.withLock { ($0.hasSpilled, $0.storedBytes) }
        var stored = 0
        if !hasSpilled, let spool, room.take(bytes.count) { stored = spool.write(bytes, at: offset) }
        let rest = UnsafeRawBufferPointer(rebasing: bytes[stored...])
        let buffer = rest.isEmpty ? nil : ByteBuffer(bytes: rest)
        change { state in
            state.storedBytes += stored
            guard let buffer else { return }
            if !state.hasSpilled {
                state.hasSpilled = true
                state.tailStart = state.storedBytes
            }
            state.tail.append(buffer)
        }
        if buffer != nil { try waitForReaders(stalling) }
    }

    func finish(_ result: Result<Void, GitStoreError>) {
        change { state in
            switch result {
            case .success: state.phase = .finished
            case .failure(let error): state.phase = .failed(error)
            }
        }
    }

    private func waitForReaders(_ stalling: (Bool) -> Void) throws(GitStoreError) {
        var isStalled = false
        defer { if isStalled { stalling(false) } }
        while true {
            let (mustWait, isAbandoned) = state.withLock { state in
                let waits = state.tailEnd - state.tailStart > memoryBytes && !state.isAbandoned
                state.writerWaits = waits
                return (waits, state.isAbandoned)
            }
            if isAbandoned { throw .cancelled }
            guard mustWait else { return }
            if !isStalled {
                isStalled = true
                stalling(true)
            }
            writerMayGo.wait()
        }
    }

    // MARK: For readers

    /// A new reader's number, or `nil` when the pack can no longer be read from its beginning.
    func join() -> Int? {
        state.withLock { state in
            guard state.isJoinable else { return nil }
            let reader = state.nextReader
            state.nextReader += 1
            state.readers[reader] = 0
            return reader
        }
    }

    /// Answers whether that was the last reader of a pack that is not finished.
    func leave(_ reader: Int) -> Bool {
        change { state in
            state.readers[reader] = nil
            trimTail(&state)
            if state.readers.isEmpty, state.phase != .finished { state.isAbandoned = true }
            return state.isAbandoned
        }
    }

    func find(_ position: Position, limit: Int) throws(GitStoreError) -> Finding {
        let found = state.withLock { state -> Result<Finding, GitStoreError> in
            if position.message < state.messages.count {
                return .success(.progress(state.messages[position.message], next: position.message + 1))
            }
            if position.offset < state.storedBytes {
                return .success(.stored(count: min(limit, state.storedBytes - position.offset)))
            }
            if let block = Self.tailBlock(state, at: position.offset, limit: limit) { return .success(.memory(block)) }
            switch state.phase {
            case .finished: return .success(.end)
            case .failed(let error): return .failure(error)
            case .waiting, .running: return .success(.nothing(version: state.version))
            }
        }
        return try found.get()
    }

    func readStored(at offset: Int, into room: UnsafeMutableRawBufferPointer) throws(GitStoreError) {
        guard let spool else { throw .corrupt("a pack has no spool file") }
        try spool.read(into: room, at: offset)
    }

    /// Says that a reader has all bytes before `offset`.
    func advance(_ reader: Int, to offset: Int) {
        let wakesWriter = state.withLock { state in
            state.readers[reader] = offset
            trimTail(&state)
            defer { state.writerWaits = false }
            return state.writerWaits
        }
        if wakesWriter { writerMayGo.signal() }
    }

    /// Returns when something has changed since `version`, or the task is cancelled.
    func waitForChange(since version: UInt64) async {
        let waiter = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mustWait = state.withLock { state in
                    guard state.version == version, !Task.isCancelled else { return false }
                    state.waiters[waiter] = continuation
                    return true
                }
                if !mustWait { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: waiter) }?.resume()
        }
    }

    // MARK: -

    /// Changes the state and wakes all who wait for that.
    @discardableResult
    private func change<Value: Sendable>(_ body: (inout sending State) -> Value) -> Value {
        let (value, waiters, wakesWriter) = state.withLock { state in
            let value = body(&state)
            state.version += 1
            let waiters = Array(state.waiters.values)
            state.waiters.removeAll()
            let wakes = state.writerWaits
            state.writerWaits = false
            return (value, waiters, wakes)
        }
        for waiter in waiters { waiter.resume() }
        if wakesWriter { writerMayGo.signal() }
        return value
    }

    /// Drops the blocks that every reader has.
    private func trimTail(_ state: inout State) {
        let slowest = state.readers.values.min() ?? .max
        while let first = state.tail.first, state.tailStart + first.readableBytes <= slowest {
            state.tailStart += first.readableBytes
            state.tail.removeFirst()
        }
    }

    private static func tailBlock(_ state: State, at offset: Int, limit: Int) -> ByteBuffer? {
        var start = state.tailStart
        for block in state.tail {
            let end = start + block.readableBytes
            if offset < end, offset >= start {
                return block.getSlice(at: block.readerIndex + offset - start, length: min(limit, end - offset))
            }
            start = end
        }
        return nil
    }
}
