extension Schema {
    static let syncFeed = """
        -- The last change of each public repository, for other hubs that take this one as their upstream. A repository's row is
        -- replaced by one with a higher version.
        CREATE TABLE sync_feed (
            version INTEGER PRIMARY KEY AUTOINCREMENT,
            repository_id INTEGER NOT NULL UNIQUE REFERENCES repositories ON DELETE CASCADE,
            commit_oid BLOB NOT NULL CHECK (length(commit_oid) = 20),
            -- The repository's name then: a new name is a change too.
            path_key TEXT NOT NULL,
            at INTEGER NOT NULL,
            change_log TEXT NOT NULL CHECK (length(change_log) <= 1000)
        ) STRICT;
        """
}
