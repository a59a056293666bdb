/// The four kinds of git object, numbered as in pack entries (git `gitformat-pack(5)`).
package enum GitObjectType: UInt8, Sendable, Hashable, CaseIterable {
    case commit = 1
    case tree = 2
    case blob = 3
    case tag = 4

    /// As it stands in object headers and tags: `commit`.
    package var name: String {
        switch self {
        case .commit: "commit"
        case .tree: "tree"
        case .blob: "blob"
        case .tag: "tag"
        }
    }

    package init?(name: some Sequence<UInt8>) {
        guard let type = Self.allCases.first(where: { name.elementsEqual($0.name.utf8) }) else { return nil }
        self = type
    }
}
