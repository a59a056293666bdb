/// The database key of a `Subject`, so that an account's id cannot be passed where a repository's is meant.
package struct Identifier<Subject>: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    package let rawValue: Int64

    package init(rawValue: Int64) { self.rawValue = rawValue }
    package init(_ rawValue: Int64) { self.rawValue = rawValue }

    package init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(Int64.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }

    package var description: String { String(rawValue) }
}

package typealias AccountID = Identifier<Account>
package typealias OrganizationID = Identifier<Organization>
package typealias RepositoryID = Identifier<Repository>
package typealias TokenID = Identifier<AccessToken>
