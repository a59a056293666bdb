import FoundationEssentials
import HubCore
import Identity
import MetadataStore

/// Creates, changes, lists and removes repositories. Every call asks `Identity` first and leaves an audit row.
package struct RepositoryService: Sendable {
    private let store: MetadataStore
    private let identity: Identity
    private let events: RepositoryEvents

    package init(store: MetadataStore, identity: Identity, events: RepositoryEvents = RepositoryEvents()) {
        self.store = store
        self.identity = identity
        self.events = events
    }

    package func create(
        _ reference: RepositoryReference, visibility: Visibility, defaultBranch: String = "main", description: String? = nil,
        by caller: Caller
    ) async throws -> Repository {
        _ = try await identity.requireCreation(in: reference.name.owner, by: caller.principal)
        try checkBranch(defaultBranch)
        try checkDescription(description)
        let new = NewRepository(
            reference: reference, visibility: visibility, defaultBranch: defaultBranch, creator: caller.principal.account?.id,
            description: description)
        let repository = try await store.createRepository(
            new, audit: caller.entry("repository.create", on: reference.description, ["visibility": visibility.rawValue]))
        return tell(.created, repository, by: caller)
    }

    package func get(_ reference: RepositoryReference, by principal: Principal) async throws -> Repository {
        try await identity.repository(reference, for: .read, by: principal)
    }

    /// Those that the caller may see, in the order of their names.
    package func list(
        kind: RepositoryKind? = nil, owner: NamespaceOwner? = nil, includesDeleted: Bool = false, after: String? = nil,
        limit: Int = 100, by principal: Principal
    ) async throws -> Page<Repository> {
        let scope = try await identity.visibilityScope(of: principal)
        return try await store.repositories(
            RepositoryQuery(
                kind: kind, owner: owner, visibleTo: scope, includesDeleted: includesDeleted && scope == .everything, after: after,
                limit: limit))
    }

    package func update(
        _ reference: RepositoryReference, _ change: RepositoryChange, by caller: Caller
    ) async throws -> Repository {
        let repository = try await identity.repository(reference, for: .administer, by: caller.principal)
        var detail: [String: String] = [:]
        if case .set(let visibility) = change.visibility { detail["visibility"] = visibility.rawValue }
        if case .set(let gating) = change.gating { detail["gating"] = gating.rawValue }
        if case .set(let isProtected) = change.isProtected {
            // Whoever owns it may not: what a publisher sent is the site's matter.
            try await identity.requireSite(.changeSettings, by: caller.principal)
            detail["protected"] = String(isProtected)
        }
        if case .set(let branch) = change.defaultBranch {
            try checkBranch(branch)
            // What a name without a revision stands for is content too.
            try await identity.require(.write, on: repository, by: caller.principal)
            detail["default_branch"] = branch
        }
        if case .set(let description) = change.description {
            try checkDescription(description)
            detail["description"] = description?.shortened ?? ""
        }
        let changed = try await store.updateRepository(
            repository.id, change, audit: caller.entry("repository.update", on: repository.reference.description, detail))
        return tell(.settingsChanged, changed, by: caller)
    }

    /// Renames or moves; the old name redirects until another repository takes it.
    package func rename(_ reference: RepositoryReference, to name: RepositoryName, by caller: Caller) async throws -> Repository {
        let repository = try await identity.repository(reference, for: .administer, by: caller.principal)
        if name.owner.key != repository.name.owner.key {
            _ = try await identity.requireCreation(in: name.owner, by: caller.principal)
        }
        let moved = try await store.renameRepository(
            repository.id, to: name,
            audit: caller.entry("repository.rename", on: repository.reference.description, ["to": name.description]))
        return tell(.moved(from: repository.reference), moved, by: caller)
    }

    /// Marks it as deleted. `undelete` brings it back until the sweep takes its content.
    package func delete(_ reference: RepositoryReference, by caller: Caller) async throws {
        let repository = try await identity.repository(reference, for: .administer, by: caller.principal)
        guard repository.reference.description.lowercased() == reference.description.lowercased() else {
            throw RepositoryError.renamed(from: reference, to: repository.reference)
        }
        let deleted = try await store.deleteRepository(
            repository.id, audit: caller.entry("repository.delete", on: repository.reference.description))
        _ = tell(.deleted, deleted, by: caller)
    }

    /// Brings back the one that was deleted last under this name.
    package func undelete(_ reference: RepositoryReference, by caller: Caller) async throws -> Repository {
        let deleted = try await store.deletedRepositories(reference)
        for repository in deleted where try await identity.may(.administer, on: repository, by: caller.principal) {
            let restored = try await store.undeleteRepository(
                repository.id, audit: caller.entry("repository.undelete", on: repository.reference.description))
            return tell(.restored, restored, by: caller)
        }
        throw RepositoryError.notDeleted(reference)
    }

    private func tell(_ what: RepositoryEvent.What, _ repository: Repository, by caller: Caller) -> Repository {
        events.tell(
            RepositoryEvent(
                what, repository: repository, actor: caller.principal.auditName, account: caller.principal.account?.id))
        return repository
    }

    private func checkBranch(_ name: String) throws(RepositoryError) {
        guard ReferenceName.newBranch(name) != nil else { throw .invalidBranch(name) }
    }

    private func checkDescription(_ text: String?) throws(RepositoryError) {
        guard (text?.utf8.count ?? 0) <= RepositoryError.maximumDescriptionBytes else { throw .descriptionTooLong }
    }
}

/// Why a change of a repository was refused.
package enum RepositoryError: Error, Equatable {
    static let maximumDescriptionBytes = 2000

    case renamed(from: RepositoryReference, to: RepositoryReference)
    case notDeleted(RepositoryReference)
    case invalidBranch(String)
    case descriptionTooLong
    /// The branch moved since the caller read it.
    case headMoved(branch: String)
    case noSuchRevision(String)
    case notABranch(String)
    case referenceExists(ReferenceName)
    /// A ref could not be set; the reason as git shows it.
    case referenceRefused(ReferenceName, String)
    case nothingToCommit
    case historyTooLong(Int)
    case invalidPath(String)
    /// A commit names a large object that this repository does not have.
    case missingObject(path: String, oid: ObjectID)
    case fileTooLarge(path: String, limit: Int)
}

extension RepositoryError: Refusal {
    package var problem: Problem {
        switch self {
        case .renamed(let old, let new):
            Problem(.conflict, code: "repository_renamed", "\(old) is now \(new); use that name.")
        case .notDeleted(let reference):
            Problem(.missing, code: "repository_not_deleted", "There is no deleted repository \(reference) that can be brought back.")
        case .invalidBranch(let name):
            Problem(.invalid, code: "invalid_branch", "“\(name.shortened)” is not a valid branch name.")
        case .descriptionTooLong:
            Problem(.invalid, code: "description_too_long", "A description has at most \(Self.maximumDescriptionBytes) bytes.")
        case .headMoved(let branch):
            Problem(.conflict, code: "head_moved", "\(branch) has moved since; fetch it and try again.")
        case .noSuchRevision(let revision):
            Problem(.missing, code: "revision_not_found", "The repository has no revision “\(revision.shortened)”.")
        case .notABranch(let name):
            Problem(.invalid, code: "not_a_branch", "“\(name.shortened)” is not a branch; commits go to branches.")
        case .referenceExists(let name):
            Problem(.conflict, code: "reference_exists", "Reference \(name.text.shortened) already exists.")
        case .referenceRefused(let name, let reason):
            Problem(.conflict, code: "reference_refused", "\(name.text.shortened) could not be set: \(reason).")
        case .historyTooLong(let limit):
            Problem(.invalid, code: "history_too_long", "A history of more than \(limit) commits is not made anew.")
        case .nothingToCommit: Problem(.invalid, code: "nothing_to_commit", "The commit would change nothing.")
        case .invalidPath(let path):
            Problem(
                .unprocessable, code: "invalid_path",
                "“\(path.shortened)” cannot be the path of a file: use names without “.”, “..”, “.git”, control characters or empty parts.")
        case .missingObject(let path, let oid):
            Problem(
                .unprocessable, code: "object_missing", "\(path.shortened) stands for object \(oid), which this repository does not "
                    + "have; upload it first.")
        case .fileTooLarge(let path, let limit):
            Problem(.tooLarge, code: "file_too_large", "\(path.shortened) is larger than \(limit) bytes; upload it as an LFS object.")
        }
    }
}
