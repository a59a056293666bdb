extension Schema {
    static let trust = """
        -- Publishers of bundles that are trusted here, this hub among them.
        CREATE TABLE publishers (
            name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
            -- 1: this hub itself; there is one such row at most.
            is_own INTEGER NOT NULL DEFAULT 0 CHECK (is_own IN (0, 1)),
            added_at INTEGER NOT NULL,
            -- The trust has ended, and why.
            withdrawn_at INTEGER,
            withdrawn_reason TEXT CHECK (length(withdrawn_reason) <= 400),
            CHECK ((withdrawn_at IS NULL) = (withdrawn_reason IS NULL)),
            CHECK (is_own = 0 OR withdrawn_at IS NULL)
        ) STRICT, WITHOUT ROWID;
        CREATE UNIQUE INDEX publishers_own ON publishers (is_own) WHERE is_own = 1;

        -- Their lists of keys that were accepted, as signed.
        CREATE TABLE trust_roots (
            publisher TEXT NOT NULL REFERENCES publishers ON DELETE CASCADE,
            version INTEGER NOT NULL CHECK (version BETWEEN 1 AND 256),
            document BLOB NOT NULL CHECK (length(document) BETWEEN 1 AND 262144),
            accepted_at INTEGER NOT NULL,
            PRIMARY KEY (publisher, version)
        ) STRICT, WITHOUT ROWID;

        -- A next list of this hub that more keys must sign before it counts.
        CREATE TABLE trust_draft (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            document BLOB NOT NULL CHECK (length(document) BETWEEN 1 AND 262144),
            made_at INTEGER NOT NULL
        ) STRICT;

        -- Keys that never count here, whatever a list says.
        CREATE TABLE trust_revocations (
            key_id BLOB PRIMARY KEY CHECK (length(key_id) = 32),
            reason TEXT NOT NULL CHECK (length(reason) <= 400),
            revoked_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        -- The highest number of a stream that a key has signed and that was published here. Each key has its own, see
        -- TrustedSigners.laterSequence.
        CREATE TABLE trust_sequences (
            publisher TEXT NOT NULL CHECK (length(publisher) BETWEEN 1 AND 64),
            stream TEXT NOT NULL CHECK (length(stream) BETWEEN 1 AND 64),
            key_id BLOB NOT NULL CHECK (length(key_id) = 32),
            sequence INTEGER NOT NULL CHECK (sequence >= 0),
            bundle TEXT NOT NULL CHECK (length(bundle) = 16),
            raised_at INTEGER NOT NULL,
            PRIMARY KEY (publisher, stream, key_id)
        ) STRICT, WITHOUT ROWID;
        """
}
