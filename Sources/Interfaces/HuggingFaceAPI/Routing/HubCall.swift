import HTTPTypes
import HubCore
import Hummingbird
import Identity
import Repositories
import WebCore

/// One request of a Hub client: who asks for what, and the services to answer with.
package struct HubCall: Sendable {
    package let request: Request
    package let context: HubContext
    package let principal: Principal
    package let services: HubServices
    let match: RouteMatch
    let path: HubPath
    /// All pairs of the query in their order, decoded; `expand[]` is `expand`.
    package let queryItems: [(name: String, value: String)]

    /// `/hf`, `/csg`, `/ms`, or nothing: where the client's endpoint points to.
    package var prefix: String { path.prefix }

    /// Who asks and from where, for rights and the audit log.
    package var caller: Caller {
        if case .localAdministrator = principal { return Caller(principal) }
        return Caller(principal, address: context.remoteAddress)
    }

    // MARK: The path

    /// The kind that `{kinds}` names; models where the pattern names none.
    package var kind: RepositoryKind { match.kind }

    /// A part of the path that the pattern names, decoded; empty when it is optional and absent.
    package func value(_ name: String) -> String { match.values[name] ?? "" }

    /// `{rev}`, decoded: a branch, a tag, `refs/pr/1`, a commit.
    package var revision: String { value("rev") }

    // MARK: The repository

    /// The repository that the path names; an id of one part stands for what the site's aliases say.
    package func reference() async throws -> RepositoryReference {
        guard let named = match.repository else { preconditionFailure("the pattern names no repository") }
        if let owner = named.owner {
            return RepositoryReference(kind: kind, name: RepositoryName(trustedOwner: owner, name: named.name))
        }
        guard let name = try await services.aliases.name(for: named.name, kind: kind) else {
            throw HubAPIError.noAlias(named.name)
        }
        return RepositoryReference(kind: kind, name: name)
    }

    /// The repository that the path names, if the caller may do this with it.
    ///
    /// Reading one by a former name is sent on to its present one; other calls work by both names, since a client cannot send a
    /// streamed body twice.
    package func repository(for action: RepositoryAction = .read) async throws -> Repository {
        let reference = try await reference()
        let repository = try await services.identity.repository(reference, for: action, by: principal)
        if request.method == .get || request.method == .head, reference.name.key != repository.name.key {
            throw HubAPIError.moved(to: location(of: repository))
        }
        return repository
    }

    /// The repository for a call that gives away bytes of its files. This is the one place where gating takes hold.
    package func repositoryForContent() async throws -> Repository {
        try await repository(for: .readContent)
    }

    /// This request's address with the repository's present name; relative, so that the token goes along.
    private func location(of repository: Repository) -> String {
        guard let named = match.repository else { return "/" }
        var parts = path.parts
        let name = [Substring(repository.name.owner.text), Substring(repository.name.name)]
        parts.replaceSubrange(named.place, with: name)
        let query = request.uri.query.map { "?\($0)" } ?? ""
        return prefix + "/" + parts.joined(separator: "/") + query
    }

    // MARK: Addresses

    /// Where the client's endpoint points to, as the client knows it: `https://hub.example/hf`.
    package var endpoint: String { "\(context.origin)\(prefix)" }

    /// The page of a repository below the client's endpoint: `https://hub.example/datasets/ada/poems`.
    package func url(of repository: Repository) -> String { url(of: repository.reference) }

    /// Clients before 1.0 read a prefix of the endpoint as a type unless the type follows it.
    func url(of reference: RepositoryReference) -> String {
        let isPlain = reference.kind == .model && prefix.isEmpty
        return "\(endpoint)/\(isPlain ? "" : reference.kind.gitPathPart + "/")\(reference.name)"
    }

    /// Refuses changes that a page of another site makes a browser ask for; programs send no `Origin`.
    func checkOrigin() throws {
        guard request.method != .get, request.method != .head, let origin = request.headers[.origin] else { return }
        guard let asking = RequestOrigin(parsing: origin), let own = request.head.authority,
            asking == RequestOrigin(scheme: asking.scheme, host: own)
        else { throw HubAPIError.foreignOrigin }
    }
}

extension RepositoryName {
    /// What makes two names the same.
    var key: String { description.lowercased() }
}
