extension Schema {
    static let xet = """
        -- Xorbs whose files are stored and durable.
        CREATE TABLE xorbs (
            hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
            chunks INTEGER NOT NULL CHECK (chunks > 0),
            raw_bytes INTEGER NOT NULL CHECK (raw_bytes > 0),
            -- The object whose bytes its chunks are; NULL: it has bytes of its own.
            source_oid BLOB REFERENCES objects ON DELETE RESTRICT,
            created_at INTEGER NOT NULL,
            -- The number of xet_uses rows, and since when there is none.
            uses INTEGER NOT NULL DEFAULT 0 CHECK (uses >= 0),
            unused_at INTEGER CHECK ((unused_at IS NULL) = (uses > 0)),
            -- The sweeper is removing its file; it cannot be used before its row is gone.
            is_sweeping INTEGER NOT NULL DEFAULT 0 CHECK (is_sweeping IN (0, 1))
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX xorbs_unused ON xorbs (unused_at) WHERE unused_at IS NOT NULL;
        CREATE INDEX xorbs_by_source ON xorbs (source_oid) WHERE source_oid IS NOT NULL;

        -- Names that Xet clients give to objects: a function of how they are cut into chunks.
        CREATE TABLE xet_files (
            hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
            oid BLOB NOT NULL REFERENCES objects ON DELETE RESTRICT,
            created_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX xet_files_by_object ON xet_files (oid);

        -- Which xorbs the recipe of an object names.
        CREATE TABLE xet_uses (
            oid BLOB NOT NULL REFERENCES objects ON DELETE RESTRICT,
            xorb BLOB NOT NULL REFERENCES xorbs ON DELETE RESTRICT,
            PRIMARY KEY (oid, xorb)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX xet_uses_by_xorb ON xet_uses (xorb);

        -- Chunks that clients ask for to find out what the hub has: a few of each object.
        CREATE TABLE xet_landmarks (
            -- The first 8 bytes of the chunk's hash.
            prefix INTEGER NOT NULL,
            oid BLOB NOT NULL REFERENCES objects ON DELETE RESTRICT,
            xorb BLOB NOT NULL REFERENCES xorbs ON DELETE RESTRICT,
            chunk INTEGER NOT NULL CHECK (chunk >= 0),
            PRIMARY KEY (prefix, oid)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX xet_landmarks_by_object ON xet_landmarks (oid);
        CREATE INDEX xet_landmarks_by_xorb ON xet_landmarks (xorb);

        -- Which store of xorbs the rows speak of; clients remember what they sent to which.
        CREATE TABLE xet_state (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            generation TEXT NOT NULL CHECK (length(generation) BETWEEN 1 AND 64)
        ) STRICT;
        """
}
