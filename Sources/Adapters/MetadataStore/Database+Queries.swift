import FoundationEssentials
import GRDB
import HubCore

// Every statement is compiled once a connection.
extension Database {
    func run(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws {
        try cachedStatement(sql: sql).execute(arguments: arguments)
    }

    func rows(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> [Row] {
        try Row.fetchAll(cachedStatement(sql: sql), arguments: arguments)
    }

    func row(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> Row? {
        try Row.fetchOne(cachedStatement(sql: sql), arguments: arguments)
    }

    func value<Value: DatabaseValueConvertible>(
        _ type: Value.Type = Value.self, _ sql: String, _ arguments: StatementArguments = StatementArguments()
    ) throws -> Value? {
        try Value.fetchOne(cachedStatement(sql: sql), arguments: arguments)
    }

    func exists(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> Bool {
        try row(sql, arguments) != nil
    }
}

extension Identifier: SQLExpressible, DatabaseValueConvertible {}
extension AccountOrigin: DatabaseValueConvertible {}
extension SiteRole: DatabaseValueConvertible {}
extension OrganizationRole: DatabaseValueConvertible {}
extension CollaboratorRole: DatabaseValueConvertible {}
extension TokenScope: DatabaseValueConvertible {}
extension RepositoryKind: DatabaseValueConvertible {}
extension Visibility: DatabaseValueConvertible {}
extension Gating: DatabaseValueConvertible {}

extension GitOID: DatabaseValueConvertible {
    package var databaseValue: DatabaseValue { Data(bytes).databaseValue }

    package static func fromDatabaseValue(_ value: DatabaseValue) -> GitOID? {
        Data.fromDatabaseValue(value).flatMap { GitOID(bytes: $0) }
    }
}

extension ObjectID: DatabaseValueConvertible {
    package var databaseValue: DatabaseValue { Data(Hex.decode(hex) ?? []).databaseValue }

    package static func fromDatabaseValue(_ value: DatabaseValue) -> ObjectID? {
        Data.fromDatabaseValue(value).flatMap { $0.count == 32 ? ObjectID(digest: $0) : nil }
    }
}

extension Date {
    /// Times are whole milliseconds in the database.
    var milliseconds: Int64 { Int64((timeIntervalSince1970 * 1000).rounded()) }

    init(milliseconds: Int64) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }
}

extension Row {
    func date(_ column: String) -> Date { Date(milliseconds: self[column]) }

    func optionalDate(_ column: String) -> Date? {
        let value: Int64? = self[column]
        return value.map { Date(milliseconds: $0) }
    }
}

extension MetadataError {
    /// What the database's own errors mean to callers; others pass as they are.
    static func translating(_ error: any Error) -> any Error {
        guard let error = error as? DatabaseError else { return error }
        switch error.resultCode {
        case .SQLITE_FULL: return MetadataError.outOfSpace
        case .SQLITE_BUSY, .SQLITE_LOCKED: return MetadataError.busy
        case .SQLITE_CONSTRAINT: return MetadataError.constraint(error.message ?? "constraint")
        case .SQLITE_NOTADB: return MetadataError.unusable("The database file is not a database.")
        default: return error
        }
    }
}
