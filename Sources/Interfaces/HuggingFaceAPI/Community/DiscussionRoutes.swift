import Community
import HubCore
import Hummingbird
import Identity
import MetadataStore
import Repositories
import WebCore

/// Discussions and pull requests. hf-hub-api §8.
struct DiscussionRoutes: Sendable {
    private static let pageSize = 50

    let community: Community

    private static let one = "/api/{kinds}/{repo}/discussions/{number}"

    var all: [HubRoute] {
        [
            HubRoute(.get, "/api/{kinds}/{repo}/discussions") { try await list($0) },
            HubRoute(.post, "/api/{kinds}/{repo}/discussions") { try await open($0) },
            HubRoute(.get, Self.one) { try await details($0) },
            HubRoute(.post, Self.one + "/comment") { try await comment($0) },
            HubRoute(.post, Self.one + "/comment/{id}/edit") { try await edit($0) },
            HubRoute(.post, Self.one + "/comment/{id}/hide") { try await hide($0) },
            HubRoute(.post, Self.one + "/title") { try await rename($0) },
            HubRoute(.post, Self.one + "/status") { try await setStatus($0) },
            HubRoute(.post, Self.one + "/merge") { try await merge($0) },
        ]
    }

    // MARK: Reading

    private func list(_ call: HubCall) async throws -> Response {
        let repository = try await call.repository()
        let page = max(0, min(call.query("p").flatMap { Int($0) } ?? 0, 100_000))
        var query = DiscussionQuery(repository: repository.id, offset: page * Self.pageSize, limit: Self.pageSize)
        switch call.query("type") {
        case nil, "", "all": break
        case "discussion": query.isPullRequest = false
        case "pull_request": query.isPullRequest = true
        default: throw HubAPIError.invalidRequest("The type is all, discussion or pull_request.")
        }
        switch call.query("status") {
        case nil, "", "all": break
        case "open": query.isOpen = true
        case "closed": query.isOpen = false
        default: throw HubAPIError.invalidRequest("The status is all, open or closed.")
        }
        if let author = call.query("author"), !author.isEmpty { query.author = NamespaceName(trusted: author) }
        let (items, count) = try await community.discussions.list(query)
        return call.answer([
            "discussions": .array(items.map { DiscussionJSON(repository, call).item($0) }), "count": JSON(count),
            "start": JSON(page * Self.pageSize),
        ])
    }

    private func details(_ call: HubCall) async throws -> Response {
        var (repository, discussion) = try await find(call)
        discussion = try await community.pullRequests.synchronize(discussion, in: repository)
        let events = try await community.discussions.events(of: discussion)
        let json = DiscussionJSON(repository, call)
        var answer = json.item(discussion).adding("events", .array(events.map(json.event)))
        if let pull = discussion.pullRequest {
            let conflicts = try await community.pullRequests.conflicts(of: discussion, in: repository)
            answer = answer.adding("changes", ["base": .string(pull.base.text), "mergeCommitId": JSON(pull.merge?.hex)])
                .adding("filesWithConflicts", JSON(conflicts))
            if call.flag("diff") {
                let diff = try await community.pullRequests.diff(of: discussion, in: repository, by: call.principal)
                answer = answer.adding("diff", JSON(diff))
            }
        }
        return call.answer(answer)
    }

    private func find(_ call: HubCall) async throws -> (Repository, Discussion) {
        let repository = try await call.repository()
        guard let number = Int(call.value("number")) else { throw HubAPIError.noSuchAddress }
        return (repository, try await community.discussions.find(number, in: repository))
    }

    // MARK: Opening

    private struct Opening: Decodable {
        let title: String
        let description: String?
        let pullRequest: Bool?
    }

    private func open(_ call: HubCall) async throws -> Response {
        let form = try await call.json(Opening.self)
        let repository = try await call.repository(for: .discuss)
        let description = form.description ?? ""
        let discussion =
            form.pullRequest == true
            ? try await community.pullRequests.open(
                title: form.title, description: description, status: .draft, in: repository, by: call.caller)
            : try await community.discussions.open(
                title: form.title, description: description, in: repository, by: call.caller)
        return call.answer([
            "num": JSON(discussion.number), "pullRequest": .bool(discussion.isPullRequest),
            "url": .string(DiscussionJSON(repository, call).url(of: discussion)),
        ])
    }

    // MARK: Changing

    private struct Comment: Decodable {
        let comment: String?
    }

    private func comment(_ call: HubCall) async throws -> Response {
        let form = try await call.json(Comment.self)
        let (repository, discussion) = try await find(call)
        let event = try await community.discussions.comment(
            form.comment ?? "", on: discussion, in: repository, by: call.caller)
        return call.answer(["newMessage": DiscussionJSON(repository, call).event(event)])
    }

    private struct Edit: Decodable {
        let content: String
    }

    private func edit(_ call: HubCall) async throws -> Response {
        let form = try await call.json(Edit.self)
        let (repository, discussion) = try await find(call)
        let event = try await community.discussions.edit(
            call.value("id").lowercased(), of: discussion, text: form.content, in: repository, by: call.caller)
        return call.answer(["updatedComment": DiscussionJSON(repository, call).event(event)])
    }

    private func hide(_ call: HubCall) async throws -> Response {
        let (repository, discussion) = try await find(call)
        let event = try await community.discussions.hide(
            call.value("id").lowercased(), of: discussion, in: repository, by: call.caller)
        return call.answer(["updatedComment": DiscussionJSON(repository, call).event(event)])
    }

    private struct Title: Decodable {
        let title: String
    }

    private func rename(_ call: HubCall) async throws -> Response {
        let form = try await call.json(Title.self)
        let (repository, discussion) = try await find(call)
        let renamed = try await community.discussions.rename(discussion, to: form.title, in: repository, by: call.caller)
        return try await newest(.titleChanges, "newTitle", of: renamed, in: repository, call)
    }

    private struct Status: Decodable {
        let status: String
        let comment: String?
    }

    private func setStatus(_ call: HubCall) async throws -> Response {
        let form = try await call.json(Status.self)
        let (repository, discussion) = try await find(call)
        guard let status = DiscussionStatus(rawValue: form.status) else {
            throw HubAPIError.invalidRequest("The status is open, closed or draft.")
        }
        let changed = try await community.discussions.setStatus(
            status, of: discussion, comment: form.comment, in: repository, by: call.caller)
        return try await newest(.statusChanges, "newStatus", of: changed, in: repository, call)
    }

    private enum EventKind {
        case titleChanges, statusChanges

        func includes(_ event: DiscussionEvent) -> Bool {
            switch (self, event.what) {
            case (.titleChanges, .titleChange), (.statusChanges, .statusChange): true
            default: false
            }
        }
    }

    /// The event that a change made, as clients expect it.
    private func newest(
        _ kind: EventKind, _ name: String, of discussion: Discussion, in repository: Repository, _ call: HubCall
    ) async throws -> Response {
        let events = try await community.discussions.events(of: discussion)
        guard let event = events.last(where: kind.includes) else {
            throw HubAPIError.invalidRequest("That is its title already.")
        }
        return call.answer(.object([JSONMember(name, DiscussionJSON(repository, call).event(event))]))
    }

    private func merge(_ call: HubCall) async throws -> Response {
        let form = try await call.json(Comment.self)
        let (repository, discussion) = try await find(call)
        let merged = try await community.pullRequests.merge(
            discussion, comment: form.comment, author: call.author, in: repository, by: call.caller)
        return call.answer(["success": true, "mergeCommitId": JSON(merged.pullRequest?.merge?.hex)])
    }
}
