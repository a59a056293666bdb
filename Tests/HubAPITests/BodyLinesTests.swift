import HubCore
import Hummingbird
import NIOCore
import Repositories
import Synchronization
import Testing

@testable import HubAPI

@Suite("Lines of a body")
struct BodyLinesTests {
    private static let long = String(repeating: "x", count: BodyLines.freeBytes + 1)

    private static func body(_ pieces: [String]) -> RequestBody {
        RequestBody(
            asyncSequence: AsyncStream { continuation in
                for piece in pieces { continuation.yield(ByteBuffer(string: piece)) }
                continuation.finish()
            })
    }

    private static func lines(
        _ pieces: [String], places: ReceiveQueue = ReceiveQueue(width: 1), key: String = "ada",
        maximumBytes: Int = 1 << 20
    ) -> BodyLines {
        BodyLines(body(pieces), maximumBytes: maximumBytes, places: places, key: key)
    }

    @Test("come whole from pieces of any shape, without empty ones")
    func pieces() async throws {
        var lines = Self.lines(["a", "b\n\nc", "\n\n", Self.long, "y\nd\ne"])
        var found: [String] = []
        while let line = try await lines.next() { found.append(String(buffer: line)) }
        #expect(found == ["ab", "c", Self.long + "y", "d", "e"])
    }

    @Test("that are too long are refused")
    func tooLong() async throws {
        var lines = Self.lines([Self.long, Self.long], maximumBytes: BodyLines.freeBytes + 2)
        let error = await #expect(throws: ProblemError.self) { try await lines.next() }
        #expect(error?.problem.code == "line_too_long")
    }

    @Test("wait for a place when they are long, and only then")
    func places() async throws {
        let places = ReceiveQueue(width: 1)
        var first = Self.lines([Self.long, "\nshort\n"], places: places)
        #expect(try await first.next()?.readableBytes == Self.long.utf8.count)
        var short = Self.lines(["short\n"], places: places, key: "bob")
        #expect(try await short.next()?.readableBytes == 5)
        let second = Task {
            var second = Self.lines([Self.long, "\n"], places: places, key: "bob")
            defer { second.giveBack() }
            return try await second.next()?.readableBytes
        }
        while places.waitingCount < 1 { await Task.yield() }
        #expect(try await first.next()?.readableBytes == 5)
        #expect(try await second.value == Self.long.utf8.count)
    }

    @Test("that keep a place for too long are refused, and the place is free again")
    func slow() async throws {
        let places = ReceiveQueue(width: 1)
        let passed = Mutex(Duration.zero)
        let start = ContinuousClock.now
        var slow = BodyLines(
            Self.body([Self.long, "y", "z\n"]), maximumBytes: 1 << 20, places: places, key: "ada",
            now: {
                start.advanced(
                    by: passed.withLock { passed in
                        passed += BodyLines.maximumDuration + .seconds(1)
                        return passed
                    })
            })
        let error = await #expect(throws: ProblemError.self) { try await slow.next() }
        #expect(error?.problem.code == "line_too_slow")
        slow.giveBack()
        try await places.enter("bob")
    }
}
