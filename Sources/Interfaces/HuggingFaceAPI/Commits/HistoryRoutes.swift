import GitStore
import HubCore
import Hummingbird
import Repositories

/// Commits of a revision, newest first. hf-hub-api §5.
enum HistoryRoutes {
    private static let pageSize = 50
    private static let maximumPage = 1000

    static var all: [HubRoute] {
        [HubRoute(.get, "/api/{kinds}/{repo}/commits/{rev...}") { try await commits($0) }]
    }

    private static func commits(_ call: HubCall) async throws -> Response {
        let repository = try await call.repository()
        let cursor = try call.cursor.map { try HistoryCursor($0) }
        let view = try await call.view(repository, at: cursor?.tip.hex ?? call.revision)
        let limit = call.limit(default: pageSize, maximum: maximumPage)
        let skip = cursor?.skip ?? 0
        let commits = try await call.services.git.threads.run {
            try view.objects.history(from: view.commit, skip: skip, limit: limit + 1)
        }
        let isFormatted = call.queries("expand").contains("formatted")
        let next = commits.count > limit ? HistoryCursor(tip: view.commit, skip: skip + limit).text : nil
        return call.page(commits.prefix(limit).map { item($0, isFormatted: isFormatted) }, next: next)
    }

    private static func item(_ commit: GitObjects.NamedCommit, isFormatted: Bool) -> JSON {
        let text = CommitText(commit.commit)
        let item: JSON = [
            "id": .string(commit.oid.hex), "title": .string(text.title), "message": .string(text.body),
            "authors": [["user": .string(text.author), "avatar": ""]],
            "date": .string(HubTime.text(seconds: commit.commit.committerTime)),
        ]
        guard isFormatted else { return item }
        return item.adding(
            "formatted",
            ["title": .string(HTMLText.escape(text.title)), "message": .string(HTMLText.escape(text.body))])
    }
}

/// The page of a history: where it began and how many commits were shown.
private struct HistoryCursor {
    let tip: GitOID
    let skip: Int

    init(tip: GitOID, skip: Int) {
        self.tip = tip
        self.skip = skip
    }

    init(_ text: String) throws {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let tip = GitOID(hex: parts[0]), let skip = Int(parts[1]), skip >= 0 else {
            throw HubAPIError.invalidRequest("The cursor is not one that this hub gave; start the list again.")
        }
        self.tip = tip
        self.skip = skip
    }

    var text: String { "\(tip):\(skip)" }
}

/// Text for pages.
enum HTMLText {
    static func escape(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
