import FoundationEssentials
import GRDB
import HubCore

/// Reads and writes rows of discussions and their events.
enum DiscussionRow {
    /// Bounds of one discussion, so that all of it can be answered at once, as clients ask for it.
    static let maximumEvents = 5000
    static let maximumTextBytes = 16 << 20

    static let select = """
        SELECT d.id, d.repository_id, d.number, d.title, d.status, d.author_id, n.name AS author_name, a.full_name AS author_full_name,
            d.base_ref, d.head_oid, d.opened_oid, d.merge_oid, d.event_count, d.created_at, d.updated_at
        FROM discussions AS d LEFT JOIN accounts AS a ON a.id = d.author_id LEFT JOIN namespaces AS n ON n.account_id = d.author_id
        """

    static func discussion(_ row: Row) -> Discussion {
        var pullRequest: PullRequestState?
        if let base: String = row["base_ref"], let head: GitOID = row["head_oid"], let opened: GitOID = row["opened_oid"] {
            pullRequest = PullRequestState(
                base: ReferenceName(trusted: base), head: head, opened: opened, merge: row["merge_oid"])
        }
        return Discussion(
            id: row["id"], repository: row["repository_id"], number: row["number"], title: row["title"],
            status: status(row["status"]), author: author(row), pullRequest: pullRequest, eventCount: row["event_count"],
            createdAt: row.date("created_at"), updatedAt: row.date("updated_at"))
    }

    /// The schema allows no other words.
    static func status(_ word: String) -> DiscussionStatus { DiscussionStatus(rawValue: word) ?? .closed }

    static func author(_ row: Row) -> DiscussionAuthor? {
        guard let id: AccountID = row["author_id"], let name: String = row["author_name"] else { return nil }
        return DiscussionAuthor(account: id, name: NamespaceName(trusted: name), fullName: row["author_full_name"])
    }

    static func find(_ id: DiscussionID, in db: Database) throws -> Discussion {
        guard let row = try db.row(select + " WHERE d.id = ?", [id]) else { throw DiscussionRecordError.notFound }
        return discussion(row)
    }

    // MARK: Events

    /// What an event's row holds besides who and when.
    struct NewEvent {
        var type: String
        var text: String
        var secondText: String?
        var oid: GitOID?
        var author: AccountID?
        var authorName: String?
    }

    /// Adds an event and counts it.
    ///
    /// - Returns: its public id.
    static func add(_ event: NewEvent, to discussion: DiscussionID, at now: Int64, in db: Database) throws -> String {
        let id = PublicID.make()
        try count(1, bytes: event.text.utf8.count, discussion, at: now, in: db)
        try db.run(
            """
            INSERT INTO discussion_events (discussion_id, public_id, type, author_id, author_name, text, second_text, oid, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [discussion, id, event.type, event.author, event.authorName, event.text, event.secondText, event.oid, now])
        if event.type == "comment" { try AttachmentRow.noteMentions(in: event.text, by: event.author, of: discussion, in: db) }
        return id
    }

    static func count(_ events: Int, bytes: Int, _ discussion: DiscussionID, at now: Int64, in db: Database) throws {
        try db.run(
            """
            UPDATE discussions SET event_count = event_count + ?1, text_bytes = text_bytes + ?2, updated_at = ?3
            WHERE id = ?4 AND event_count + ?1 <= ?5 AND text_bytes + ?2 <= ?6
            """, [events, bytes, now, discussion, maximumEvents, maximumTextBytes])
        guard db.changesCount == 1 else { throw DiscussionRecordError.full }
    }

    static let selectEvents = """
        SELECT e.id, e.public_id, e.type, e.author_id, n.name AS author_name, a.full_name AS author_full_name,
            e.author_name AS written_name, e.text, e.second_text, e.oid, e.is_hidden, e.created_at, e.edited_at
        FROM discussion_events AS e LEFT JOIN accounts AS a ON a.id = e.author_id
        LEFT JOIN namespaces AS n ON n.account_id = e.author_id
        """

    static func event(_ row: Row, history: [DiscussionComment.Version]) -> DiscussionEvent {
        let text: String = row["text"]
        let what: DiscussionEvent.What =
            switch row["type"] as String {
            case "status-change": .statusChange(status(text))
            case "title-change": .titleChange(from: text, to: row["second_text"] ?? "")
            case "commit": .commit(subject: text, oid: row["oid"] ?? .zero)
            default:
                .comment(
                    DiscussionComment(
                        text: text, isHidden: row["is_hidden"], editedAt: row.optionalDate("edited_at"), history: history))
            }
        return DiscussionEvent(
            id: row["public_id"], what: what, author: author(row), authorName: row["written_name"],
            createdAt: row.date("created_at"))
    }

    static func event(_ id: String, of discussion: DiscussionID, in db: Database) throws -> DiscussionEvent {
        let row = try db.row(selectEvents + " WHERE e.discussion_id = ? AND e.public_id = ?", [discussion, id])
        guard let row else { throw DiscussionRecordError.commentNotFound }
        let versions = try db.rows(selectVersions + " WHERE v.event_id = ? ORDER BY v.id", [row["id"] as Int64])
        return event(row, history: versions.map(version))
    }

    static let selectVersions = """
        SELECT v.event_id, v.text, v.written_at, n.name AS author_name
        FROM comment_versions AS v LEFT JOIN namespaces AS n ON n.account_id = v.author_id
        """

    static func version(_ row: Row) -> DiscussionComment.Version {
        DiscussionComment.Version(text: row["text"], author: row["author_name"], writtenAt: row.date("written_at"))
    }
}
