import HTTPTypes
import Hummingbird
import Logging

extension HTTPField.Name {
    package static let requestID = literal("X-Request-Id")
    package static let sudoUID = literal("X-Hub-Sudo-Uid")
    package static let referrerPolicy = literal("Referrer-Policy")

    /// A field name written in our own code.
    package static func literal(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is not a field name") }
        return name
    }
}

/// The outermost middleware: errors become answers, and each answer carries its request id and the headers that keep browsers from
/// guessing types, framing pages or telling other sites where a visitor came from.
///
/// Interfaces with a form of their own for errors (git, LFS, the Hub API) catch theirs before they get here.
package struct RequestMiddleware: RouterMiddleware {
    package typealias Context = HubContext

    package init() {}

    package func handle(
        _ request: Request, context: HubContext, next: (Request, HubContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            response = ProblemResponse.make(for: error, in: context)
        }
        // The Hub API answers with the id that the client gave its request.
        response.headers.setUnlessPresent(.requestID, context.requestID)
        response.headers.setUnlessPresent(.xContentTypeOptions, "nosniff")
        response.headers.setUnlessPresent(.referrerPolicy, "same-origin")
        response.headers.setUnlessPresent(.contentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'")
        return response
    }
}

extension HTTPFields {
    package mutating func setUnlessPresent(_ name: HTTPField.Name, _ value: String) {
        if !contains(name) { self[name] = value }
    }
}
