import FoundationEssentials
import HTTPTypes
import HubCore
import Hummingbird
import Identity
import Repositories
import WebCore

/// One request below `…/info/lfs/`, with what its handler needs to judge it.
struct LFSCall: Sendable {
    let request: Request
    let context: HubContext
    let address: GitAddress
    let identity: Identity
    let lfs: LFSService

    /// The most that a batch of 10,000 objects needs, and more than any other request.
    static let maximumBodyBytes = 4 << 20

    // MARK: Who asks

    /// The repository, if the request's credentials may do this.
    func repository(for action: RepositoryAction) async throws -> (repository: Repository, principal: Principal) {
        let principal = try await identity.principal(of: request, in: context, door: .lfs)
        return (try await identity.repository(address.reference, for: action, by: principal), principal)
    }

    /// The repository and account of a transfer, by a signed link or else by the request's credentials.
    ///
    /// The account's right is asked again at this moment, also for a signed link.
    func transfer(
        _ operation: TransferGrant.Operation, of oid: ObjectID, for action: RepositoryAction
    ) async throws -> Transfer {
        guard let text = grantText else {
            let (repository, principal) = try await repository(for: action)
            return Transfer(repository: repository, account: principal.account?.id, grant: nil)
        }
        let grant = try lfs.verify(text)
        guard grant.operation == operation, grant.oid == oid else { throw TransferGrantError.mismatched }
        let repository = try await identity.repository(
            address.reference, for: action, by: try await lfs.principal(of: grant))
        guard repository.id == grant.repository else { throw TransferGrantError.mismatched }
        return Transfer(repository: repository, account: grant.account, grant: grant)
    }

    /// The same for an upload or its confirmation: for those who may write, or propose a change.
    func upload(_ operation: TransferGrant.Operation, of oid: ObjectID) async throws -> Transfer {
        let transfer = try await transfer(operation, of: oid, for: .read)
        let principal: Principal
        if let grant = transfer.grant {
            principal = try await lfs.principal(of: grant)
        } else {
            principal = try await identity.principal(of: request, in: context, door: .lfs)
        }
        try await requireUpload(to: transfer.repository, by: principal)
        return transfer
    }

    func requireUpload(to repository: Repository, by principal: Principal) async throws {
        if let account = principal.account, lfs.proposals.contains(account.id, in: repository.id),
            try await identity.may(.propose, on: repository, by: principal)
        { return }
        try await identity.require(.write, on: repository, by: principal)
    }

    /// The signature comes in the link for clients that send no headers to it, else in `Authorization`.
    private var grantText: String? {
        if let text = request.uri.queryParameters[Substring(Self.grantParameter)] { return String(text) }
        if case .bearer(let text) = AuthorizationHeader(of: request), text.hasPrefix(TransferSigner.prefix) {
            return text
        }
        return nil
    }

    static let grantParameter = "grant"

    // MARK: What is asked

    /// The body as JSON of one of the forms.
    func body<Form: Decodable>(_ form: Form.Type) async throws -> Form {
        if let type = request.headers[.contentType] {
            let mediaType = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
            guard mediaType == LFSForms.mediaType || mediaType == "application/json" else {
                throw LFSRequestError.mediaType
            }
        }
        return try await request.json(form, limit: Self.maximumBodyBytes)
    }

    /// Refuses a client that cannot read the answers.
    func checkAccept() throws {
        guard let accept = request.headers[.accept], !accept.isEmpty else { return }
        let types = accept.lowercased().split(separator: ",").map { type in
            type.prefix { $0 != ";" }.filter { $0 != " " }
        }
        let readable = [LFSForms.mediaType, "application/json", "application/*", "*/*"]
        guard types.contains(where: readable.contains) else { throw LFSRequestError.notAcceptable }
    }

    func answer(_ form: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
        var response = Response.json(form, status: status, contentType: LFSForms.mediaType)
        response.headers[.cacheControl] = "no-store"
        return response
    }

    /// The absolute address of something below `info/lfs/` of this repository, by the external address that the client came by.
    func link(_ path: String, of repository: Repository, grant: String? = nil) -> String {
        let base = "\(context.origin)/\(repository.kind.gitPathPart)/\(repository.name).git/info/lfs/\(path)"
        return grant.map { "\(base)?\(Self.grantParameter)=\($0)" } ?? base
    }
}

/// What a transfer may touch.
struct Transfer: Sendable {
    let repository: Repository
    let account: AccountID?
    /// `nil` when the request came with credentials of its own.
    let grant: TransferGrant?
}
