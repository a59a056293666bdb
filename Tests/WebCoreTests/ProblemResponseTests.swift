import Foundation
import HTTPTypes
import HubCore
import Hummingbird
import Logging
import NIOCore
import Testing
import WebCore

@Suite("Problems as answers")
struct ProblemResponseTests {
    private let context = HubContext(source: HubRequestSource(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))

    @Test("each kind has its status", arguments: Problem.Kind.allCases)
    func statuses(kind: Problem.Kind) {
        let statuses: [Problem.Kind: Int] = [
            .invalid: 400, .unprocessable: 422, .unauthenticated: 401, .forbidden: 403, .missing: 404, .conflict: 409,
            .tooLarge: 413, .throttled: 429, .unavailable: 503, .outOfSpace: 507, .unsupported: 501,
        ]
        #expect(kind.status.code == statuses[kind])
    }

    @Test("waiting is always told how long", arguments: [Problem.Kind.throttled, .unavailable])
    func retryAfter(kind: Problem.Kind) {
        #expect(Problem(kind, code: "x", "x").headers[.retryAfter] == "5")
        #expect(Problem(kind, code: "x", "x", retryAfter: .milliseconds(1)).headers[.retryAfter] == "1")
        #expect(Problem(kind, code: "x", "x", retryAfter: .seconds(70)).headers[.retryAfter] == "70")
    }

    @Test("an error that is no refusal is 500 and tells nothing of its cause")
    func apology() async throws {
        struct Secret: Error { let path = "/secret/path" }
        let response = ProblemResponse.make(for: Secret(), in: context)
        #expect(response.status == .internalServerError)
        let text = try await text(of: response)
        #expect(text.contains(context.requestID) && !text.contains("secret"))
    }

    @Test("a refusal has code, message and request id")
    func refusal() async throws {
        let response = ProblemResponse.make(for: ProblemError(.conflict, code: "head_moved", "main has moved."), in: context)
        let text = try await text(of: response)
        #expect(
            text == #"{"error":{"code":"head_moved","message":"main has moved.","request_id":"\#(context.requestID)"}}"#)
    }

    @Test("JSON of another form names the field that is wrong")
    func decoding() async {
        struct Form: Decodable { let limit: Int }
        let request = Request(
            head: .init(method: .post, scheme: "http", authority: "x", path: "/"),
            body: .init(buffer: ByteBuffer(string: #"{"limit":"many"}"#)))
        await #expect {
            _ = try await request.json(Form.self)
        } throws: { error in
            (error as? ProblemError)?.problem.message.contains("“limit”") == true
        }
    }

    private func text(of response: Response) async throws -> String {
        let collector = Collector()
        try await response.body.write(collector)
        return String(buffer: collector.buffer)
    }
}

/// Keeps what a body writes.
final class Collector: ResponseBodyWriter {
    var buffer = ByteBuffer()

    func write(_ buffer: ByteBuffer) async throws { self.buffer.writeImmutableBuffer(buffer) }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
