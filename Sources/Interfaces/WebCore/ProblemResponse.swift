import FoundationEssentials
import HTTPTypes
import HubCore
import Hummingbird
import Logging
import NIOCore

extension Problem.Kind {
    /// The one table from kinds of problems to HTTP status; git, LFS, the APIs and the portal all answer by it.
    package var status: HTTPResponse.Status {
        switch self {
        case .invalid: .badRequest
        case .unprocessable: .unprocessableContent
        case .unauthenticated: .unauthorized
        case .forbidden: .forbidden
        case .missing: .notFound
        case .conflict: .conflict
        case .tooLarge: .contentTooLarge
        case .throttled: .tooManyRequests
        case .unavailable: .serviceUnavailable
        case .outOfSpace: HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
        case .unsupported: .notImplemented
        }
    }
}

extension Problem {
    /// `Retry-After` where the status asks for one: in whole seconds, at least 1. Clients retry at once, or crash (git-lfs 3.3
    /// on a 429), without it.
    package var headers: HTTPFields {
        switch kind {
        case .throttled, .unavailable:
            let seconds = max(1, (retryAfter ?? .seconds(5)).components.seconds)
            return [.retryAfter: String(seconds)]
        case .invalid, .unprocessable, .unauthenticated, .forbidden, .missing, .conflict, .tooLarge, .outOfSpace,
            .unsupported:
            return [:]
        }
    }

    /// What `error` means for a caller; an error that is no refusal is a fault of the hub and `nil` here.
    package static func describing(_ error: any Error) -> Problem? {
        switch error {
        case let refusal as any Refusal: refusal.problem
        case is NIOTooManyBytesError:
            Problem(.tooLarge, code: "body_too_large", "The request's body is larger than this address takes.")
        case is CancellationError:
            Problem(.unavailable, code: "cancelled", "The request was cancelled.")
        case let error as HTTPError: Problem(hummingbird: error)
        case let error as DecodingError:
            Problem(.invalid, code: "invalid_json", "The request's JSON is not as expected\(error.place).")
        default: nil
        }
    }

    /// Errors of the router: no such address, or a body that does not decode.
    private init?(hummingbird error: HTTPError) {
        switch error.status.code {
        case 404: self.init(.missing, code: "not_found", "There is nothing at this address.")
        case 413: self.init(.tooLarge, code: "body_too_large", "The request's body is larger than this address takes.")
        case 415:
            self.init(.invalid, code: "unsupported_media_type", "This address takes JSON; send Content-Type: application/json.")
        case 400..<500: self.init(.invalid, code: "invalid_request", error.body ?? "The request is not as expected.")
        default: return nil
        }
    }
}

extension DecodingError {
    /// ` at "field"`: which field was wrong, from the request's own words.
    fileprivate var place: String {
        let path: [any CodingKey] =
            switch self {
            case .keyNotFound(let key, let context): context.codingPath + [key]
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
                context.codingPath
            @unknown default: []
            }
        return path.isEmpty ? "" : " at “\(path.map(\.stringValue).joined(separator: ".").shortened)”"
    }
}

/// Answers of our own API to what went wrong: `{"error": {"code": "head_moved", "message": "…", "request_id": "…"}}`.
package enum ProblemResponse {
    private struct Body: Encodable {
        struct Detail: Encodable {
            let code: String
            let message: String
            let request_id: String
        }
        let error: Detail
    }

    package static func make(_ problem: Problem, requestID: String) -> Response {
        make(status: problem.kind.status, code: problem.code, message: problem.message, headers: problem.headers, requestID: requestID)
    }

    /// The answer to any error; one that is no refusal is logged here, once, and shown as a plain apology.
    package static func make(for error: any Error, in context: HubContext) -> Response {
        if let problem = Problem.describing(error) { return make(problem, requestID: context.requestID) }
        context.logger.error("A request failed: \(error)")
        return make(
            status: .internalServerError, code: "internal_error",
            message: "The hub failed to answer; its log says why under request \(context.requestID).", headers: [:],
            requestID: context.requestID)
    }

    private static func make(
        status: HTTPResponse.Status, code: String, message: String, headers: HTTPFields, requestID: String
    ) -> Response {
        let body = Body(error: .init(code: code, message: message, request_id: requestID))
        var response = Response.json(body, status: status)
        response.headers.append(contentsOf: headers)
        response.headers[.cacheControl] = "no-store"
        if status == .unauthorized { response.headers.append(HTTPField(name: .wwwAuthenticate, value: "Bearer realm=\"csghub\"")) }
        return response
    }
}
