import FoundationEssentials
import HubCore
import Identity
import MetadataStore
import Repositories

/// Discussions of repositories: opening, commenting, editing, hiding, renaming, closing.
///
/// Whoever may `discuss` opens and comments. Titles, status and hiding are for the author and for those who may `write`; the text of
/// a comment is changed by whoever wrote it.
package struct Discussions: Sendable {
    let store: MetadataStore
    let identity: Identity
    let git: GitService
    let notices: DiscussionNotices

    package init(store: MetadataStore, identity: Identity, git: GitService, notices: DiscussionNotices) {
        self.store = store
        self.identity = identity
        self.git = git
        self.notices = notices
    }

    // MARK: Reading

    /// The caller may `read` the repository.
    package func list(_ query: DiscussionQuery) async throws -> (items: [Discussion], count: Int) {
        try await store.discussions(query)
    }

    package func find(_ number: Int, in repository: Repository) async throws -> Discussion {
        guard let discussion = try await store.discussion(number, in: repository.id) else {
            throw DiscussionError.notFound(number)
        }
        return discussion
    }

    package func events(of discussion: Discussion) async throws -> [DiscussionEvent] {
        try await store.events(of: discussion.id)
    }

    // MARK: Opening

    /// - Parameter base: makes it a pull request into that branch.
    package func open(
        title: String, description: String, base: ReferenceName? = nil, status: DiscussionStatus = .open,
        in repository: Repository, by caller: Caller
    ) async throws -> Discussion {
        try await identity.require(base == nil ? .discuss : .propose, on: repository, by: caller.principal)
        let new = NewDiscussion(
            repository: repository.id, title: try Self.title(title), description: try Self.text(description, mayBeEmpty: true),
            author: caller.principal.account?.id, base: base, status: status)
        let discussion = try await store.createDiscussion(
            new, actor: caller.principal.auditName,
            audit: caller.entry(
                base == nil ? "discussion.create" : "pull-request.create", on: repository.reference.description,
                ["title": title.shortened]))
        await notices.tell(.opened(discussion), in: repository, by: caller)
        return discussion
    }

    // MARK: Comments

    package func comment(
        _ text: String, on discussion: Discussion, in repository: Repository, by caller: Caller
    ) async throws -> DiscussionEvent {
        try await identity.require(.discuss, on: repository, by: caller.principal)
        let event = try await store.addComment(
            try Self.text(text, mayBeEmpty: false), by: caller.principal.account?.id, to: discussion.id)
        await notices.tell(.commented(discussion, event), in: repository, by: caller)
        return event
    }

    package func edit(
        _ id: String, of discussion: Discussion, text: String, in repository: Repository, by caller: Caller
    ) async throws -> DiscussionEvent {
        try await identity.require(.discuss, on: repository, by: caller.principal)
        let event = try await store.comment(id, of: discussion.id)
        let isOwn = event.author != nil && event.author?.account == caller.principal.account?.id
        guard isOwn || caller.principal.isLocal else { throw DiscussionError.notYours("change the text of a comment") }
        let edited = try await store.editComment(
            id, of: discussion.id, text: try Self.text(text, mayBeEmpty: false), by: caller.principal.account?.id)
        await notices.tell(.commentChanged(discussion, edited), in: repository, by: caller)
        return edited
    }

    package func hide(
        _ id: String, of discussion: Discussion, in repository: Repository, by caller: Caller
    ) async throws -> DiscussionEvent {
        let event = try await store.comment(id, of: discussion.id)
        try await require(author: event.author, or: "hide a comment", in: repository, by: caller)
        let hidden = try await store.hideComment(
            id, of: discussion.id,
            audit: caller.entry(
                "discussion.hide-comment", on: repository.reference.description, ["number": String(discussion.number)]))
        await notices.tell(.commentChanged(discussion, hidden), in: repository, by: caller)
        return hidden
    }

    // MARK: Title and status

    package func rename(
        _ discussion: Discussion, to title: String, in repository: Repository, by caller: Caller
    ) async throws -> Discussion {
        try await require(author: discussion.author, or: "change the title", in: repository, by: caller)
        let renamed = try await store.changeTitle(
            of: discussion.id, to: try Self.title(title), by: caller.principal.account?.id)
        await notices.tell(.changed(renamed), in: repository, by: caller)
        return renamed
    }

    package func setStatus(
        _ status: DiscussionStatus, of discussion: Discussion, comment: String?, in repository: Repository, by caller: Caller
    ) async throws -> Discussion {
        try await require(author: discussion.author, or: "open or close it", in: repository, by: caller)
        guard discussion.status != status else { throw DiscussionError.alreadyHas(status) }
        switch (discussion.status, status) {
        case (_, .merged), (.merged, _): throw DiscussionError.cannotBecome(status, from: discussion.status)
        case (_, .draft) where !discussion.isPullRequest: throw DiscussionError.cannotBecome(status, from: discussion.status)
        default: break
        }
        let text = try comment.map { try Self.text($0, mayBeEmpty: true) }
        let changed = try await store.changeStatus(
            of: discussion.id, from: discussion.status, to: status, comment: text, by: caller.principal.account?.id,
            audit: caller.entry(
                "discussion.status", on: repository.reference.description,
                ["number": String(discussion.number), "status": status.rawValue]))
        guard let changed else { throw DiscussionError.changedMeanwhile }
        await notices.tell(.changed(changed), in: repository, by: caller)
        return changed
    }

    // MARK: Rules

    func require(
        author: DiscussionAuthor?, or what: String, in repository: Repository, by caller: Caller
    ) async throws {
        try await identity.require(.discuss, on: repository, by: caller.principal)
        if let author, author.account == caller.principal.account?.id { return }
        guard try await identity.may(.configure, on: repository, by: caller.principal) else { throw DiscussionError.notYours(what) }
    }

    private static func title(_ text: String) throws(DiscussionError) -> String {
        let title = text.trimmed
        guard (1...DiscussionError.maximumTitleCharacters).contains(title.count), title.utf8.count <= 1000,
            title.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f })
        else { throw .invalidTitle }
        return title
    }

    private static func text(_ text: String, mayBeEmpty: Bool) throws(DiscussionError) -> String {
        guard text.utf8.count <= DiscussionError.maximumCommentBytes else { throw .commentTooLong }
        guard mayBeEmpty || !text.trimmed.isEmpty else { throw .emptyComment }
        return text
    }
}

extension Principal {
    var isLocal: Bool {
        if case .localAdministrator = self { return true }
        return false
    }
}

extension String {
    /// Without white space at its ends.
    var trimmed: String {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace }) else {
            return ""
        }
        return String(self[first...last])
    }
}
