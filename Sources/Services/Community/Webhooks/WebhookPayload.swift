import HubCore
import MetadataStore
import Repositories

/// What a webhook is sent, version 3 of the Hub's form. Source: huggingface_hub `_webhooks_payload.py`.
struct WebhookPayload {
    let action: String
    let scope: String
    let repository: Repository
    /// The head of its default branch.
    let head: GitOID?
    /// The hub's address.
    let base: String
    /// The name that it had before it was moved.
    var former: RepositoryReference?
    var updates: [ReferenceUpdate] = []
    var discussion: Discussion?
    var comment: DiscussionEvent?

    /// More refs than these are left out, so that a payload stays small.
    private static let maximumUpdates = 200
    private static let maximumCommentCharacters = 20_000

    init(_ action: String, _ scope: String, _ repository: Repository, head: GitOID?, base: String) {
        self.action = action
        self.scope = scope
        self.repository = repository
        self.head = head
        self.base = base
    }

    func text(for webhook: Webhook) -> String {
        var members = [
            JSONMember("event", ["action": .string(action), "scope": .string(scope)]), JSONMember("repo", repo),
            JSONMember("webhook", ["id": .string(webhook.publicID), "version": 3]),
        ]
        if former != nil {
            members.append(
                JSONMember(
                    "movedTo",
                    ["name": .string(repository.name.description), "owner": ["id": .string(Self.id(of: repository.owner))]]))
        }
        if !updates.isEmpty {
            members.append(JSONMember("updatedRefs", .array(updates.prefix(Self.maximumUpdates).map(Self.json))))
        }
        if let discussion { members.append(JSONMember("discussion", json(discussion))) }
        if let comment, let discussion { members.append(JSONMember("comment", json(comment, of: discussion))) }
        return JSONNode.object(members).text
    }

    private var repo: JSONNode {
        var members = [
            JSONMember("type", .string(repository.kind.rawValue)), JSONMember("name", .string((former?.name ?? repository.name).description)),
            JSONMember("id", .string(String(repository.uid.text.prefix(24)))),
            JSONMember("private", .bool(repository.visibility == .private)),
            JSONMember("url", ["web": .string(page), "api": .string("\(base)/api/\(repository.kind.gitPathPart)/\(repository.name)")]),
            JSONMember("owner", ["id": .string(Self.id(of: repository.owner))]),
        ]
        if let head { members.append(JSONMember("headSha", .string(head.hex))) }
        return .object(members)
    }

    private var page: String {
        "\(base)/\(repository.kind == .model ? "" : repository.kind.gitPathPart + "/")\(repository.name)"
    }

    private static func json(_ update: ReferenceUpdate) -> JSONNode {
        [
            "ref": .string(update.name.text), "oldSha": JSONNode(update.old?.hex), "newSha": JSONNode(update.new?.hex),
        ]
    }

    private func json(_ discussion: Discussion) -> JSONNode {
        var members = [
            JSONMember("id", .string(Self.hexID(0x64, discussion.id.rawValue))),
            JSONMember("title", .string(discussion.title)),
            JSONMember(
                "url",
                [
                    "web": .string("\(page)/discussions/\(discussion.number)"),
                    "api": .string(
                        "\(base)/api/\(repository.kind.gitPathPart)/\(repository.name)/discussions/\(discussion.number)"),
                ]),
            JSONMember("status", .string(discussion.status.rawValue)),
            JSONMember("author", ["id": .string(Self.id(of: discussion.author))]),
            JSONMember("num", .integer(Int64(discussion.number))), JSONMember("isPullRequest", .bool(discussion.isPullRequest)),
        ]
        if let pull = discussion.pullRequest {
            members.append(
                JSONMember("changes", ["base": .string(pull.base.text), "mergeCommitId": JSONNode(pull.merge?.hex)]))
        }
        return .object(members)
    }

    private func json(_ event: DiscussionEvent, of discussion: Discussion) -> JSONNode {
        var members = [
            JSONMember("id", .string(event.id)), JSONMember("author", ["id": .string(Self.id(of: event.author))]),
            JSONMember("url", ["web": .string("\(page)/discussions/\(discussion.number)#\(event.id)")]),
        ]
        if case .comment(let comment) = event.what {
            members.append(JSONMember("hidden", .bool(comment.isHidden)))
            if !comment.isHidden {
                members.append(JSONMember("content", .string(String(comment.text.prefix(Self.maximumCommentCharacters)))))
            }
        }
        return .object(members)
    }

    private static func id(of author: DiscussionAuthor?) -> String { hexID(0x75, author?.account.rawValue ?? 0) }

    private static func id(of owner: NamespaceOwner) -> String {
        switch owner {
        case .account(let id): hexID(0x75, id.rawValue)
        case .organization(let id): hexID(0x6f, id.rawValue)
        }
    }

    /// 24 hex digits, the first two of which tell the kind; the same as the Hub API gives.
    private static func hexID(_ kind: UInt8, _ number: Int64) -> String {
        let digits = String(number, radix: 16)
        return Hex.encode([kind]) + String(repeating: "0", count: max(0, 22 - digits.count)) + digits
    }
}
