import Hummingbird
import NIOCore
import Testing
import WebCore

@testable import HubServer

@Suite("Stopping")
struct GracefulStopTests {
    @Test("closes idle connections at once and lets an answer in progress end")
    func stops() async throws {
        let (begun, began) = AsyncStream<Void>.makeStream()
        let (gate, open) = AsyncStream<Void>.makeStream()
        try await TestServer.run { request, _ in
            if request.uri.path == "/idle" { return .plain("idle") }
            began.yield()
            for await _ in gate { break }
            return .plain("whole")
        } _: { server in
            try await WireClient.connect(port: server.port) { idle in
                try await idle.send("GET /idle HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(try await idle.answer().body == "idle")
                async let busy = WireClient.connect(port: server.port) { wire in
                    try await wire.send("GET /busy HTTP/1.1\r\nHost: x\r\n\r\n")
                    return try await wire.rest()
                }
                for await _ in begun { break }
                await server.stop()
                #expect(try await idle.rest().isEmpty)
                open.yield()
                let text = try await busy
                #expect(text.lowercased().contains("connection: close") && text.hasSuffix("whole"))
            }
        }
    }

    @Test("takes no new connections while it stops")
    func refusesNew() async throws {
        try await TestServer.run { _, _ in
            .plain("x")
        } _: { server in
            try await WireClient.connect(port: server.port) { idle in
                try await idle.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(try await idle.answer().body == "x")
                await server.stop()
                #expect(try await idle.rest().isEmpty)
            }
            await #expect(throws: (any Error).self) {
                let text = try await WireClient.connect(port: server.port) { wire in
                    try await wire.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                    return try await wire.rest()
                }
                if text.isEmpty { throw ChannelError.ioOnClosedChannel }
            }
        }
    }
}
