import HTTPTypes
import HubCore
import Hummingbird
import NIOCore
import WebCore

/// One route of the API: what the OpenAPI document says of it, and what answers it.
///
/// The router and the document are both made from the same list, so neither can have a route that the other lacks.
package struct APIRoute: Sendable {
    package let method: HTTPRequest.Method
    /// Below `/api/hub/v1`, with its parameters in braces: `/accounts/{account}`.
    package let path: String
    /// The name of the operation for generated clients: `createAccount`.
    package let operation: String
    package let summary: String
    package let query: [APIParameter]
    package let body: APIContent?
    package let answer: APIContent
    package let status: HTTPResponse.Status
    let respond: @Sendable (APICall) async throws -> Response

    /// The first part of the path, by which the document groups routes.
    package var tag: String { path.split(separator: "/").first.map(String.init) ?? "hub" }

    /// The names in braces.
    package var pathParameters: [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    }
}

/// What a body is made of.
package enum APIContent: Hashable, Sendable {
    case nothing
    case json(Schema)
    /// One JSON value a line, streamed.
    case lines(Schema)
    /// Server-sent events, each with one JSON value as its data.
    case events(Schema)
    /// Bytes, streamed.
    case bytes

    package var mediaType: String? {
        switch self {
        case .nothing: nil
        case .json: "application/json"
        case .lines: "application/x-ndjson"
        case .events: "text/event-stream"
        case .bytes: "application/octet-stream"
        }
    }

    package var schema: Schema? {
        switch self {
        case .nothing, .bytes: nil
        case .json(let schema), .lines(let schema), .events(let schema): schema
        }
    }
}

/// A parameter of the query.
package struct APIParameter: Hashable, Sendable {
    package let name: String
    package let schema: Schema
    package let summary: String

    init(_ name: String, _ schema: Schema, _ summary: String) {
        self.name = name
        self.schema = schema
        self.summary = summary
    }

    static let limit = APIParameter(
        "limit", .integer(minimum: 1, maximum: Int64(APICall.maximumLimit)), "How many items at most; 100 unless told.")
    static let cursor = APIParameter("cursor", .text, "`next` of the page before.")
    static let paging: [APIParameter] = [.limit, .cursor]
}

// MARK: - The usual forms of a route

extension APIRoute {
    /// The largest JSON body that a route reads whole.
    static let maximumBodyBytes = 1 << 20

    /// A route that answers with JSON and takes no body.
    static func answering<Answer: APIModel>(
        _ method: HTTPRequest.Method, _ path: String, _ operation: String, _ summary: String,
        query: [APIParameter] = [],
        status: HTTPResponse.Status = .ok, _ respond: @escaping @Sendable (APICall) async throws -> Answer
    ) -> APIRoute {
        APIRoute(
            method: method, path: path, operation: operation, summary: summary, query: query, body: nil,
            answer: .json(Answer.schema), status: status
        ) { call in
            try call.json(await respond(call), status: status)
        }
    }

    /// A route that takes JSON and answers with JSON.
    static func taking<Body: APIModel, Answer: APIModel>(
        _ method: HTTPRequest.Method, _ path: String, _ operation: String, _ summary: String,
        status: HTTPResponse.Status = .ok, _ respond: @escaping @Sendable (APICall, Body) async throws -> Answer
    ) -> APIRoute {
        APIRoute(
            method: method, path: path, operation: operation, summary: summary, query: [], body: .json(Body.schema),
            answer: .json(Answer.schema), status: status
        ) { call in
            let body = try JSONForm.decodeChecked(Body.self, from: await call.collectBody(upTo: maximumBodyBytes))
            return try call.json(await respond(call, body), status: status)
        }
    }

    /// A route that answers with nothing.
    static func quiet(
        _ method: HTTPRequest.Method, _ path: String, _ operation: String, _ summary: String,
        query: [APIParameter] = [],
        _ respond: @escaping @Sendable (APICall) async throws -> Void
    ) -> APIRoute {
        APIRoute(
            method: method, path: path, operation: operation, summary: summary, query: query, body: nil,
            answer: .nothing,
            status: .noContent
        ) { call in
            try await respond(call)
            return Response(status: .noContent)
        }
    }

    /// A route that streams one JSON value a line.
    static func streaming<Line: APIModel>(
        _ path: String, _ operation: String, _ summary: String, query: [APIParameter] = [], of line: Line.Type,
        _ respond: @escaping @Sendable (APICall) async throws -> LineStream<Line>
    ) -> APIRoute {
        APIRoute(
            method: .get, path: path, operation: operation, summary: summary, query: query, body: nil,
            answer: .lines(Line.schema), status: .ok
        ) { call in
            try await respond(call).response(for: call)
        }
    }
}

/// Lines that are made while they are sent: `write` calls `send` for each and waits as long as the client is slow.
struct LineStream<Line: APIModel>: Sendable {
    typealias Send = (Line) async throws -> Void

    private let write: @Sendable (_ send: Send) async throws -> Void

    init(_ write: @escaping @Sendable (_ send: Send) async throws -> Void) { self.write = write }

    /// An error after the first line can change no status, so the stream ends with a line `{"error": …}`.
    func response(for call: APICall) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/x-ndjson"],
            body: ResponseBody { [write] writer in
                var open = writer
                do {
                    try await write { line in try await open.write(Self.line(line)) }
                } catch let error where !(error is CancellationError) && !(error is ChannelError) && !(error is IOError)
                {
                    try await open.write(Self.line(call.errorBody(for: error)))
                }
                try await open.finish(nil)
            })
    }

    private static func line(_ value: some Encodable) throws -> ByteBuffer {
        var bytes = try JSONForm.encode(value)
        bytes.writeInteger(UInt8(ascii: "\n"))
        return bytes
    }
}
