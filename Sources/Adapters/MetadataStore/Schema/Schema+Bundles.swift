extension Schema {
    static let bundles = """
        -- Imported repositories take no local changes until an administrator opens them.
        ALTER TABLE repositories ADD COLUMN is_protected INTEGER NOT NULL DEFAULT 0 CHECK (is_protected IN (0, 1));

        -- Offline bundles that were let in, one row each, whatever became of them.
        CREATE TABLE imports (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            bundle TEXT NOT NULL UNIQUE CHECK (length(bundle) = 16),
            manifest_sha256 BLOB NOT NULL CHECK (length(manifest_sha256) = 32),
            publisher TEXT NOT NULL CHECK (length(publisher) BETWEEN 1 AND 64),
            stream TEXT NOT NULL CHECK (length(stream) BETWEEN 1 AND 64),
            sequence INTEGER NOT NULL CHECK (sequence > 0),
            state TEXT NOT NULL CHECK (state IN (
                'staging', 'parked', 'verified', 'scanned', 'awaiting_approval', 'published', 'rejected', 'abandoned', 'failed')),
            -- How it was asked to be imported, in JSON of the importer.
            options TEXT NOT NULL CHECK (length(options) <= 1000000),
            reason_code TEXT CHECK (length(reason_code) <= 100),
            reason TEXT CHECK (length(reason) <= 10000),
            -- What publication did, in JSON.
            report TEXT,
            -- The signed receipt.
            receipt TEXT,
            actor TEXT NOT NULL,
            account_id INTEGER REFERENCES accounts ON DELETE SET NULL,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            published_at INTEGER,
            CHECK ((state = 'published') = (published_at IS NOT NULL) AND (state = 'published') = (report IS NOT NULL))
        ) STRICT;
        CREATE INDEX imports_by_stream ON imports (publisher, stream, sequence);
        CREATE INDEX imports_by_state ON imports (state, id);
        CREATE INDEX imports_by_account ON imports (account_id);

        -- Where a repository came from: the name that its publisher gives it for good.
        CREATE TABLE origins (
            repository_id INTEGER PRIMARY KEY REFERENCES repositories ON DELETE CASCADE,
            publisher TEXT NOT NULL CHECK (length(publisher) BETWEEN 1 AND 64),
            source_uid TEXT NOT NULL CHECK (length(source_uid) = 26),
            -- owner/name there.
            source_name TEXT NOT NULL CHECK (length(source_name) <= 200),
            -- What the bundle says of it, in JSON: upstream, license.
            description TEXT NOT NULL CHECK (length(description) <= 1000000),
            first_import_id INTEGER NOT NULL REFERENCES imports ON DELETE RESTRICT,
            last_import_id INTEGER NOT NULL REFERENCES imports ON DELETE RESTRICT
        ) STRICT;
        CREATE INDEX origins_by_source ON origins (publisher, source_uid);
        CREATE INDEX origins_by_first_import ON origins (first_import_id);
        CREATE INDEX origins_by_last_import ON origins (last_import_id);

        -- What each ref was when it was last imported: one that differs now was moved here.
        CREATE TABLE imported_refs (
            repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
            name TEXT NOT NULL,
            oid BLOB NOT NULL CHECK (length(oid) = 20),
            PRIMARY KEY (repository_id, name)
        ) STRICT, WITHOUT ROWID;
        """
}
