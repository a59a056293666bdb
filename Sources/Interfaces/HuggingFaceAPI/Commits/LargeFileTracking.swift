import GitStore
import HubCore
import Repositories

/// Large files that no `.gitattributes` names yet get a line in the one at the top, in the same commit: stock git otherwise leaves
/// their pointers where their content should be.
package struct LargeFileTracking: Sendable {
    private static let maximumFileBytes: Int64 = 1 << 20

    private var paths: [String] = []
    /// What the commit itself makes of the file at the top; `.some(nil)` when that is not known here.
    private var replaced: String??

    package init() {}

    /// The commit has a large file at `path`.
    package mutating func add(_ path: String) { paths.append(path) }

    /// The commit has a `.gitattributes` of its own.
    package mutating func replace(with text: String?) { replaced = .some(text) }

    /// Adds what is missing to the commit.
    package func complete(_ draft: CommitDraft, _ view: RevisionView?, of kind: RepositoryKind, _ call: HubCall) async throws {
        guard !paths.isEmpty else { return }
        let rules = try await UploadRules(paths: paths, view: view, kind: kind, gitIgnore: nil, call)
        var text = ""
        var missing = paths.filter { !rules.isTracked($0) }
        switch replaced {
        // The first commit brings the file along.
        case .none: text = view == nil ? LargeFilePatterns.attributes(for: kind) : try await present(view, call)
        case .some(nil): return
        case .some(let own?):
            var attributes = GitAttributes()
            attributes.add(own, in: "")
            (text, missing) = (own, paths.filter { !attributes.isLargeFile($0) })
        }
        guard !missing.isEmpty || (view == nil && replaced == nil) else { return }
        if !text.isEmpty, !text.hasSuffix("\n") { text += "\n" }
        for path in missing { text += GitAttributes.line(for: path) + "\n" }
        try await draft.add(GitAttributes.fileName, content: Array(text.utf8))
    }

    private func present(_ view: RevisionView?, _ call: HubCall) async throws -> String {
        guard let view, let file = try await view.file(at: GitAttributes.fileName, call.services), !file.isFolder,
            file.blobBytes <= Self.maximumFileBytes
        else { return "" }
        let objects = view.objects
        let bytes = try await call.services.git.threads.run {
            try objects.read(file.oid, limit: Self.maximumFileBytes).bytes
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
