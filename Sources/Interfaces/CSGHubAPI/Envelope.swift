import HTTPTypes
import HubCore
import HuggingFaceAPI
import Hummingbird
import Logging
import WebCore

/// The form of answers: `{"msg":"OK","data":…,"total":…}`. Source: csghub-server `api/httpbase/response.go`.
extension HubCall {
    func envelope(_ data: JSON?, total: Int? = nil) -> Response {
        var answer: JSON = ["msg": "OK"]
        if let data { answer = answer.adding("data", data) }
        if let total { answer = answer.adding("total", JSON(total)) }
        return self.answer(answer)
    }

    /// `?page=1&per=50`.
    var page: Page {
        let number = max(query("page").flatMap { Int($0) } ?? 1, 1)
        return Page(number: number, size: min(max(query("per").flatMap { Int($0) } ?? 50, 1), Page.maximumSize))
    }

    struct Page {
        static let maximumSize = 100

        /// From 1.
        let number: Int
        let size: Int

        /// How many items come before it; clamped, as numbers come from outside.
        var start: Int { min(number - 1, 1_000_000) * size }

        func slice<Item>(_ items: [Item]) -> ArraySlice<Item> {
            items.dropFirst(start).prefix(size)
        }
    }
}

/// Refusals: `{"code":"AUTH-ERR-0","msg":"…","context":{}}`. Source: csghub-server `docs/error_codes_en.md`.
enum CSGHubFailure {
    static func response(for error: any Error, _ request: Request, _ context: HubContext) -> Response {
        guard let problem = Problem.describing(error) else {
            context.logger.error("A call of the CSGHub API failed: \(error)")
            return make(
                .internalServerError, "SYS-ERR-0", "The hub failed to answer; its log says why under request \(context.requestID).",
                [:], context)
        }
        return make(problem.kind.status, code(of: problem), text(of: problem), problem.headers, context)
    }

    private static func code(of problem: Problem) -> String {
        switch problem.code {
        case "repository_not_found": return "GIT-ERR-9"
        case "revision_not_found": return "GIT-ERR-10"
        case "entry_not_found": return "GIT-ERR-12"
        default: break
        }
        switch problem.kind {
        case .unauthenticated: return "AUTH-ERR-0"
        case .forbidden: return "AUTH-ERR-2"
        case .invalid, .unprocessable, .tooLarge, .missing, .conflict, .unsupported: return "REQ-ERR-0"
        case .throttled, .unavailable, .outOfSpace: return "SYS-ERR-2"
        }
    }

    /// csghub-sdk takes a repository as made when it finds these words of CSGHub's database in the refusal.
    private static func text(of problem: Problem) -> String {
        guard problem.code == "repository_exists" else { return problem.message }
        return problem.message + " (duplicate key value violates unique constraint)"
    }

    private static func make(
        _ status: HTTPResponse.Status, _ code: String, _ text: String, _ headers: HTTPFields, _ context: HubContext
    ) -> Response {
        let body: JSON = [
            "code": .string(code), "msg": .string("\(code): \(text)"), "context": [:], "trace_id": .string(context.requestID),
        ]
        var response = Response.hub(body, status: status)
        response.headers.append(contentsOf: headers)
        if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer realm=\"csghub\"" }
        return response
    }
}
