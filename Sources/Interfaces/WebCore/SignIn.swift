import HubCore
import Hummingbird
import Identity

extension Credentials {
    /// What the header shows; a header of another scheme is as good as wrong credentials.
    package init(_ header: AuthorizationHeader) throws(ProblemError) {
        switch header {
        case .absent: self = .none
        case .bearer(let text): self = .bearer(text)
        case .basic(let user, let password): self = .basic(user: user, password: password)
        case .malformed:
            throw ProblemError(
                .unauthenticated, code: "invalid_authorization",
                "The Authorization header is not understood. Send “Basic” with an access token as the password, or “Bearer” with one.")
        }
    }
}

extension Identity {
    /// Who sends `request`: the owner of the data directory on the control socket, else whoever its credentials say.
    package func principal(of request: Request, in context: HubContext, door: Door) async throws -> Principal {
        if case .localAdministrator = context.principal { return context.principal }
        let credentials = try Credentials(AuthorizationHeader(of: request))
        return try await authenticate(credentials, from: context.remoteAddress, door: door)
    }
}
