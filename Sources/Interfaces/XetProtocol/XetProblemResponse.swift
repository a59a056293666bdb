import HTTPTypes
import HubCore
import Hummingbird
import Identity
import Logging
import Repositories
import WebCore

/// Why a request to the store was refused before anything was asked of the services.
enum XetRequestError: Error, Equatable {
    case notFound
    /// The path is that of an earlier store, or no store's.
    case otherGeneration
    case invalidHash(String)
    /// The header `Range` is missing, has several ranges, or goes beyond what the link gives.
    case invalidRange
}

extension XetRequestError: Refusal {
    var problem: Problem {
        switch self {
        case .notFound: Problem(.missing, code: "not_found", "The store does not offer this.")
        case .otherGeneration:
            Problem(
                .missing, code: "other_store",
                "The hub was restored or moved since this began; run the command again.")
        case .invalidHash(let text):
            Problem(.invalid, code: "invalid_hash", "“\(text.shortened)” is no hash of 64 hex digits.")
        case .invalidRange: Problem(.invalid, code: "invalid_range", "The range is not one that this link gives.")
        }
    }
}

/// Answers to what went wrong: a status that tells the client whether to try again, and `{"error": "…"}`.
enum XetProblemResponse {
    private struct Body: Encodable {
        let error: String
        let code: String
        let request_id: String
    }

    static func make(for error: any Error, in context: HubContext) -> Response {
        guard let problem = describe(error) else {
            context.logger.error("A request to the Xet store failed: \(error)")
            return make(
                .internalServerError, "internal_error",
                "The hub failed to answer; its log says why under request \(context.requestID).", context)
        }
        var response = make(status(of: error, problem), problem.code, problem.message, context)
        response.headers.append(contentsOf: problem.headers)
        return response
    }

    /// The repository of a token that its holder may not see any more is hidden, which here means that the token is of no use.
    static func describe(_ error: any Error) -> Problem? {
        if let error = error as? IdentityError, case .repositoryNotFound = error {
            return Problem(.forbidden, code: "xet_no_right", "You may no longer read this repository.")
        }
        return Problem.describing(error)
    }

    private static func status(of error: any Error, _ problem: Problem) -> HTTPResponse.Status {
        switch error as? XetError {
        case .rangeNotSatisfiable: return .rangeNotSatisfiable
        default: break
        }
        // Clients repeat nothing at 400, and at 422 and 409 nothing would help them either.
        switch problem.kind {
        case .unprocessable, .conflict: return .badRequest
        default: return problem.kind.status
        }
    }

    private static func make(
        _ status: HTTPResponse.Status, _ code: String, _ message: String, _ context: HubContext
    ) -> Response {
        var response = Response.json(
            Body(error: message, code: code, request_id: context.requestID), status: status,
            contentType: "application/json")
        response.headers[.cacheControl] = "no-store"
        if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer realm=\"csghub\"" }
        return response
    }
}
