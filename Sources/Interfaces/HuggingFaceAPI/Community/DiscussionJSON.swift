import Community
import HubCore
import MetadataStore

/// Discussions and their events as clients read them. hf-hub-api §8.
struct DiscussionJSON {
    let repository: Repository
    let call: HubCall

    init(_ repository: Repository, _ call: HubCall) {
        self.repository = repository
        self.call = call
    }

    func url(of discussion: Discussion) -> String { "\(call.url(of: repository))/discussions/\(discussion.number)" }

    func item(_ discussion: Discussion) -> JSON {
        [
            "num": JSON(discussion.number), "title": .string(discussion.title), "author": author(discussion.author, or: nil),
            "createdAt": JSON(discussion.createdAt), "status": .string(discussion.status.rawValue),
            "repo": ["name": .string(repository.name.description), "type": .string(repository.kind.rawValue)],
            "isPullRequest": .bool(discussion.isPullRequest), "numComments": JSON(discussion.eventCount), "pinned": false,
            "repoOwner": ["name": .string(repository.name.owner.text)],
        ]
    }

    /// Somebody whose account is gone is shown as `deleted`, as the client does.
    private func author(_ author: DiscussionAuthor?, or written: String?) -> JSON {
        guard let author else { return ["name": .string(written ?? "deleted"), "type": "user"] }
        return [
            "name": .string(author.name.text), "fullname": .string(author.fullName ?? author.name.text), "type": "user",
            "avatarUrl": .string(AccountRoutes.avatar(of: author.name, call)), "isPro": false,
        ]
    }

    func event(_ event: DiscussionEvent) -> JSON {
        let (type, data) = content(event)
        return [
            "id": .string(event.id), "type": .string(type), "createdAt": JSON(event.createdAt),
            "author": author(event.author, or: event.authorName), "data": data,
        ]
    }

    private func content(_ event: DiscussionEvent) -> (String, JSON) {
        switch event.what {
        case .comment(let comment): ("comment", self.comment(comment, event))
        case .statusChange(let status): ("status-change", ["status": .string(status.rawValue)])
        case .titleChange(let old, let new): ("title-change", ["from": .string(old), "to": .string(new)])
        case .commit(let subject, let oid): ("commit", ["subject": .string(subject), "oid": .string(oid.hex)])
        }
    }

    /// What a hidden comment said is not shown, nor what it said before.
    private func comment(_ comment: DiscussionComment, _ event: DiscussionEvent) -> JSON {
        let text = comment.isHidden ? "This comment has been hidden" : comment.text
        let history = comment.isHidden ? [] : comment.history.map { version -> JSON in
            [
                "raw": .string(version.text), "updatedAt": JSON(version.writtenAt),
                "author": ["name": .string(version.author ?? "deleted")],
            ]
        }
        return [
            "edited": .bool(comment.editedAt != nil), "hidden": .bool(comment.isHidden), "numEdits": JSON(comment.history.count),
            "identifiedLanguage": .null, "editors": [], "reactions": [],
            "latest": [
                "raw": .string(text), "html": .string(text.escapedHTML), "updatedAt": JSON(comment.editedAt ?? event.createdAt),
                "author": author(event.author, or: event.authorName),
            ],
            "history": .array(history),
        ]
    }
}
