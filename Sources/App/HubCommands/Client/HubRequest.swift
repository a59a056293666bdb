import FoundationEssentials
import HTTPTypes
import NIOCore
import Synchronization

/// A request of a verb to the hub's own API.
struct HubRequest: Sendable {
    let method: HTTPRequest.Method
    /// Parts of the path below `/api/hub/v1`, not yet encoded.
    let path: [String]
    var query: [(name: String, value: String)] = []
    var body: HubRequestBody = .none
    var contentType = "application/json"

    /// The path and query as they go on the wire.
    var target: String {
        let path = HubRequest.basePath + self.path.map { "/" + Self.encode($0) }.joined()
        guard !query.isEmpty else { return path }
        return path + "?" + query.map { "\(Self.encode($0.name))=\(Self.encode($0.value))" }.joined(separator: "&")
    }

    static let basePath = "/api/hub/v1"

    /// Percent-encodes all but the unreserved characters of RFC 3986.
    private static func encode(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                result += "%" + Self.hexDigits[Int(byte >> 4)] + Self.hexDigits[Int(byte & 15)]
            }
        }
        return result
    }

    private static let hexDigits = "0123456789ABCDEF".map { String($0) }
}

enum HubRequestBody: Sendable {
    /// Calls `write` with each piece and waits as long as the hub is slow.
    typealias Producer = @Sendable (_ write: @Sendable (ByteBuffer) async throws -> Void) async throws -> Void

    case none
    case bytes(ByteBuffer)
    case stream(length: Int64?, Producer)
}

/// Why a request's body could not be made.
final class SendFailure: Sendable {
    let error = Mutex<(any Error)?>(nil)
}

/// What the hub answered; the body is read by the closure that the response is passed to.
struct HubResponse {
    let status: Int
    let retryAfter: String?
    let body: ResponseReader
}

/// Reads a body piece by piece.
final class ResponseReader {
    private let pull: () async throws -> ByteBuffer?

    init(_ pull: @escaping () async throws -> ByteBuffer?) { self.pull = pull }

    /// The next piece, `nil` at the end.
    func next() async throws -> ByteBuffer? { try await pull() }

    /// The whole body.
    func collect(upTo limit: Int) async throws -> ByteBuffer {
        var whole = ByteBuffer()
        while var piece = try await next() {
            guard whole.readableBytes + piece.readableBytes <= limit else {
                throw CommandFailure(.failed, "The hub's answer is larger than expected.")
            }
            whole.writeBuffer(&piece)
        }
        return whole
    }
}

/// A way to the hub: over its control socket, or its router in this process.
protocol HubTransport: Sendable {
    /// Sends a request and passes the answer to `read`, whose result it returns.
    func exchange<Value: Sendable>(
        _ request: HubRequest, _ read: @Sendable (HubResponse) async throws -> Value
    ) async throws -> Value

    /// Closes what was opened.
    func close() async throws
}
