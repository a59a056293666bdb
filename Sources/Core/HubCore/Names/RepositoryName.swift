/// The name of a repository as users write it: `owner/name`.
///
/// Both parts follow the rules of `NamespaceName`; the name does not end in `.git`, which addresses add. Source:
/// `validate_repo_id` in huggingface_hub `utils/_validators.py`, so that clients accept every name the hub does.
package struct RepositoryName: Hashable, Sendable, CustomStringConvertible {
    package let owner: NamespaceName
    package let name: String

    package init(owner: NamespaceName, name: String) throws(NameError) {
        guard NameRules.isValidPart(name), !name.lowercased().hasSuffix(".git") else {
            throw .invalidRepositoryName("\(owner)/\(name)")
        }
        self.owner = owner
        self.name = name
    }

    package init(parsing text: String) throws(NameError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw .invalidRepositoryName(text) }
        try self.init(owner: NamespaceName(parsing: String(parts[0])), name: String(parts[1]))
    }

    /// A name that the database already holds.
    package init(trustedOwner owner: String, name: String) {
        self.owner = NamespaceName(trusted: owner)
        self.name = name
    }

    package var description: String { "\(owner)/\(name)" }
}

/// What a repository holds. Names are unique within a kind.
package enum RepositoryKind: String, Hashable, Sendable, CaseIterable, Codable {
    case model, dataset, space, code

    /// The first part of git and LFS addresses: `/models/…`, `/datasets/…`, `/spaces/…`, `/codes/…`.
    package var gitPathPart: String {
        switch self {
        case .model: "models"
        case .dataset: "datasets"
        case .space: "spaces"
        case .code: "codes"
        }
    }

    /// The first part of portal addresses: as for git, but `/code/…`.
    package var portalPathPart: String { self == .code ? "code" : gitPathPart }

    /// Reads `model`, `models`, `code`, `codes` and so on, in any case.
    package init?(parsing text: some StringProtocol) {
        let word = text.lowercased()
        guard let kind = Self.allCases.first(where: { $0.rawValue == word || $0.gitPathPart == word }) else { return nil }
        self = kind
    }
}

/// A kind and a name, which together find one repository: `models/ada/bert`.
package struct RepositoryReference: Hashable, Sendable, CustomStringConvertible {
    package let kind: RepositoryKind
    package let name: RepositoryName

    package init(kind: RepositoryKind, name: RepositoryName) {
        self.kind = kind
        self.name = name
    }

    /// Reads `models/ada/bert`, `model ada/bert`, with or without a leading `/` and a trailing `.git`.
    package init(parsing text: String) throws(NameError) {
        var parts = text.split(whereSeparator: { $0 == "/" || $0 == " " }).map(String.init)
        guard parts.count == 3, let kind = RepositoryKind(parsing: parts[0]) else { throw .invalidRepositoryReference(text) }
        if parts[2].hasSuffix(".git") { parts[2].removeLast(4) }
        self.kind = kind
        name = try RepositoryName(owner: NamespaceName(parsing: parts[1]), name: parts[2])
    }

    package var description: String { "\(kind.gitPathPart)/\(name)" }
}
