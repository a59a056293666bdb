import HTTPTypes
import HubCore
import Identity
import MetadataStore

package struct ReferenceModel: APIModel {
    /// `refs/heads/main`
    package let name: String
    package let oid: String
    @OrNull package var peeled: String? = nil

    package static var schema: Schema {
        .object(
            "Reference", "A branch, a tag or another ref.",
            [
                .required("name", .text, "As in `refs/heads/main`."),
                .required("oid", .text, "The object that it names."),
                .required("peeled", .nullable(.text), "What an annotated tag finally names."),
            ])
    }
}

/// Branches and tags.
struct ReferenceRoutes {
    let services: APIServices

    private static let prefix = APIParameter("prefix", .text(atMost: 1024), "Only refs whose full name begins so.")

    var routes: [APIRoute] {
        [
            .answering(
                .get, RepositoryRoutes.path + "/references", "listReferences",
                "Lists the refs of a repository by name.",
                query: APIParameter.paging + [Self.prefix]
            ) { [services] call in try await list(call, services) }
        ]
    }
}

/// The cursor is the name of the last ref of the page before.
private func list(_ call: APICall, _ services: APIServices) async throws -> ListPage<ReferenceModel> {
    let repository = try await services.identity.repository(call.repositoryReference(), for: .read, by: call.principal)
    let state = try await services.store.gitState(of: repository.id, prefixes: call.query("prefix").map { [$0] })
    let rest = state.references.drop { reference in
        guard let cursor = call.cursor else { return false }
        return !cursor.utf8.lexicographicallyPrecedes(reference.name.text.utf8)
    }
    let page = rest.prefix(call.limit)
    return ListPage(
        items: page.map { ReferenceModel(name: $0.name.text, oid: $0.oid.hex, peeled: $0.peeled?.hex) },
        next: page.count < rest.count ? page.last?.name.text : nil)
}
