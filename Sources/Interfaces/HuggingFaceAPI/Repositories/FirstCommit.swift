import HubCore
import Repositories

/// The commit that a repository made by the Hub API starts with: `snapshot_download` and others take it for granted that there is one.
struct FirstCommit {
    let repository: Repository
    /// Of a space.
    let sdk: String?

    func make(_ call: HubCall) async throws {
        let draft = try await call.services.git.beginCommit(
            to: repository, branch: repository.defaultBranch, by: call.caller)
        try await draft.add(
            GitAttributes.fileName, content: Array(LargeFilePatterns.attributes(for: repository.kind).utf8))
        if repository.kind == .space { try await draft.add("README.md", content: Array(spaceCard.utf8)) }
        _ = try await draft.commit(message: "initial commit", author: call.author)
    }

    /// The front matter is where the kind of a space is kept.
    private var spaceCard: String {
        let known = ["gradio", "streamlit", "docker", "static"]
        let sdk = sdk.flatMap { known.contains($0) ? $0 : nil } ?? "static"
        let start = ["gradio": "app_file: app.py\n", "streamlit": "app_file: app.py\n"][sdk] ?? ""
        return "---\ntitle: \(repository.name.name)\nsdk: \(sdk)\n\(start)pinned: false\n---\n"
    }
}
