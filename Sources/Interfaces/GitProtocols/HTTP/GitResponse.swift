import HTTPTypes
import HubCore
import Hummingbird
import Logging
import NIOCore
import WebCore

/// The frame of git's answers.
enum GitResponse {
    /// Nothing of git's protocol may be cached. Source: git `http-backend.c`, `hdr_nocache`.
    static func make(_ body: ResponseBody, type: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [
                .contentType: type, .cacheControl: "no-cache, max-age=0, must-revalidate", .literal("Pragma"): "no-cache",
                .expires: "Fri, 01 Jan 1980 00:00:00 GMT",
            ],
            body: body)
    }

    /// `ERR <text>`, accepted wherever a ref or a negotiation line is expected.
    static func error(_ text: String) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writePktLine("ERR \(text)\n")
        return buffer
    }
}

/// Errors in the form that git shows: plain text, each line after `remote: `.
package enum GitProblemResponse {
    package static func make(for error: any Error, in context: HubContext) -> Response {
        let problem: Problem
        if let known = Problem.describing(error) {
            problem = known
        } else {
            context.logger.error("A git request failed: \(error)")
            return GitResponse.make(
                ResponseBody(byteBuffer: ByteBuffer(string: "The hub failed to answer; its log says why under \(context.requestID).\n")),
                type: "text/plain; charset=utf-8", status: .internalServerError)
        }
        let status = (error as? GitHTTPError)?.status ?? problem.kind.status
        var response = GitResponse.make(
            ResponseBody(byteBuffer: ByteBuffer(string: problem.message + "\n")), type: "text/plain; charset=utf-8", status: status)
        response.headers.append(contentsOf: problem.headers)
        if status == .unauthorized { response.headers[.wwwAuthenticate] = "Basic realm=\"csghub\", charset=\"UTF-8\"" }
        return response
    }
}

/// Why a request is no use to the smart protocol.
enum GitHTTPError: Error, Equatable {
    case dumbProtocol
    case unknownService
    case method
    case mediaType(String)
}

extension GitHTTPError: Refusal {
    var problem: Problem {
        switch self {
        case .dumbProtocol:
            Problem(
                .forbidden, code: "dumb_protocol",
                "This hub speaks git's smart HTTP protocol only. Use git 1.6.6 or later, without GIT_SMART_HTTP=0.")
        case .unknownService:
            Problem(.forbidden, code: "unknown_service", "Only git-upload-pack and git-receive-pack are served here.")
        case .method: Problem(.invalid, code: "method_not_allowed", "This git address takes another method.")
        case .mediaType(let type): Problem(.invalid, code: "unsupported_media_type", "This address takes Content-Type: \(type).")
        }
    }

    var status: HTTPResponse.Status {
        switch self {
        case .dumbProtocol, .unknownService: .forbidden
        case .method: .methodNotAllowed
        case .mediaType: .unsupportedMediaType
        }
    }
}
