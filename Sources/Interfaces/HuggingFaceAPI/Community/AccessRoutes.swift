import Community
import FoundationEssentials
import HubCore
import Hummingbird
import Identity
import MetadataStore
import WebCore

/// Access to the files of gated repositories. hf-hub-api §9.
struct AccessRoutes: Sendable {
    let community: Community

    var all: [HubRoute] {
        [
            HubRoute(.get, "/api/{kinds}/{repo}/user-access-request/{status}") { try await list($0) },
            HubRoute(.post, "/api/{kinds}/{repo}/user-access-request/handle") { try await handle($0) },
            HubRoute(.post, "/api/{kinds}/{repo}/user-access-request/grant") { try await grant($0) },
            HubRoute(.post, "/{kinds?}/{repo}/ask-access") { try await ask($0) },
        ]
    }

    private func list(_ call: HubCall) async throws -> Response {
        guard let status = AccessRequestStatus(rawValue: call.value("status")) else { throw HubAPIError.noSuchAddress }
        let repository = try await call.repository()
        let page = try await community.access.list(
            for: repository, status, after: call.cursor, limit: call.limit(default: 100, maximum: 1000), by: call.principal)
        return call.page(page.items.map { Self.json($0, call) }, next: page.next)
    }

    /// What the client's `_handle_access_request` sends.
    private struct Decision: Decodable {
        let user: String?
        let requestId: String?
        let status: String
        let rejectionReason: String?
    }

    private func handle(_ call: HubCall) async throws -> Response {
        let form = try await call.json(Decision.self)
        let repository = try await call.repository()
        guard let status = AccessRequestStatus(rawValue: form.status) else {
            throw HubAPIError.invalidRequest("A request is pending, accepted or rejected.")
        }
        let who: Requester
        if let user = form.user {
            who = .account(NamespaceName(trusted: user))
        } else if let id = form.requestId.flatMap({ Int64($0, radix: 16) }) {
            who = .request(AccessRequestID(id))
        } else {
            throw HubAPIError.invalidRequest("Say whose request it is: user or requestId.")
        }
        let request = try await community.access.decide(
            who, for: repository, status, reason: form.rejectionReason, by: call.caller)
        return call.answer(Self.json(request, call))
    }

    private struct Grant: Decodable {
        let user: String
    }

    private func grant(_ call: HubCall) async throws -> Response {
        let form = try await call.json(Grant.self)
        let repository = try await call.repository()
        let request = try await community.access.grant(NamespaceName(trusted: form.user), to: repository, by: call.caller)
        return call.answer(Self.json(request, call))
    }

    /// The form of a repository's page, as a form or as JSON.
    private func ask(_ call: HubCall) async throws -> Response {
        let repository = try await call.repository()
        var fields: [String: String] = [:]
        if call.hasJSONBody {
            fields = try await call.json([String: String].self, limit: 1 << 16)
        } else {
            for pair in try await call.form(limit: 1 << 16) { fields[pair.name] = pair.value }
        }
        let request = try await community.access.ask(for: repository, fields: fields, by: call.caller)
        return call.answer(Self.json(request, call))
    }

    /// Who is asked about is known to whoever administers the repository. The address to write to is shared by asking: who was
    /// let in unasked has shared nothing.
    private static func json(_ request: AccessRequest, _ call: HubCall) -> JSON {
        let account = request.account
        return [
            "requestId": .string(hexID(request.id.rawValue)), "status": .string(request.status.rawValue),
            "timestamp": JSON(request.requestedAt),
            "user": [
                "_id": .string(AccountRoutes.hexID("user", account.id.rawValue)), "user": .string(account.name.text),
                "fullname": .string(account.fullName ?? account.name.text), "email": request.wasAsked ? JSON(account.email) : .null,
                "avatarUrl": .string(AccountRoutes.avatar(of: account.name, call)), "type": "user",
            ],
            "fields": .raw(request.fields), "rejectionReason": JSON(request.rejectionReason),
        ]
    }

    /// Clients expect 24 hex digits.
    private static func hexID(_ number: Int64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: max(0, 24 - digits.count)) + digits
    }
}
