import FoundationEssentials
import HTTPTypes
import HubCore
import Hummingbird
import NIOCore

/// How our own API writes and reads JSON: RFC 3339 times in UTC, keys in the order of the alphabet, slashes as they are.
package enum HubJSON {
    package static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }

    package static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return decoder
    }

    /// The bytes of `value`; a type of ours that cannot be encoded is a broken build.
    package static func bytes(_ value: some Encodable) -> [UInt8] {
        do {
            return try Array(encoder.encode(value))
        } catch {
            fatalError("\(type(of: value)) does not encode: \(error)")
        }
    }
}

extension Response {
    /// A JSON answer. `contentType` is for media types of their own, as LFS has one.
    package static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, contentType: String = "application/json; charset=utf-8"
    ) -> Response {
        Response(
            status: status, headers: [.contentType: contentType],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: HubJSON.bytes(value))))
    }

    /// A short text for people at a terminal.
    package static func text(
        _ text: String, status: HTTPResponse.Status = .ok, contentType: String = "text/plain; charset=utf-8"
    ) -> Response {
        Response(
            status: status, headers: [.contentType: contentType], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}

extension Request {
    /// The body as JSON of at most `limit` bytes.
    ///
    /// - Throws: a `ProblemError` (`.tooLarge`, `.invalid`) that says what is wrong.
    package func json<Value: Decodable>(_ type: Value.Type, limit: Int = 1 << 20) async throws -> Value {
        let buffer = try await collect(limit: limit)
        do {
            return try HubJSON.decoder.decode(type, from: Data(buffer.readableBytesView))
        } catch {
            guard let problem = Problem.describing(error) else { throw error }
            throw ProblemError(problem)
        }
    }

    /// The whole body, at most `limit` bytes.
    package func collect(limit: Int) async throws -> ByteBuffer {
        if let length = headers[.contentLength].flatMap({ Int64($0) }), length > Int64(limit) { throw tooLarge(limit) }
        do {
            return try await body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw tooLarge(limit)
        }
    }

    private func tooLarge(_ limit: Int) -> ProblemError {
        ProblemError(.tooLarge, code: "body_too_large", "The request's body is larger than \(limit) bytes.")
    }
}
