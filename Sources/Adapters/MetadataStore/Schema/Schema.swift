import GRDB

/// The numbered steps that make the schema.
///
/// A step is never edited or moved once released.
///
/// Times are whole milliseconds since 1970, names are compared by a lower-case key, git names are 20 bytes and object
/// names 32. Ids are never given twice (`AUTOINCREMENT`), since the audit log speaks of them.
enum Schema {
    /// "CSGH", so that `file` and other hubs know the database.
    static let applicationID = 0x4353_4748

    static func migrate(_ pool: DatabasePool) throws {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("0001 people") { try $0.execute(sql: people) }
        migrator.registerMigration("0002 repositories") { try $0.execute(sql: repositories) }
        migrator.registerMigration("0003 refs and packs") { try $0.execute(sql: references) }
        migrator.registerMigration("0004 large objects") { try $0.execute(sql: objects) }
        migrator.registerMigration("0005 settings and audit") { try $0.execute(sql: settingsAndAudit) }
        migrator.registerMigration("0006 facts and lists") { try $0.execute(sql: facts) }
        migrator.registerMigration("0007 community") { try $0.execute(sql: community) }
        migrator.registerMigration("0008 xet") { try $0.execute(sql: xet) }
        migrator.registerMigration("0009 sync feed") { try $0.execute(sql: syncFeed) }
        migrator.registerMigration("0010 attachments") { try $0.execute(sql: attachments) }
        migrator.registerMigration("0011 trust") { try $0.execute(sql: trust) }
        migrator.registerMigration("0012 bundles") { try $0.execute(sql: bundles) }
        let isNewer = try pool.read { db in
            let id = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
            guard id == 0 || id == applicationID else {
                throw MetadataError.unusable("The database file belongs to another program.")
            }
            return try migrator.hasBeenSuperseded(db)
        }
        guard !isNewer else {
            throw MetadataError.unusable("The database was made by a newer version of the hub; start that version.")
        }
        try migrator.migrate(pool)
        try pool.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA application_id = \(applicationID)") }
    }
}
