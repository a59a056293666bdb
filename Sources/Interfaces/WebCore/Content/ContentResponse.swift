import HTTPTypes
import HubCore
import Hummingbird
import NIOCore

/// A body writer that sends files from where they lie. The server's connections have it; a router without a socket has not.
package protocol FileBodyWriter: ResponseBodyWriter {
    /// Sends the whole content; returns when the connection has taken all of it but what its buffers hold.
    func write(_ content: any FileContent) async throws
}

/// Content of a known size that is served with `ETag`, `Range`, `HEAD` and conditional requests.
///
/// The bytes go out as they are, with no `Content-Encoding`, which would break ranges.
package struct ContentResponse: Sendable {
    /// Strong, with its quotes.
    package let etag: String
    package let sizeBytes: Int64
    package let contentType: String

    package init(etag: String, sizeBytes: Int64, contentType: String = "application/octet-stream") {
        self.etag = "\"\(etag)\""
        self.sizeBytes = sizeBytes
        self.contentType = contentType
    }

    /// How many bytes to read and write at once: larger pieces cost TLS memory traffic, smaller ones switches
    /// (`storage-io.md` §4).
    package static func pieceBytes(in context: HubContext) -> Int { context.isEncrypted ? 512 << 10 : 1 << 20 }

    /// The answer to `request`; `bytes` is called for the range that it asks for, and not for `HEAD`.
    package func answer<Bytes: AsyncSequence & Sendable>(
        _ request: Request, bytes: (Range<Int64>) async throws -> Bytes
    ) async throws -> Response where Bytes.Element == ByteBuffer {
        var headers: HTTPFields = [.eTag: etag, .acceptRanges: "bytes", .contentType: contentType]
        if matches(request.headers[.ifNoneMatch]) { return Response(status: .notModified, headers: headers) }
        // On HEAD a range has no meaning (RFC 9110 §14.2).
        let rangeHeader = request.method == .get ? request.headers[.range] : nil
        let range: Range<Int64>
        let status: HTTPResponse.Status
        switch ByteRange(header: rangeHeader, ifRange: request.headers[.ifRange], etag: etag, sizeBytes: sizeBytes) {
        case .whole:
            (range, status) = (0..<sizeBytes, .ok)
        case .part(let part):
            (range, status) = (part, .partialContent)
            headers[.contentRange] = "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(sizeBytes)"
        case .unsatisfiable:
            headers[.contentRange] = "bytes */\(sizeBytes)"
            return Response(status: .rangeNotSatisfiable, headers: headers)
        }
        headers[.contentLength] = String(range.count)
        if request.method == .head { return Response(status: status, headers: headers, body: .init()) }
        let content = try await bytes(range)
        return Response(
            status: status, headers: headers,
            body: ResponseBody(contentLength: range.count) { writer in
                if let files = content as? any FileContent, let sender = writer as? any FileBodyWriter {
                    try await sender.write(files)
                } else {
                    try await writer.write(content)
                }
                try await writer.finish(nil)
            })
    }

    private func matches(_ ifNoneMatch: String?) -> Bool {
        guard let ifNoneMatch else { return false }
        return ifNoneMatch == "*"
            || ifNoneMatch.split(separator: ",").contains { candidate in
                let text = candidate.drop { $0 == " " }
                return (text.hasPrefix("W/") ? text.dropFirst(2) : text) == etag
            }
    }
}
