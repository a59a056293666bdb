extension Schema {
    static let facts = """
        -- What the files of a repository say at one commit of its default branch.
        CREATE TABLE facts (
            repository_id INTEGER PRIMARY KEY REFERENCES repositories ON DELETE CASCADE,
            -- The version of the rules that they were computed by.
            rules INTEGER NOT NULL,
            commit_oid BLOB CHECK (length(commit_oid) = 20),
            last_modified INTEGER NOT NULL,
            used_storage_bytes INTEGER NOT NULL DEFAULT 0 CHECK (used_storage_bytes >= 0),
            files_bytes INTEGER NOT NULL DEFAULT 0 CHECK (files_bytes >= 0),
            file_count INTEGER NOT NULL DEFAULT 0 CHECK (file_count >= 0),
            parameters INTEGER CHECK (parameters >= 0),
            library_name TEXT,
            pipeline_tag TEXT,
            license TEXT,
            sdk TEXT,
            title TEXT,
            summary TEXT,
            -- One a line.
            tags TEXT NOT NULL DEFAULT '',
            languages TEXT NOT NULL DEFAULT '',
            datasets TEXT NOT NULL DEFAULT '',
            -- JSON.
            base_models TEXT,
            transformers_info TEXT,
            safetensors TEXT,
            gguf TEXT,
            warnings TEXT,
            config TEXT,
            dataset_configs TEXT,
            card_data TEXT
        ) STRICT;
        
        -- What lists sort by. A row for every repository; the indexes hold those that are not deleted.
        CREATE TABLE listing (
            repository_id INTEGER PRIMARY KEY REFERENCES repositories ON DELETE CASCADE,
            kind TEXT NOT NULL CHECK (kind IN ('model', 'dataset', 'space', 'code')),
            is_listed INTEGER NOT NULL CHECK (is_listed IN (0, 1)),
            created INTEGER NOT NULL,
            modified INTEGER NOT NULL,
            likes INTEGER NOT NULL DEFAULT 0 CHECK (likes >= 0),
            downloads INTEGER NOT NULL DEFAULT 0 CHECK (downloads >= 0),
            downloads_all_time INTEGER NOT NULL DEFAULT 0 CHECK (downloads_all_time >= 0),
            trending INTEGER NOT NULL DEFAULT 0,
            parameters INTEGER,
            -- The ids of its terms as JSON, so that a change knows which sets to leave.
            terms TEXT NOT NULL DEFAULT '[]'
        ) STRICT;
        CREATE INDEX listing_by_creation ON listing (kind, created, repository_id) WHERE is_listed = 1;
        CREATE INDEX listing_by_modification ON listing (kind, modified, repository_id) WHERE is_listed = 1;
        CREATE INDEX listing_by_likes ON listing (kind, likes, repository_id) WHERE is_listed = 1;
        CREATE INDEX listing_by_downloads ON listing (kind, downloads, repository_id) WHERE is_listed = 1;
        CREATE INDEX listing_by_trend ON listing (kind, trending, repository_id) WHERE is_listed = 1;
        CREATE INDEX listing_by_parameters
            ON listing (kind, parameters, repository_id) WHERE is_listed = 1 AND parameters IS NOT NULL;

        -- Properties that lists filter by: tags, visibility, owner, …, each with the set of repositories that have it.
        CREATE TABLE terms (
            id INTEGER PRIMARY KEY,
            kind TEXT NOT NULL CHECK (kind IN ('model', 'dataset', 'space', 'code')),
            space TEXT NOT NULL CHECK (length(space) BETWEEN 1 AND 20),
            text TEXT NOT NULL,
            count INTEGER NOT NULL DEFAULT 0 CHECK (count >= 0),
            UNIQUE (kind, space, text)
        ) STRICT;
        CREATE INDEX terms_by_count ON terms (kind, space, count, text);
        -- A part of a set: the ids `65536 * part` and up, as RepositorySet writes them. The id is `term << 24 | part`.
        CREATE TABLE term_sets (
            id INTEGER PRIMARY KEY,
            members BLOB NOT NULL
        ) STRICT;
        -- The names of 256 repositories each, for search by a part of the name.
        CREATE TABLE name_blocks (
            id INTEGER PRIMARY KEY,
            names BLOB NOT NULL
        ) STRICT;
        CREATE VIRTUAL TABLE search USING fts5 (title, body, tokenize = 'hub', prefix = '2 3');

        -- Downloads and likes a day (days since 1970), for the last month's counts and the trend.
        CREATE TABLE day_counts (
            day INTEGER NOT NULL,
            repository_id INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
            downloads INTEGER NOT NULL DEFAULT 0,
            likes INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (day, repository_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX day_counts_by_repository ON day_counts (repository_id, day, downloads, likes);

        -- Repositories whose listing must be made again; emptied before the change that marked them commits.
        CREATE TABLE listing_stale (
            repository_id INTEGER PRIMARY KEY REFERENCES repositories ON DELETE CASCADE
        ) STRICT;
        CREATE TRIGGER listing_after_creation AFTER INSERT ON repositories
            BEGIN INSERT OR IGNORE INTO listing_stale VALUES (new.id); END;
        CREATE TRIGGER listing_after_change AFTER UPDATE OF kind, namespace_id, path_key, visibility, description, deleted_at
            ON repositories
            BEGIN INSERT OR IGNORE INTO listing_stale VALUES (new.id); END;
        CREATE TRIGGER listing_after_facts AFTER INSERT ON facts
            BEGIN INSERT OR IGNORE INTO listing_stale VALUES (new.repository_id); END;
        CREATE TRIGGER listing_after_new_facts AFTER UPDATE ON facts
            BEGIN INSERT OR IGNORE INTO listing_stale VALUES (new.repository_id); END;
        INSERT INTO listing_stale SELECT id FROM repositories;
        """
}
