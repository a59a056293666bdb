import Synchronization
import Testing

@testable import Repositories

/// A value that several tasks change.
private final class Shared<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) { self.value = Mutex(value) }

    @discardableResult
    func withLock<Result: Sendable>(_ body: (inout sending Value) -> sending Result) -> Result { value.withLock(body) }
}

@Suite("Queue of pushes")
struct ReceiveQueueTests {
    @Test("never runs more than its width at once")
    func width() async throws {
        let queue = ReceiveQueue(width: 2)
        let running = Shared(0)
        let most = Shared(0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<50 {
                group.addTask {
                    try await queue.run("account \(index % 5)") {
                        let now = running.withLock { value in
                            value += 1
                            return value
                        }
                        most.withLock { $0 = max($0, now) }
                        await Task.yield()
                        running.withLock { $0 -= 1 }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(most.withLock { $0 } <= 2)
    }

    @Test("goes round the callers that wait")
    func fairness() async throws {
        let queue = ReceiveQueue(width: 1)
        let order = Shared<[String]>([])
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let (entered, enter) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await queue.run("first") {
                    enter.yield()
                    for await _ in gate { break }
                }
            }
            for await _ in entered { break }
            for (index, key) in ["busy", "busy", "busy", "other"].enumerated() {
                group.addTask { try await queue.run(key) { order.withLock { $0.append(key) } } }
                while queue.waitingCount < index + 1 { await Task.yield() }
            }
            open.yield()
            try await group.waitForAll()
        }
        #expect(order.withLock { $0 } == ["busy", "other", "busy", "busy"])
    }

    @Test("lets one key have no more than its share, whatever is free")
    func share() async throws {
        let queue = ReceiveQueue(width: 3, perKey: 1)
        try await queue.enter("busy")
        let second = Task { try await queue.enter("busy") }
        while queue.waitingCount < 1 { await Task.yield() }
        try await queue.enter("other")
        queue.leave("other")
        #expect(queue.waitingCount == 1)
        queue.leave("busy")
        try await second.value
        queue.leave("busy")
        #expect(queue.waitingCount == 0)
    }

    @Test("a cancelled caller leaves the queue")
    func cancellation() async throws {
        let queue = ReceiveQueue(width: 1)
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let (entered, enter) = AsyncStream.makeStream(of: Void.self)
        let holder = Task {
            try await queue.run("a") {
                enter.yield()
                for await _ in gate { break }
            }
        }
        for await _ in entered { break }
        let waiter = Task { try await queue.run("b") {} }
        while queue.waitingCount < 1 { await Task.yield() }
        waiter.cancel()
        await #expect(throws: CancellationError.self) { try await waiter.value }
        #expect(queue.waitingCount == 0)
        open.yield()
        try await holder.value
        try await queue.run("c") {}
    }
}
