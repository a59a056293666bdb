extension Schema {
    static let repositories = """
        CREATE TABLE repositories (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            uid TEXT NOT NULL UNIQUE CHECK (length(uid) = 32),
            kind TEXT NOT NULL CHECK (kind IN ('model', 'dataset', 'space', 'code')),
            namespace_id INTEGER NOT NULL REFERENCES namespaces ON DELETE RESTRICT,
            name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 96),
            -- owner/name in lower case: what names are compared and sorted by.
            path_key TEXT NOT NULL CHECK (path_key = lower(path_key) AND path_key LIKE '%/' || name),
            visibility TEXT NOT NULL CHECK (visibility IN ('public', 'internal', 'private')),
            default_branch TEXT NOT NULL CHECK (length(default_branch) BETWEEN 1 AND 1000),
            creator_id INTEGER REFERENCES accounts ON DELETE SET NULL,
            description TEXT CHECK (length(description) <= 10000),
            -- Grows with each change of the set of packs.
            pack_generation INTEGER NOT NULL DEFAULT 0,
            -- The pack_generation of the last change that dropped objects.
            dropped_generation INTEGER NOT NULL DEFAULT 0 CHECK (dropped_generation <= pack_generation),
            has_unreachable INTEGER NOT NULL DEFAULT 0 CHECK (has_unreachable IN (0, 1)),
            refs_version INTEGER NOT NULL DEFAULT 0,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            deleted_at INTEGER
        ) STRICT;
        CREATE UNIQUE INDEX repositories_by_path ON repositories (kind, path_key) WHERE deleted_at IS NULL;
        CREATE INDEX repositories_by_namespace ON repositories (namespace_id);
        CREATE INDEX repositories_by_creator ON repositories (creator_id);
        CREATE INDEX repositories_deleted ON repositories (deleted_at) WHERE deleted_at IS NOT NULL;
        -- The lists: by name and by last change, over the site and in one name space.
        CREATE INDEX repositories_listed_by_name
            ON repositories (kind, visibility, path_key, id) WHERE deleted_at IS NULL;
        CREATE INDEX repositories_listed_by_update
            ON repositories (kind, visibility, updated_at, id, path_key) WHERE deleted_at IS NULL;
        CREATE INDEX repositories_owned_by_name
            ON repositories (namespace_id, visibility, path_key, id, kind) WHERE deleted_at IS NULL;
        CREATE INDEX repositories_owned_by_update
            ON repositories (namespace_id, visibility, updated_at, id, path_key, kind) WHERE deleted_at IS NULL;

        -- Former names. They name the repository itself, so a chain of renames needs no following.
        CREATE TABLE redirects (
            kind TEXT NOT NULL CHECK (kind IN ('model', 'dataset', 'space', 'code')),
            path_key TEXT NOT NULL,
            repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
            created_at INTEGER NOT NULL,
            PRIMARY KEY (kind, path_key)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX redirects_by_repository ON redirects (repository_id);

        CREATE TABLE collaborators (
            repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
            account_id INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
            role TEXT NOT NULL CHECK (role IN ('read', 'write', 'admin')),
            created_at INTEGER NOT NULL,
            PRIMARY KEY (repository_id, account_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX collaborators_by_account ON collaborators (account_id, repository_id);

        CREATE TABLE token_repositories (
            token_id INTEGER NOT NULL REFERENCES tokens ON DELETE CASCADE,
            repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
            PRIMARY KEY (token_id, repository_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX token_repositories_by_repository ON token_repositories (repository_id);

        -- Folders of repositories whose rows are gone.
        CREATE TABLE removed_folders (
            uid TEXT PRIMARY KEY CHECK (length(uid) = 32),
            removed_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """

    static let references = """
        CREATE TABLE refs (
            repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
            name TEXT NOT NULL CHECK (length(name) BETWEEN 6 AND 1024 AND name LIKE 'refs/%'),
            oid BLOB NOT NULL CHECK (length(oid) = 20),
            -- For an annotated tag, what it finally points to.
            peeled BLOB CHECK (length(peeled) = 20),
            PRIMARY KEY (repository_id, name)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE reflog (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
            name TEXT NOT NULL,
            old_oid BLOB CHECK (length(old_oid) = 20),
            new_oid BLOB CHECK (length(new_oid) = 20),
            actor TEXT NOT NULL,
            account_id INTEGER REFERENCES accounts ON DELETE SET NULL,
            at INTEGER NOT NULL,
            CHECK (old_oid IS NOT new_oid)
        ) STRICT;
        CREATE INDEX reflog_by_repository ON reflog (repository_id, id);
        CREATE INDEX reflog_by_ref ON reflog (repository_id, name, id);
        CREATE INDEX reflog_by_account ON reflog (account_id);

        -- A pack exists for readers when a row without removed_at names it.
        CREATE TABLE packs (
            repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
            pack BLOB NOT NULL CHECK (length(pack) = 20),
            object_count INTEGER NOT NULL CHECK (object_count >= 0),
            size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
            body_end INTEGER NOT NULL CHECK (body_end BETWEEN 0 AND size_bytes),
            own_object_count INTEGER NOT NULL CHECK (own_object_count BETWEEN 0 AND object_count),
            is_disjoint INTEGER NOT NULL CHECK (is_disjoint IN (0, 1)),
            is_fully_reachable INTEGER NOT NULL CHECK (is_fully_reachable IN (0, 1)),
            -- The pack_generation that added it.
            generation INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            removed_at INTEGER,
            -- The sweeper is removing its files; it cannot come back before its row is gone.
            is_sweeping INTEGER NOT NULL DEFAULT 0 CHECK (is_sweeping IN (0, 1) AND (is_sweeping = 0 OR removed_at IS NOT NULL)),
            PRIMARY KEY (repository_id, pack)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX packs_live ON packs (repository_id) WHERE removed_at IS NULL;
        CREATE INDEX packs_removed ON packs (removed_at) WHERE removed_at IS NOT NULL;
        """
}
