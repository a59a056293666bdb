extension Schema {
    static let objects = """
        -- Large objects whose files are stored and durable.
        CREATE TABLE objects (
            oid BLOB PRIMARY KEY CHECK (length(oid) = 32),
            size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
            created_at INTEGER NOT NULL,
            -- The number of object_links rows, and since when there is none.
            links INTEGER NOT NULL DEFAULT 0 CHECK (links >= 0),
            unlinked_at INTEGER CHECK ((unlinked_at IS NULL) = (links > 0)),
            -- The sweeper is removing its file; it cannot be linked before its row is gone.
            is_sweeping INTEGER NOT NULL DEFAULT 0 CHECK (is_sweeping IN (0, 1) AND (is_sweeping = 0 OR links = 0))
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX objects_unlinked ON objects (unlinked_at) WHERE unlinked_at IS NOT NULL;

        CREATE TABLE object_links (
            -- Removed one by one, so that objects.links stays right.
            repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE RESTRICT,
            oid BLOB NOT NULL REFERENCES objects ON DELETE RESTRICT,
            account_id INTEGER REFERENCES accounts ON DELETE SET NULL,
            created_at INTEGER NOT NULL,
            PRIMARY KEY (repository_id, oid)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX object_links_by_object ON object_links (oid);
        CREATE INDEX object_links_by_account ON object_links (account_id) WHERE account_id IS NOT NULL;

        CREATE TABLE locks (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
            path TEXT NOT NULL CHECK (length(path) BETWEEN 1 AND 4096),
            owner_id INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
            ref TEXT CHECK (length(ref) BETWEEN 1 AND 1024),
            locked_at INTEGER NOT NULL,
            UNIQUE (repository_id, path)
        ) STRICT;
        CREATE INDEX locks_by_repository ON locks (repository_id, id);
        CREATE INDEX locks_by_owner ON locks (owner_id);

        CREATE TABLE uploads (
            id TEXT PRIMARY KEY CHECK (length(id) = 32),
            repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
            account_id INTEGER REFERENCES accounts ON DELETE CASCADE,
            oid BLOB NOT NULL CHECK (length(oid) = 32),
            size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
            part_size_bytes INTEGER NOT NULL CHECK (part_size_bytes > 0),
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX uploads_by_object ON uploads (repository_id, oid);
        CREATE INDEX uploads_by_account ON uploads (account_id);
        CREATE INDEX uploads_by_expiry ON uploads (expires_at);

        CREATE TABLE upload_parts (
            upload_id TEXT NOT NULL REFERENCES uploads ON DELETE CASCADE,
            number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 100000),
            size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
            etag TEXT NOT NULL CHECK (length(etag) BETWEEN 1 AND 200),
            PRIMARY KEY (upload_id, number)
        ) STRICT, WITHOUT ROWID;
        """

    static let settingsAndAudit = """
        CREATE TABLE settings (
            key TEXT PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 100),
            value TEXT NOT NULL CHECK (length(value) <= 10000),
            updated_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE audit (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            at INTEGER NOT NULL,
            actor TEXT NOT NULL CHECK (length(actor) BETWEEN 1 AND 400),
            action TEXT NOT NULL CHECK (length(action) BETWEEN 1 AND 100),
            target TEXT NOT NULL CHECK (length(target) <= 2000),
            -- JSON with sorted keys, as it was hashed.
            detail TEXT NOT NULL CHECK (length(detail) <= 20000),
            address TEXT CHECK (length(address) <= 200),
            hash BLOB NOT NULL CHECK (length(hash) = 32)
        ) STRICT;
        CREATE TRIGGER audit_is_not_updated BEFORE UPDATE ON audit
            BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
        CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
            BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
        """
}
