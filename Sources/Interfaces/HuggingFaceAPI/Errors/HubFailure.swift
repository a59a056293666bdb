import HTTPTypes
import HubCore
import Hummingbird
import Identity
import Logging
import WebCore

/// Answers in the form that Hub clients turn into exceptions: a status, `X-Error-Code`, `X-Error-Message` and `{"error": "…"}`.
///
/// Source: `hf_raise_for_status` in huggingface_hub `utils/_http.py`. The code decides, not the status: over plain HTTP nothing else
/// tells a missing repository from a missing file.
struct HubFailure {
    let request: Request
    let context: HubContext
    let prefix: String
    /// What the path named, once that is known.
    var match: RouteMatch?

    init(request: Request, context: HubContext, prefix: String) {
        self.request = request
        self.context = context
        self.prefix = prefix
    }

    func response(for error: any Error) -> Response {
        if case .moved(let location) = error as? HubAPIError {
            return withRequestID(
                Response(status: .temporaryRedirect, headers: [.location: location, .contentLength: "0"]))
        }
        guard let problem = Problem.describing(error) else {
            context.logger.error("A call of the Hub API failed: \(error)")
            return make(
                .internalServerError, code: nil,
                "The hub failed to answer; its log says why under request \(requestID).", detail: nil)
        }
        var response = make(for: problem, status: (error as? HubAPIError)?.status)
        response.headers.append(contentsOf: problem.headers)
        if case .entryNotFound(_, _, let commit) = error as? HubAPIError {
            response.headers[.repositoryCommit] = commit.hex
        }
        return response
    }

    /// The id that the client gave its request, so that it finds it in its own log too; else the hub's.
    func withRequestID(_ response: Response) -> Response {
        var response = response
        response.headers[.requestID] = requestID
        return response
    }

    private var requestID: String {
        guard let traced = request.headers[.traceID], (1...128).contains(traced.utf8.count),
            traced.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { return context.requestID }
        return traced
    }

    // MARK: - Codes

    private func make(for problem: Problem, status: HTTPResponse.Status?) -> Response {
        let status = status ?? problem.kind.status
        switch problem.code {
        case "repository_not_found":
            return make(problem.kind == .missing ? status : .notFound, code: "RepoNotFound", missingRepository(problem))
        case "sign_in_required": return make(.unauthorized, code: repositoryCode, signIn(problem))
        case "revision_not_found": return make(status, code: "RevisionNotFound", problem.message)
        case "entry_not_found", "file_not_found", "path_not_found":
            return make(status, code: "EntryNotFound", problem.message)
        case "gated_repository": return make(status, code: "GatedRepo", problem.message)
        // Clients know no 422, and take a 409 for a race that they should try again.
        case "object_missing", "path_conflict", "invalid_oid", "invalid_size": return make(.badRequest, code: nil, problem.message)
        default: break
        }
        if status == .unauthorized {
            // The client compares this text: other 401s mean to it that there is no such repository.
            return make(status, code: nil, "Invalid credentials in Authorization header", detail: problem.message)
        }
        return make(status, code: nil, problem.message)
    }

    /// A visitor is not told whether there is such a repository; outside of repositories a 401 is only that.
    private var repositoryCode: String? { match?.repository == nil ? nil : "RepoNotFound" }

    private var named: String? {
        guard let match, let repository = match.repository else { return nil }
        return "\(match.kind.rawValue) “\(repository.text.shortened)”"
    }

    private func missingRepository(_ problem: Problem) -> String {
        guard let match, let repository = match.repository, repository.owner != nil, let named else {
            return problem.message
        }
        return "This hub (\(context.origin)) has no \(named), or you may not see it. Check the name and the type of repository."
    }

    private func signIn(_ problem: Problem) -> String {
        let what = named.map { "This hub (\(context.origin)) has no \($0) that everybody may read. " } ?? ""
        return what + "Sign in: make an access token at \(context.origin)/settings/tokens and set HF_TOKEN to it, "
            + "or run: hf auth login"
    }

    // MARK: - Form

    private func make(
        _ status: HTTPResponse.Status, code: String?, _ message: String, detail: String? = nil
    ) -> Response {
        var text = Self.headerText(message)
        // The client adds one to this.
        if status == .forbidden, text.hasSuffix(".") { text.removeLast() }
        // The same text in both places, or clients show it twice.
        var response = Response.hub(["error": .string(detail.map(Self.headerText) ?? text)], status: status)
        if request.method == .head { response.body = .init() }
        if let code { response.headers[.errorCode] = code }
        response.headers[.errorMessage] = text
        if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer realm=\"csghub\"" }
        return withRequestID(response)
    }

    /// The text in ASCII, as some clients read headers as Latin-1.
    static func headerText(_ text: String) -> String {
        var plain = ""
        for scalar in text.unicodeScalars.prefix(1000) {
            switch scalar {
            case "“", "”": plain += "\""
            case "‘", "’": plain += "'"
            case "…": plain += "..."
            case "–", "—": plain += "-"
            default: plain.unicodeScalars.append((0x20...0x7e).contains(scalar.value) ? scalar : "?")
            }
        }
        return plain
    }
}
