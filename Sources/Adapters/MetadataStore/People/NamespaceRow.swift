import GRDB
import HubCore

/// A row of the name space that accounts and organizations share.
struct NamespaceRow {
    let id: Int64
    let name: NamespaceName
    let owner: NamespaceOwner

    private init?(_ row: Row) {
        id = row["id"]
        name = NamespaceName(trusted: row["name"])
        let (account, organization): (AccountID?, OrganizationID?) = (row["account_id"], row["organization_id"])
        if let account {
            owner = .account(account)
        } else if let organization {
            owner = .organization(organization)
        } else {
            return nil
        }
    }

    private static let select = "SELECT id, name, account_id, organization_id FROM namespaces"

    static func find(_ name: NamespaceName, in db: Database) throws -> NamespaceRow? {
        try db.row(select + " WHERE key = ?", [name.key]).flatMap(NamespaceRow.init)
    }

    static func find(_ owner: NamespaceOwner, in db: Database) throws -> NamespaceRow? {
        switch owner {
        case .account(let id): try db.row(select + " WHERE account_id = ?", [id]).flatMap(NamespaceRow.init)
        case .organization(let id): try db.row(select + " WHERE organization_id = ?", [id]).flatMap(NamespaceRow.init)
        }
    }

    static func requireFree(_ name: NamespaceName, in db: Database) throws {
        guard try find(name, in: db) == nil else { throw MetadataError.nameTaken(name) }
    }

    /// Refuses when repositories are owned, deleted ones that are still kept included.
    func requireEmpty(in db: Database) throws {
        let count = try db.value(Int.self, "SELECT count(*) FROM repositories WHERE namespace_id = ?", [id]) ?? 0
        guard count == 0 else { throw MetadataError.ownsRepositories(name, count: count) }
    }
}

extension MetadataStore {
    /// Whose name it is.
    package func namespace(named name: NamespaceName) async throws -> Namespace? {
        try await read { db in
            try NamespaceRow.find(name, in: db).map { Namespace(name: $0.name, owner: $0.owner) }
        }
    }
}
