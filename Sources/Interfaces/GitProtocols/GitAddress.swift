import HubCore

/// What a git or LFS address asks of which repository.
///
/// Forms: `/models|datasets|spaces|codes/{ns}/{name}[.git]/…`, the Hub's own `/{ns}/{name}[.git]/…` for models, and all of
/// these below `/hf`, `/csg` and `/ms`.
package struct GitAddress: Hashable, Sendable {
    package enum Service: Hashable, Sendable {
        /// `info/refs`
        case infoRefs
        /// `git-upload-pack`
        case uploadPack
        /// `git-receive-pack`
        case receivePack
        /// Files of the dumb protocol (`HEAD`, `objects/…`), which is refused.
        case dumb
        /// What follows `info/lfs/`: `objects/batch`, `locks`, …
        case lfs(String)
    }

    package let kind: RepositoryKind
    package let owner: String
    package let name: String
    package let service: Service

    /// `nil` when the path is no git or LFS address. `path` is percent-decoded and has no query.
    package init?(path: String) {
        var parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        if let first = parts.first, ["hf", "csg", "ms"].contains(first) { parts = parts.dropFirst() }
        var kind = RepositoryKind.model
        if let first = parts.first, let named = RepositoryKind.allCases.first(where: { $0.gitPathPart == first }) {
            kind = named
            parts = parts.dropFirst()
        }
        guard parts.count >= 3, let owner = parts.popFirst(), let second = parts.popFirst() else { return nil }
        let isDotGit = second.hasSuffix(".git")
        guard let service = Self.service(Array(parts), isDotGit: isDotGit) else { return nil }
        self.kind = kind
        self.owner = String(owner)
        name = isDotGit ? String(second.dropLast(4)) : String(second)
        self.service = service
    }

    private static func service(_ rest: [Substring], isDotGit: Bool) -> Service? {
        switch rest {
        case ["info", "refs"]: .infoRefs
        case ["git-upload-pack"]: .uploadPack
        case ["git-receive-pack"]: .receivePack
        case ["HEAD"] where isDotGit: .dumb
        default:
            if rest.count > 2, rest[0] == "info", rest[1] == "lfs" {
                .lfs(rest[2...].joined(separator: "/"))
            } else if isDotGit, rest.first == "objects" {
                .dumb
            } else {
                nil
            }
        }
    }

    /// The repository it names. A name that no repository can have is not found like one that does not exist.
    package var reference: RepositoryReference {
        RepositoryReference(kind: kind, name: RepositoryName(trustedOwner: owner, name: name))
    }

    /// The address of the repository below an external address: `/models/ada/bert.git`.
    package var repositoryPath: String { "/\(kind.gitPathPart)/\(owner)/\(name).git" }
}
