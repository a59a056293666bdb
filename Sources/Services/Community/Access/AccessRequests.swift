import FoundationEssentials
import HubCore
import Identity
import MetadataStore

/// Requests for the files of gated repositories: asking, deciding, letting in.
package struct AccessRequests: Sendable {
    /// The most that the answers of a form may take as JSON.
    package static let maximumFieldsBytes = 16_000

    private let store: MetadataStore
    private let identity: Identity

    package init(store: MetadataStore, identity: Identity) {
        self.store = store
        self.identity = identity
    }

    /// Asks for the files of a gated repository. An `auto` gate lets in at once.
    package func ask(
        for repository: Repository, fields: [String: String], by caller: Caller
    ) async throws -> AccessRequest {
        try await identity.require(.read, on: repository, by: caller.principal)
        guard let account = caller.principal.account else {
            throw IdentityError.gatedSignIn(repository.reference, tokenPage: identity.settings.tokenPage)
        }
        guard repository.gating != .off else { throw AccessRequestError.notGated(repository.reference) }
        let members = fields.sorted { $0.key < $1.key }.map { JSONMember($0.key, .string($0.value)) }
        let text = JSONText(.object(members))
        guard text.text.utf8.count <= Self.maximumFieldsBytes else { throw AccessRequestError.formTooLong }
        if let known = try await store.accessRequest(to: repository.id, of: account.id), known.status == .rejected {
            throw AccessRequestError.rejected(reason: known.rejectionReason)
        }
        let status: AccessRequestStatus = repository.gating == .auto ? .accepted : .pending
        return try await store.requestAccess(
            to: repository.id, by: account.id, fields: text, status: status,
            audit: caller.entry("access.request", on: repository.reference.description, ["status": status.rawValue]))
    }

    /// What became of the caller's own request, `nil` when there is none.
    package func own(for repository: Repository, by principal: Principal) async throws -> AccessRequest? {
        guard let account = principal.account else { return nil }
        return try await store.accessRequest(to: repository.id, of: account.id)
    }

    package func list(
        for repository: Repository, _ status: AccessRequestStatus, after: String?, limit: Int, by principal: Principal
    ) async throws -> Page<AccessRequest> {
        try await requireGate(of: repository, by: principal)
        return try await store.accessRequests(to: repository.id, status, after: after, limit: limit)
    }

    /// Accepts, rejects or takes back what was decided about a request.
    package func decide(
        _ who: Requester, for repository: Repository, _ status: AccessRequestStatus, reason: String?, by caller: Caller
    ) async throws -> AccessRequest {
        try await requireGate(of: repository, by: caller.principal)
        let request: AccessRequest?
        switch who {
        case .account(let name):
            guard let account = try await store.account(named: name) else { throw MetadataError.accountNotFound }
            request = try await store.accessRequest(to: repository.id, of: account.id)
        case .request(let id):
            request = try await store.accessRequest(id: id, to: repository.id)
        }
        guard let request else { throw AccessRequestError.noRequest }
        guard request.status != status else { throw AccessRequestError.alreadyDecided(status) }
        return try await decide(about: request.account, for: repository, status, reason: reason, by: caller)
    }

    /// Decides about an account; only letting in needs no request of it. The same decision twice changes nothing.
    package func set(
        _ status: AccessRequestStatus, for name: NamespaceName, to repository: Repository, reason: String?, by caller: Caller
    ) async throws -> AccessRequest {
        try await requireGate(of: repository, by: caller.principal)
        guard let account = try await store.account(named: name) else { throw MetadataError.accountNotFound }
        let known = try await store.accessRequest(to: repository.id, of: account.id)
        if let known, known.status == status, status != .rejected || known.rejectionReason == reason { return known }
        guard known != nil || status == .accepted else { throw AccessRequestError.noRequest }
        return try await decide(about: account, for: repository, status, reason: reason, by: caller)
    }

    /// Lets somebody in who did not ask.
    package func grant(_ name: NamespaceName, to repository: Repository, by caller: Caller) async throws -> AccessRequest {
        try await requireGate(of: repository, by: caller.principal)
        guard let account = try await store.account(named: name) else { throw MetadataError.accountNotFound }
        let known = try await store.accessRequest(to: repository.id, of: account.id)
        guard known?.status != .accepted else { throw AccessRequestError.alreadyGranted(name) }
        return try await decide(about: account, for: repository, .accepted, reason: nil, by: caller)
    }

    private func requireGate(of repository: Repository, by principal: Principal) async throws {
        try await identity.require(.administer, on: repository, by: principal)
        guard repository.gating != .off else { throw AccessRequestError.notGated(repository.reference) }
    }

    private func decide(
        about account: Account, for repository: Repository, _ status: AccessRequestStatus, reason: String?, by caller: Caller
    ) async throws -> AccessRequest {
        guard (reason?.utf8.count ?? 0) <= AccessRequestError.maximumReasonBytes else { throw AccessRequestError.reasonTooLong }
        return try await store.decideAccess(
            to: repository.id, of: account.id, status, reason: status == .rejected ? reason : nil,
            by: caller.principal.account?.id,
            audit: caller.entry(
                "access.decide", on: repository.reference.description,
                ["account": account.name.text, "status": status.rawValue]))
    }
}

/// Whose request is meant.
package enum Requester: Hashable, Sendable {
    case account(NamespaceName)
    case request(AccessRequestID)
}

/// Why a request for access was refused.
package enum AccessRequestError: Error, Equatable {
    static let maximumReasonBytes = 1000

    case notGated(RepositoryReference)
    case formTooLong
    case noRequest
    case alreadyDecided(AccessRequestStatus)
    case alreadyGranted(NamespaceName)
    case rejected(reason: String?)
    case reasonTooLong
}

extension AccessRequestError: Refusal {
    package var problem: Problem {
        switch self {
        case .notGated(let reference):
            Problem(.invalid, code: "not_gated", "\(reference) is not gated; whoever may see it may read its files.")
        case .formTooLong:
            Problem(
                .tooLarge, code: "form_too_long", "The answers take more than \(AccessRequests.maximumFieldsBytes) bytes.")
        case .noRequest: Problem(.missing, code: "access_request_not_found", "There is no such access request.")
        case .alreadyDecided(let status):
            // As the Hub does (`accept_access_request` documents 404).
            Problem(.missing, code: "access_already_decided", "The access request is \(status.rawValue) already.")
        case .alreadyGranted(let name):
            // Here the Hub says 400 (`grant_access`).
            Problem(.invalid, code: "access_already_granted", "“\(name.text.shortened)” has access already.")
        case .rejected(let reason):
            Problem(
                .forbidden, code: "access_rejected",
                "Your request for access was rejected\(reason.map { ": \($0)" } ?? ".")")
        case .reasonTooLong:
            Problem(.invalid, code: "reason_too_long", "A reason has at most \(Self.maximumReasonBytes) bytes.")
        }
    }
}
