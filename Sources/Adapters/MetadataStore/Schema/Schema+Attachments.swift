extension Schema {
    static let attachments = """
        -- Pictures, films and sounds that people put into discussions. Each counts as a link of its object (objects.links).
        CREATE TABLE attachments (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            -- 32 random hex digits, as the address has it.
            public_id TEXT NOT NULL UNIQUE CHECK (length(public_id) = 32),
            account_id INTEGER REFERENCES accounts ON DELETE SET NULL,
            oid BLOB NOT NULL REFERENCES objects ON DELETE RESTRICT,
            -- The media type, one of a fixed list.
            type TEXT NOT NULL CHECK (length(type) BETWEEN 1 AND 50),
            created_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX attachments_by_account ON attachments (account_id) WHERE account_id IS NOT NULL;
        CREATE INDEX attachments_by_object ON attachments (oid);
        CREATE INDEX attachments_by_time ON attachments (created_at);

        -- The repositories in whose discussions its owner mentioned it: whoever may read one of them may see it.
        CREATE TABLE attachment_uses (
            attachment_id INTEGER NOT NULL REFERENCES attachments ON DELETE CASCADE,
            repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
            PRIMARY KEY (attachment_id, repository_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX attachment_uses_by_repository ON attachment_uses (repository_id);
        """
}
