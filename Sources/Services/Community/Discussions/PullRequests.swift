import FoundationEssentials
import GitStore
import HubCore
import Identity
import MetadataStore
import Repositories
import Synchronization

/// Pull requests: a discussion with a ref of its own, `refs/pr/N`, that is to be merged into a branch.
///
/// Whoever may `discuss` opens one and commits to its ref; merging needs `write`.
package struct PullRequests: Sendable {
    /// More commits that come at once are not all named in the events.
    private static let maximumNewCommits = 250

    private let discussions: Discussions
    private let underWay = MergesUnderWay()
    private var store: MetadataStore { discussions.store }
    private var git: GitService { discussions.git }
    private var identity: Identity { discussions.identity }

    package init(_ discussions: Discussions) { self.discussions = discussions }

    /// Opens one into a branch, with its ref at the branch's head.
    package func open(
        title: String, description: String, into base: ReferenceName? = nil, status: DiscussionStatus,
        in repository: Repository, by caller: Caller
    ) async throws -> Discussion {
        let base = base ?? ReferenceName(trusted: "refs/heads/" + repository.defaultBranch)
        return try await discussions.open(
            title: title, description: description, base: base, status: status, in: repository, by: caller)
    }

    /// Whether somebody may commit to a ref of a pull request: its author, as long as it is not merged or closed, and writers.
    package func mayCommit(to reference: ReferenceName, in repository: Repository, by principal: Principal) async throws -> Bool {
        if try await identity.may(.write, on: repository, by: principal) { return true }
        guard let number = Self.number(of: reference), try await identity.may(.propose, on: repository, by: principal),
            let found = try await store.discussion(number, in: repository.id), found.isPullRequest, let author = found.author
        else { return false }
        return author.account == principal.account?.id && (found.status == .draft || found.status == .open)
    }

    /// Whether somebody who may not write has a pull request here that is open, and so something to push to.
    package func hasOwn(in repository: Repository, by principal: Principal) async throws -> Bool {
        guard let account = principal.account, try await identity.may(.propose, on: repository, by: principal) else { return false }
        return try await store.hasUnmergedPullRequest(of: account.id, in: repository.id)
    }

    /// Why a push may not set these refs, by their names; those that it may are left out.
    ///
    /// Whoever may write sets all of them, but the ref of a pull request stays as long as that does. Others set those of their own open
    /// pull requests.
    package func objections(
        to commands: [PushCommand], in repository: Repository, by principal: Principal
    ) async throws -> [String: String] {
        let isWriter = try await identity.may(.write, on: repository, by: principal)
        var objections: [String: String] = [:]
        for command in commands {
            try Task.checkCancellation()
            let found: Discussion?
            if let number = ReferenceName(command.name).flatMap(Self.number) {
                found = try await store.discussion(number, in: repository.id).flatMap { $0.isPullRequest ? $0 : nil }
            } else {
                found = nil
            }
            objections[command.name] = Self.objection(to: command, of: found, isWriter: isWriter, account: principal.account?.id)
        }
        return objections
    }

    private static func objection(
        to command: PushCommand, of found: Discussion?, isWriter: Bool, account: AccountID?
    ) -> String? {
        if let found, command.new == nil { return "the ref of pull request \(found.number) cannot be deleted; close it instead" }
        if isWriter { return nil }
        guard let found else {
            return command.name.hasPrefix("refs/pr/")
                ? "there is no such pull request; open one first"
                : "only those who may write to this repository push here; you may push to refs/pr/N of your own pull request"
        }
        guard let author = found.author, author.account == account else {
            return "pull request \(found.number) is somebody else's; its author and those who may write push to it"
        }
        guard found.status == .draft || found.status == .open else {
            return "pull request \(found.number) is \(found.status.rawValue); open another one"
        }
        return nil
    }

    /// `7` for `refs/pr/7`.
    package static func number(of reference: ReferenceName) -> Int? {
        guard reference.text.hasPrefix("refs/pr/") else { return nil }
        let digits = reference.text.dropFirst(8)
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits), String(number) == digits else {
            return nil
        }
        return number
    }

    // MARK: Following its refs

    /// Brings the events up to date with what was committed or pushed to the ref, and notices when the base has all of it.
    package func synchronize(_ discussion: Discussion, in repository: Repository) async throws -> Discussion {
        guard let pull = discussion.pullRequest, discussion.status == .draft || discussion.status == .open else {
            return discussion
        }
        let state = try await git.references(of: repository)
        guard let head = state.reference(discussion.reference)?.oid else { return discussion }
        var current = discussion
        if head != pull.head { current = try await note(head, of: discussion, pull, in: repository) }
        guard head != pull.opened, !underWay.contains(discussion.id), let base = state.reference(pull.base)?.oid, base != pull.opened else { return current }
        let snapshot = try await git.snapshot(of: repository)
        guard try await git.threads.run({ try snapshot.objects.isAncestor(head, of: base) }) else { return current }
        let merged = try await store.changeStatus(
            of: current.id, from: current.status, to: .merged, comment: nil, merge: base, by: nil, audit: nil)
        guard let merged else { return try await discussions.find(discussion.number, in: repository) }
        await discussions.notices.tell(.changed(merged), in: repository, by: Self.hub)
        return merged
    }

    private func note(
        _ head: GitOID, of discussion: Discussion, _ pull: PullRequestState, in repository: Repository
    ) async throws -> Discussion {
        let snapshot = try await git.snapshot(of: repository)
        let base = snapshot.state.reference(pull.base)?.oid
        let commits = try await git.threads.run { () throws -> [PullRequestCommit] in
            let known = [pull.head, base].compactMap { $0 }.filter { snapshot.objects.contains($0) }
            let new = try snapshot.objects.commits(of: head, notIn: known, maximum: Self.maximumNewCommits)
            return new.reversed().map(PullRequestCommit.init)
        }
        let noted = try await store.noteCommits(commits, of: discussion.id, from: pull.head, to: head)
        if noted.pullRequest?.head == head { await discussions.notices.tell(.changed(noted), in: repository, by: Self.hub) }
        return noted
    }

    /// Of what nobody in particular did.
    private static let hub = Caller(.anonymous)

    // MARK: What it would change

    /// The files that both the pull request and its base changed; empty once it is merged or closed.
    package func conflicts(of discussion: Discussion, in repository: Repository) async throws -> [String] {
        guard let pull = discussion.pullRequest, discussion.status == .draft || discussion.status == .open else { return [] }
        let snapshot = try await git.snapshot(of: repository)
        guard let head = snapshot.state.reference(discussion.reference)?.oid, let base = snapshot.state.reference(pull.base)?.oid
        else { return [] }
        return try await git.threads.run {
            let objects = snapshot.objects
            let ancestor = try objects.mergeBase(base, head)
            guard ancestor != head, ancestor != base else { return [] }
            return try objects.mergeConflicts(
                base: try ancestor.map { try objects.commit($0).tree }, ours: try objects.commit(base).tree,
                theirs: try objects.commit(head).tree)
        }
    }

    /// What it changes, as `git diff base...head` writes it.
    ///
    /// It shows content of files, so the caller must be allowed to read that.
    package func diff(of discussion: Discussion, in repository: Repository, by principal: Principal) async throws -> String? {
        guard let pull = discussion.pullRequest,
            try await identity.may(.readContent, on: repository, by: principal)
        else { return nil }
        let snapshot = try await git.snapshot(of: repository)
        let head = snapshot.state.reference(discussion.reference)?.oid ?? pull.head
        return try await git.threads.run {
            let objects = snapshot.objects
            guard objects.contains(head) else { return "" }
            var from: GitOID?
            if let merge = pull.merge, objects.contains(merge), let first = try objects.commit(merge).parents.first {
                // What it was merged into then, not what is there now.
                from = try objects.mergeBase(first, head)
            } else if let base = snapshot.state.reference(pull.base)?.oid {
                from = try objects.mergeBase(base, head)
            }
            return try UnifiedDiff.text(
                from: try from.map { try objects.commit($0).tree }, to: try objects.commit(head).tree, in: objects)
        }
    }

    // MARK: Merging

    package func merge(
        _ discussion: Discussion, comment: String?, author: CommitAuthor, in repository: Repository, by caller: Caller
    ) async throws -> Discussion {
        try await identity.require(.write, on: repository, by: caller.principal)
        guard discussion.isPullRequest else { throw DiscussionError.notAPullRequest(discussion.number) }
        let current = try await synchronize(discussion, in: repository)
        guard current.status == .open, let pull = current.pullRequest else { throw DiscussionError.cannotMerge(current.status) }
        let text = (comment ?? "").trimmed
        guard text.utf8.count <= DiscussionError.maximumCommentBytes else { throw DiscussionError.commentTooLong }
        let message = "\(current.title) (#\(current.number))\n" + (text.isEmpty ? "" : "\n\(text)\n")
        guard underWay.begin(current.id) else { throw DiscussionError.changedMeanwhile }
        defer { underWay.end(current.id) }
        switch try await git.merge(
            current.reference, into: pull.base, message: message, author: author, in: repository, by: caller)
        {
        case .conflicts(let paths): throw DiscussionError.conflicts(paths)
        case .nothingToMerge: throw DiscussionError.nothingToMerge
        case .merged(let commit):
            // The commit is there: whoever changed the status meanwhile, the pull request is merged.
            let merged = try await store.changeStatus(
                of: current.id, from: .open, to: .merged, comment: text, merge: commit, by: caller.principal.account?.id,
                audit: caller.entry(
                    "pull-request.merge", on: repository.reference.description,
                    ["number": String(current.number), "commit": commit.hex]))
            guard let merged else { return try await discussions.find(discussion.number, in: repository) }
            await discussions.notices.tell(.changed(merged), in: repository, by: caller)
            return merged
        }
    }
}

/// Pull requests that somebody merges at this moment, so that whoever follows the base does not take it for a merge by hand.
private final class MergesUnderWay: Sendable {
    private let ids = Mutex<Set<DiscussionID>>([])

    /// False when it is under way already.
    func begin(_ id: DiscussionID) -> Bool { ids.withLock { $0.insert(id).inserted } }
    func end(_ id: DiscussionID) { ids.withLock { _ = $0.remove(id) } }
    func contains(_ id: DiscussionID) -> Bool { ids.withLock { $0.contains(id) } }
}

extension PullRequestCommit {
    init(_ named: GitObjects.NamedCommit) {
        let message = String(decoding: named.commit.message, as: UTF8.self)
        let author = String(decoding: named.commit.author, as: UTF8.self)
        self.init(
            oid: named.oid, subject: String(message.prefix { !$0.isNewline }.prefix(300)),
            author: String(author.prefix { $0 != "<" }.prefix(150)).trimmed,
            committedAt: Date(timeIntervalSince1970: Double(max(0, min(named.commit.committerTime, 253_402_300_799)))))
    }
}
