import FoundationEssentials
import HTTPTypes
import HubCore
import HuggingFaceAPI
import Hummingbird
import Repositories
import WebCore

/// Tokens for the files of a repository, which Hub clients ask for before they talk to the store.
///
/// Python reads the headers, Rust reads the JSON: both say the same. Source: *huggingface_hub* `utils/_xet.py`.
package struct XetTokenRoutes: Sendable {
    private let xet: XetService

    package init(xet: XetService) { self.xet = xet }

    package var routes: [HubRoute] {
        [
            HubRoute(.get, "/api/{kinds}/{repo}/xet-read-token/{rev}") { try await answer($0, .read) },
            HubRoute(.get, "/api/{kinds}/{repo}/xet-write-token/{rev}") { call in
                try await answer(call, Self.isProposal(call) ? .propose : .write)
            },
        ]
    }

    /// Whoever reads a repository may open a pull request.
    private static func isProposal(_ call: HubCall) -> Bool {
        call.flag("create_pr") && call.query("create_pr") != nil || call.revision.hasPrefix("refs/pr/")
    }

    private struct Form: Encodable {
        let casUrl: String
        let accessToken: String
        let exp: Int64
    }

    private func answer(_ call: HubCall, _ right: XetRight) async throws -> Response {
        let repository = try await right == .read ? call.repositoryForContent() : call.repository(for: .read)
        let token = try await xet.token(right, for: repository, to: call.principal)
        let address = XetMiddleware.address(of: xet, in: call.context)
        let expiry = Int64(token.expiresAt.timeIntervalSince1970)
        var response = Response.json(Form(casUrl: address, accessToken: token.text, exp: expiry))
        response.headers[.cacheControl] = "no-store"
        response.headers[.xetCASURL] = address
        response.headers[.xetAccessToken] = token.text
        response.headers[.xetTokenExpiration] = String(expiry)
        return response
    }
}

extension HTTPField.Name {
    package static let xetCASURL = literal("X-Xet-Cas-Url")
    package static let xetAccessToken = literal("X-Xet-Access-Token")
    package static let xetTokenExpiration = literal("X-Xet-Token-Expiration")
}
