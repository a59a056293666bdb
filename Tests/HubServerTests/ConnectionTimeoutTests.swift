import Hummingbird
import NIOCore
import Testing
import WebCore

@testable import HubServer

@Suite("Time-outs of connections")
struct ConnectionTimeoutTests {
    private static func timeouts(_ change: (inout ConnectionTimeouts) -> Void) -> ConnectionTimeouts {
        var timeouts = ConnectionTimeouts()
        change(&timeouts)
        return timeouts
    }

    @Test("closes a connection that sends no whole header")
    func header() async throws {
        try await TestServer.run(timeouts: Self.timeouts { $0.header = .milliseconds(200) }) { _, _ in
            .plain("x")
        } _: { server in
            let text = try await WireClient.connect(port: server.port) { wire in
                try await wire.send("GET / HTTP/1.1\r\nHost")
                return try await wire.rest()
            }
            #expect(text.isEmpty)
            #expect(try await WireClient.connect(port: server.port) { try await $0.rest() }.isEmpty)
        }
    }

    @Test("closes a connection without a further request")
    func keepAlive() async throws {
        try await TestServer.run(timeouts: Self.timeouts { $0.keepAlive = .milliseconds(200) }) { _, _ in
            .plain("x")
        } _: { server in
            try await WireClient.connect(port: server.port) { wire in
                try await wire.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(try await wire.answer().body == "x")
                #expect(try await wire.rest().isEmpty)
            }
        }
    }

    @Test("closes a connection whose body stalls, and its reader learns of it")
    func stalledBody() async throws {
        let (failures, failure) = AsyncStream<RequestBodyError?>.makeStream()
        try await TestServer.run(timeouts: Self.timeouts { $0.stalled = .milliseconds(200) }) { request, _ in
            do {
                for try await _ in request.body {}
            } catch {
                failure.yield(error as? RequestBodyError)
                throw error
            }
            return .plain("x")
        } _: { server in
            try await WireClient.connect(port: server.port) { wire in
                try await wire.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
                for await seen in failures {
                    #expect(seen == .ended)
                    break
                }
            }
        }
    }

    @Test("closes a connection whose client takes no bytes of the answer")
    func stalledReader() async throws {
        let (endings, ended) = AsyncStream<Void>.makeStream()
        try await TestServer.run(timeouts: Self.timeouts { $0.stalled = .milliseconds(300) }) { _, _ in
            Response(
                status: .ok,
                body: ResponseBody { writer in
                    defer { ended.yield() }
                    let piece = ByteBuffer(repeating: 1, count: 1 << 20)
                    while true { try await writer.write(piece) }
                })
        } _: { server in
            try await WireClient.connect(port: server.port) { wire in
                try await wire.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                // Nothing is read here, so the buffers on the way fill up.
                for await _ in endings { break }
            }
        }
    }

    @Test("lets a handler think for as long as it needs")
    func slowHandler() async throws {
        let (thoughts, thought) = AsyncStream<Void>.makeStream()
        try await TestServer.run(
            timeouts: Self.timeouts {
                $0.stalled = .milliseconds(100); $0.keepAlive = .milliseconds(100)
            }
        ) { request, _ in
            guard request.uri.path == "/slow" else { return .plain("x") }
            for await _ in thoughts { break }
            return .plain("thought")
        } _: { server in
            try await WireClient.connect(port: server.port) { wire in
                try await wire.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
                // As long as several time-outs: idle connections come to their end one after the other meanwhile.
                for _ in 0..<4 {
                    try await WireClient.connect(port: server.port) { idle in
                        try await idle.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                        #expect(try await idle.answer().body == "x")
                        _ = try await idle.rest()
                    }
                }
                thought.yield()
                #expect(try await wire.answer().body == "thought")
            }
        }
    }
}
