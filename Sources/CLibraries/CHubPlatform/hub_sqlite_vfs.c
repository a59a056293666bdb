#define _GNU_SOURCE
#include "hub_sqlite_vfs.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// A file of ours: SQLite's view of it, and behind it in the same memory the file of the system's VFS.
typedef struct {
    sqlite3_file base;
    int flags;
    sqlite3_file *real;
} hub_file;

static sqlite3_vfs *system_vfs;
static sqlite3_vfs hub_vfs;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int registration;

static atomic_int_least64_t wal_syncs, database_syncs;
static atomic_int_least64_t inject_skip[3], inject_count[3];
static atomic_int inject_error[3];

int64_t hub_sqlite_wal_syncs(void) { return atomic_load(&wal_syncs); }
int64_t hub_sqlite_database_syncs(void) { return atomic_load(&database_syncs); }

void hub_sqlite_inject(int operation, int64_t skip, int64_t count, int error) {
    if (operation != HUB_SQLITE_SYNC && operation != HUB_SQLITE_WRITE) return;
    atomic_store(&inject_error[operation], error);
    atomic_store(&inject_skip[operation], skip);
    atomic_store(&inject_count[operation], count);
}

// The errno value to fail with now, or 0.
static int injected(int operation) {
    if (atomic_load(&inject_count[operation]) <= 0) return 0;
    if (atomic_fetch_sub(&inject_skip[operation], 1) > 0) return 0;
    if (atomic_fetch_sub(&inject_count[operation], 1) <= 0) return 0;
    return atomic_load(&inject_error[operation]);
}

void hub_sqlite_outcome_unknown(const char *what) {
    char line[512];
    int length = snprintf(line, sizeof line,
        "csghub: %s. Whether the last changes are kept is unknown, so the hub ends here without answering them; "
        "start it again, and the database decides. Check the disk first.\n", what);
    if (length > (int)sizeof line - 1) length = sizeof line - 1;
    if (length > 0 && write(STDERR_FILENO, line, length) < 0) { /* nobody listens; the status still says it */ }
    _exit(75);
}

static const char *file_kind(int flags) {
    if (flags & SQLITE_OPEN_WAL) return "write-ahead log";
    if (flags & SQLITE_OPEN_MAIN_JOURNAL) return "journal";
    return "database";
}

#define REAL(file) (((hub_file *)(file))->real)

static int hub_close(sqlite3_file *file) {
    int code = REAL(file)->pMethods ? REAL(file)->pMethods->xClose(REAL(file)) : SQLITE_OK;
    file->pMethods = NULL;
    return code;
}

static int hub_read(sqlite3_file *file, void *buffer, int count, sqlite3_int64 offset) {
    return REAL(file)->pMethods->xRead(REAL(file), buffer, count, offset);
}

static int hub_write(sqlite3_file *file, const void *buffer, int count, sqlite3_int64 offset) {
    int error = injected(HUB_SQLITE_WRITE);
    if (error) return error == ENOSPC || error == EDQUOT ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    errno = 0;
    int code = REAL(file)->pMethods->xWrite(REAL(file), buffer, count, offset);
    // SQLite knows ENOSPC only; a quota or a file-size limit is a full disk too.
    if (code != SQLITE_OK && (errno == EDQUOT || errno == EFBIG)) return SQLITE_FULL;
    return code;
}

static int hub_truncate(sqlite3_file *file, sqlite3_int64 size) {
    return REAL(file)->pMethods->xTruncate(REAL(file), size);
}

static int hub_sync(sqlite3_file *file, int flags) {
    int kind = ((hub_file *)file)->flags;
    if (kind & SQLITE_OPEN_WAL) atomic_fetch_add(&wal_syncs, 1);
    if (kind & SQLITE_OPEN_MAIN_DB) atomic_fetch_add(&database_syncs, 1);
    int error = injected(HUB_SQLITE_SYNC);
    int code = SQLITE_IOERR_FSYNC;
    if (!error) {
        errno = 0;
        code = REAL(file)->pMethods->xSync(REAL(file), flags);
        if (code == SQLITE_OK) return SQLITE_OK;
        error = errno;
    }
    char what[256];
    snprintf(what, sizeof what, "Synchronizing the %s failed: %s (SQLite code %d)", file_kind(kind), strerror(error), code);
    hub_sqlite_outcome_unknown(what);
}

static int hub_file_size(sqlite3_file *file, sqlite3_int64 *size) {
    return REAL(file)->pMethods->xFileSize(REAL(file), size);
}
static int hub_lock(sqlite3_file *file, int level) { return REAL(file)->pMethods->xLock(REAL(file), level); }
static int hub_unlock(sqlite3_file *file, int level) { return REAL(file)->pMethods->xUnlock(REAL(file), level); }
static int hub_check_reserved(sqlite3_file *file, int *result) {
    return REAL(file)->pMethods->xCheckReservedLock(REAL(file), result);
}
static int hub_control(sqlite3_file *file, int operation, void *argument) {
    return REAL(file)->pMethods->xFileControl(REAL(file), operation, argument);
}
static int hub_sector_size(sqlite3_file *file) { return REAL(file)->pMethods->xSectorSize(REAL(file)); }
static int hub_characteristics(sqlite3_file *file) { return REAL(file)->pMethods->xDeviceCharacteristics(REAL(file)); }
static int hub_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **result) {
    return REAL(file)->pMethods->xShmMap(REAL(file), page, size, extend, result);
}
static int hub_shm_lock(sqlite3_file *file, int offset, int count, int flags) {
    return REAL(file)->pMethods->xShmLock(REAL(file), offset, count, flags);
}
static void hub_shm_barrier(sqlite3_file *file) { REAL(file)->pMethods->xShmBarrier(REAL(file)); }
static int hub_shm_unmap(sqlite3_file *file, int delete) { return REAL(file)->pMethods->xShmUnmap(REAL(file), delete); }
static int hub_fetch(sqlite3_file *file, sqlite3_int64 offset, int count, void **result) {
    return REAL(file)->pMethods->xFetch(REAL(file), offset, count, result);
}
static int hub_unfetch(sqlite3_file *file, sqlite3_int64 offset, void *page) {
    return REAL(file)->pMethods->xUnfetch(REAL(file), offset, page);
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 3, .xClose = hub_close, .xRead = hub_read, .xWrite = hub_write, .xTruncate = hub_truncate, .xSync = hub_sync,
    .xFileSize = hub_file_size, .xLock = hub_lock, .xUnlock = hub_unlock, .xCheckReservedLock = hub_check_reserved,
    .xFileControl = hub_control, .xSectorSize = hub_sector_size, .xDeviceCharacteristics = hub_characteristics,
    .xShmMap = hub_shm_map, .xShmLock = hub_shm_lock, .xShmBarrier = hub_shm_barrier, .xShmUnmap = hub_shm_unmap,
    .xFetch = hub_fetch, .xUnfetch = hub_unfetch,
};

static int hub_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags) {
    const int watched = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL;
    if (!(flags & watched)) return system_vfs->xOpen(system_vfs, name, file, flags, out_flags);
    hub_file *own = (hub_file *)file;
    memset(own, 0, sizeof *own);
    own->real = (sqlite3_file *)(own + 1);
    own->flags = flags;
    int code = system_vfs->xOpen(system_vfs, name, own->real, flags, out_flags);
    // SQLite closes a file exactly when its methods are set, so a half-open one of the system's is closed through ours too.
    if (own->real->pMethods) own->base.pMethods = &file_methods;
    return code;
}

static int hub_delete(sqlite3_vfs *vfs, const char *name, int sync) { return system_vfs->xDelete(system_vfs, name, sync); }
static int hub_access(sqlite3_vfs *vfs, const char *name, int flags, int *result) {
    return system_vfs->xAccess(system_vfs, name, flags, result);
}
static int hub_full_path(sqlite3_vfs *vfs, const char *name, int size, char *result) {
    return system_vfs->xFullPathname(system_vfs, name, size, result);
}
static void *hub_dl_open(sqlite3_vfs *vfs, const char *name) { return system_vfs->xDlOpen(system_vfs, name); }
static void hub_dl_error(sqlite3_vfs *vfs, int size, char *text) { system_vfs->xDlError(system_vfs, size, text); }
static void (*hub_dl_sym(sqlite3_vfs *vfs, void *handle, const char *symbol))(void) {
    return system_vfs->xDlSym(system_vfs, handle, symbol);
}
static void hub_dl_close(sqlite3_vfs *vfs, void *handle) { system_vfs->xDlClose(system_vfs, handle); }
static int hub_randomness(sqlite3_vfs *vfs, int size, char *bytes) { return system_vfs->xRandomness(system_vfs, size, bytes); }
static int hub_sleep(sqlite3_vfs *vfs, int microseconds) { return system_vfs->xSleep(system_vfs, microseconds); }
static int hub_time(sqlite3_vfs *vfs, double *now) { return system_vfs->xCurrentTime(system_vfs, now); }
static int hub_last_error(sqlite3_vfs *vfs, int size, char *text) { return system_vfs->xGetLastError(system_vfs, size, text); }
static int hub_time64(sqlite3_vfs *vfs, sqlite3_int64 *now) { return system_vfs->xCurrentTimeInt64(system_vfs, now); }
static int hub_set_call(sqlite3_vfs *vfs, const char *name, sqlite3_syscall_ptr call) {
    return system_vfs->xSetSystemCall(system_vfs, name, call);
}
static sqlite3_syscall_ptr hub_get_call(sqlite3_vfs *vfs, const char *name) {
    return system_vfs->xGetSystemCall(system_vfs, name);
}
static const char *hub_next_call(sqlite3_vfs *vfs, const char *name) { return system_vfs->xNextSystemCall(system_vfs, name); }

static void register_vfs(void) {
    registration = sqlite3_initialize();
    if (registration != SQLITE_OK) return;
    system_vfs = sqlite3_vfs_find(NULL);
    if (!system_vfs || system_vfs->iVersion < 3) {
        registration = SQLITE_ERROR;
        return;
    }
    hub_vfs = (sqlite3_vfs){
        .iVersion = 3, .szOsFile = (int)sizeof(hub_file) + system_vfs->szOsFile, .mxPathname = system_vfs->mxPathname,
        .zName = "hub", .xOpen = hub_open, .xDelete = hub_delete, .xAccess = hub_access, .xFullPathname = hub_full_path,
        .xDlOpen = hub_dl_open, .xDlError = hub_dl_error, .xDlSym = hub_dl_sym, .xDlClose = hub_dl_close,
        .xRandomness = hub_randomness, .xSleep = hub_sleep, .xCurrentTime = hub_time, .xGetLastError = hub_last_error,
        .xCurrentTimeInt64 = hub_time64, .xSetSystemCall = hub_set_call, .xGetSystemCall = hub_get_call,
        .xNextSystemCall = hub_next_call,
    };
    registration = sqlite3_vfs_register(&hub_vfs, 1);
}

int hub_sqlite_register_vfs(void) {
    pthread_once(&once, register_vfs);
    return registration;
}

int hub_sqlite_make_defensive(void *connection) {
    return sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
}

static int log_grew(void *frames, sqlite3 *connection, const char *database, int count) {
    *(int64_t *)frames = count;
    return SQLITE_OK;
}

void hub_sqlite_watch_log(void *connection, int64_t *frames) { sqlite3_wal_hook(connection, log_grew, frames); }

int hub_reserve_blocks(int fd, int64_t bytes) { return fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, bytes) == 0 ? 0 : errno; }
