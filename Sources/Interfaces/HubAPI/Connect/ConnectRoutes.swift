import HTTPTypes
import HubCore
import Hummingbird
import Identity
import NIOCore
import WebCore

/// `/connect`: how to point clients to this hub, for people who are not signed in yet. Ours.
package struct ConnectRoutes: Sendable {
    /// The first part of these addresses, which no account may take as its name.
    package static let paths = ["connect"]

    private let identity: Identity
    private let authority: ClientSetup.Authority?

    /// - Parameter authority: the certificate that clients must trust, as PEM; `nil` where they trust the hub's without it.
    package init(identity: Identity, authority: String?) {
        self.identity = identity
        self.authority = authority.flatMap { ClientSetup.Authority(pem: $0) }
    }

    package func add(to router: Router<HubContext>) {
        router.get("connect") { request, context in page(request, context) }
        router.get("connect/style.css") { _, _ in Response.text(ConnectPage.style, contentType: "text/css; charset=utf-8") }
        router.get("connect/profile.sh") { _, context in script(ProfileScripts.shell(setup(context)), "profile.sh") }
        router.get("connect/profile.ps1") { _, context in script(ProfileScripts.powerShell(setup(context)), "profile.ps1") }
        router.get("connect/ca.pem") { _, _ in try certificate() }
        router.get("connect/check") { request, context in try await check(request, context) }
    }

    private func setup(_ context: HubContext) -> ClientSetup { ClientSetup(origin: context.origin, authority: authority) }

    private func page(_ request: Request, _ context: HubContext) -> Response {
        let texts = ConnectTexts.best(for: request.headers[.acceptLanguage])
        var response = Response.text(
            ConnectPage(setup: setup(context), texts: texts).html, contentType: "text/html; charset=utf-8")
        response.headers[.contentLanguage] = texts.language
        response.headers[.vary] = "Accept-Language"
        response.headers[.contentSecurityPolicy] = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[HTTPField.Name.literal("Referrer-Policy")] = "same-origin"
        return response
    }

    private func script(_ text: String, _ name: String) -> Response {
        var response = Response.text(text)
        response.headers[.contentDisposition] = "inline; filename=\"\(name)\""
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.cacheControl] = "no-cache"
        return response
    }

    private func certificate() throws -> Response {
        guard let authority else {
            throw ProblemError(
                .missing, code: "no_site_authority",
                "This hub has no certificate authority of its own; clients trust its certificate as they are, or it speaks plain HTTP.")
        }
        return Response.text(authority.pem, contentType: "application/x-pem-file")
    }

    /// A line for the person who set a machine up: whether the token is understood, and whose it is.
    private func check(_ request: Request, _ context: HubContext) async throws -> Response {
        let principal = try await identity.principal(of: request, in: context, door: .api)
        let who =
            switch principal {
            case .anonymous: "Nobody is signed in: make an access token at \(context.origin)/settings/tokens and set HF_TOKEN to it."
            case .account(let account): "Signed in as \(account.name.text) by password."
            case .token(let token, of: let account):
                "Signed in as \(account.name.text) with the token “\(token.name)”, scope \(token.scope.rawValue)."
            case .localAdministrator: "Signed in as the local administrator."
            }
        return Response.text("This is the hub at \(context.origin), version \(HubVersion.text). \(who)\n")
    }
}
