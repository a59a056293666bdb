import HTTPTypes
import Hummingbird
import WebCore

/// An address of the Hub API and what answers there.
///
///     HubRoute(.get, "/api/{kinds}/{repo}/tree/{rev}/{path...?}") { call in … }
///
/// | in a pattern | is |
/// | --- | --- |
/// | `{kinds}` | `models`, `datasets`, `spaces` or `codes` |
/// | `{kinds?}` | the same or nothing, which means models |
/// | `{repo}` | `owner/name`, or an id of one part |
/// | `{rev}` | a revision: one part, percent-encoded; `refs/pr/1` and `refs/convert/x` also with plain slashes |
/// | `{name}` | one part, percent-encoded; `HubCall.value` gives it decoded |
/// | `{name...}` | one part or more to the end, their slashes encoded or plain |
/// | `{name...?}` | the same or nothing |
///
/// `GET` answers `HEAD` too, without the body.
package struct HubRoute: Sendable {
    package typealias Responder = @Sendable (HubCall) async throws -> Response
    /// What a refused call is answered.
    package typealias Refusals = @Sendable (any Error, Request, HubContext) -> Response

    package let method: HTTPRequest.Method
    let pattern: RoutePattern
    /// `nil` for the form that Hub clients know.
    let refusals: Refusals?
    let respond: Responder

    package init(
        _ method: HTTPRequest.Method, _ pattern: String, refusals: Refusals? = nil, respond: @escaping Responder
    ) {
        self.method = method
        self.pattern = RoutePattern(pattern)
        self.refusals = refusals
        self.respond = respond
    }
}

/// All routes, looked through in their order.
struct RouteTable: Sendable {
    enum Finding {
        case found(HubRoute, RouteMatch)
        /// The address is known, but not with this method.
        case otherMethods([HTTPRequest.Method])
        case nothing
    }

    /// By the first part of their pattern where that is a word.
    private let byWord: [String: [HubRoute]]
    private let others: [HubRoute]

    init(_ routes: [HubRoute]) {
        var byWord: [String: [HubRoute]] = [:]
        var others: [HubRoute] = []
        for route in routes {
            if case .word(let word) = route.pattern.parts.first {
                byWord[word, default: []].append(route)
            } else {
                others.append(route)
            }
        }
        self.byWord = byWord
        self.others = others
    }

    /// - Parameter repositoryParts: how many parts an id of a repository has: 2, or 1 for an alias.
    func find(_ method: HTTPRequest.Method, _ path: HubPath, repositoryParts: Int) -> Finding {
        guard let first = path.parts.first else { return .nothing }
        var allowed: [HTTPRequest.Method] = []
        for route in byWord[String(first)] ?? others {
            guard let match = route.pattern.match(path, repositoryParts: repositoryParts) else { continue }
            if route.method == method || (method == .head && route.method == .get) { return .found(route, match) }
            allowed.append(route.method)
        }
        return allowed.isEmpty ? .nothing : .otherMethods(allowed)
    }
}
