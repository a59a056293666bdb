import HTTPTypes
import HubCore
import Hummingbird
import Logging
import WebCore

/// Errors in the form that git-lfs shows to its user: `{"message": "…", "request_id": "…"}`.
enum LFSProblemResponse {
    static func make(for error: any Error, in context: HubContext) -> Response {
        guard let problem = Problem.describing(error) else {
            context.logger.error("An LFS request failed: \(error)")
            return make(
                status: .internalServerError,
                message: "The hub failed to answer; its log says why under this request's id.",
                in: context)
        }
        let status = (error as? LFSRequestError)?.status ?? problem.kind.status
        var response = make(status: status, message: problem.message, in: context)
        response.headers.append(contentsOf: problem.headers)
        if status == .unauthorized {
            // `LFS-Authenticate` is what the client looks at first, and no browser asks for a password because of it.
            response.headers[.lfsAuthenticate] = "Basic realm=\"csghub\", charset=\"UTF-8\""
            response.headers[.wwwAuthenticate] = "Basic realm=\"csghub\", charset=\"UTF-8\""
        }
        return response
    }

    private static func make(status: HTTPResponse.Status, message: String, in context: HubContext) -> Response {
        var response = Response.json(
            LFSForms.Failure(message: message, request_id: context.requestID), status: status,
            contentType: LFSForms.mediaType)
        response.headers[.cacheControl] = "no-store"
        return response
    }
}

/// Why a request is none of Git LFS.
enum LFSRequestError: Error, Equatable {
    case notFound
    case method(allowed: String)
    case mediaType
    case notAcceptable
    case lengthRequired
    /// A lock belongs to an account; the caller is none.
    case accountNeeded
}

extension LFSRequestError: Refusal {
    var problem: Problem {
        switch self {
        case .notFound: Problem(.missing, code: "not_found", "There is nothing at this LFS address.")
        case .method(let allowed): Problem(.invalid, code: "method_not_allowed", "This LFS address takes \(allowed).")
        case .mediaType:
            Problem(.invalid, code: "unsupported_media_type", "This address takes Content-Type: \(LFSForms.mediaType).")
        case .notAcceptable:
            Problem(
                .invalid, code: "not_acceptable",
                "This address answers \(LFSForms.mediaType); the request does not accept it.")
        case .lengthRequired: Problem(.invalid, code: "length_required", "Send the object's size as Content-Length.")
        case .accountNeeded: Problem(.forbidden, code: "account_needed", "Locks belong to accounts; sign in with one.")
        }
    }

    var status: HTTPResponse.Status {
        switch self {
        case .notFound: .notFound
        case .method: .methodNotAllowed
        case .mediaType: .unsupportedMediaType
        case .notAcceptable: .notAcceptable
        case .lengthRequired: .lengthRequired
        case .accountNeeded: .forbidden
        }
    }
}

extension HTTPField.Name {
    static let lfsAuthenticate = literal("LFS-Authenticate")
}
