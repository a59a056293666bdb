extension Schema {
    /// Gating, discussions, likes, collections, webhooks, settings of spaces.
    static let community = gating + discussions + likesAndCollections + webhooks + spaces

    private static let gating = """
        ALTER TABLE repositories ADD COLUMN gating TEXT NOT NULL DEFAULT 'off' CHECK (gating IN ('off', 'auto', 'manual'));
        DROP TRIGGER listing_after_change;
        CREATE TRIGGER listing_after_change
            AFTER UPDATE OF kind, namespace_id, path_key, visibility, gating, description, deleted_at ON repositories
            BEGIN INSERT OR IGNORE INTO listing_stale VALUES (new.id); END;

        -- Who asked for the files of a gated repository, or was let in unasked, and what became of it.
        CREATE TABLE access_requests (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
            account_id INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
            status TEXT NOT NULL CHECK (status IN ('pending', 'accepted', 'rejected')),
            -- What the form asked, JSON: names and answers.
            fields TEXT NOT NULL DEFAULT '{}' CHECK (length(fields) <= 20000),
            rejection_reason TEXT CHECK (length(rejection_reason) <= 2000),
            -- Who decided last; nobody for what an open gate let in.
            decided_by INTEGER REFERENCES accounts ON DELETE SET NULL,
            requested_at INTEGER NOT NULL,
            decided_at INTEGER,
            UNIQUE (repository_id, account_id)
        ) STRICT;
        CREATE INDEX access_requests_by_status ON access_requests (repository_id, status, id);
        CREATE INDEX access_requests_by_account ON access_requests (account_id);
        CREATE INDEX access_requests_by_decider ON access_requests (decided_by) WHERE decided_by IS NOT NULL;

        """

    private static let discussions = """
        CREATE TABLE discussions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
            -- Counts from 1 in each repository; discussions and pull requests share the numbers.
            number INTEGER NOT NULL CHECK (number > 0),
            title TEXT NOT NULL CHECK (length(title) BETWEEN 1 AND 500),
            status TEXT NOT NULL CHECK (status IN ('draft', 'open', 'closed', 'merged')),
            is_pull_request INTEGER NOT NULL CHECK (is_pull_request IN (0, 1)),
            author_id INTEGER REFERENCES accounts ON DELETE SET NULL,
            -- The ref that a pull request is to be merged into.
            base_ref TEXT CHECK ((base_ref IS NOT NULL) = is_pull_request),
            -- What the pull request's own ref pointed to when its events were last brought up to date, and when it was opened.
            head_oid BLOB CHECK (length(head_oid) = 20),
            opened_oid BLOB CHECK (length(opened_oid) = 20),
            merge_oid BLOB CHECK (length(merge_oid) = 20),
            event_count INTEGER NOT NULL DEFAULT 0,
            text_bytes INTEGER NOT NULL DEFAULT 0,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            UNIQUE (repository_id, number),
            CHECK (is_pull_request = 1 OR status IN ('open', 'closed'))
        ) STRICT;
        CREATE INDEX discussions_by_author ON discussions (author_id) WHERE author_id IS NOT NULL;
        CREATE INDEX discussions_unmerged ON discussions (repository_id, base_ref) WHERE status IN ('draft', 'open');

        CREATE TABLE discussion_events (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            discussion_id INTEGER NOT NULL REFERENCES discussions ON DELETE CASCADE,
            -- 24 hex digits, as clients name it.
            public_id TEXT NOT NULL CHECK (length(public_id) = 24),
            type TEXT NOT NULL CHECK (type IN ('comment', 'status-change', 'title-change', 'commit')),
            author_id INTEGER REFERENCES accounts ON DELETE SET NULL,
            -- A commit's author, where no account is known.
            author_name TEXT CHECK (length(author_name) <= 200),
            -- The comment as it is now, the new status, the old title, the commit's first line.
            text TEXT NOT NULL CHECK (length(text) <= 100000),
            -- The new title.
            second_text TEXT CHECK (length(second_text) <= 500),
            oid BLOB CHECK (length(oid) = 20),
            is_hidden INTEGER NOT NULL DEFAULT 0 CHECK (is_hidden IN (0, 1)),
            created_at INTEGER NOT NULL,
            -- Of the last edit, and by whom.
            edited_at INTEGER,
            editor_id INTEGER REFERENCES accounts ON DELETE SET NULL,
            UNIQUE (discussion_id, public_id)
        ) STRICT;
        CREATE INDEX discussion_events_by_discussion ON discussion_events (discussion_id, id);
        CREATE INDEX discussion_events_by_author ON discussion_events (author_id) WHERE author_id IS NOT NULL;
        CREATE INDEX discussion_events_by_editor ON discussion_events (editor_id) WHERE editor_id IS NOT NULL;

        -- What an edited comment said before.
        CREATE TABLE comment_versions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            event_id INTEGER NOT NULL REFERENCES discussion_events ON DELETE CASCADE,
            author_id INTEGER REFERENCES accounts ON DELETE SET NULL,
            text TEXT NOT NULL CHECK (length(text) <= 100000),
            written_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX comment_versions_by_event ON comment_versions (event_id, id);
        CREATE INDEX comment_versions_by_author ON comment_versions (author_id) WHERE author_id IS NOT NULL;

        """

    private static let likesAndCollections = """
        CREATE TABLE likes (
            account_id INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
            repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
            created_at INTEGER NOT NULL,
            PRIMARY KEY (account_id, repository_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX likes_by_repository ON likes (repository_id, account_id);

        CREATE TABLE collections (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            -- 24 hex digits at the end of the slug, which stay when the title changes.
            public_id TEXT NOT NULL UNIQUE CHECK (length(public_id) = 24),
            namespace_id INTEGER NOT NULL REFERENCES namespaces ON DELETE CASCADE,
            title TEXT NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
            description TEXT CHECK (length(description) <= 2000),
            theme TEXT NOT NULL DEFAULT 'orange' CHECK (length(theme) BETWEEN 1 AND 20),
            is_private INTEGER NOT NULL CHECK (is_private IN (0, 1)),
            position INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX collections_by_namespace ON collections (namespace_id, updated_at, id);
        CREATE INDEX collections_by_update ON collections (updated_at, id);

        CREATE TABLE collection_items (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            public_id TEXT NOT NULL CHECK (length(public_id) = 24),
            collection_id INTEGER NOT NULL REFERENCES collections ON DELETE CASCADE,
            type TEXT NOT NULL CHECK (type IN ('model', 'dataset', 'space', 'code', 'paper', 'collection', 'bucket')),
            repository_id INTEGER REFERENCES repositories ON DELETE CASCADE,
            -- Of what is no repository.
            item TEXT CHECK (length(item) BETWEEN 1 AND 300),
            note TEXT CHECK (length(note) <= 2000),
            position INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            CHECK ((repository_id IS NULL) <> (item IS NULL)),
            UNIQUE (collection_id, public_id),
            UNIQUE (collection_id, repository_id),
            UNIQUE (collection_id, type, item)
        ) STRICT;
        CREATE INDEX collection_items_by_position ON collection_items (collection_id, position, id);
        CREATE INDEX collection_items_by_repository ON collection_items (repository_id) WHERE repository_id IS NOT NULL;

        """

    private static let webhooks = """
        CREATE TABLE webhooks (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            public_id TEXT NOT NULL UNIQUE CHECK (length(public_id) = 24),
            account_id INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
            url TEXT NOT NULL CHECK (length(url) BETWEEN 8 AND 2000),
            -- Sealed with the hub's key.
            secret BLOB CHECK (length(secret) <= 1000),
            tells_repositories INTEGER NOT NULL CHECK (tells_repositories IN (0, 1)),
            tells_discussions INTEGER NOT NULL CHECK (tells_discussions IN (0, 1)),
            is_disabled INTEGER NOT NULL DEFAULT 0 CHECK (is_disabled IN (0, 1)),
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX webhooks_by_account ON webhooks (account_id, id);

        CREATE TABLE webhook_watches (
            webhook_id INTEGER NOT NULL REFERENCES webhooks ON DELETE CASCADE,
            type TEXT NOT NULL CHECK (type IN ('user', 'org', 'model', 'dataset', 'space', 'code')),
            -- The name as it was given, and in lower case.
            name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
            key TEXT NOT NULL CHECK (key = lower(name)),
            PRIMARY KEY (webhook_id, type, key)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX webhook_watches_by_key ON webhook_watches (key, type, webhook_id);

        -- What is still to be sent.
        CREATE TABLE webhook_deliveries (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            webhook_id INTEGER NOT NULL REFERENCES webhooks ON DELETE CASCADE,
            payload TEXT NOT NULL CHECK (length(payload) <= 1000000),
            attempts INTEGER NOT NULL DEFAULT 0,
            next_at INTEGER NOT NULL,
            created_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX webhook_deliveries_by_time ON webhook_deliveries (next_at, id);
        CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook_id);

        """

    private static let spaces = """
        CREATE TABLE space_variables (
            repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
            is_secret INTEGER NOT NULL CHECK (is_secret IN (0, 1)),
            key TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
            -- A secret's value is sealed with the hub's key.
            value BLOB NOT NULL CHECK (length(value) <= 70000),
            description TEXT CHECK (length(description) <= 2000),
            updated_at INTEGER NOT NULL,
            PRIMARY KEY (repository_id, is_secret, key)
        ) STRICT, WITHOUT ROWID;

        -- What was asked of a space's runtime; absent means nothing was.
        CREATE TABLE space_runtimes (
            repository_id INTEGER PRIMARY KEY REFERENCES repositories ON DELETE CASCADE,
            is_paused INTEGER NOT NULL DEFAULT 0 CHECK (is_paused IN (0, 1)),
            hardware TEXT CHECK (length(hardware) BETWEEN 1 AND 50),
            sleep_seconds INTEGER,
            is_in_dev_mode INTEGER NOT NULL DEFAULT 0 CHECK (is_in_dev_mode IN (0, 1)),
            -- JSON.
            volumes TEXT CHECK (length(volumes) <= 20000),
            updated_at INTEGER NOT NULL
        ) STRICT;
        """
}
