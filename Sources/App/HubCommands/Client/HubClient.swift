import FoundationEssentials
import HTTPTypes
import HubAPI
import NIOCore

/// The hub's own API as the verbs call it.
struct HubClient: Sendable {
    let transport: any HubTransport

    /// Longer answers are not JSON of ours.
    private static let maximumAnswerBytes = 64 << 20
    /// A line of a stream is one object, one audit row, one finding.
    private static let maximumLineBytes = 4 << 20

    // MARK: - One answer

    func get<Answer: APIModel>(_ path: [String], query: [(String, String)] = []) async throws -> Answer {
        try await decode(HubRequest(method: .get, path: path, query: query.map { ($0.0, $0.1) }))
    }

    func send<Body: APIModel, Answer: APIModel>(_ method: HTTPRequest.Method, _ path: [String], _ body: Body)
        async throws -> Answer
    {
        try await decode(HubRequest(method: method, path: path, body: .bytes(JSONForm.encode(body))))
    }

    /// Sends without a body.
    func send<Answer: APIModel>(_ method: HTTPRequest.Method, _ path: [String]) async throws -> Answer {
        try await decode(HubRequest(method: method, path: path))
    }

    /// Sends bytes that are held whole.
    func post<Answer: APIModel>(_ path: [String], bytes: [UInt8]) async throws -> Answer {
        try await decode(HubRequest(method: .post, path: path, body: .bytes(ByteBuffer(bytes: bytes)), contentType: "application/octet-stream"))
    }

    /// What is answered to a request without a body, as bytes.
    func bytes(posting path: [String], query: [(String, String)] = []) async throws -> [UInt8] {
        try await transport.exchange(HubRequest(method: .post, path: path, query: query.map { ($0.0, $0.1) })) { response in
            try await Self.check(response)
            return Array(try await response.body.collect(upTo: Self.maximumAnswerBytes).readableBytesView)
        }
    }

    func delete(_ path: [String]) async throws {
        try await transport.exchange(HubRequest(method: .delete, path: path)) { try await Self.check($0) }
    }

    /// Sends lines of JSON as they are made.
    func stream<Answer: APIModel>(
        _ path: [String], query: [(String, String)] = [], lines: @escaping HubRequestBody.Producer
    ) async throws -> Answer {
        try await decode(
            HubRequest(
                method: .post, path: path, query: query.map { ($0.0, $0.1) }, body: .stream(length: nil, lines),
                contentType: "application/x-ndjson"))
    }

    /// Sends bytes of a known length.
    func upload<Answer: APIModel>(_ path: [String], length: Int64, _ bytes: @escaping HubRequestBody.Producer)
        async throws -> Answer
    {
        try await decode(
            HubRequest(
                method: .put, path: path, body: .stream(length: length, bytes), contentType: "application/octet-stream")
        )
    }

    // MARK: - Many answers

    /// Calls `each` with every page of a list, until `limit` items have come or the list ends.
    func pages<Item: APIModel>(
        of type: Item.Type, _ path: [String], query: [(String, String)] = [], limit: Int? = nil,
        _ each: ([Item]) async throws -> Void
    ) async throws {
        var cursor: String?
        var rest = limit ?? Int.max
        repeat {
            var parameters = query + [("limit", String(min(rest, 500)))]
            if let cursor { parameters.append(("cursor", cursor)) }
            let page: ListPage<Item> = try await get(path, query: parameters)
            try await each(page.items)
            rest -= page.items.count
            cursor = page.next
        } while cursor != nil && rest > 0
    }

    /// Calls `each` with every line of a stream of JSON.
    func lines<Line: APIModel>(
        of type: Line.Type, _ path: [String], query: [(String, String)] = [],
        _ each: @Sendable (Line) async throws -> Void
    ) async throws {
        try await lines(of: type, HubRequest(method: .get, path: path, query: query.map { ($0.0, $0.1) }), each)
    }

    /// The same as the answer to a body.
    func lines<Body: APIModel, Line: APIModel>(
        of type: Line.Type, posting body: Body, to path: [String], _ each: @Sendable (Line) async throws -> Void
    ) async throws {
        try await lines(of: type, HubRequest(method: .post, path: path, body: .bytes(JSONForm.encode(body))), each)
    }

    private func lines<Line: APIModel>(
        of type: Line.Type, _ request: HubRequest, _ each: @Sendable (Line) async throws -> Void
    ) async throws {
        try await transport.exchange(request) { response in
            try await Self.check(response)
            var reader = LineReader(response.body, maximumBytes: Self.maximumLineBytes)
            while let line = try await reader.next() {
                guard let value = Self.decoded(Line.self, line) else {
                    throw Self.failure(status: 500, retryAfter: nil, body: line)
                }
                try await each(value)
            }
        }
    }

    /// Passes the answer to a body piece by piece to `each`.
    func download<Body: APIModel>(
        posting body: Body, to path: [String], _ each: @Sendable (ByteBuffer) async throws -> Void
    ) async throws {
        try await download(HubRequest(method: .post, path: path, body: .bytes(JSONForm.encode(body))), each)
    }

    /// Passes a body piece by piece to `each`.
    func download(
        _ path: [String], query: [(String, String)] = [], _ each: @Sendable (ByteBuffer) async throws -> Void
    ) async throws {
        try await download(HubRequest(method: .get, path: path, query: query.map { ($0.0, $0.1) }), each)
    }

    private func download(_ request: HubRequest, _ each: @Sendable (ByteBuffer) async throws -> Void) async throws {
        try await transport.exchange(request) { response in
            try await Self.check(response)
            while let piece = try await response.body.next() { try await each(piece) }
        }
    }

    // MARK: -

    private func decode<Answer: APIModel>(_ request: HubRequest) async throws -> Answer {
        try await transport.exchange(request) { response in
            try await Self.check(response)
            let body = try await response.body.collect(upTo: Self.maximumAnswerBytes)
            guard let answer = Self.decoded(Answer.self, body) else {
                throw CommandFailure(
                    .failed,
                    "The hub answered in a form that this version does not know; use the same version of csghub.")
            }
            return answer
        }
    }

    private static func decoded<Value: Decodable>(_ type: Value.Type, _ bytes: ByteBuffer) -> Value? {
        do { return try JSONForm.decode(type, from: bytes) } catch { return nil }
    }

    private static func check(_ response: HubResponse) async throws {
        guard response.status >= 300 else { return }
        let body = try await response.body.collect(upTo: 1 << 20)
        throw failure(status: response.status, retryAfter: response.retryAfter, body: body)
    }

    private static func failure(status: Int, retryAfter: String?, body: ByteBuffer) -> CommandFailure {
        let error = decoded(APIErrorBody.self, body)?.error
        let message = error?.message ?? "The hub answered with status \(status)."
        let hint = message.contains("again") ? "" : retryAfter.map { " Try again in \($0) s." } ?? ""
        return CommandFailure(ExitStatus(httpStatus: status), DisplayText.safeLines(message) + hint, code: error?.code)
    }
}

/// Splits a body into its lines.
struct LineReader {
    private let reader: ResponseReader
    private let maximumBytes: Int
    private var buffered = ByteBuffer()
    private var isAtEnd = false

    init(_ reader: ResponseReader, maximumBytes: Int) {
        self.reader = reader
        self.maximumBytes = maximumBytes
    }

    /// The next line that is not empty, without its end; `nil` after the last.
    mutating func next() async throws -> ByteBuffer? {
        while true {
            if let end = buffered.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
                let length = end - buffered.readerIndex
                let line = buffered.readSlice(length: length)
                buffered.moveReaderIndex(forwardBy: 1)
                buffered.discardReadBytes()
                if length > 0 { return line }
                continue
            }
            if isAtEnd { return buffered.readableBytes > 0 ? buffered.readSlice(length: buffered.readableBytes) : nil }
            guard buffered.readableBytes <= maximumBytes else {
                throw CommandFailure(.failed, "A line of the hub's answer is longer than expected.")
            }
            if var piece = try await reader.next() { buffered.writeBuffer(&piece) } else { isAtEnd = true }
        }
    }
}
