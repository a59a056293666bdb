import ArgumentParser
import HubCore

/// `KIND NS/NAME` or `models/ns/name`, with further words after it.
struct RepositoryWords {
    let reference: RepositoryReference
    let rest: [String]

    /// Reads the words of a verb that takes `count` more after the repository.
    ///
    /// - Throws: `ValidationError` that says how to write it.
    init(_ words: [String], then names: [String] = []) throws {
        guard let first = words.first else { throw Self.missing(names) }
        if RepositoryKind(parsing: first) != nil, !first.contains("/") {
            guard words.count >= 2 else { throw Self.missing(names) }
            reference = try Self.reference("\(first)/\(words[1])")
            rest = Array(words.dropFirst(2))
        } else {
            reference = try Self.reference(first)
            rest = Array(words.dropFirst())
        }
        guard rest.count == names.count else {
            throw rest.count < names.count
                ? Self.missing(names) : ValidationError("“\(rest[names.count].shortened)” is one word too many.")
        }
    }

    private static func missing(_ names: [String]) -> ValidationError {
        ValidationError(
            "Write KIND NS/NAME\(names.map { " " + $0 }.joined()), as in “model ada/bert\(names.isEmpty ? "" : " …")”.")
    }

    private static func reference(_ text: String) throws -> RepositoryReference {
        do {
            return try RepositoryReference(parsing: text)
        } catch {
            throw ValidationError(error.problem.message)
        }
    }
}

extension RepositoryReference {
    /// Where the API has it.
    var apiPath: [String] { ["repositories", kind.rawValue, name.owner.text, name.name] }
}
