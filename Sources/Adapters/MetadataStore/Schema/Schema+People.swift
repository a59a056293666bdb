extension Schema {
    static let people = """
        CREATE TABLE accounts (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            email TEXT CHECK (length(email) BETWEEN 1 AND 320),
            full_name TEXT CHECK (length(full_name) BETWEEN 1 AND 200),
            password_hash TEXT CHECK (length(password_hash) BETWEEN 1 AND 512),
            origin TEXT NOT NULL CHECK (origin IN ('local', 'directory')),
            is_disabled INTEGER NOT NULL DEFAULT 0 CHECK (is_disabled IN (0, 1)),
            created_at INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE site_roles (
            account_id INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
            role TEXT NOT NULL CHECK (role IN ('administrator', 'approver', 'auditor')),
            PRIMARY KEY (account_id, role)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE organizations (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            full_name TEXT CHECK (length(full_name) BETWEEN 1 AND 200),
            created_at INTEGER NOT NULL
        ) STRICT;

        -- The one name space of accounts and organizations.
        CREATE TABLE namespaces (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            key TEXT NOT NULL UNIQUE CHECK (key = lower(name)),
            name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 96),
            account_id INTEGER UNIQUE REFERENCES accounts ON DELETE CASCADE,
            organization_id INTEGER UNIQUE REFERENCES organizations ON DELETE CASCADE,
            CHECK ((account_id IS NULL) <> (organization_id IS NULL))
        ) STRICT;

        CREATE TABLE members (
            organization_id INTEGER NOT NULL REFERENCES organizations ON DELETE CASCADE,
            account_id INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
            role TEXT NOT NULL CHECK (role IN ('read', 'contribute', 'write', 'admin')),
            created_at INTEGER NOT NULL,
            PRIMARY KEY (organization_id, account_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX members_by_account ON members (account_id, organization_id, role);

        CREATE TABLE tokens (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            account_id INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
            name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
            hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
            scope TEXT NOT NULL CHECK (scope IN ('read', 'write', 'admin')),
            -- Kept apart from the list: a token whose repositories are all gone must not become one for all.
            is_limited INTEGER NOT NULL CHECK (is_limited IN (0, 1)),
            created_at INTEGER NOT NULL,
            expires_at INTEGER,
            last_used_at INTEGER,
            revoked_at INTEGER
        ) STRICT;
        CREATE INDEX tokens_by_account ON tokens (account_id, id);
        """
}
