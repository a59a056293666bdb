import HTTPTypes
import HubCore
import Hummingbird
import NIOCore
import Synchronization
import Testing
import WebCore

@testable import HubServer

@Suite("HTTP server")
struct HTTPServerTests {
    @Test("answers one request after the other on a connection")
    func keepsAlive() async throws {
        try await TestServer.run { request, _ in
            .plain(request.uri.path)
        } _: { server in
            try await WireClient.connect(port: server.port) { wire in
                for path in ["/a", "/b"] {
                    try await wire.send("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n")
                    let answer = try await wire.answer()
                    #expect(answer.head.hasPrefix("HTTP/1.1 200 OK") && answer.body == path)
                    #expect(answer.head.lowercased().contains("\r\ndate: "))
                }
                try await wire.send("GET /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                #expect(try await wire.rest().lowercased().contains("connection: close"))
            }
        }
    }

    @Test("answers pipelined requests in their order")
    func pipelines() async throws {
        try await TestServer.run { request, _ in
            .plain(request.uri.path)
        } _: { server in
            try await WireClient.connect(port: server.port) { wire in
                try await wire.send((1...5).map { "GET /\($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined())
                for number in 1...5 { #expect(try await wire.answer().body == "/\(number)") }
            }
        }
    }

    @Test("speaks HTTP/1.0: no chunks, and closes")
    func oldHTTP() async throws {
        try await TestServer.run { _, _ in
            Response(
                status: .ok,
                body: ResponseBody { writer in
                    try await writer.write(ByteBuffer(string: "ab"))
                    try await writer.write(ByteBuffer(string: "cd"))
                    try await writer.finish(nil)
                })
        } _: { server in
            try await WireClient.connect(port: server.port) { wire in
                try await wire.send("GET / HTTP/1.0\r\n\r\n")
                let text = try await wire.rest()
                #expect(text.hasPrefix("HTTP/1.0 200") && text.hasSuffix("\r\n\r\nabcd"))
            }
        }
    }

    @Test("tells a client that waits to go on only when the body is wanted")
    func continues() async throws {
        try await TestServer.run { request, _ in
            if request.uri.path == "/no" { throw ProblemError(.forbidden, code: "no", "No.") }
            return .plain(String(buffer: try await request.body.collect(upTo: 100)))
        } _: { server in
            try await WireClient.connect(port: server.port) { wire in
                try await wire.send("PUT /yes HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
                #expect(try await wire.head() == "HTTP/1.1 100 Continue")
                try await wire.send("abc")
                #expect(try await wire.answer().body == "abc")
                try await wire.send("PUT /no HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
                let text = try await wire.rest()
                #expect(text.hasPrefix("HTTP/1.1 403") && text.lowercased().contains("connection: close"))
            }
        }
    }

    @Test(
        "refuses lengths that cannot be, without asking anybody",
        arguments: [
            ("18446744073709551615", "413"), ("9223372036854775808", "413"), ("18446744073709551616", "400"),
            ("99999999999999999999999999", "400"), ("-1", "400"), ("1x", "400"),
        ])
    func impossibleLength(length: String, status: String) async throws {
        try await TestServer.run { request, _ in
            .plain(request.uri.path)
        } _: { server in
            try await WireClient.connect(port: server.port) { wire in
                try await wire.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: \(length)\r\n\r\nabc")
                let head = try await wire.head()
                #expect(
                    head.hasPrefix("HTTP/1.1 \(status)") && head.lowercased().contains("connection: close"), "\(head)")
            }
        }
    }

    @Test(
        "a body that ends early is an error to its reader, at once",
        arguments: ["Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n5\r\nab"])
    func endsEarly(rest: String) async throws {
        let (failures, failure) = AsyncStream<RequestBodyError?>.makeStream()
        try await TestServer.run { request, _ in
            do {
                for try await _ in request.body {}
                failure.yield(nil)
            } catch {
                failure.yield(error as? RequestBodyError)
                throw error
            }
            return .plain("done")
        } _: { server in
            try await WireClient.connect(port: server.port) { wire in
                try await wire.send("PUT / HTTP/1.1\r\nHost: x\r\n\(rest)")
                wire.finish()
                for await seen in failures {
                    #expect(seen == .ended)
                    break
                }
            }
        }
    }

    @Test("a refused body that is small is dropped and the connection goes on; a large one ends it after the answer")
    func refusesBodies() async throws {
        try await TestServer.run { request, _ in
            if request.uri.path == "/next" { return .plain("next") }
            throw ProblemError(.unprocessable, code: "no", "No.")
        } _: { server in
            try await WireClient.connect(port: server.port) { wire in
                try await wire.send(
                    "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + String(repeating: "x", count: 1000))
                #expect(try await wire.answer().head.hasPrefix("HTTP/1.1 422"))
                try await wire.send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(try await wire.answer().body == "next")
                try await wire.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n")
                for _ in 0..<64 { try await wire.send([UInt8](repeating: 1, count: 16384)) }
                let text = try await wire.rest()
                #expect(text.hasPrefix("HTTP/1.1 422") && text.lowercased().contains("connection: close"))
            }
        }
    }

    @Test(
        "answers what is not HTTP with 4xx and closes",
        arguments: [
            ("GET / HTTP/1.1\r\nHo st: x\r\n\r\n", 400), ("nonsense\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nX: \(String(repeating: "y", count: 20000))\r\n\r\n", 431),
            ("GET /\(String(repeating: "y", count: 90000)) HTTP/1.1\r\n\r\n", 431),
            ("GET / HTTP/1.1\r\n" + (0..<200).map { "A\($0): b\r\n" }.joined() + "\r\n", 431),
        ])
    func refusesNonsense(bytes: String, status: Int) async throws {
        try await TestServer.run { _, _ in
            .plain("x")
        } _: { server in
            try await WireClient.connect(port: server.port) { wire in
                try await wire.send(bytes)
                #expect(try await wire.rest().hasPrefix("HTTP/1.1 \(status)"))
            }
        }
    }

    @Test("an answer that breaks off does not look whole")
    func cutsBrokenAnswers() async throws {
        struct Broken: Error {}
        try await TestServer.run { _, _ in
            Response(
                status: .ok,
                body: ResponseBody { writer in
                    try await writer.write(ByteBuffer(string: "half"))
                    throw Broken()
                })
        } _: { server in
            try await WireClient.connect(port: server.port) { wire in
                try await wire.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                let text = try await wire.rest()
                #expect(text.contains("half") && !text.hasSuffix("0\r\n\r\n"))
            }
        }
    }

    @Test("cancels the handler when the client goes away")
    func cancels() async throws {
        let (cancellations, cancelled) = AsyncStream<Void>.makeStream()
        let (begun, began) = AsyncStream<Void>.makeStream()
        try await TestServer.run { _, _ in
            began.yield()
            await withTaskCancellationHandler {
                let (never, _) = AsyncStream<Void>.makeStream()
                for await _ in never {}
            } onCancel: {
                cancelled.yield()
            }
            return .plain("x")
        } _: { server in
            try await WireClient.connect(port: server.port) { wire in
                try await wire.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                for await _ in begun { break }
            }
            server.connections.closeAll()
            for await _ in cancellations { break }
        }
    }

    @Test("refuses connections beyond the limit")
    func limitsConnections() async throws {
        try await TestServer.run(maximumConnections: 1) { _, _ in
            .plain("x")
        } _: { server in
            try await WireClient.connect(port: server.port) { first in
                try await first.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(try await first.answer().body == "x")
                let second = try await WireClient.connect(port: server.port) { try await $0.rest() }
                #expect(second.isEmpty)
            }
        }
    }

    @Test("gives the client's address, the external address and a request id to handlers")
    func context() async throws {
        let origins = ["https://hub.example", "http://127.0.0.1:99"].compactMap(RequestOrigin.init(parsing:))
        let proxies = ["127.0.0.0/8"].compactMap(AddressBlock.init(parsing:))
        let respond: @Sendable (Request, HubContext) async throws -> Response = { _, context in
            .plain("\(context.remoteAddress) \(context.origin) \(context.requestID)")
        }
        let request =
            "GET / HTTP/1.1\r\nHost: 127.0.0.1:99\r\nX-Forwarded-For: 203.0.113.9, 198.51.100.7, 127.0.0.1\r\n"
            + "X-Forwarded-Proto: https\r\nX-Forwarded-Host: hub.example\r\nX-Request-Id: abc-1\r\n\r\n"
        try await TestServer.run(external: origins, trustedProxies: proxies, respond: respond) { server in
            try await WireClient.connect(port: server.port) { wire in
                try await wire.send(request)
                #expect(try await wire.answer().body == "198.51.100.7 https://hub.example abc-1")
            }
        }
        try await TestServer.run(external: origins, respond: respond) { server in
            try await WireClient.connect(port: server.port) { wire in
                try await wire.send(request)
                let body = try await wire.answer().body
                #expect(body.hasPrefix("127.0.0.1 http://127.0.0.1:99 ") && !body.hasSuffix("abc-1"))
            }
        }
    }
}
