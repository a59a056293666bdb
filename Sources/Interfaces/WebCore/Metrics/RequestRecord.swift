import HTTPTypes
import Hummingbird
import Logging
import Metrics

/// What is written of a finished request: one line in the log and its metrics.
package struct RequestRecord: Sendable {
    /// How the exchange ended.
    package enum Ending: String, Sendable {
        /// The whole answer was handed to the connection.
        case complete
        /// The client went away, or stopped moving bytes.
        case aborted
    }

    package let method: HTTPRequest.Method
    /// Without the query, which may hold a signature.
    package let path: String
    package let status: HTTPResponse.Status
    package let ending: Ending
    package let receivedBytes: Int64
    package let sentBytes: Int64
    package let duration: Duration

    package init(
        method: HTTPRequest.Method, path: String, status: HTTPResponse.Status, ending: Ending, receivedBytes: Int64,
        sentBytes: Int64, duration: Duration
    ) {
        self.method = method
        self.path = path
        self.status = status
        self.ending = ending
        self.receivedBytes = receivedBytes
        self.sentBytes = sentBytes
        self.duration = duration
    }

    /// Writes it down. Health checks, which come every few seconds, are logged at `debug`.
    package func write(context: HubContext) {
        let milliseconds = duration / .milliseconds(1)
        // Long enough for the address of an LFS object.
        let path = path.utf8.count <= 300 ? path : String(path.prefix(300)) + "…"
        let isCheck = path == "/healthz" || path == "/readyz" || path == "/metrics"
        context.logger.log(
            level: isCheck ? .debug : .info,
            "\(method.rawValue) \(path) \(status.code)\(ending == .aborted ? " (aborted)" : "")",
            metadata: [
                "http.method": "\(method.rawValue)", "http.path": "\(path)", "http.status": "\(status.code)",
                "client.address": "\(context.remoteAddress)", "duration_ms": "\((milliseconds * 10).rounded() / 10)",
                "received_bytes": "\(receivedBytes)", "sent_bytes": "\(sentBytes)",
            ])
        let area = Self.area(of: path)
        let dimensions = [("area", area), ("method", Self.known(method)), ("status", "\(status.code / 100)xx")]
        Counter(label: "hub_http_requests_total", dimensions: dimensions).increment()
        Timer(label: "hub_http_request_duration_seconds", dimensions: [("area", area)])
            .recordNanoseconds(Int64(duration / .nanoseconds(1)))
        Counter(label: "hub_http_received_bytes_total", dimensions: [("area", area)]).increment(by: receivedBytes)
        Counter(label: "hub_http_sent_bytes_total", dimensions: [("area", area)]).increment(by: sentBytes)
    }

    /// A label from a fixed set, whatever the request asks for.
    private static func area(of path: String) -> String {
        if path.contains("/info/lfs/") { return "lfs" }
        if path.hasSuffix("/info/refs") || path.hasSuffix("/git-upload-pack") || path.hasSuffix("/git-receive-pack") { return "git" }
        if path.hasPrefix("/api/hub/") { return "api" }
        if path.hasPrefix("/healthz") || path.hasPrefix("/readyz") || path.hasPrefix("/metrics") { return "operations" }
        return "other"
    }

    private static func known(_ method: HTTPRequest.Method) -> String {
        switch method {
        case .get, .head, .post, .put, .patch, .delete, .options: method.rawValue
        default: "other"
        }
    }
}
