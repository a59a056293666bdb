import HubCore
import Identity
import MetadataStore
import Synchronization

/// The site setting `repository-aliases`: what ids of one part, `gpt2`, stand for.
package final class RepositoryAliases: Sendable {
    private let store: MetadataStore
    /// The setting's text as it was read last, and what it says.
    private let known = Mutex<(text: String, names: [String: RepositoryName])>(("", [:]))

    package init(store: MetadataStore) { self.store = store }

    /// Aliases are found without regard to case.
    package func name(for alias: String, kind: RepositoryKind) async throws -> RepositoryName? {
        guard let text = try await store.setting(SiteSetting.repositoryAliases.key), !text.isEmpty else { return nil }
        return known.withLock { known in
            if known.text != text { known = (text, Self.names(in: text)) }
            return known.names["\(kind.gitPathPart)/\(alias.lowercased())"]
        }
    }

    private static func names(in text: String) -> [String: RepositoryName] {
        var names: [String: RepositoryName] = [:]
        for alias in AliasList(text)?.entries ?? [] {
            names["\(alias.kind.gitPathPart)/\(alias.name.lowercased())"] = alias.target
        }
        return names
    }
}
