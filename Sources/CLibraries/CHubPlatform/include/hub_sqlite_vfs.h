/// The SQLite VFS of the hub: the system's own, with a watch on `fsync`.
///
/// An error while a database, its journal or its write-ahead log is synchronized leaves unknown whether the transaction lasts, and
/// SQLite would go on and overwrite it. The process therefore ends at once with status 75 and one line on stderr, and the next
/// start decides. A full disk while writing is an ordinary SQLITE_FULL.
#pragma once
#include <stdint.h>

/// Makes it the default VFS of the process. Call before the first database is opened; repeating it is harmless.
/// An SQLite result code.
int hub_sqlite_register_vfs(void);

/// How often write-ahead logs and databases of this process have been synchronized.
int64_t hub_sqlite_wal_syncs(void);
int64_t hub_sqlite_database_syncs(void);

/// Ends the process: the outcome of a commit is unknown. `what` is one line without a line end.
void hub_sqlite_outcome_unknown(const char *what) __attribute__((noreturn));

/// Operations of the log and the database that `hub_sqlite_inject` can make fail.
enum hub_sqlite_operation { HUB_SQLITE_SYNC = 1, HUB_SQLITE_WRITE = 2 };

/// For fault tests: after `skip` further operations of that kind, the next `count` fail with the errno value `error`.
void hub_sqlite_inject(int operation, int64_t skip, int64_t count, int error);

/// Turns on SQLite's defensive mode for a connection (`sqlite3 *`): no SQL can corrupt the file. An SQLite result code.
int hub_sqlite_make_defensive(void *connection);

/// From now on stores the number of frames in the write-ahead log in `*frames` after each commit of this connection, on the thread
/// that commits. `frames` must outlive the connection. Takes the place of `wal_autocheckpoint`.
void hub_sqlite_watch_log(void *connection, int64_t *frames);

/// Gives a file blocks up to `bytes` without changing its length (`fallocate(2)`). 0, or an errno value.
int hub_reserve_blocks(int fd, int64_t bytes);
