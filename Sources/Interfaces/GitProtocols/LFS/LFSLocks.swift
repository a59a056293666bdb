import HTTPTypes
import HubCore
import Hummingbird
import Identity
import MetadataStore
import Repositories
import WebCore

/// Locks of files, which push rights give and the client respects. Source: *git-lfs `docs/api/locking.md`*.
struct LFSLocks: Sendable {
    private static let maximumPage = 1000
    private static let defaultPage = 100

    private let call: LFSCall

    init(_ call: LFSCall) { self.call = call }

    func create() async throws -> Response {
        try call.checkAccept()
        let (repository, principal) = try await call.repository(for: .write)
        let form = try await call.body(LFSForms.LockRequest.self)
        guard let account = principal.account else { throw LFSRequestError.accountNeeded }
        switch try await call.lfs.lock(form.path, reference: form.ref?.name, in: repository, account: account) {
        case .created(let lock): return call.answer(LFSForms.LockAnswer(lock: .init(lock)), status: .created)
        case .held(let lock):
            let message = "\(lock.ownerName) has locked this file already."
            return call.answer(LFSForms.LockAnswer(lock: .init(lock), message: message), status: .conflict)
        }
    }

    func list() async throws -> Response {
        try call.checkAccept()
        let (repository, _) = try await call.repository(for: .read)
        let parameters = call.request.uri.queryParameters
        var query = LockQuery(repository: repository.id, limit: limit(parameters["limit"].flatMap { Int($0) }))
        query.path = parameters["path"].map(String.init)
        query.after = parameters["cursor"].flatMap { $0.isEmpty ? nil : String($0) }
        if let text = parameters["id"], !text.isEmpty {
            // Ids are ours; no other text names a lock.
            guard let id = Int64(text) else { return call.answer(LFSForms.LockList(locks: [], next_cursor: nil)) }
            query.id = LockID(id)
        }
        let page = try await call.lfs.locks(query)
        return call.answer(LFSForms.LockList(locks: page.items.map { .init($0) }, next_cursor: page.next))
    }

    /// What a client asks before it pushes: whose locks there are.
    func verify() async throws -> Response {
        try call.checkAccept()
        let (repository, principal) = try await call.repository(for: .read)
        try await call.requireUpload(to: repository, by: principal)
        let form = try await call.body(LFSForms.VerifyRequest.self)
        let after = form.cursor.flatMap { $0.isEmpty ? nil : $0 }
        let page = try await call.lfs.locks(
            LockQuery(repository: repository.id, after: after, limit: limit(form.limit)))
        let account = principal.account?.id
        return call.answer(
            LFSForms.LockVerification(
                ours: page.items.filter { $0.owner == account }.map { .init($0) },
                theirs: page.items.filter { $0.owner != account }.map { .init($0) }, next_cursor: page.next))
    }

    /// Releases a lock; somebody else's with `force`, which takes the right to administer the repository.
    func unlock(_ text: Substring) async throws -> Response {
        try call.checkAccept()
        let (repository, principal) = try await call.repository(for: .write)
        let form = try await call.body(LFSForms.UnlockRequest.self)
        guard let id = Int64(text) else { throw LFSError.lockNotFound }
        var isForced = form.force == true
        if isForced { isForced = try await call.identity.may(.administer, on: repository, by: principal) }
        let lock = try await call.lfs.unlock(
            LockID(id), force: isForced, in: repository, by: Caller(principal, address: call.context.remoteAddress))
        return call.answer(LFSForms.LockAnswer(lock: .init(lock)))
    }

    private func limit(_ asked: Int?) -> Int {
        guard let asked, asked > 0 else { return Self.defaultPage }
        return min(asked, Self.maximumPage)
    }
}
