import FoundationEssentials
import GRDB
import HubCore

extension MetadataStore {
    // MARK: - Reading

    package func discussion(_ number: Int, in repository: RepositoryID) async throws -> Discussion? {
        try lookUp { db in
            try db.row(DiscussionRow.select + " WHERE d.repository_id = ? AND d.number = ?", [repository, number])
                .map(DiscussionRow.discussion)
        }
    }

    /// A page, and how many there are in all.
    package func discussions(_ query: DiscussionQuery) async throws -> (items: [Discussion], count: Int) {
        let limit = ListLimit.clamp(query.limit, maximum: 100)
        let condition = """
             d.repository_id = ?1 AND (?2 IS NULL OR d.is_pull_request = ?2)
            AND (?3 IS NULL OR (d.status IN ('open', 'draft')) = ?3)
            AND (?4 IS NULL OR d.author_id = (SELECT account_id FROM namespaces WHERE key = ?4))
            """
        let arguments: StatementArguments = [query.repository, query.isPullRequest, query.isOpen, query.author?.key]
        let offset = max(0, min(query.offset, 1_000_000))
        return try await read { db in
            let count = try db.value(Int.self, "SELECT count(*) FROM discussions AS d WHERE" + condition, arguments) ?? 0
            let items = try db.rows(
                DiscussionRow.select + " WHERE" + condition + " ORDER BY d.number DESC LIMIT ?5 OFFSET ?6",
                arguments + [limit, offset]
            ).map(DiscussionRow.discussion)
            return (items, count)
        }
    }

    /// All events, oldest first; a discussion's size is bounded when they are added.
    package func events(of discussion: DiscussionID) async throws -> [DiscussionEvent] {
        try await read { db in
            var histories: [Int64: [DiscussionComment.Version]] = [:]
            let versions = try db.rows(
                DiscussionRow.selectVersions + """
                     WHERE v.event_id IN (SELECT id FROM discussion_events WHERE discussion_id = ?) ORDER BY v.event_id, v.id
                    """, [discussion])
            for row in versions { histories[row["event_id"], default: []].append(DiscussionRow.version(row)) }
            return try db.rows(DiscussionRow.selectEvents + " WHERE e.discussion_id = ? ORDER BY e.id", [discussion]).map {
                DiscussionRow.event($0, history: histories[$0["id"]] ?? [])
            }
        }
    }

    package func comment(_ id: String, of discussion: DiscussionID) async throws -> DiscussionEvent {
        try lookUp { db in try DiscussionRow.event(id, of: discussion, in: db) }
    }

    /// Pull requests into `base` that are not merged or closed, oldest first.
    package func unmergedPullRequests(in repository: RepositoryID, into base: ReferenceName) async throws -> [Discussion] {
        try await read { db in
            try db.rows(
                DiscussionRow.select + """
                     WHERE d.repository_id = ? AND d.base_ref = ? AND d.status IN ('draft', 'open') ORDER BY d.number LIMIT 1000
                    """, [repository, base.text]
            ).map(DiscussionRow.discussion)
        }
    }

    /// Whether an account has a pull request there that is not merged or closed.
    package func hasUnmergedPullRequest(of account: AccountID, in repository: RepositoryID) async throws -> Bool {
        try lookUp { db in
            try db.exists(
                """
                SELECT 1 FROM discussions INDEXED BY discussions_by_author
                WHERE author_id = ? AND repository_id = ? AND is_pull_request = 1 AND status IN ('draft', 'open')
                """, [account, repository])
        }
    }

    // MARK: - Changing

    /// Opens a discussion; a pull request gets its ref, pointing to its base, in the same transaction.
    package func createDiscussion(_ new: NewDiscussion, actor: String, audit: AuditEntry?) async throws -> Discussion {
        try await change(audit) { db, now in
            _ = try RepositoryRow.live(new.repository, in: db)
            let last = try db.value(
                Int.self, "SELECT max(number) FROM discussions WHERE repository_id = ?", [new.repository])
            var number = (last ?? 0) + 1
            var base: GitOID?
            if let name = new.base {
                base = try ReferenceRow.oid(of: name.text, of: new.repository, in: db)
                guard base != nil else { throw DiscussionRecordError.noBase(name) }
            }
            // A number whose ref somebody pushed before is left out.
            while try ReferenceRow.oid(of: "refs/pr/\(number)", of: new.repository, in: db) != nil { number += 1 }
            try db.run(
                """
                INSERT INTO discussions (repository_id, number, title, status, is_pull_request, author_id, base_ref, head_oid, opened_oid,
                    created_at, updated_at)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9, ?9)
                """,
                [
                    new.repository, number, new.title, new.status.rawValue, new.base != nil, new.author, new.base?.text, base,
                    now,
                ])
            let id = DiscussionID(db.lastInsertedRowID)
            _ = try DiscussionRow.add(
                DiscussionRow.NewEvent(type: "comment", text: new.description, author: new.author), to: id, at: now, in: db)
            let discussion = try DiscussionRow.find(id, in: db)
            if let base {
                try Self.makeReference(discussion.reference, base, new, actor: actor, at: now, in: db)
            }
            return discussion
        }
    }

    /// The objects are there: another ref of the repository points to the same.
    private static func makeReference(
        _ name: ReferenceName, _ oid: GitOID, _ new: NewDiscussion, actor: String, at now: Int64, in db: Database
    ) throws {
        try ReferenceRow.set(name, to: oid, peeled: nil, of: new.repository, in: db)
        try db.run(
            "INSERT INTO reflog (repository_id, name, new_oid, actor, account_id, at) VALUES (?, ?, ?, ?, ?, ?)",
            [new.repository, name.text, oid, actor, new.author, now])
        try db.run("UPDATE repositories SET refs_version = refs_version + 1 WHERE id = ?", [new.repository])
    }

    package func addComment(_ text: String, by author: AccountID?, to discussion: DiscussionID) async throws -> DiscussionEvent {
        try await write { db, now in
            let id = try DiscussionRow.add(
                DiscussionRow.NewEvent(type: "comment", text: text, author: author), to: discussion, at: now, in: db)
            return try DiscussionRow.event(id, of: discussion, in: db)
        }
    }

    /// Changes a comment and keeps what it said before.
    package func editComment(
        _ id: String, of discussion: DiscussionID, text: String, by editor: AccountID?
    ) async throws -> DiscussionEvent {
        try await write { db, now in
            let event = try DiscussionRow.event(id, of: discussion, in: db)
            guard case .comment(let comment) = event.what, !comment.isHidden else {
                throw DiscussionRecordError.commentNotFound
            }
            guard comment.text != text else { return event }
            try DiscussionRow.count(0, bytes: text.utf8.count, discussion, at: now, in: db)
            try db.run(
                """
                INSERT INTO comment_versions (event_id, author_id, text, written_at)
                SELECT id, coalesce(editor_id, author_id), text, coalesce(edited_at, created_at) FROM discussion_events
                WHERE discussion_id = ? AND public_id = ?
                """, [discussion, id])
            try db.run(
                "UPDATE discussion_events SET text = ?, edited_at = ?, editor_id = ? WHERE discussion_id = ? AND public_id = ?",
                [text, now, editor, discussion, id])
            try AttachmentRow.noteMentions(in: text, by: editor, of: discussion, in: db)
            return try DiscussionRow.event(id, of: discussion, in: db)
        }
    }

    package func hideComment(_ id: String, of discussion: DiscussionID, audit: AuditEntry) async throws -> DiscussionEvent {
        try await change(audit) { db, now in
            let event = try DiscussionRow.event(id, of: discussion, in: db)
            guard case .comment = event.what else { throw DiscussionRecordError.commentNotFound }
            try db.run(
                "UPDATE discussion_events SET is_hidden = 1 WHERE discussion_id = ? AND public_id = ?", [discussion, id])
            try DiscussionRow.count(0, bytes: 0, discussion, at: now, in: db)
            return try DiscussionRow.event(id, of: discussion, in: db)
        }
    }

    package func changeTitle(of discussion: DiscussionID, to title: String, by author: AccountID?) async throws -> Discussion {
        try await write { db, now in
            let old = try DiscussionRow.find(discussion, in: db)
            guard old.title != title else { return old }
            _ = try DiscussionRow.add(
                DiscussionRow.NewEvent(type: "title-change", text: old.title, secondText: title, author: author),
                to: discussion, at: now, in: db)
            try db.run("UPDATE discussions SET title = ? WHERE id = ?", [title, discussion])
            return try DiscussionRow.find(discussion, in: db)
        }
    }

    /// Changes the status if it still is `old`, with a comment where there is one.
    ///
    /// - Returns: `nil` when it is another one by now.
    package func changeStatus(
        of discussion: DiscussionID, from old: DiscussionStatus, to status: DiscussionStatus, comment: String?,
        merge: GitOID? = nil, by author: AccountID?, audit: AuditEntry?
    ) async throws -> Discussion? {
        try await change(audit) { db, now in
            guard try DiscussionRow.find(discussion, in: db).status == old else { return nil }
            if let comment, !comment.isEmpty {
                _ = try DiscussionRow.add(
                    DiscussionRow.NewEvent(type: "comment", text: comment, author: author), to: discussion, at: now, in: db)
            }
            _ = try DiscussionRow.add(
                DiscussionRow.NewEvent(type: "status-change", text: status.rawValue, author: author), to: discussion, at: now,
                in: db)
            try db.run(
                "UPDATE discussions SET status = ?, merge_oid = coalesce(?, merge_oid) WHERE id = ?",
                [status.rawValue, merge, discussion])
            return try DiscussionRow.find(discussion, in: db)
        }
    }

    /// Notes what came to a pull request's ref, if nobody has done so meanwhile.
    package func noteCommits(
        _ commits: [PullRequestCommit], of discussion: DiscussionID, from old: GitOID, to head: GitOID
    ) async throws -> Discussion {
        try await write { db, now in
            try db.run("UPDATE discussions SET head_oid = ? WHERE id = ? AND head_oid = ?", [head, discussion, old])
            guard db.changesCount == 1 else { return try DiscussionRow.find(discussion, in: db) }
            for commit in commits {
                do {
                    _ = try DiscussionRow.add(
                        DiscussionRow.NewEvent(
                            type: "commit", text: commit.subject, oid: commit.oid, authorName: commit.author), to: discussion,
                        at: commit.committedAt.milliseconds, in: db)
                } catch DiscussionRecordError.full {
                    // The commits are in the ref all the same.
                    break
                }
            }
            try db.run("UPDATE discussions SET updated_at = ? WHERE id = ?", [now, discussion])
            return try DiscussionRow.find(discussion, in: db)
        }
    }
}
