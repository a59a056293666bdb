import HubCore
import WebCore

/// The address of a route, as `HubRoute` describes it.
struct RoutePattern: Sendable {
    enum Part: Sendable {
        case word(String)
        case kinds(isOptional: Bool)
        case repository
        case revision
        case value(String)
        case rest(String, isOptional: Bool)
    }

    let parts: [Part]

    init(_ text: String) {
        parts = text.split(separator: "/").map { part in
            guard part.hasPrefix("{"), part.hasSuffix("}") else { return .word(String(part)) }
            let name = part.dropFirst().dropLast()
            switch name {
            case "kinds": return .kinds(isOptional: false)
            case "kinds?": return .kinds(isOptional: true)
            case "repo": return .repository
            case "rev": return .revision
            default:
                if name.hasSuffix("...?") { return .rest(String(name.dropLast(4)), isOptional: true) }
                if name.hasSuffix("...") { return .rest(String(name.dropLast(3)), isOptional: false) }
                return .value(String(name))
            }
        }
    }

    func match(_ path: HubPath, repositoryParts: Int) -> RouteMatch? {
        var match = RouteMatch()
        return match.take(parts[...], path.parts, at: 0, repositoryParts: repositoryParts) ? match : nil
    }
}

/// What a pattern found in a path.
struct RouteMatch: Sendable {
    /// The id of a repository as the path has it.
    struct RepositoryID: Sendable {
        /// `nil` for an id of one part.
        let owner: String?
        let name: String
        /// Its place among the path's parts.
        let place: Range<Int>

        var text: String { owner.map { "\($0)/\(name)" } ?? name }
    }

    private(set) var kind = RepositoryKind.model
    private(set) var repository: RepositoryID?
    /// Decoded. A revision is `rev`.
    private(set) var values: [String: String] = [:]

    /// Matches the parts of a pattern with those of a path from `index` on.
    mutating func take(
        _ pattern: ArraySlice<RoutePattern.Part>, _ parts: [Substring], at index: Int, repositoryParts: Int
    ) -> Bool {
        guard let part = pattern.first else { return index == parts.count }
        let following = pattern.dropFirst()
        switch part {
        case .rest(let name, let isOptional):
            return takeRest(name, isOptional: isOptional, parts[index...])
        case .kinds(isOptional: true):
            let before = self
            if takeKind(parts, at: index), take(following, parts, at: index + 1, repositoryParts: repositoryParts) {
                return true
            }
            self = before
            return take(following, parts, at: index, repositoryParts: repositoryParts)
        default:
            guard let end = takeOne(part, parts, at: index, repositoryParts: repositoryParts) else { return false }
            return take(following, parts, at: end, repositoryParts: repositoryParts)
        }
    }

    /// - Returns: where the next part begins.
    private mutating func takeOne(
        _ part: RoutePattern.Part, _ parts: [Substring], at index: Int, repositoryParts: Int
    ) -> Int? {
        guard index < parts.count else { return nil }
        switch part {
        case .word(let word): return parts[index] == word ? index + 1 : nil
        case .kinds: return takeKind(parts, at: index) ? index + 1 : nil
        case .repository:
            return takeRepository(parts, index..<index + repositoryParts) ? index + repositoryParts : nil
        case .revision: return takeRevision(parts, at: index)
        case .value(let name): return takeValue(name, parts[index]) ? index + 1 : nil
        case .rest: return nil
        }
    }

    private mutating func takeKind(_ parts: [Substring], at index: Int) -> Bool {
        guard index < parts.count, let kind = RepositoryKind.allCases.first(where: { $0.gitPathPart == parts[index] })
        else { return false }
        self.kind = kind
        return true
    }

    private mutating func takeRepository(_ parts: [Substring], _ place: Range<Int>) -> Bool {
        guard place.upperBound <= parts.count else { return false }
        let names = parts[place].compactMap { String($0).percentDecoded }
        guard names.count == place.count, names.allSatisfy({ !$0.isEmpty }), let last = names.last else { return false }
        repository = RepositoryID(owner: names.count == 2 ? names[0] : nil, name: last, place: place)
        return true
    }

    /// Old clients and people write `refs/pr/1` with plain slashes.
    private mutating func takeRevision(_ parts: [Substring], at index: Int) -> Int? {
        let isPlainReference =
            parts[index] == "refs" && index + 2 < parts.count && ["pr", "convert"].contains(parts[index + 1])
        let end = isPlainReference ? index + 3 : index + 1
        return takeValue("rev", Substring(parts[index..<end].joined(separator: "/"))) ? end : nil
    }

    private mutating func takeValue(_ name: String, _ text: Substring) -> Bool {
        guard !text.isEmpty, let decoded = String(text).percentDecoded else { return false }
        values[name] = decoded
        return true
    }

    private mutating func takeRest(_ name: String, isOptional: Bool, _ rest: ArraySlice<Substring>) -> Bool {
        if rest.isEmpty { return isOptional }
        return takeValue(name, Substring(rest.joined(separator: "/")))
    }
}
